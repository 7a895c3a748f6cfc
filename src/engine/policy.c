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

struct survey {
	uint32_t emptiest[2];	  /* ephemeral, persistent */
	uint32_t emptiest_pct[2]; /* of its room, live */
	uint32_t oldest_raw[2]; /* not yet tried to pack */
	uint64_t oldest_raw_age[2];
	uint32_t oldest[2]; /* probation, main */
	uint64_t oldest_age[2];
	uint64_t units[2]; /* live in probation, main */
	uint32_t dead;	   /* a sealed segment where nothing lives */
};

static void note_oldest(uint32_t n, uint64_t age, uint32_t *oldest,
			uint64_t *oldest_age)
{
	if (*oldest == TMEM_SEGMENT_NONE || age < *oldest_age) {
		*oldest = n;
		*oldest_age = age;
	}
}

static void note_segment(struct survey *v, const struct tmem_segment *g,
			 uint32_t n)
{
	uint64_t w = atomic_load_explicit(&g->word, memory_order_relaxed);
	uint32_t cls = g->cls, units = tmem_word_units(w);
	uint32_t pct = (uint32_t)((uint64_t)units * 100 / g->room);

	if (tmem_word_pending(w))
		return;
	if (!tmem_word_pages(w)) {
		v->dead = n;
		return;
	}
	if (v->emptiest[cls] == TMEM_SEGMENT_NONE ||
	    pct < v->emptiest_pct[cls]) {
		v->emptiest[cls] = n;
		v->emptiest_pct[cls] = pct;
	}
	if (atomic_load(&g->layout) == TMEM_LAYOUT_RAW && !g->pack_tried)
		note_oldest(n, g->age, &v->oldest_raw[cls],
			    &v->oldest_raw_age[cls]);
	if (cls == TMEM_CLASS_EPHEMERAL) {
		note_oldest(n, g->age, &v->oldest[g->queue],
			    &v->oldest_age[g->queue]);
		v->units[g->queue] += units;
	}
}

static void survey(struct tmem_store *st, struct survey *v)
{
	struct tmem_space *s = &st->space;
	uint32_t n;

	memset(v, 0, sizeof(*v));
	v->emptiest[0] = v->emptiest[1] = TMEM_SEGMENT_NONE;
	v->oldest_raw[0] = v->oldest_raw[1] = TMEM_SEGMENT_NONE;
	v->oldest[0] = v->oldest[1] = TMEM_SEGMENT_NONE;
	v->dead = TMEM_SEGMENT_NONE;
	tmem_lock_acquire(&s->lock);
	for (n = 0; n < s->high; n++)
		if (atomic_load_explicit(&s->segments[n].state,
					 memory_order_relaxed) ==
		    TMEM_SEGMENT_SEALED)
			note_segment(v, &s->segments[n], n);
	tmem_lock_release(&s->lock);
}

static enum tmem_stream stream_of(const struct tmem_segment *g)
{
	if (g->cls == TMEM_CLASS_PERSISTENT)
		return TMEM_STREAM_KEPT;
	return g->queue == TMEM_QUEUE_MAIN ? TMEM_STREAM_MAIN
					   : TMEM_STREAM_PROBATION;
}

static void choose(struct tmem_store *st, struct tmem_choice *c,
		   enum tmem_job_kind kind, uint32_t segment)
{
	const struct tmem_segment *g = &st->space.segments[segment];

	c->kind = kind;
	c->segment = segment;
	/* What survives eviction has earned the main queue. */
	c->stream = kind == TMEM_JOB_EVICT ? TMEM_STREAM_MAIN : stream_of(g);
	c->age = kind == TMEM_JOB_EVICT ? 0 : g->age;
}

static int choose_compact(struct tmem_store *st, const struct survey *v,
			  uint32_t live_pct, struct tmem_choice *ret)
{
	uint32_t cls, best = TMEM_SEGMENT_NONE, most = live_pct;

	for (cls = 0; cls < 2; cls++)
		if (v->emptiest[cls] != TMEM_SEGMENT_NONE &&
		    v->emptiest_pct[cls] < most) {
			most = v->emptiest_pct[cls];
			best = v->emptiest[cls];
		}
	if (best == TMEM_SEGMENT_NONE)
		return 0;
	choose(st, ret, TMEM_JOB_COMPACT, best);
	return 1;
}

static int choose_pack(struct tmem_store *st, const struct survey *v,
		       int persistent_only, struct tmem_choice *ret)
{
	uint32_t e = v->oldest_raw[TMEM_CLASS_EPHEMERAL];
	uint32_t p = v->oldest_raw[TMEM_CLASS_PERSISTENT];
	uint32_t n = p;

	if (!persistent_only && e != TMEM_SEGMENT_NONE &&
	    (p == TMEM_SEGMENT_NONE ||
	     v->oldest_raw_age[TMEM_CLASS_EPHEMERAL] <
		     v->oldest_raw_age[TMEM_CLASS_PERSISTENT]))
		n = e;
	if (n == TMEM_SEGMENT_NONE)
		return 0;
	choose(st, ret, TMEM_JOB_PACK, n);
	return 1;
}

/* Probation first while it has more than its share, or main has nothing. */
static uint32_t coldest(const struct survey *v)
{
	uint64_t all = v->units[TMEM_QUEUE_PROBATION] +
		       v->units[TMEM_QUEUE_MAIN];
	uint32_t p = v->oldest[TMEM_QUEUE_PROBATION];
	uint32_t m = v->oldest[TMEM_QUEUE_MAIN];

	if (p != TMEM_SEGMENT_NONE &&
	    (m == TMEM_SEGMENT_NONE ||
	     v->units[TMEM_QUEUE_PROBATION] * 100 > all * PROBATION_PCT))
		return p;
	return m != TMEM_SEGMENT_NONE ? m : p;
}

static int choose_evict(struct tmem_store *st, const struct survey *v,
			struct tmem_choice *ret)
{
	uint32_t n = coldest(v);

	if (n == TMEM_SEGMENT_NONE)
		return 0;
	choose(st, ret, TMEM_JOB_EVICT, n);
	return 1;
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
		(void)choose_pack(st, &v, 1, ret);
		break;
	default:
		if (v.dead != TMEM_SEGMENT_NONE)
			choose(st, ret, TMEM_JOB_RETIRE, v.dead);
		else if (!choose_compact(st, &v, LIVE_PCT_CHEAP, ret) &&
			 !choose_pack(st, &v, 0, ret) &&
			 !choose_compact(st, &v, LIVE_PCT_FAIR, ret) &&
			 !choose_evict(st, &v, ret) && need == TMEM_NEED_ROOM)
			(void)choose_compact(st, &v, LIVE_PCT_LAST, ret);
	}
}

uint32_t tmem_policy_coldest(struct tmem_store *st)
{
	struct survey v;

	survey(st, &v);
	return v.dead != TMEM_SEGMENT_NONE &&
			       st->space.segments[v.dead].cls ==
				       TMEM_CLASS_EPHEMERAL
		       ? v.dead
		       : coldest(&v);
}
