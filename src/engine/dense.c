/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dense.c - when pages are made dense, and dictionaries for it.
 *
 * A learner's life:
 *
 *	no dictionary -> draw a sample -> learn -> judge ----> promised ---+
 *	                   ^   (a step at a time)                          |
 *	                   +--- recent pages are worse than promised <-----+
 *
 * Judging packs pages that were not learned from: with the new dictionary, and
 * with what there was. Only one that is better comes into use; else what those
 * pages came to is the promise from then on, and the next try waits longer. When
 * a class has as many as can live, pages made with its oldest are rewritten first.
 */
#include "dense.h"

#include <errno.h>

#include "ager.h"
#include "sample.h"
#include "train.h"

/* Recent pages are not what was promised from here on, percent; getting smaller
 * than that also says that they are others than those of the sample. Samples of 32
 * pages are off by 5% to either side. */
#define OFF_PCT 115

/* A first sample is drawn from at least so many times its pages. */
#define SAMPLE_OF 4u

/* A dictionary must make pages this much smaller than what it replaces, percent.
 * The first may even be 2% worse: with one, packing takes two thirds of the time. */
#define BETTER_PCT 97
#define FIRST_PCT 102

/* Pages between two dictionaries of a class, and twice as many each time: where
 * content goes to and fro, learning and rewriting must not be what a store does. */
#define WAIT_PAGES 1024u
#define WAIT_PAGES_MOST (1u << 18)

/* Segments opened between two tries without a sample; twice as many each time. */
#define WAIT_SEGMENTS_MOST 256u

/* Draws in a step, and draws in vain after which a sample is given up. */
#define STEP_DRAWS 32u
#define MISSES_MOST 16384u

/* A sample takes at most this share of the limit. */
#define SAMPLE_SHARE 64u

/* What is recent is kept in 2^-8 bytes: a new page weighs as much. */
#define RECENT_SHIFT 8

static uint32_t samples_wanted(const struct tmem_store *st)
{
	uint64_t n = atomic_load(&st->space.limit_bytes) / SAMPLE_SHARE /
		     TMEM_SAMPLE_BYTES;

	return n < TMEM_SAMPLES_LEAST  ? TMEM_SAMPLES_LEAST
	       : n > TMEM_SAMPLES_MOST ? TMEM_SAMPLES_MOST
				       : (uint32_t)n;
}

void tmem_dense_init(struct tmem_store *st, int level, uint32_t raw_pct)
{
	struct tmem_dense *d = &st->dense;
	uint64_t bytes = (uint64_t)samples_wanted(st) * TMEM_SAMPLE_BYTES;
	uint32_t i;

	tmem_lock_init(&d->lock, TMEM_RANK_DENSE);
	tmem_dicts_init(&d->dicts, &st->space);
	tmem_decoders_init(&d->decoders);
	d->level = level;
	d->raw_pct = raw_pct;
	d->age_ms = raw_pct ? TMEM_DENSE_AGE_MS : 0;
	d->random = st->seed;
	atomic_store(&d->idle_clock, UINT32_MAX);
	for (i = 0; i < TMEM_DICT_CLASSES; i++) {
		d->learners[i].wait_pages = WAIT_PAGES;
		d->learners[i].wait_segments = 1;
		d->learners[i].clock = (uint32_t)(SAMPLE_OF * bytes /
						  st->space.lease->segment_size);
	}
}

void tmem_dense_finish(struct tmem_store *st)
{
	uint32_t i;

	for (i = 0; i < TMEM_DICT_CLASSES; i++)
		tmem_train_discard(st->dense.learners[i].train);
	tmem_decoders_finish(&st->dense.decoders);
	tmem_dicts_finish(&st->dense.dicts);
	tmem_lock_finish(&st->dense.lock);
}

/* ---- Whether it is time --------------------------------------------------- */

static uint32_t clock_of(const struct tmem_store *st)
{
	return atomic_load_explicit(&st->log.clock, memory_order_relaxed);
}

