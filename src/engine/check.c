/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.c - the walker: re-derives every count from the slots and the entries.
 *
 * With the numbers of the original's invariants:
 *   I1, I2, I3	pages by pool, form and segment are what the slots add up to
 *   I4		every slot leads to an entry of its key, in a segment that holds it
 *   I5		an object exists if and only if a page refers to it
 *   I7		what persistent pages are charged is what they take
 *   I9		what is held, ready, open and dealt out is what the states say
 *   I10	nothing of a condemned object or a dead pool can be found
 * (I6 and I8 are about weights and sharers, which an embedded store has not.)
 *
 * All shards are locked meanwhile; what puts under way have been charged for is
 * left out of the comparison that it blurs.
 */
#include <errno.h>
#include <string.h>

#include "ager.h"
#include "index.h"
#include "mem.h"
#include "read.h"

struct derived {
	uint64_t pages, units; /* by segment */
};

struct checker {
	struct tmem_store *st;
	struct derived *segments; /* space.high of them */
	uint32_t *objects;	  /* pages by number */
	uint64_t segments_count, objects_count;
	struct tmem_tally *tally; /* of the shard being walked, by pool slot */
	uint64_t live;		  /* units of persistent entries */
	uint64_t stale;		  /* slots that wait to be swept */
	int faults;
};

static void fault(struct checker *c, const char *what, uint64_t where)
{
	c->faults++;
	tmem_logger_say(&c->st->logger, TMEM_LOG_ERR, "check: %s (at %llu)",
			what, (unsigned long long)where);
}

static int is_persistent(const struct tmem_store *st, uint32_t segment)
{
	return st->space.segments[segment].cls == TMEM_CLASS_PERSISTENT;
}

/* ---- Slots --------------------------------------------------------------- */

static int is_whole(const struct checker *c, uint64_t place,
		    const struct tmem_entry *e)
{
	const uint8_t *payload = tmem_place_payload(&c->st->space, place);
	uint32_t check;

	if (tmem_place_form(place) == TMEM_FORM_RAW)
		return 1;
	if (!tmem_entry_inside(&c->st->space, place, e->info))
		return 0;
	memcpy(&check, payload - sizeof(check), sizeof(check));
	return tmem_codec_check(payload, TMEM_ENTRY_LEN(e->info), e->index,
				TMEM_ENTRY_DICT(e->info)) == check;
}

/* The segment refers to the entry's dictionary, and that is alive. */
static int has_dict(const struct checker *c, uint32_t segment, uint32_t dict)
{
	const struct tmem_space *s = &c->st->space;

	return !dict || (dict < TMEM_DICTS &&
			 atomic_load(&s->segments[segment].dicts) & 1u << dict &&
			 atomic_load(&s->dict_refs[dict]) &&
			 !(atomic_load(&s->dict_refs[dict]) & TMEM_DICT_DEAD));
}

/* What the source revokes this moment is neither right nor wrong. */
static void check_entry(struct checker *c, uint64_t place, uint32_t object,
			struct tmem_tally *tally)
{
	struct tmem_space *s = &c->st->space;
	uint32_t segment = tmem_place_segment(s, place);
	uint32_t form = tmem_place_form(place), units;
	struct tmem_entry e = *tmem_place_entry(s, place);
	int whole = is_whole(c, place, &e);

	tmem_segment_fence();
	if (!tmem_segment_alive(s, segment, tmem_place_epoch(place))) {
		c->stale++;
		return;
	}
	if (e.object != object || TMEM_ENTRY_FORM(e.info) != form)
		fault(c, "a slot and its entry disagree",
		      tmem_place_location(place));
	else if (!has_dict(c, segment, TMEM_ENTRY_DICT(e.info)))
		fault(c, "an entry's dictionary is not kept for it",
		      tmem_place_location(place));
	else if (!whole)
		fault(c, "an entry's bytes are not what was written",
		      tmem_place_location(place));
	units = tmem_entry_units(form == TMEM_FORM_RAW ? TMEM_LAYOUT_RAW
						       : TMEM_LAYOUT_LOG,
				 e.info);
	c->segments[segment].pages++;
	c->segments[segment].units += units;
	if (is_persistent(c->st, segment))
		c->live += units;
	if (tally) {
		tally->pages[form]++;
		tally->units += units;
	}
}

/* Own losses are swept before their garbage counts as none; what the source
 * takes may be a moment old. */
static int is_swept_late(struct checker *c, uint32_t segment, uint64_t place)
{
	struct tmem_store *st = c->st;

	return !tmem_sweep_pending(st) && !st->sweep.active &&
	       tmem_word_epoch(atomic_load(&st->space.segments[segment].word)) !=
		       tmem_place_epoch(place);
}

