/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy.c - choosing segments.
 *
 * Ephemeral pages live in two queues of segments. New ones are on probation;
 * those asked for again before their turn comes move to the main queue, where a
 * page goes round as often as it was used (S3-FIFO, SOSP 2023, at the grain of a
 * segment's pages). Probation gives first while it has more than its share.
 *
 * Room is made by whatever loses least: first by what is mostly dead, then by
 * packing what is raw, then by compacting, and only then by evicting.
 */
#include "policy.h"

#include <string.h>

/* Probation's share of the ephemeral bytes, percent: S3-FIFO's figure. */
#define PROBATION_PCT 10

/* Compacting pays more than packing while this little of a segment lives. */
#define LIVE_PCT_CHEAP 50

/* Compacting is preferred to evicting up to here: it costs five copies for one
 * segment's room, where evicting costs hits. */
#define LIVE_PCT_FAIR 85

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
	uint32_t pct; /* of its room, live */
	uint64_t age;
};

struct survey {
	struct candidate emptiest;
	struct candidate oldest_raw[2]; /* not yet tried to pack; by class */
	struct candidate oldest[2];	/* by queue */
	struct candidate dead;		/* nothing lives in it */
	uint64_t units[2];		/* live, by queue */
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

static void note_segment(struct survey *v, const struct tmem_segment *g,
			 uint32_t n)
{
	uint64_t w = atomic_load_explicit(&g->word, memory_order_relaxed);
	uint32_t units = tmem_word_units(w);
	struct candidate c = {
		.segment = n,
		.epoch = tmem_word_epoch(w),
		.cls = g->cls,
		.queue = g->queue,
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
	tmem_lock_acquire(&s->lock);
	for (n = 0; n < s->high; n++) {
		g = &s->segments[n];
		state = atomic_load_explicit(&g->state, memory_order_relaxed);
		if (state == TMEM_SEGMENT_SEALED)
			note_segment(v, g, n);
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

/* Probation first while it has more than its share, or main has nothing. */
static int choose_evict(const struct survey *v, struct tmem_choice *ret)
{
	const struct candidate *p = &v->oldest[TMEM_QUEUE_PROBATION];
	const struct candidate *m = &v->oldest[TMEM_QUEUE_MAIN];
	uint64_t in_p = v->units[TMEM_QUEUE_PROBATION];
	uint64_t in_m = v->units[TMEM_QUEUE_MAIN];

	if (p->segment == TMEM_SEGMENT_NONE)
		p = m;
	else if (m->segment != TMEM_SEGMENT_NONE &&
		 in_p * 100 <= (in_p + in_m) * PROBATION_PCT)
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
		(void)choose_evict(&v, ret);
		break;
	case TMEM_NEED_DENSITY:
		(void)choose_pack(&v, 1, ret);
		break;
	default:
		if (!choose(ret, TMEM_JOB_RETIRE, &v.dead) &&
		    !choose_compact(&v, LIVE_PCT_CHEAP, ret) &&
		    !choose_pack(&v, 0, ret) &&
		    !choose_compact(&v, LIVE_PCT_FAIR, ret) &&
		    !choose_evict(&v, ret) && need == TMEM_NEED_ROOM)
			(void)choose_compact(&v, LIVE_PCT_LAST, ret);
	}
}

void tmem_policy_returned(struct tmem_store *st, enum tmem_left how)
{
	(void)st;
	(void)how;
}

void tmem_policy_coldest(struct tmem_store *st, struct tmem_choice *ret)
{
	struct survey v;

	memset(ret, 0, sizeof(*ret));
	survey(st, &v);
	(void)choose_evict(&v, ret);
}