int tmem_dense_wants(const struct tmem_store *st)
{
	const struct tmem_dense *d = &st->dense;
	uint64_t max =
		atomic_load_explicit(&st->space.held_max, memory_order_relaxed);

	if (d->raw_pct >= 100)
		return 0;
	if (atomic_load_explicit(&d->learning, memory_order_relaxed))
		return 1;
	return tmem_space_free(&st->space) * 100ull < max * (100 - d->raw_pct) &&
	       atomic_load_explicit(&d->idle_clock, memory_order_relaxed) !=
		       clock_of(st);
}

void tmem_dense_rests(struct tmem_store *st)
{
	atomic_store(&st->dense.idle_clock, clock_of(st));
}

int tmem_dense_prepare(struct tmem_store *st, struct tmem_worker *w)
{
	struct tmem_dense *d = &st->dense;

	if (!d->level)
		return 1;
	return tmem_decoders_prepare(&d->decoders, &st->space, st->limit_first,
				     w->codec.size) &&
	       !tmem_codec_add_encoder(&w->codec, d->level);
}

void tmem_dense_note(struct tmem_store *st, enum tmem_class cls, uint32_t len,
		     uint32_t size)
{
	struct tmem_learner *l = &st->dense.learners[cls];
	uint32_t now = atomic_load_explicit(&l->recent, memory_order_relaxed);

	/* Racing workers lose a page now and then: nothing depends on one. */
	now += len / (size / TMEM_SAMPLE_BYTES) - (now >> RECENT_SHIFT);
	atomic_store_explicit(&l->recent, now, memory_order_relaxed);
	atomic_fetch_add_explicit(&l->pages, 1, memory_order_relaxed);
}

/* ---- Learning; the lock is held -------------------------------------------- */

