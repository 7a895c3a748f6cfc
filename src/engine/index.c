/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * index.c - slots found, written, moved and dropped, with everything that counts
 * them.
 */
#include "index.h"

#include <errno.h>
#include <string.h>

#include "assertion.h"
#include "bounds.h"
#include "hash.h"
#include "mem.h"

static uint32_t trials_count(const struct tmem_store *st)
{
	return st->shards_count < TMEM_TRIALS_MAX ? st->shards_count
						  : TMEM_TRIALS_MAX;
}

static int init_trials(struct tmem_store *st)
{
	struct tmem_trial *t;
	uint32_t i;

	for (i = 0; i < trials_count(st); i++) {
		if (tmem_space_charge(&st->space, sizeof(*t)))
			return -ENOMEM;
		t = tmem_mem_alloc(sizeof(*t));
		if (!t) {
			tmem_space_uncharge(&st->space, sizeof(*t));
			return -ENOMEM;
		}
		st->shards[i].trial = t;
	}
	return 0;
}

int tmem_index_init(struct tmem_store *st)
{
	uint64_t bytes = (uint64_t)st->shards_count * sizeof(*st->shards);
	uint32_t i;

	if (tmem_space_charge(&st->space, bytes))
		return -ENOMEM;
	st->shards = tmem_mem_alloc(bytes);
	if (!st->shards) {
		tmem_space_uncharge(&st->space, bytes);
		return -ENOMEM;
	}
	for (i = 0; i < st->shards_count; i++)
		tmem_lock_init(&st->shards[i].lock, TMEM_RANK_SHARD);
	for (i = 0; i < st->shards_count; i++)
		if (tmem_table_init(&st->shards[i].table, &st->space))
			return -ENOMEM;
	return init_trials(st);
}

void tmem_index_finish(struct tmem_store *st)
{
	uint32_t i;

	for (i = 0; st->shards && i < st->shards_count; i++) {
		tmem_table_finish(&st->shards[i].table);
		tmem_ghost_finish(&st->shards[i].evicted);
		tmem_ghost_finish(&st->shards[i].taken);
		tmem_mem_free(st->shards[i].trial, sizeof(struct tmem_trial));
		tmem_lock_finish(&st->shards[i].lock);
	}
	tmem_mem_free(st->shards, st->shards_count * sizeof(*st->shards));
	st->shards = NULL;
}

static void finish_ref(const struct tmem_store *st, struct tmem_ref *ref)
{
	/* Twice: one product leaves runs of indexes in neighbouring buckets. */
	ref->hash = tmem_mix(tmem_mix(ref->object.hash, ref->index), st->seed);
	ref->shard = (uint32_t)((ref->hash >> 32) * st->shards_count >> 32);
}

void tmem_index_ref(const struct tmem_store *st, uint32_t pool,
		    const struct tmem_key *key, struct tmem_ref *ret)
{
	tmem_object_name(&st->objects, pool, key->object, &ret->object);
	ret->index = key->index;
	finish_ref(st, ret);
	tmem_table_prefetch(&st->shards[ret->shard].table, (uint32_t)ret->hash);
}

void tmem_index_lock(struct tmem_store *st, const struct tmem_ref *ref)
{
	tmem_lock_acquire(&st->shards[ref->shard].lock);
}

void tmem_index_unlock(struct tmem_store *st, const struct tmem_ref *ref)
{
	tmem_lock_release(&st->shards[ref->shard].lock);
}

struct tmem_tally *tmem_index_tally(struct tmem_store *st,
				    const struct tmem_ref *ref)
{
	struct tmem_pool *p = &st->pools[tmem_pool_slot(ref->object.pool)];

	return tmem_pool_alive(p, ref->object.pool) ? &p->tallies[ref->shard]
						    : NULL;
}

/* The header of a slot's entry, if the segment still is what the slot means. */
static int read_entry(struct tmem_store *st, uint64_t place,
		      struct tmem_entry *ret)
{
	struct tmem_space *s = &st->space;
	uint32_t segment = tmem_place_segment(s, place);
	uint8_t epoch = tmem_place_epoch(place);
	int alive;

