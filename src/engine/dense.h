/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dense.h - what a store knows about making its pages dense: whether it is time
 * to, with which dictionary, and how well that goes.
 *
 * Pages begin raw. Once raw ones fill their share of the limit, background work
 * that has time rewrites the oldest segments: raw and packed pages become dense.
 * Each class (ephemeral, persistent) has a dictionary of its own, learned from a
 * sample of its pages; another is made when new pages get less small than that
 * sample promised.
 */
#ifndef TMEM_ENGINE_DENSE_H
#define TMEM_ENGINE_DENSE_H

#include <stdatomic.h>
#include <stdint.h>

#include "decoders.h"
#include "dict.h"
#include "lock.h"

struct tmem_hit;
struct tmem_store;
struct tmem_train;
struct tmem_worker;

/** Levels of zstd that a store can be opened with. Above 9, packing a page costs
 * more than reading it from a disk. */
#define TMEM_DENSE_LEVEL_MIN 1
#define TMEM_DENSE_LEVEL_MAX 9
#define TMEM_DENSE_LEVEL 1

/** Share of the limit that may be raw before pages are made dense, percent. */
#define TMEM_DENSE_RAW_PCT 75

/*
 * A segment is let rest for so long before its pages are made smaller ahead of
 * need: what dies young is not worth it. With no raw share at all it is not.
 */
#define TMEM_DENSE_AGE_MS 2000u

/*
 * Stores from here on have dense pages unless told otherwise: contexts, a
 * dictionary and the sample it is made of take 1.2 MiB, 2% of it. Told to, a
 * store does with less; below the second bound it cannot.
 */
#define TMEM_DENSE_FROM (64 * TMEM_MIB)
#define TMEM_DENSE_LIMIT_MIN (4 * TMEM_MIB)

/** struct tmem_learner - how the pages of a class are doing. */
struct tmem_learner {
	struct tmem_train *train; /* lock: under way */
	uint32_t wait_pages;	  /* lock: before the next one, at least */
	uint32_t clock;		/* lock: of the log, before which not to try */
	uint32_t wait_segments; /* lock: how much later the next time */
	uint32_t misses;	/* lock: draws in vain of this sample */
	uint64_t age;		/* lock: of segments that came since the last */
	_Atomic uint32_t promised; /* (a) bytes of a packed 4 KiB; 0: nothing */
	_Atomic uint32_t recent;   /* (a) the same of late, in 1/256 */
	_Atomic uint32_t pages;	   /* (a) since the last one */
};

struct tmem_dense {
	struct tmem_lock lock; /* TMEM_RANK_DENSE: making dictionaries */
	int level;	       /* (c) of zstd; 0: no dense pages */
	uint32_t raw_pct;      /* (c) */
	uint32_t age_ms;       /* (c) of segments that are left alone */
	struct tmem_dicts dicts;
	struct tmem_learner learners[TMEM_DICT_CLASSES];
	uint64_t random; /* lock */
	struct tmem_decoders decoders;
	_Atomic uint32_t learning; /* (a) samples and dictionaries under way */
	_Atomic uint32_t idle_clock; /* (a) the log's, when nothing was left */
	_Atomic uint32_t retired; /* (a) bit n: pages of dictionary n are to be
				   * made with another */
};

/** tmem_dense_init() - @level 0: no page becomes dense, old ones are packed.
 * @raw_pct: share of the limit that pages may fill before that begins. */
void tmem_dense_init(struct tmem_store *st, int level, uint32_t raw_pct);
void tmem_dense_finish(struct tmem_store *st);

/** tmem_dense_wants() - 1: pages should be made smaller now, if there is nothing
 * more urgent; cheap. */
int tmem_dense_wants(const struct tmem_store *st);

/** tmem_dense_rests() - nothing is left to be made dense until the log moves. */
void tmem_dense_rests(struct tmem_store *st);

/** tmem_dense_prepare() - contexts for a worker and all readers; 1 what is needed
 * is there, 0 there is no memory for them now. Worker's lock. */
int tmem_dense_prepare(struct tmem_store *st, struct tmem_worker *w);

/**
 * tmem_dense_learn() - a step of making a dictionary, if one is due.
 * @left_us: time that the caller has; a step is not begun with too little.
 *
 * Context: the worker's lock.
 * Return: 1 something was done, 0 nothing.
 */
int tmem_dense_learn(struct tmem_store *st, struct tmem_worker *w,
		     uint64_t left_us);

/** tmem_dense_note() - a page came to so many bytes with the current dictionary;
 * the whole size if it did not get small. */
void tmem_dense_note(struct tmem_store *st, enum tmem_class cls, uint32_t len,
		     uint32_t size);

#endif
