/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trial.h - what other ways of keeping pages would hit, tried on a sample of a
 * shard's pages.
 *
 *	returned   pages seen before -> main; others -> probation, a tenth
 *	fifo       all pages in one queue
 *	half       every other page in one queue; the rest is not tried
 *	quarter    one page in four, likewise
 *
 * Each way is a cache of its own, in which a page is 32 bits of its hash; it is
 * fed all gets, puts and flushes of sampled pages, whatever the store does with
 * them. A sample of pages in a cache scaled down alike hits as the whole does
 * (Waldspurger and others, ATC 2017); to keep only every other page of a loop that
 * does not fit is Talus (Beckmann and Sanchez, HPCA 2015).
 *
 * The ways with one queue need no history: which pages they want is in the hash,
 * so it is the same the next time round.
 *
 * Callers hold the shard's lock.
 */
#ifndef TMEM_ENGINE_TRIAL_H
#define TMEM_ENGINE_TRIAL_H

#include <stdatomic.h>
#include <stdint.h>

#include "bounds.h"

/** Ways of keeping pages; the store goes one of them. */
enum tmem_way {
	TMEM_WAY_RETURNED,
	TMEM_WAY_FIFO,
	TMEM_WAY_HALF,
	TMEM_WAY_QUARTER,
	TMEM_WAYS
};

/* Probation's share of the pages, one part in so many: S3-FIFO's tenth. */
#define TMEM_PROBATION_PART 10

/** What a way holds pages in. */
enum tmem_trial_where {
	TMEM_TRIAL_PROBATION, /* returned's */
	TMEM_TRIAL_MAIN,
	TMEM_TRIAL_FIFO,
	TMEM_TRIAL_HALF,
	TMEM_TRIAL_QUARTER,
	TMEM_TRIAL_QUEUES
};

/**
 * struct tmem_contest - what all trials of a store have in common.
 *
 * In pages of the store: a tag stands for as many as one in which is tried. Room
 * is one for all shards: with a share each, by chance more of a loop's pages are
 * in one than in the next, and a loop that fits the store fits only some trials.
 */
struct tmem_contest {
	_Atomic uint64_t room;			  /* (a) 0: not full yet */
	_Atomic uint64_t held[TMEM_TRIAL_QUEUES]; /* (a) */
	_Atomic uint64_t won[TMEM_WAYS];	  /* (a) hit; see policy.c */
};

/** struct tmem_trial_queue - oldest first. */
struct tmem_trial_queue {
	uint32_t count;
	uint32_t tag[TMEM_TRIAL_ROOM];
};

struct tmem_trial {
	_Atomic uint32_t thinning; /* (a) one page in 1 << thinning is tried */
	struct tmem_trial_queue held[TMEM_TRIAL_QUEUES];
	uint32_t pages; /* of the shard, that are tried: so many are remembered */
	struct tmem_trial_queue evicted, taken; /* returned's memory */
};

/** tmem_trial_tag() - a page's, from its hash. */
static inline uint32_t tmem_trial_tag(uint64_t hash)
{
	/* The hash's own bits choose shard, bucket and mark: not them again. */
	return (uint32_t)(hash * 0xb7e151628aed2a6bull >> 32);
}

/** tmem_trial_thinning() - one page in 1 << this is tried; any thread. */
static inline uint32_t tmem_trial_thinning(const struct tmem_trial *t)
{
	return atomic_load_explicit(&t->thinning, memory_order_relaxed);
}

/** tmem_trial_samples() - 1: this page is tried; any thread. */
static inline int tmem_trial_samples(const struct tmem_trial *t, uint32_t tag)
{
	return !(tag & ((1u << tmem_trial_thinning(t)) - 1));
}

/** tmem_way_wants() - 1: a page is kept for long this way.
 * @returned: it is remembered. */
int tmem_way_wants(enum tmem_way way, uint32_t tag, int returned);

/** tmem_trial_get() - a get that takes a page that is tried.
 *
 * Return: 1: it hit in some way, counted in @c. */
int tmem_trial_get(struct tmem_trial *t, struct tmem_contest *c, uint32_t tag);

/** tmem_trial_put() - a page that is tried is put.
 * @slots: pages in the shard; as they become more, fewer of them are tried. */
void tmem_trial_put(struct tmem_trial *t, struct tmem_contest *c, uint32_t tag,
		    uint32_t slots);

/** tmem_trial_flush() - a page that is tried is no more. */
void tmem_trial_flush(struct tmem_trial *t, struct tmem_contest *c,
		      uint32_t tag);

/** tmem_trial_check() - 1: as it should be.
 * @held: in, out: pages are added, to be compared with the contest's. */
int tmem_trial_check(const struct tmem_trial *t,
		     uint64_t held[TMEM_TRIAL_QUEUES]);

#endif