	tmem_segment_pin(s, segment);
	alive = tmem_segment_alive(s, segment, epoch);
	if (alive) {
		*ret = *tmem_place_entry(s, place);
		tmem_segment_fence();
		alive = tmem_segment_alive(s, segment, epoch);
	}
	tmem_segment_unpin(s, segment);
	return alive;
}

/*
 * Of a page about to be read, so many lines are asked for before its header is
 * there, towards an outer cache. 8 to 16: gets 3 to 8% faster; 24 or more, or into
 * the first-level cache: no difference.
 */
#define PAGE_LINES 8u

static int find(struct tmem_store *st, const struct tmem_ref *ref,
		uint32_t lines, struct tmem_hit *hit)
{
	struct tmem_table *t = &st->shards[ref->shard].table;
	const struct tmem_object *r;
	uint32_t i;
	int more;

	more = tmem_table_first(t, (uint32_t)ref->hash, &hit->cursor);
	while (more) {
		hit->place = tmem_cursor_place(&hit->cursor);
		hit->object = tmem_cursor_object(&hit->cursor);
		__builtin_prefetch(tmem_place_entry(&st->space, hit->place));
		for (i = 0; i < lines; i++)
			__builtin_prefetch(tmem_place_payload(&st->space,
							      hit->place) +
						   64 * i,
					   0, 1);
		r = tmem_object_at(&st->objects, hit->object);
		if (!tmem_object_is(r, ref->object.pool, ref->object.id)) {
			more = tmem_table_next(t, &hit->cursor);
			continue;
		}
		if (!tmem_object_condemned(r) &&
		    read_entry(st, hit->place, &hit->entry)) {
			if (hit->entry.index == ref->index)
				return 1;
			more = tmem_table_next(t, &hit->cursor);
			continue;
		}
		/* Stale or condemned: out, and look again from the start,
		 * since the bucket's last slot has taken its place. */
		tmem_index_drop(st, ref, &hit->cursor);
		more = tmem_table_first(t, (uint32_t)ref->hash, &hit->cursor);
	}
	return 0;
}

int tmem_index_find(struct tmem_store *st, const struct tmem_ref *ref,
		    struct tmem_hit *hit)
{
	return find(st, ref, 0, hit);
}

int tmem_index_find_page(struct tmem_store *st, const struct tmem_ref *ref,
			 struct tmem_hit *hit)
{
	return find(st, ref, PAGE_LINES, hit);
}

int tmem_index_same(uint64_t a, uint64_t b)
{
	return tmem_place_set_use(a, 0) == tmem_place_set_use(b, 0);
}

int tmem_index_find_entry(struct tmem_store *st, const struct tmem_entry *entry,
			  uint64_t place, struct tmem_ref *ref,
			  struct tmem_hit *hit)
{
	struct tmem_table *t;
	const struct tmem_object *r;
	int more;

	/* A dead entry's number may mean another object by now, or none: then
	 * no slot is found that says this place. */
	if (!entry->object ||
	    !tmem_object_guess(&st->objects, entry->object, &ref->object))
		return 0;
	ref->index = entry->index;
	finish_ref(st, ref);
	t = &st->shards[ref->shard].table;
	tmem_index_lock(st, ref);
	for (more = tmem_table_first(t, (uint32_t)ref->hash, &hit->cursor);
	     more; more = tmem_table_next(t, &hit->cursor)) {
		hit->place = tmem_cursor_place(&hit->cursor);
		hit->object = tmem_cursor_object(&hit->cursor);
		if (!tmem_index_same(hit->place, place))
			continue;
		r = tmem_object_at(&st->objects, hit->object);
		if (!tmem_object_condemned(r) &&
		    tmem_pool_alive(&st->pools[tmem_pool_slot(ref->object.pool)],
				    ref->object.pool) &&
		    read_entry(st, hit->place, &hit->entry))
			return 1;
		tmem_index_drop(st, ref, &hit->cursor);
		break;
	}
	tmem_index_unlock(st, ref);
	return 0;
}

/* ---- Counts -------------------------------------------------------------- */

static uint32_t layout_of(uint32_t form)
{
	return form == TMEM_FORM_RAW ? TMEM_LAYOUT_RAW : TMEM_LAYOUT_LOG;
}