static uint64_t next_random(struct tmem_dense *d)
{
	uint64_t x = d->random += 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

static int is_due(const struct tmem_store *st, const struct tmem_learner *l)
{
	uint32_t promised = atomic_load(&l->promised), recent;

	if ((int32_t)(clock_of(st) - l->clock) < 0)
		return 0;
	if (!promised)
		return 1;
	recent = atomic_load(&l->recent) >> RECENT_SHIFT;
	return atomic_load(&l->pages) >= l->wait_pages &&
	       (recent * 100 > promised * OFF_PCT ||
		promised * 100 > recent * OFF_PCT);
}

/* A next dictionary is for pages that came after those of this one's sample. */
static void note_age(struct tmem_store *st, struct tmem_learner *l)
{
	tmem_lock_acquire(&st->space.lock);
	l->age = st->space.age_next;
	tmem_lock_release(&st->space.lock);
}

static void finish(struct tmem_store *st, struct tmem_learner *l)
{
	if (l->train)
		atomic_fetch_sub(&st->dense.learning, 1);
	tmem_train_destroy(l->train);
	l->train = NULL;
	l->wait_segments = 1;
	atomic_store(&l->pages, 0);
}

/* No memory, or too few pages: again when there may be more. */
static void give_up(struct tmem_store *st, struct tmem_learner *l)
{
	uint32_t wait = l->wait_segments;

	finish(st, l);
	l->clock = clock_of(st) + wait;
	l->wait_segments = wait < WAIT_SEGMENTS_MOST ? 2 * wait : wait;
}

/* 1: begun; 0: not now. */
static int begin(struct tmem_store *st, enum tmem_class cls)
{
	struct tmem_dense *d = &st->dense;
	struct tmem_learner *l = &d->learners[cls];
	uint32_t oldest = tmem_dict_oldest(&d->dicts, cls);

	if (oldest) {
		/* First its pages are rewritten. */
		if (atomic_fetch_or(&d->retired, 1u << oldest) & 1u << oldest)
			return 0;
		atomic_store(&d->idle_clock, UINT32_MAX);
		return 1;
	}
	l->train = tmem_train_create(&st->space, samples_wanted(st), d->level);
	l->misses = 0;
	if (l->train)
		atomic_fetch_add(&d->learning, 1);
	else
		give_up(st, l);
	return l->train != NULL;
}

/* 1: the sample is complete; 0: not yet, or given up. */
static int draw(struct tmem_store *st, enum tmem_class cls)
{
	struct tmem_learner *l = &st->dense.learners[cls];
	uint32_t i;
	uint8_t *to;

	for (i = 0; i < STEP_DRAWS; i++) {
		to = tmem_train_slot(l->train);
		if (!to)
			return 1;
		if (tmem_sample_page(st, cls, l->age, next_random(&st->dense),
				     to))
			tmem_train_take(l->train);
		else
			l->misses++;
	}
	if (l->misses < MISSES_MOST)
		return 0;
	if (tmem_train_count(l->train) >= TMEM_SAMPLES_LEAST) {
		tmem_train_close(l->train);
		return 1;
	}
	give_up(st, l);
	return 0;
}

/* What a page that was not learned from comes to, on average. */
static uint32_t judge(struct tmem_codec *c, const struct tmem_train *t,
		      const struct tmem_dict *dict)
{
	const uint32_t size = TMEM_SAMPLE_BYTES;
	const uint8_t *page;
	uint32_t n, len, sum = 0;

	for (n = 0; (page = tmem_train_judge(t, n)); n++) {
		len = tmem_codec_dense(c, dict, page, size,
				       TMEM_PACKED_MAX(size));
		sum += len ? len : size;
	}
	return n ? sum / n : size;
}

/* Takes the dictionary into use if it is worth it. */
static void decide(struct tmem_store *st, enum tmem_class cls,
		   struct tmem_codec *c)
{
	struct tmem_dense *d = &st->dense;
	struct tmem_learner *l = &d->learners[cls];
	uint32_t was = tmem_dict_pin(&d->dicts, cls), len, old, now;
	const uint8_t *bytes = tmem_train_bytes(l->train, &len);
	int n = 0;

	old = now = judge(c, l->train, tmem_dict_at(&d->dicts, was));
	if (len)
		n = tmem_dict_add(&d->dicts, cls, bytes, len, d->level);
	if (n > 0)
		now = judge(c, l->train, tmem_dict_at(&d->dicts, (uint32_t)n));
	tmem_dict_unpin(&d->dicts, was);
	if (n > 0 && now * 100 <= old * (was ? BETTER_PCT : FIRST_PCT)) {
		tmem_dict_adopt(&d->dicts, cls, (uint32_t)n);
	} else {
		if (n > 0)
			tmem_dict_unpin(&d->dicts, (uint32_t)n);
		now = old;
	}
	if (l->wait_pages < WAIT_PAGES_MOST)
		l->wait_pages *= 2;
	note_age(st, l);
	atomic_store(&l->promised, now);
	atomic_store(&l->recent, now << RECENT_SHIFT);
	finish(st, l);
}

static void go_on(struct tmem_store *st, enum tmem_class cls,
		  struct tmem_codec *c)
{
	struct tmem_train *t = st->dense.learners[cls].train;

	if (tmem_train_slot(t) && !draw(st, cls))
		return;
	/* Judged also if it taught nothing: what pages come to is promised. */
	if (tmem_train_step(t) != 1)
		decide(st, cls, c);
}

static void free_unused(struct tmem_store *st)
{
	struct tmem_dense *d = &st->dense;
	uint32_t freed = tmem_dict_free_unused(&d->dicts, d->decoders.codecs,
					       d->decoders.count);

	if (freed)
		atomic_fetch_and(&d->retired, ~freed);
}

int tmem_dense_learn(struct tmem_store *st, struct tmem_worker *w,
		     uint64_t left_us)
{
	struct tmem_dense *d = &st->dense;
	struct tmem_learner *l;
	uint32_t cls;
	int done = 0;

	if (left_us < TMEM_TRAIN_STEP_US || !w->codec.encoder ||
	    !tmem_lock_try(&d->lock))
		return 0;
	free_unused(st);
	for (cls = 0; cls < TMEM_DICT_CLASSES && !done; cls++) {
		l = &d->learners[cls];
		if (!l->train)
			done = is_due(st, l) && begin(st, (enum tmem_class)cls);
		else
			done = 1;
		if (l->train)
			go_on(st, (enum tmem_class)cls, &w->codec);
	}
	tmem_lock_release(&d->lock);
	return done;
}
