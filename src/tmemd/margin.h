/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * margin.h - how much more the daemon's own cgroup can bear.
 *
 * Lent memory is charged to it. Past its limit the kernel kills: the daemon stays
 * a margin below.
 */
#ifndef TMEM_TMEMD_MARGIN_H
#define TMEM_TMEMD_MARGIN_H

#include <stddef.h>
#include <stdint.h>

/** struct tmemd_margin - the cgroup's files, opened once; -1: there is none. */
struct tmemd_margin {
	size_t kind; /* of cgroup: how its figures are called */
	int limit_fd;
	int usage_fd;
	int stat_fd;
};

/** tmemd_margin_init() - before the sandbox; a machine without cgroups is fine. */
void tmemd_margin_init(struct tmemd_margin *m);
void tmemd_margin_finish(struct tmemd_margin *m);

/** tmemd_margin_bytes() - that may still be taken; UINT64_MAX: no limit. */
uint64_t tmemd_margin_bytes(const struct tmemd_margin *m);

#endif