/* What is counted for an entry no longer is; `known`: its size could be read. */
static void forget_entry(struct tmem_store *st, uint64_t place,
			 const struct tmem_entry *entry, int known,
			 struct tmem_tally *tally)
{
	uint32_t segment = tmem_place_segment(&st->space, place);
	uint32_t form = tmem_place_form(place), others;
	uint64_t units = 0;
	/* Before it is forgotten: afterwards the segment may be another's. */
	uint32_t cls = known ? st->space.segments[segment].cls : 0;

	if (known) {
		units = tmem_entry_units(layout_of(form), entry->info);
		if (tmem_segment_forget(&st->space, segment,
					tmem_place_epoch(place),
					(uint32_t)units) &&
		    cls == TMEM_CLASS_PERSISTENT)
			atomic_fetch_sub(&st->live, units);
	} else if (tally) {
		/* The mean of what the pool has here: see tmem_pool_stats. */
		others = tally->pages[TMEM_FORM_SAME] +
			 tally->pages[TMEM_FORM_RAW] +
			 tally->pages[TMEM_FORM_PACKED] +
			 tally->pages[TMEM_FORM_DENSE];
		units = tally->units / others;
	}
	if (tally) {
		TMEM_ASSERT(tally->pages[form]);
		tally->pages[form]--;
		tally->units -= units < tally->units ? units : tally->units;
	}
}

static void count_entry(struct tmem_tally *tally, const struct tmem_room *room)
{
	tally->pages[tmem_place_form(room->place)]++;
	tally->units += room->units;
}

void tmem_index_drop(struct tmem_store *st, const struct tmem_ref *ref,
		     const struct tmem_cursor *cursor)
{
	uint64_t place = tmem_cursor_place(cursor);
	uint32_t object = tmem_cursor_object(cursor);
	uint32_t pool =
		atomic_load_explicit(&tmem_object_at(&st->objects, object)->pool,
				     memory_order_relaxed);
	struct tmem_pool *p = &st->pools[tmem_pool_slot(pool)];
	int alive = tmem_pool_alive(p, pool);
	struct tmem_entry entry;
	int known = read_entry(st, place, &entry);

	if (atomic_load_explicit(&st->room_skip, memory_order_relaxed))
		atomic_store(&st->room_skip, 0);
	forget_entry(st, place, &entry, known,
		     alive ? &p->tallies[ref->shard] : NULL);
	tmem_table_remove(&st->shards[ref->shard].table, cursor);
	if (tmem_object_unref(&st->objects, object) && alive)
		atomic_fetch_sub(&p->objects, 1);
	if (st->limit_pages)
		atomic_fetch_sub(&st->pages, 1);
}

int tmem_index_store(struct tmem_store *st, const struct tmem_ref *ref,
		     struct tmem_tally *tally, const struct tmem_hit *hit,
		     const struct tmem_room *room, uint32_t guess)
{
	struct tmem_table *t = &st->shards[ref->shard].table;
	struct tmem_pool *p = &st->pools[tmem_pool_slot(ref->object.pool)];
	uint32_t object;
	int is_new, err;

	if (hit) {
		tmem_log_publish(&st->log, room, hit->object);
		forget_entry(st, hit->place, &hit->entry, 1, tally);
		count_entry(tally, room);
		tmem_cursor_set_place(&hit->cursor, room->place);
		return 0;
	}
	if (st->limit_pages &&
	    atomic_fetch_add(&st->pages, 1) >= st->limit_pages) {
		err = -EDQUOT;
		goto uncount;
	}
	if (tmem_object_ref(&st->objects, &ref->object, guess, &object,
			    &is_new)) {
		err = -ENOMEM;
		goto uncount;
	}
	if (is_new)
		atomic_fetch_add(&p->objects, 1);
	err = tmem_table_insert(t, (uint32_t)ref->hash, object, room->place);
	if (err)
		goto unref;
	tmem_log_publish(&st->log, room, object);
	count_entry(tally, room);
	return 0;
unref:
	if (tmem_object_unref(&st->objects, object))
		atomic_fetch_sub(&p->objects, 1);
uncount:
	if (st->limit_pages)
		atomic_fetch_sub(&st->pages, 1);
	return err;
}

