/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk.h - what a daemon has lent, found out without asking it.
 *
 * Each client holds its lease's two memfds: the control page says which segments
 * are lent for what, and the kernel says how much memory lies behind the data.
 */
#ifndef TESTS_DAEMON_WALK_H
#define TESTS_DAEMON_WALK_H

#include <stdint.h>
#include <sys/types.h>

#include <tmem/wire.h>

/** struct walk - of one lease, or several added up. */
struct walk {
	const char *only; /* said before: leases of this domain; NULL: all */
	unsigned leases;
	uint64_t segments;
	uint64_t lent_bytes[TMEM_WIRE_CLASSES]; /* as control pages say */
	uint64_t memory_bytes;			/* behind the data, really */
	char domain[TMEM_WIRE_NAME_MAX];	/* of the last one */
};

/** walk_add() - the lease that a process holds, if it holds one. It must stand
 * still. Return: 1, 0 it holds none. */
int walk_add(struct walk *w, pid_t pid);

#endif