static void check_slot(struct checker *c, const struct tmem_cursor *cur)
{
	struct tmem_store *st = c->st;
	uint64_t place = tmem_cursor_place(cur);
	uint32_t number = tmem_cursor_object(cur);
	const struct tmem_object *r = tmem_object_at(&st->objects, number);
	uint32_t pool = atomic_load(&r->pool);
	uint32_t segment = tmem_place_segment(&st->space, place), p;

	if (number >= c->objects_count) {
		fault(c, "a slot has an object number never given", number);
		return;
	}
	c->objects[number]++;
	if (segment >= st->space.high) {
		fault(c, "a slot leads outside of the store", place);
		return;
	}
	if (!tmem_segment_alive(&st->space, segment, tmem_place_epoch(place))) {
		c->stale++;
		if (is_swept_late(c, segment, place))
			fault(c, "a stale slot was not swept", place);
		return;
	}
	p = tmem_pool_slot(pool);
	check_entry(c, place, number,
		    tmem_pool_alive(&st->pools[p], pool) ? &c->tally[p] : NULL);
}

static void check_tallies(struct checker *c, uint32_t shard)
{
	struct tmem_store *st = c->st;
	const struct tmem_tally *is, *should;
	uint32_t i, f;

	for (i = 0; i < TMEM_POOLS_MAX; i++) {
		if (!tmem_pool_view(&st->pools[i]).id)
			continue;
		is = &st->pools[i].tallies[shard];
		should = &c->tally[i];
		for (f = 0; f < TMEM_FORMS; f++)
			if (is->pages[f] != should->pages[f])
				fault(c, "a pool's pages are miscounted", i);
		/* Of pages lost with their segments only a mean was taken off. */
		if (is->units != should->units && !atomic_load(&st->lost))
			fault(c, "a pool's bytes are miscounted", i);
	}
}

static void check_shard(struct checker *c, uint32_t shard)
{
	const struct tmem_table *t = &c->st->shards[shard].table;
	struct tmem_cursor cur;
	uint32_t b;
	uint64_t stale = c->stale;
	int more, before = c->faults;

	if (tmem_table_check(t))
		fault(c, "an index shard is not in order", shard);
	memset(c->tally, 0, TMEM_POOLS_MAX * sizeof(*c->tally));
	for (b = 0; b < t->buckets; b++)
		for (more = tmem_table_walk_first(t, b, &cur); more;
		     more = tmem_table_walk_next(t, &cur))
			check_slot(c, &cur);
	/* A stale slot still counts for its pool; the walk cannot say how. */
	if (c->faults == before && c->stale == stale)
		check_tallies(c, shard);
}

/* ---- Objects, segments, totals ------------------------------------------- */

static void check_objects(struct checker *c, uint32_t shard)
{
	struct tmem_objects *o = &c->st->objects;
	struct tmem_object_shard *s = &o->shards[shard];
	struct tmem_cursor cur;
	uint32_t b, n;
	int more;

	if (tmem_table_check(&s->table))
		fault(c, "an object shard is not in order", shard);
	for (b = 0; b < s->table.buckets; b++)
		for (more = tmem_table_walk_first(&s->table, b, &cur); more;
		     more = tmem_table_walk_next(&s->table, &cur)) {
			n = tmem_cursor_object(&cur);
			if (n >= c->objects_count || !c->objects[n])
				fault(c, "an object without pages", n);
			else if (tmem_object_condemned(tmem_object_at(o, n)))
				fault(c, "a condemned object can be found", n);
		}
}

static void check_object_pages(struct checker *c)
{
	uint64_t n;

	for (n = 0; n < c->objects_count; n++)
		if (c->objects[n] &&
		    tmem_object_pages(tmem_object_at(
			    &c->st->objects, (uint32_t)n)) != c->objects[n])
			fault(c, "an object's pages are miscounted", n);
}

static void check_label(struct checker *c, uint32_t n)
{
	struct tmem_space *s = &c->st->space;
	const struct tmem_segment *g = &s->segments[n];
	struct tmem_label label =
		*(struct tmem_label *)tmem_lease_segment(s->lease, n);

	tmem_segment_fence();
	if (atomic_load(&s->lease->epochs[n]) != atomic_load(&g->source_epoch))
		return;
	if (label.magic != TMEM_LABEL_MAGIC || label.cls != g->cls ||
	    label.layout != atomic_load(&g->layout) || label.fill != g->fill ||
	    label.epoch != tmem_word_epoch(atomic_load(&g->word)))
		fault(c, "a segment's label is not what it is", n);
}

static void check_segments(struct checker *c)
{
	struct tmem_space *s = &c->st->space;
	uint32_t n, state, held = 0, ready = 0, meta = 0;
	uint64_t w, live;

	for (n = 0; n < s->high; n++) {
		state = atomic_load(&s->segments[n].state);
		w = atomic_load(&s->segments[n].word);
		held += state != TMEM_SEGMENT_ABSENT;
		ready += state == TMEM_SEGMENT_READY;
		meta += state == TMEM_SEGMENT_META;
		if (state != TMEM_SEGMENT_OPEN &&
		    state != TMEM_SEGMENT_SEALED && state != TMEM_SEGMENT_BUSY)
			continue;
		if (state == TMEM_SEGMENT_SEALED)
			check_label(c, n);
		if (atomic_load(&s->lease->epochs[n]) !=
		    atomic_load(&s->segments[n].source_epoch))
			continue;
		if (tmem_word_pages(w) != c->segments[n].pages ||
		    tmem_word_units(w) != c->segments[n].units)
			fault(c, "a segment's live entries are miscounted", n);
	}
	if (held != atomic_load(&s->held) || ready != atomic_load(&s->ready) ||
	    meta != atomic_load(&s->held_meta))
		fault(c, "segments held are miscounted", held);
	live = atomic_load(&c->st->live);
	if (TMEM_LIVE_UNITS(live) < c->live ||
	    (live < TMEM_LIVE_PUT && live != c->live))
		fault(c, "persistent bytes are mischarged", c->live);
}

