/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-admit.c - whether the store is worth asking for a file's pages, and which of
 * those that were read from the file are offered to it.
 *
 * A page that the kernel's page cache had is not offered: it would be in memory
 * twice, and comes back from there as fast. The kernel does not say where a read
 * was answered from, but how long it took does: a page cache copies 4 KiB in under
 * 1 us, the quickest disks take 10 us.
 *
 * Where the page cache has about all of a file, asking a store first is lost time,
 * and what the store has of it is of no use however often it hits. So a few hits are
 * read from the file as well, and timed:
 *
 *	asking --less than IDLE_BELOW of a window's reads need, or would need, a disk--> idle
 *	idle   --WAKE_SAMPLES of a window's samples took a disk--> asking
 *
 * What it costs where the store is the only memory that has the page: PROBES disk
 * reads in WINDOW gets. Without it, point reads of a database that the page cache
 * holds took 1.17 times the default VFS's time.
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

	/* Lookups until a verdict is found anew: some hundredths of a second
	 * of hits. */
	WINDOW = 4096,
	/* Hits among them that are read from the file as well. */
	PROBES = 16,
	/* One of them may be slow because something else ran meanwhile. */
	PROBES_NOISE = 1,
	/* One lookup in so many must hit, else the store is useless. */
	USEFUL_SHARE = 16,
	/* One page in so many is offered to a useless store. */
	SAMPLE = 16,

	/* Asking costs 0.3 us and saves a disk's 10 or more: it is worth it from
	 * one slow read in 32 on. Apart, so that it does not swing. */
	IDLE_BELOW = WINDOW / 64,
	IDLE_WINDOW = 1024,
	IDLE_EVERY = 8, /* reads, one of which is timed */
	WAKE_SAMPLES = IDLE_WINDOW / IDLE_EVERY / 32
};

uint64_t sqlite_admit_clock(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

int sqlite_admit_slow(int bytes, uint64_t read_ns)
{
	return read_ns >=
	       CACHED_NS_MAX + (uint64_t)bytes / 1024 * CACHED_NS_PER_KIB;
}

static void new_window(struct sqlite_admit *a, struct tmem *session)
{
	struct tmem_stats s = { .size = sizeof(s) };
	uint32_t hits = atomic_exchange(&a->hits, 0);
	uint32_t slow = atomic_exchange(&a->slow, 0);
	uint32_t probes = atomic_exchange(&a->probes, 0);
	uint32_t slow_probes = atomic_exchange(&a->slow_probes, 0);

	if (!probes)
		slow += hits;
	else if (slow_probes > PROBES_NOISE)
		slow += hits * slow_probes / probes;
	a->idle = slow < IDLE_BELOW;
	a->idle_slow = 0;
	if (tmem_stats(session, &s) < 0)
		return;
	a->useless = s.evictions > atomic_load(&a->evictions) &&
		     hits < WINDOW / USEFUL_SHARE;
	a->evictions = s.evictions;
}

int sqlite_admit_hit(struct sqlite_admit *a, struct tmem *session)
{
	uint32_t at = ++a->lookups % WINDOW;

	a->hits++;
	if (!at)
		new_window(a, session);
	/* The first that is due, however rare hits are. */
	return a->probes * (WINDOW / PROBES) <= at;
}

void sqlite_admit_probed(struct sqlite_admit *a, int slow)
{
	a->probes++;
	a->slow_probes += (unsigned)slow;
}

void sqlite_admit_missed(struct sqlite_admit *a, struct tmem *session, int slow)
{
	a->slow += (unsigned)slow;
	if (++a->lookups % WINDOW == 0)
		new_window(a, session);
}

int sqlite_admit_page(struct sqlite_admit *a)
{
	return !a->useless || ++a->turn % SAMPLE == 0;
}

int sqlite_admit_way(struct sqlite_admit *a)
{
	uint32_t at;

	if (!a->idle)
		return SQLITE_ADMIT_ASK;
	at = ++a->idle_reads;
	if (at % IDLE_EVERY)
		return SQLITE_ADMIT_PASS;
	if (at % IDLE_WINDOW == 0)
		a->idle_slow = 0;
	return SQLITE_ADMIT_SAMPLE;
}

void sqlite_admit_sampled(struct sqlite_admit *a, int slow)
{
	if (slow && ++a->idle_slow >= WAKE_SAMPLES)
		a->idle = 0;
}
