/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resident.c - the daemon's own memory stays in RAM, so that giving back never
 * waits for a page of the daemon's.
 *
 * A machine short of memory drops pages of programs, which come from a disk again,
 * and swaps their data. Whoever is to end the shortage must not stand in that queue.
 * It is 10 MB in all. Lent memory is not mapped here and so not locked by this.
 */
#include "resident.h"

#include <sys/mman.h>
#include <sys/resource.h>

#ifndef MCL_ONFAULT
#define MCL_ONFAULT 4
#endif

/* The way from the event loop to the last hole punched takes less than half: two
 * texts of 8 KiB (host.c, margin.c), and libraries. */
#define STACK_BYTES (64u << 10)

#define STRIDE 4096u

static void touch_stack(void)
{
	volatile char room[STACK_BYTES];
	unsigned i;

	for (i = 0; i < sizeof(room); i += STRIDE)
		room[i] = 0;
}

/*
 * With a limit, a mapping beyond it would fail once all that will be mapped is to be
 * locked, and a lease with it: then what comes later is not. Root lifts the limit
 * here, since the sandbox takes the privilege to pass it.
 */
static int lift_limit(void)
{
	const struct rlimit off = { RLIM_INFINITY, RLIM_INFINITY };
	struct rlimit now;

	(void)setrlimit(RLIMIT_MEMLOCK, &off);
	return !getrlimit(RLIMIT_MEMLOCK, &now) && now.rlim_cur == RLIM_INFINITY;
}

const char *tmemd_resident_lock(void)
{
	touch_stack();
	if (mlockall(MCL_CURRENT))
		return "unlocked";
	/* Later is what is mapped for a session, and comes in with its use: a
	 * window over a client's segment (backing.c) is never used. */
	if (!lift_limit() || mlockall(MCL_FUTURE | MCL_ONFAULT))
		return "locked-at-start";
	return "locked";
}
