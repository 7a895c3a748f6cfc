/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * margin.h - how much more the daemon's own cgroup can bear, and those above it.
 *
 *	/system.slice/tmemd.service	limit - usage + cache	\
 *	/system.slice			limit - usage + cache	 > the least
 *	/				has no limit		/
 *
 * Lent memory is charged to all of them. Past a limit the kernel kills: the daemon
 * stays a margin below each.
 */
#ifndef TMEM_TMEMD_MARGIN_H
#define TMEM_TMEMD_MARGIN_H

#include <stddef.h>
#include <stdint.h>

struct tmem_logger;

/* Services are three or four deep, in a container in a container ten. */
#define TMEMD_MARGIN_LEVELS 32u

/** struct tmemd_margin_level - a cgroup's files, opened once. */
struct tmemd_margin_level {
	int limit_fd;
	int usage_fd;
	int stat_fd;
};

struct tmemd_margin {
	size_t kind;	 /* of cgroups: how their figures are called */
	unsigned levels; /* from the own one upwards; 0: no cgroup to be seen */
	struct tmemd_margin_level level[TMEMD_MARGIN_LEVELS];
};

/**
 * tmemd_margin_init() - before the sandbox; a machine without cgroups is fine.
 * @root: "", or where the /proc and /sys of a made-up machine are.
 */
void tmemd_margin_init(struct tmemd_margin *m, const char *root,
		       const struct tmem_logger *logger);
void tmemd_margin_finish(struct tmemd_margin *m);

/** tmemd_margin_bytes() - that may still be taken; UINT64_MAX: no limit. */
uint64_t tmemd_margin_bytes(const struct tmemd_margin *m);

#endif
