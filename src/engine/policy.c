/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy.c - choosing segments.
 *
 * Ephemeral pages live in two queues of segments. New ones are on probation;
 * those asked for again before their turn comes move to the main queue, where a
 * page goes round as often as it was used (S3-FIFO, SOSP 2023, at the grain of a
 * segment's pages). A page put again while it is remembered goes there at once.
 * Probation gives first while it has more than its share.
 *
 * Room is made by whatever loses least: first by what is mostly dead, then by
 * packing what is raw, then by compacting, and only then by evicting.
 */
#include "policy.h"

#include <string.h>

#include "clock.h"

/* Asked for so often on probation, a page goes to the main queue. S3-FIFO's
 * figure; with 1, misses on the P3 trace at 5% were 2.6 points more. */
#define PROBATION_USE 2

/*
 * Where gets take their pages, the store goes the way that hits most on a sample
 * (trial.h). To change it costs the pages that were kept the old way, so another
 * must be ahead by one hit for so many of the store's pages. No sum of hits falls
 * behind the best by more: so what was long ago does not count. This is the work
 * function of metrical task systems (Borodin, Linial and Saks, J. ACM 1992). What
 * hits little counts little: during a scan all ways miss, and the sums stand still.
 *
 * What there is to lose by leaving the first way is what its main queue holds: with
 * next to nothing in it, a lead of LEAD_PART_LEAST will do. Without this, pages of
 * the second half of cloudphysics at 10% are hit a fifth less often.
 */
#define LEAD_PART 6
#define LEAD_PART_LEAST 25

/* What one shard says of the store's room counts for so little. */
#define ROOM_GRAIN 64

/* Compacting pays more than packing while this little of a segment lives. */
#define LIVE_PCT_CHEAP 50

/* Compacting is preferred to evicting up to here: it costs five copies for one
 * segment's room, where evicting costs hits. */
#define LIVE_PCT_FAIR 85

/* Packed pages are few in what was compacted: a segment counts with so many. */
#define PACKED_SHARE 4

/* For a caller in need and without anything to evict, whatever has a hole is
 * compacted. Background work would go round in circles for next to nothing. */
#define LIVE_PCT_LAST 98

/**
 * struct candidate - a sealed segment, as it was under the space lock.
 *
 * By the time of the choice it may be another's; its epoch then tells.
 */
struct candidate {
	uint32_t segment; /* TMEM_SEGMENT_NONE: no candidate */
	uint8_t epoch;
	uint8_t cls, queue;
	uint32_t units; /* live */
	uint32_t pct;	/* of its room, live */
	uint64_t age;
};

struct survey {
	struct candidate emptiest;
	struct candidate oldest_raw[2];	  /* not yet tried to pack; by class */
	struct candidate oldest[2];	  /* by queue */
	struct candidate dead;		  /* nothing lives in it */
	struct candidate oldest_loose[2]; /* not tried to make dense; by layout */
	struct candidate retired; /* has pages of a dictionary that shall go */
	uint64_t units[2];	  /* live, by queue */
	uint32_t now_ms;
	int young; /* something is not old enough to be made smaller */
};

static void keep_older(struct candidate *best, const struct candidate *c)
{
	if (best->segment == TMEM_SEGMENT_NONE || c->age < best->age)
		*best = *c;
}

static void note_units(struct survey *v, const struct tmem_segment *g)
{
	if (g->cls == TMEM_CLASS_EPHEMERAL)
		v->units[g->queue] += tmem_word_units(
			atomic_load_explicit(&g->word, memory_order_relaxed));
}

static void note_dense(struct survey *v, const struct tmem_dense *d,
		       const struct tmem_segment *g, const struct candidate *c)
{
	uint32_t layout = atomic_load(&g->layout);

	if (atomic_load_explicit(&g->dicts, memory_order_relaxed) &
	    atomic_load_explicit(&d->retired, memory_order_relaxed))
		keep_older(&v->retired, c);
	if (g->dense_tried ||
	    (layout == TMEM_LAYOUT_LOG &&
	     (!d->level || g->packed < g->fill / PACKED_SHARE)))
		return;
	if (v->now_ms - g->sealed_ms < d->age_ms)
		v->young = 1;
	else
		keep_older(&v->oldest_loose[layout], c);
}

static void note_segment(struct survey *v, const struct tmem_dense *d,
			 const struct tmem_segment *g, uint32_t n)
{
	uint64_t w = atomic_load_explicit(&g->word, memory_order_relaxed);
	uint32_t units = tmem_word_units(w);
	struct candidate c = {
		.segment = n,
		.epoch = tmem_word_epoch(w),
		.cls = g->cls,
		.queue = g->queue,
		.units = units,
		.pct = (uint32_t)((uint64_t)units * 100 / g->room),
		.age = g->age,
	};

	note_units(v, g);
	if (tmem_word_pending(w))
		return;
	if (!tmem_word_pages(w)) {
		v->dead = c;
		return;
	}
	if (v->emptiest.segment == TMEM_SEGMENT_NONE || c.pct < v->emptiest.pct)
		v->emptiest = c;
	if (atomic_load(&g->layout) == TMEM_LAYOUT_RAW && !g->pack_tried)
		keep_older(&v->oldest_raw[c.cls], &c);
	if (d->raw_pct < 100)
		note_dense(v, d, g, &c);
	if (c.cls == TMEM_CLASS_EPHEMERAL)
		keep_older(&v->oldest[c.queue], &c);
}

static void survey(struct tmem_store *st, struct survey *v)
{
	const struct candidate none = { .segment = TMEM_SEGMENT_NONE };
	struct tmem_space *s = &st->space;
	const struct tmem_segment *g;
	uint32_t n, state;

	memset(v, 0, sizeof(*v));
	v->emptiest = v->dead = none;
	v->oldest_raw[0] = v->oldest_raw[1] = none;
	v->oldest[0] = v->oldest[1] = none;
	v->now_ms = (uint32_t)(tmem_clock_ns() / TMEM_NS_PER_MS);
	v->oldest_loose[0] = v->oldest_loose[1] = v->retired = none;
	tmem_lock_acquire(&s->lock);
	for (n = 0; n < s->high; n++) {
		g = &s->segments[n];
		state = atomic_load_explicit(&g->state, memory_order_relaxed);
		if (state == TMEM_SEGMENT_SEALED)
			note_segment(v, &st->dense, g, n);
		else if (state == TMEM_SEGMENT_OPEN ||
			 state == TMEM_SEGMENT_BUSY)
			note_units(v, g);
	}
	tmem_lock_release(&s->lock);
}

/* Where the live entries of a segment go. */
static enum tmem_stream stream_of(const struct candidate *c,
				  enum tmem_job_kind kind)
{
	if (c->cls == TMEM_CLASS_PERSISTENT)
		return TMEM_STREAM_KEPT;
	/* What survives eviction has earned the main queue. */
	if (kind == TMEM_JOB_EVICT || c->queue == TMEM_QUEUE_MAIN)
		return TMEM_STREAM_MAIN;
	return TMEM_STREAM_PROBATION;
}

/* 1: chosen; 0: there is no such candidate. */
static int choose(struct tmem_choice *ret, enum tmem_job_kind kind,
		  const struct candidate *c)
{
	if (c->segment == TMEM_SEGMENT_NONE)
		return 0;
	ret->kind = kind;
	ret->segment = c->segment;
	ret->epoch = c->epoch;
	ret->queue = (enum tmem_queue)c->queue;
	ret->stream = stream_of(c, kind);
	ret->age = kind == TMEM_JOB_EVICT ? 0 : c->age;
	return 1;
}

static int choose_compact(const struct survey *v, uint32_t live_pct,
			  struct tmem_choice *ret)
{
	return v->emptiest.pct < live_pct &&
	       choose(ret, TMEM_JOB_COMPACT, &v->emptiest);
}

static int choose_pack(const struct survey *v, int persistent_only,
		       struct tmem_choice *ret)
{
	struct candidate c = v->oldest_raw[TMEM_CLASS_PERSISTENT];
	const struct candidate *e = &v->oldest_raw[TMEM_CLASS_EPHEMERAL];

	if (!persistent_only && e->segment != TMEM_SEGMENT_NONE)
		keep_older(&c, e);
	return choose(ret, TMEM_JOB_PACK, &c);
}

/* What is raw gains most; packed pages follow when there is time. */
static int choose_loose(const struct survey *v, enum tmem_job_kind kind,
			struct tmem_choice *ret)
{
	ret->young = v->young;
	return choose(ret, kind, &v->retired) ||
	       choose(ret, kind, &v->oldest_loose[TMEM_LAYOUT_RAW]) ||
	       choose(ret, kind, &v->oldest_loose[TMEM_LAYOUT_LOG]);
}

static enum tmem_way way_of(const struct tmem_store *st)
{
	return (enum tmem_way)atomic_load_explicit(&st->way,
						   memory_order_relaxed);
}

/* Probation first while it has more than its share; or, in one queue, the older.
 */
static int choose_evict(const struct tmem_store *st, const struct survey *v,
			struct tmem_choice *ret)
{
	const struct candidate *p = &v->oldest[TMEM_QUEUE_PROBATION];
	const struct candidate *m = &v->oldest[TMEM_QUEUE_MAIN];
	uint64_t in_p = v->units[TMEM_QUEUE_PROBATION];
	uint64_t in_m = v->units[TMEM_QUEUE_MAIN];
	int main_first;

	if (way_of(st) == TMEM_WAY_FIFO)
		main_first = m->age < p->age;
	else
		main_first = in_p * TMEM_PROBATION_PART <= in_p + in_m;
	if (p->segment == TMEM_SEGMENT_NONE ||
	    (m->segment != TMEM_SEGMENT_NONE && main_first))
		p = m;
	return choose(ret, TMEM_JOB_EVICT, p);
}

void tmem_policy_choose(struct tmem_store *st, enum tmem_need need,
			struct tmem_choice *ret)
{
	struct survey v;

	memset(ret, 0, sizeof(*ret));
	survey(st, &v);
	switch (need) {
	case TMEM_NEED_PAGE:
		(void)choose_evict(st, &v, ret);
		break;
	case TMEM_NEED_DENSITY:
		(void)choose_pack(&v, 1, ret);
		break;
	case TMEM_NEED_TIDY:
		if (!choose(ret, TMEM_JOB_RETIRE, &v.dead))
			(void)choose_compact(&v, LIVE_PCT_CHEAP, ret);
		break;
	case TMEM_NEED_IDLE:
		if (!choose(ret, TMEM_JOB_RETIRE, &v.dead) &&
		    !choose_loose(
			    &v, st->dense.level ? TMEM_JOB_DENSE : TMEM_JOB_PACK,
			    ret))
			(void)choose_compact(&v, LIVE_PCT_CHEAP, ret);
		break;
	default:
		if (!choose(ret, TMEM_JOB_RETIRE, &v.dead) &&
		    !choose_compact(&v, LIVE_PCT_CHEAP, ret) &&
		    !choose_pack(&v, 0, ret) &&
		    !choose_compact(&v, LIVE_PCT_FAIR, ret) &&
		    !choose_evict(st, &v, ret) && need == TMEM_NEED_ROOM)
			(void)choose_compact(&v, LIVE_PCT_LAST, ret);
	}
}

int tmem_policy_spares(enum tmem_queue queue, uint32_t *use)
{
	if (queue == TMEM_QUEUE_MAIN)
		return *use && (*use)--;
	if (*use < PROBATION_USE)
		return 0;
	*use = 0;
	return 1;
}

enum tmem_stream tmem_policy_stream(const struct tmem_store *st,
				    const struct tmem_view *pool,
				    const struct tmem_ref *ref,
				    enum tmem_left how)
{
	enum tmem_way way = pool->take ? way_of(st) : TMEM_WAY_RETURNED;

	return tmem_way_wants(way, tmem_trial_tag(ref->hash),
			      how != TMEM_LEFT_NOT)
		       ? TMEM_STREAM_RETURNED
		       : TMEM_STREAM_EPHEMERAL;
}

/* What comes back from probation had too little time. Where gets leave the page,
 * main's are not remembered: they would crowd it, with 1 to 3 points more misses
 * on P3. Where gets take it, what main evicts may well be worth keeping. */
int tmem_policy_marks(const struct tmem_store *st, const struct tmem_ref *ref,
		      enum tmem_queue queue)
{
	return queue == TMEM_QUEUE_PROBATION ||
	       tmem_pool_view(&st->pools[tmem_pool_slot(ref->object.pool)]).take;
}

/* ---- Learning which way to go -------------------------------------------- */

int tmem_policy_tries(const struct tmem_store *st, const struct tmem_ref *ref)
{
	const struct tmem_trial *t = st->shards[ref->shard].trial;

	return t && tmem_trial_samples(t, tmem_trial_tag(ref->hash));
}

/* By how many hits another way must be ahead of this one. */
static uint64_t lead_over(struct tmem_contest *c, enum tmem_way way,
			  uint64_t pages)
{
	uint64_t most = pages / LEAD_PART, lead;

	if (way != TMEM_WAY_RETURNED)
		return most;
	lead = pages / LEAD_PART_LEAST +
	       atomic_load_explicit(&c->held[TMEM_TRIAL_MAIN],
				    memory_order_relaxed) /
		       LEAD_PART;
	return lead < most ? lead : most;
}

/* Racing threads lose a step now and then: nothing depends on one. */
static void follow_best(struct tmem_store *st)
{
	struct tmem_contest *c = &st->contest;
	uint64_t pages = atomic_load_explicit(&c->room, memory_order_relaxed);
	enum tmem_way way = way_of(st), best = way;
	uint64_t won[TMEM_WAYS], lead = pages / LEAD_PART;
	uint32_t i;

	for (i = 0; i < TMEM_WAYS; i++)
		won[i] = atomic_load_explicit(&c->won[i], memory_order_relaxed);
	for (i = 0; i < TMEM_WAYS; i++)
		if (won[i] > won[best])
			best = (enum tmem_way)i;
	for (i = 0; i < TMEM_WAYS; i++)
		if (won[i] + lead < won[best])
			atomic_store_explicit(&c->won[i], won[best] - lead,
					      memory_order_relaxed);
	if (won[way] + lead_over(c, way, pages) < won[best])
		atomic_store_explicit(&st->way, best, memory_order_relaxed);
}

void tmem_policy_try_get(struct tmem_store *st, const struct tmem_ref *ref)
{
	if (tmem_policy_tries(st, ref) &&
	    tmem_trial_get(st->shards[ref->shard].trial, &st->contest,
			   tmem_trial_tag(ref->hash)))
		follow_best(st);
}

void tmem_policy_try_put(struct tmem_store *st, const struct tmem_ref *ref)
{
	struct tmem_shard *s = &st->shards[ref->shard];

	if (tmem_policy_tries(st, ref))
		tmem_trial_put(s->trial, &st->contest,
			       tmem_trial_tag(ref->hash), s->table.slots);
}

void tmem_policy_try_flush(struct tmem_store *st, const struct tmem_ref *ref)
{
	if (tmem_policy_tries(st, ref))
		tmem_trial_flush(st->shards[ref->shard].trial, &st->contest,
				 tmem_trial_tag(ref->hash));
}

/* Shards are alike, by their keys' hashes: one tells for all, and the next one
 * mends it. */
void tmem_policy_note_full(struct tmem_store *st, const struct tmem_ref *ref)
{
	const struct tmem_shard *s = &st->shards[ref->shard];
	uint64_t trials = st->shards_count < TMEM_TRIALS_MAX ? st->shards_count
							     : TMEM_TRIALS_MAX;
	uint64_t now = trials * s->table.slots, room;

	if (!s->trial)
		return;
	room = atomic_load_explicit(&st->contest.room, memory_order_relaxed);
	room = room ? room - room / ROOM_GRAIN + now / ROOM_GRAIN : now;
	atomic_store_explicit(&st->contest.room, room, memory_order_relaxed);
}
