/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memlimit.h - a cgroup with a memory limit, of whichever version has the
 * controller.
 */
#ifndef TESTS_LIB_MEMLIMIT_H
#define TESTS_LIB_MEMLIMIT_H

#include <stdint.h>
#include <sys/types.h>

struct memlimit {
	int version;   /* 1 or 2 */
	char dir[256]; /* of the cgroup */
};

/**
 * memlimit_init() - a new one, empty.
 *
 * Return: 0; -EOPNOTSUPP this machine or user cannot: skip what needs it.
 */
int memlimit_init(struct memlimit *m, uint64_t limit_bytes);

/** memlimit_init_at() - the same below another place than /sys/fs/cgroup. */
int memlimit_init_at(struct memlimit *m, const char *root, uint64_t limit_bytes);

/** memlimit_set() - another limit. Return: 0, negative errno. */
int memlimit_set(const struct memlimit *m, uint64_t limit_bytes);

/** memlimit_forbid_swap() - what is short of memory loses its cache alone. Where the
 * kernel has no such word there is no swap. */
void memlimit_forbid_swap(const struct memlimit *m);

/** memlimit_enter() - a process, and what it starts from then on. Return: 0,
 * negative errno. */
int memlimit_enter(const struct memlimit *m, pid_t pid);

/** memlimit_usage() - bytes charged to it; 0: it cannot be read. */
uint64_t memlimit_usage(const struct memlimit *m);

/** memlimit_finish() - once its processes are gone. */
void memlimit_finish(struct memlimit *m);

#endif