void tmem_index_move(struct tmem_store *st, const struct tmem_ref *ref,
		     const struct tmem_hit *hit, const struct tmem_room *room,
		     uint32_t use)
{
	struct tmem_tally *tally = tmem_index_tally(st, ref);

	tmem_log_publish(&st->log, room, hit->object);
	if (st->space.segments[room->segment].cls == TMEM_CLASS_PERSISTENT)
		atomic_fetch_add(&st->live, room->units);
	forget_entry(st, hit->place, &hit->entry, 1, tally);
	if (tally)
		count_entry(tally, room);
	tmem_cursor_set_place(&hit->cursor,
			      tmem_place_set_use(room->place, use));
}

/* ---- Pages that left ------------------------------------------------------ */

/*
 * A page that is taken lives with its caller for about as long as the store is
 * deep before it is put again: that history is twice as long.
 */
void tmem_index_leave(struct tmem_store *st, const struct tmem_ref *ref,
		      const struct tmem_cursor *cursor, enum tmem_left how)
{
	struct tmem_shard *s = &st->shards[ref->shard];
	uint32_t pages = s->table.slots;

	if (how == TMEM_LEFT_TAKEN)
		tmem_ghost_add(&s->taken, &st->space, (uint32_t)ref->hash, how,
			       2 * pages);
	else
		tmem_ghost_add(&s->evicted, &st->space, (uint32_t)ref->hash,
			       how, pages);
	if (!atomic_load_explicit(&st->haunted, memory_order_relaxed))
		atomic_store(&st->haunted, 1);
	tmem_index_drop(st, ref, cursor);
}

enum tmem_left tmem_index_left(struct tmem_store *st, const struct tmem_ref *ref)
{
	struct tmem_shard *s = &st->shards[ref->shard];
	uint32_t hash = (uint32_t)ref->hash;
	enum tmem_left how;

	if (!atomic_load_explicit(&st->haunted, memory_order_relaxed))
		return TMEM_LEFT_NOT;
	/* Two cold lines: both at once. */
	tmem_ghost_prefetch(&s->taken, &st->space, hash);
	how = tmem_ghost_find(&s->evicted, &st->space, hash, 1);
	return how == TMEM_LEFT_NOT
		       ? tmem_ghost_find(&s->taken, &st->space, hash, 1)
		       : how;
}

int tmem_index_evicted(struct tmem_store *st, const struct tmem_ref *ref)
{
	return atomic_load_explicit(&st->haunted, memory_order_relaxed) &&
	       tmem_ghost_find(&st->shards[ref->shard].evicted, &st->space,
			       (uint32_t)ref->hash, 0) != TMEM_LEFT_NOT;
}

/* ---- Sweeping ------------------------------------------------------------ */

static int is_garbage(struct tmem_store *st, const struct tmem_cursor *c)
{
	const struct tmem_object *r =
		tmem_object_at(&st->objects, tmem_cursor_object(c));
	uint32_t pool = atomic_load_explicit(&r->pool, memory_order_relaxed);
	uint64_t place = tmem_cursor_place(c);

	return tmem_object_condemned(r) ||
	       !tmem_pool_alive(&st->pools[tmem_pool_slot(pool)], pool) ||
	       !tmem_segment_alive(&st->space,
				   tmem_place_segment(&st->space, place),
				   tmem_place_epoch(place));
}

int tmem_index_sweep(struct tmem_store *st, uint32_t shard, uint32_t *bucket,
		     uint32_t count)
{
	struct tmem_table *t = &st->shards[shard].table;
	struct tmem_ref ref = { .shard = shard };
	struct tmem_cursor c;
	int more, done;

	tmem_index_lock(st, &ref);
	for (; count && *bucket < t->buckets; count--, ++*bucket) {
		more = tmem_table_walk_first(t, *bucket, &c);
		while (more) {
			if (!is_garbage(st, &c)) {
				more = tmem_table_walk_next(t, &c);
				continue;
			}
			tmem_index_drop(st, &ref, &c);
			more = tmem_table_walk_again(&c);
		}
	}
	done = *bucket >= t->buckets;
	/* Only behind the sweep: contracting moves slots to lower buckets. */
	while (done && count && tmem_table_contract(t))
		count--;
	tmem_index_unlock(st, &ref);
	return done;
}
