/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * get.c - giving pages back: find under the shard's lock, copy outside of it, and
 * take only what was copied.
 */
#include "get.h"

#include <errno.h>

#include "ager.h"
#include "fault.h"
#include "policy.h"

/* Under the shard's lock: what a hit does to the page's use. */
static void note_use(const struct tmem_view *pool, const struct tmem_hit *hit)
{
	uint32_t use = tmem_place_use(hit->place);

	if (!(pool->flags & TMEM_POOL_PERSISTENT) && use < TMEM_PLACE_USE_MAX)
		tmem_cursor_set_place(&hit->cursor,
				      tmem_place_set_use(hit->place, use + 1));
}

/* Takes the slot out if it still is the one that was read; 1 done, 0 moved. */
static int remove_same(struct tmem_store *st, const struct tmem_view *pool,
		       const struct tmem_ref *ref, uint64_t place, int is_hit)
{
	struct tmem_tally *tally;
	struct tmem_hit now;
	int same;

	tmem_index_lock(st, ref);
	tally = tmem_index_tally(st, ref);
	same = tally && tmem_index_find(st, ref, &now) &&
	       tmem_index_same(now.place, place);
	if (same && is_hit && !(pool->flags & TMEM_POOL_PERSISTENT)) {
		tally->hits++;
		tmem_index_leave(st, ref, &now.cursor, TMEM_LEFT_TAKEN);
	} else if (same) {
		tally->hits += (uint64_t)is_hit;
		tmem_index_drop(st, ref, &now.cursor);
	}
	tmem_index_unlock(st, ref);
	return same;
}

/* A damaged entry: a persistent page stays, so that its user learns of it. */
static int damaged(struct tmem_store *st, const struct tmem_view *pool,
		   const struct tmem_ref *ref, uint64_t place)
{
	if (pool->flags & TMEM_POOL_PERSISTENT)
		return -EIO;
	return remove_same(st, pool, ref, place, 0) ? 0 : -ESTALE;
}

/*
 * A hit that leaves the page is counted here, before the bytes are read: the lock
 * need not be taken twice. Whoever then cannot have them calls uncount_hit().
 *
 * Return: 1 found and pinned, in @hit; 0; -EBADF.
 */
static int look_up(struct tmem_store *st, const struct tmem_view *pool,
		   const struct tmem_ref *ref, int first, int take,
		   struct tmem_hit *hit)
{
	struct tmem_tally *tally;
	int found = -EBADF;

	tmem_index_lock(st, ref);
	tally = tmem_index_tally(st, ref);
	if (tally) {
		tally->gets += (uint64_t)first;
		if (first && take)
			tmem_policy_try_get(st, ref);
		found = tmem_index_find_page(st, ref, hit);
		if (!found && first && tmem_index_evicted(st, ref))
			tally->ghost_hits++;
	}
	if (found == 1) {
		if (!take) {
			tally->hits++;
			note_use(pool, hit);
		}
		tmem_segment_pin(&st->space,
				 tmem_place_segment(&st->space, hit->place));
	}
	tmem_index_unlock(st, ref);
	return found;
}

static void uncount_hit(struct tmem_store *st, const struct tmem_ref *ref)
{
	struct tmem_tally *tally;

	tmem_index_lock(st, ref);
	tally = tmem_index_tally(st, ref);
	if (tally)
		tally->hits--;
	tmem_index_unlock(st, ref);
}

int tmem_get_ref(struct tmem_store *st, const struct tmem_view *pool,
		 const struct tmem_ref *ref, const struct tmem_part *part,
		 int take, void *to)
{
	struct tmem_hit hit;
	int first = 1, ret;

	tmem_fault_delay();
	do {
		ret = look_up(st, pool, ref, first, take, &hit);
		if (ret != 1)
			return ret;
		first = 0;
		ret = tmem_read(st, hit.place, &hit.entry, part, to);
		tmem_segment_unpin(&st->space,
				   tmem_place_segment(&st->space, hit.place));
		if (ret && !take)
			uncount_hit(st, ref);
		if (ret == -EIO)
			ret = damaged(st, pool, ref, hit.place);
		else if (!ret && take)
			ret = remove_same(st, pool, ref, hit.place, 1)
				      ? 1
				      : -ESTALE;
		else if (!ret)
			ret = 1;
	} while (ret == -ESTALE);
	return ret;
}

int tmem_flush_ref(struct tmem_store *st, const struct tmem_ref *ref)
{
	struct tmem_tally *tally;
	struct tmem_hit hit;
	int found = -EBADF;

	tmem_index_lock(st, ref);
	tally = tmem_index_tally(st, ref);
	if (tally) {
		tally->flushes++;
		tmem_policy_try_flush(st, ref);
		found = tmem_index_find(st, ref, &hit);
		if (found)
			tmem_index_drop(st, ref, &hit.cursor);
		else
			(void)tmem_index_left(st, ref);
	}
	tmem_index_unlock(st, ref);
	return found;
}

int tmem_flush_object_ref(struct tmem_store *st, const struct tmem_ref *ref)
{
	struct tmem_pool *p = &st->pools[tmem_pool_slot(ref->object.pool)];
	struct tmem_tally *tally;
	int found;

	tmem_index_lock(st, ref);
	tally = tmem_index_tally(st, ref);
	if (tally)
		tally->flushes++;
	tmem_index_unlock(st, ref);
	if (!tally)
		return -EBADF;
	found = tmem_object_condemn(&st->objects, &ref->object);
	if (found) {
		atomic_fetch_sub(&p->objects, 1);
		(void)tmem_sweep_want(st);
	}
	return found;
}
