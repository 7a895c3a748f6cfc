/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-admit.c - which of the pages that were read from a file are offered.
 *
 * A page that the kernel's page cache had is not: it would be in memory twice, and
 * comes back from there as fast. The kernel does not say where a read was answered
 * from, but how long it took does: a page cache copies 4 KiB in under 1 us, the
 * quickest disks take 10 us.
 *
 * And a store that is full, of which nothing is asked again, is offered one page in
 * sixteen: putting where something has to be evicted first costs as much as a good
 * part of a disk's read. That one is enough to notice when the pages come back.
 */
#include "sqlite-admit.h"

#include <time.h>

#include <tmem/tmem.h>

enum {
	/* Above what a copy takes on a machine that is busy, below any disk. */
	CACHED_NS_MAX = 4000,
	CACHED_NS_PER_KIB = 250,

	/* Lookups until the verdict is found anew: some thousandths of a
	 * second of reading from a disk. */
	WINDOW = 1024,
	/* One lookup in so many must hit, else the store is useless. */
	USEFUL_SHARE = 16,
	/* One page in so many is offered to a useless store. */
	SAMPLE = 16
};

uint64_t sqlite_admit_clock(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void new_window(struct sqlite_admit *a, struct tmem *session)
{
	struct tmem_stats s = { .size = sizeof(s) };
	uint32_t hits = atomic_exchange(&a->hits, 0);

	if (tmem_stats(session, &s) < 0)
		return;
	a->useless = s.evictions > atomic_load(&a->evictions) &&
		     hits < WINDOW / USEFUL_SHARE;
	a->evictions = s.evictions;
}

void sqlite_admit_count(struct sqlite_admit *a, struct tmem *session, int hit)
{
	a->hits += (uint32_t)hit;
	if (++a->lookups % WINDOW == 0)
		new_window(a, session);
}

int sqlite_admit_page(struct sqlite_admit *a, int bytes, uint64_t read_ns)
{
	if (read_ns < CACHED_NS_MAX + (uint64_t)bytes / 1024 * CACHED_NS_PER_KIB)
		return 0;
	return !a->useless || ++a->turn % SAMPLE == 0;
}
