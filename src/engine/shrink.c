/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shrink.c - giving memory back to the kernel now, and changing the limit.
 *
 * Whole segments of ephemeral pages are lost first: one madvise for neighbours, and the
 * slots they leave behind are swept later, so the cost does not depend on how
 * many pages they held. Persistent pages are packed and compacted, never lost.
 */
#include <errno.h>
#include <stdlib.h>

#include "ager.h"
#include "order.h"
#include "store.h"

/* Jobs of compressing and compacting in a row that free nothing. */
#define FRUITLESS_MAX 64

/* Segments that one look at the index finds to lose: 2 GiB of the largest, and
 * 8 KiB of a caller's stack. */
#define RANKED_MAX 1024u

/* Of these, given back under one hold of the locks that whoever wants a segment
 * waits for: half a millisecond. */
#define LOST_AT_ONCE 16u

static uint32_t held(const struct tmem_store *st)
{
	return atomic_load(&st->space.held);
}

/* What is given back to a source that has too few ahead stays in memory. */
static uint32_t ahead(const struct tmem_store *st)
{
	const struct tmem_lease *lease = st->space.lease;

	return lease->ahead ? atomic_load(lease->ahead) : 0;
}

/* Segments that a worker is at would be spared. */
static void stop_workers(struct tmem_store *st)
{
	uint32_t i;

	for (i = 0; i < st->workers_count; i++) {
		tmem_lock_acquire(&st->workers[i].lock);
		tmem_ager_quit(st, &st->workers[i]);
		tmem_lock_release(&st->workers[i].lock);
	}
}

static int by_segment(const void *va, const void *vb)
{
	const struct tmem_victim *a = va, *b = vb;

	return a->segment < b->segment ? -1 : a->segment > b->segment;
}

/* Losing and saying so are one step to a walker. */
static uint32_t lose(struct tmem_store *st, const struct tmem_victim *victims,
		     uint32_t count)
{
	uint64_t pages;
	uint32_t n;

	tmem_lock_acquire(&st->sweep.lock);
	n = tmem_space_lose(&st->space, victims, count,
			    atomic_load(&st->sweep.wanted) + 1, &pages);
	if (n) {
		atomic_fetch_add(&st->lost, pages);
		(void)tmem_sweep_want(st);
	}
	tmem_lock_release(&st->sweep.lock);
	return n;
}

/* Up to `count` of them; says how many. */
static uint32_t lose_coldest(struct tmem_store *st, uint32_t count)
{
	struct tmem_victim victims[RANKED_MAX];
	uint32_t n, i, lost = 0;

	n = tmem_store_coldest(st, victims,
			       count < RANKED_MAX ? count : RANKED_MAX);
	qsort(victims, n, sizeof(*victims), by_segment);
	for (i = 0; i < n; i += LOST_AT_ONCE)
		lost += lose(st, victims + i,
			     n - i < LOST_AT_ONCE ? n - i : LOST_AT_ONCE);
	return lost;
}

/* What is held above `target` goes, as far as losing pages does it. */
static void lose_down_to(struct tmem_store *st, uint32_t target)
{
	int sealed = 0;

	(void)tmem_notice_losses(st);
	stop_workers(st);
	while (held(st) > target) {
		if (atomic_load(&st->space.ready))
			tmem_space_drain(&st->space,
					 atomic_load(&st->space.ready) - 1);
		else if (lose_coldest(st, held(st) - target))
			continue;
		else if (!sealed++)
			(void)tmem_log_seal(&st->log, TMEM_CLASS_EPHEMERAL, 0);
		else
			break;
	}
}

/* The rest must come from compressing, compacting and sweeping. */
static void clean_down_to(struct tmem_store *st, uint32_t target)
{
	struct tmem_worker *w;
	uint32_t jobs, least = held(st);
	int done = 1;

	tmem_sweep_finish(st);
	(void)tmem_chunk_trim(&st->space);
	w = tmem_ager_worker(st, 1);
	jobs = w->compacted;
	while (done && held(st) > target && w->compacted - jobs < FRUITLESS_MAX) {
		done = tmem_ager_unit(st, w, TMEM_NEED_ROOM, TMEM_UNIT_ENTRIES);
		tmem_space_drain(&st->space, 0);
		if (held(st) < least) {
			least = held(st);
			jobs = w->compacted;
		}
	}
	tmem_ager_quit(st, w);
	tmem_lock_release(&w->lock);
}

static void shrink_to(struct tmem_store *st, uint32_t target)
{
	lose_down_to(st, target);
	if (held(st) > target)
		clean_down_to(st, target);
}

void tmem_store_shrink(struct tmem_store *st, uint64_t bytes,
		       uint64_t *ret_bytes)
{
	uint64_t size = st->space.lease->segment_size;
	uint64_t want = bytes / size + !!(bytes % size);
	uint32_t before = held(st) + ahead(st), after = before;
	uint32_t target = want < before ? before - (uint32_t)want : 0, kept;

	while (after > target) {
		kept = ahead(st);
		shrink_to(st, target > kept ? target - kept : 0);
		after = held(st) + ahead(st);
		if (ahead(st) <= kept)
			break;
	}
	*ret_bytes = after < before ? (before - after) * size : 0;
}

int tmem_store_set_limit(struct tmem_store *st, uint64_t limit_bytes)
{
	uint32_t max;

	if (limit_bytes < TMEM_LIMIT_MIN ||
	    limit_bytes > st->limit_first * TMEM_LIMIT_GROWTH ||
	    limit_bytes > TMEM_LIMIT_MAX)
		return -EINVAL;
	tmem_space_limit(&st->space, limit_bytes);
	if (st->space.lease->ops->limit)
		st->space.lease->ops->limit(st->space.lease, limit_bytes);
	atomic_store(&st->room_skip, 0);
	max = atomic_load(&st->space.held_max);
	if (held(st) > max)
		shrink_to(st, max);
	return 0;
}