/* ---- What the policy remembers ------------------------------------------- */

static void check_policy(struct checker *c)
{
	struct tmem_store *st = c->st;
	uint64_t held[TMEM_TRIAL_QUEUES] = { 0 };
	const struct tmem_shard *s;
	uint32_t i;

	for (i = 0; i < st->shards_count; i++) {
		s = &st->shards[i];
		if (!tmem_ghost_check(&s->evicted, &st->space,
				      TMEM_LEFT_EVICTED) ||
		    !tmem_ghost_check(&s->taken, &st->space, TMEM_LEFT_TAKEN))
			fault(c, "marks of pages that left are damaged", i);
		if (s->trial && !tmem_trial_check(s->trial, held))
			fault(c, "a trial's queues are damaged", i);
	}
	for (i = 0; i < TMEM_TRIAL_QUEUES; i++)
		if (held[i] != atomic_load(&st->contest.held[i]))
			fault(c, "pages held in trials are miscounted", i);
	if (atomic_load(&st->way) >= TMEM_WAYS)
		fault(c, "the store goes no known way", atomic_load(&st->way));
}

/* Which queue a segment is in follows from its class. */
static void check_queues(struct checker *c)
{
	const struct tmem_space *s = &c->st->space;
	const struct tmem_segment *g;
	uint32_t n, state;

	for (n = 0; n < s->high; n++) {
		g = &s->segments[n];
		state = atomic_load(&g->state);
		if (state != TMEM_SEGMENT_OPEN &&
		    state != TMEM_SEGMENT_SEALED && state != TMEM_SEGMENT_BUSY)
			continue;
		if ((g->queue == TMEM_QUEUE_NONE) !=
			    (g->cls == TMEM_CLASS_PERSISTENT) ||
		    g->queue > TMEM_QUEUE_NONE)
			fault(c, "a segment is in a queue not its own", n);
		if (!g->age || g->age >= s->age_next)
			fault(c, "a segment has no age", n);
	}
}

/* ---- All of it ----------------------------------------------------------- */

static void lock_all(struct tmem_store *st)
{
	uint32_t i;

	for (i = 0; i < st->shards_count; i++)
		tmem_lock_acquire_peer(&st->shards[i].lock);
	for (i = 0; i < st->objects.shards_count; i++)
		tmem_lock_acquire_peer(&st->objects.shards[i].lock);
	tmem_lock_acquire(&st->space.lock);
}

static void unlock_all(struct tmem_store *st)
{
	uint32_t i;

	tmem_lock_release(&st->space.lock);
	for (i = st->objects.shards_count; i-- > 0;)
		tmem_lock_release_peer(&st->objects.shards[i].lock);
	for (i = st->shards_count; i-- > 0;)
		tmem_lock_release_peer(&st->shards[i].lock);
}

static void check_all(struct checker *c)
{
	struct tmem_store *st = c->st;
	uint32_t i;

	for (i = 0; i < st->shards_count; i++)
		check_shard(c, i);
	for (i = 0; i < st->objects.shards_count; i++)
		check_objects(c, i);
	check_object_pages(c);
	check_segments(c);
	check_queues(c);
	check_policy(c);
}

int tmem_store_check(struct tmem_store *st)
{
	struct checker c = { .st = st };
	int err = -ENOMEM;

	tmem_sweep_finish(st);
	/* Pools and sweeping stand still; numbers and segments only grow. */
	tmem_lock_acquire(&st->pools_lock);
	tmem_lock_acquire(&st->sweep.lock);
	lock_all(st);
	c.segments_count = st->space.high + 1;
	c.objects_count = (atomic_load(&st->objects.ranges_count) + 1ull) *
			  TMEM_OBJECTS_PER_RANGE;
	c.segments = tmem_mem_alloc(c.segments_count * sizeof(*c.segments));
	c.objects = tmem_mem_alloc(c.objects_count * sizeof(*c.objects));
	c.tally = tmem_mem_alloc(TMEM_POOLS_MAX * sizeof(*c.tally));
	if (c.segments && c.objects && c.tally) {
		check_all(&c);
		err = c.faults ? -EUCLEAN : 0;
	}
	unlock_all(st);
	tmem_lock_release(&st->sweep.lock);
	tmem_lock_release(&st->pools_lock);
	tmem_mem_free(c.segments, c.segments_count * sizeof(*c.segments));
	tmem_mem_free(c.objects, c.objects_count * sizeof(*c.objects));
	tmem_mem_free(c.tally, TMEM_POOLS_MAX * sizeof(*c.tally));
	return err;
}
