/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool.h - the pools of a store: ids with generations, attributes, tallies.
 *
 * An id is generation << 8 | slot. A destroyed pool's id is never valid again;
 * when a slot's generations run out, the slot is retired.
 *
 * Counts live in a tally per pool and shard, under the shard's lock, so that the
 * hot path shares no counter between threads.
 */
#ifndef TMEM_ENGINE_POOL_H
#define TMEM_ENGINE_POOL_H

#include <stdatomic.h>
#include <stdint.h>

#include <tmem/tmem.h>

#define TMEM_POOL_SLOT_BITS 8
#define TMEM_POOL_GENERATION_MAX ((1u << (31 - TMEM_POOL_SLOT_BITS)) - 1)
#define TMEM_POOL_NAME_MAX 32
_Static_assert(TMEM_POOLS_MAX == 1 << TMEM_POOL_SLOT_BITS, "slots fill ids");

enum tmem_form {
	TMEM_FORM_SAME,
	TMEM_FORM_RAW,
	TMEM_FORM_PACKED,
	TMEM_FORM_DENSE,
	TMEM_FORMS
};

enum tmem_refusal {
	TMEM_REFUSED_FULL,
	TMEM_REFUSED_QUOTA,
	TMEM_REFUSED_FROZEN,
	TMEM_REFUSED_NOMEM,
	TMEM_REFUSALS
};

/** struct tmem_tally - one pool in one shard; all under the shard's lock. */
struct tmem_tally {
	uint64_t puts, gets, hits, flushes, evictions, ghost_hits;
	uint64_t refused[TMEM_REFUSALS];
	uint64_t units; /* 16 bytes: live entries, headers too */
	uint32_t pages[TMEM_FORMS];
};

struct tmem_pool {
	_Atomic uint64_t word; /* (a) id:32 | flags:16 | page_shift:8 | take:8;
				     * 0: free; asked under a shard lock */
	uint32_t generation;   /* (p) pools lock: of the last id */
	struct tmem_tally *tallies;    /* (c) while alive; one per shard */
	_Atomic uint64_t objects;      /* (a) */
	char name[TMEM_POOL_NAME_MAX]; /* (p) */
};

/**
 * struct tmem_view - a pool's attributes, all of one moment.
 *
 * The slot may be another pool's before the operation ends; whoever counts or
 * stores asks again, by id, under the shard's lock.
 */
struct tmem_view {
	uint32_t id, flags, page_shift;
	int take; /* a get removes */
};

/** A word of no id, but not of a free slot: the pool is being taken down. */
#define TMEM_POOL_DYING 1ull

/** struct tmem_pool_total - a pool's tallies, added up. */
struct tmem_pool_total {
	struct tmem_tally done; /* its pages are in `pages` */
	uint64_t pages[TMEM_FORMS];
	uint64_t objects;
};

struct tmem_store;

/** tmem_pool_find() - a pool by id; 0, -EBADF. */
int tmem_pool_find(const struct tmem_store *st, int pool, struct tmem_view *ret);

/** tmem_pool_sum() - add up a pool's tallies; pools lock held. */
void tmem_pool_sum(struct tmem_store *st, const struct tmem_pool *p,
		   struct tmem_pool_total *ret);

/** tmem_pool_slot() - where a pool of this id would be; any id. */
static inline uint32_t tmem_pool_slot(uint32_t id)
{
	return id & (TMEM_POOLS_MAX - 1);
}

static inline uint64_t tmem_pool_word(const struct tmem_view *v)
{
	return (uint64_t)v->id << 32 | v->flags << 16 | v->page_shift << 8 |
	       (uint32_t)v->take;
}

static inline struct tmem_view tmem_pool_view(const struct tmem_pool *p)
{
	uint64_t w = atomic_load_explicit(&p->word, memory_order_acquire);
	struct tmem_view v = {
		.id = (uint32_t)(w >> 32),
		.flags = (uint32_t)(w >> 16) & 0xffff,
		.page_shift = (uint32_t)(w >> 8) & 0xff,
		.take = (int)(w & 0xff),
	};

	return v;
}

/** tmem_pool_alive() - 1: the id is this pool's. */
static inline int tmem_pool_alive(const struct tmem_pool *p, uint32_t id)
{
	return id &&
	       atomic_load_explicit(&p->word, memory_order_acquire) >> 32 == id;
}

#endif
