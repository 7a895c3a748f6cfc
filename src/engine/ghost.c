/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ghost.c - rings of marks, found by hash.
 */
#include "ghost.h"

#include <errno.h>

#define MARKS 31
#define MARK_BITS 14

struct bucket {
	uint16_t next;
	uint16_t mark[MARKS]; /* 0: none */
};
_Static_assert(sizeof(struct bucket) == 64, "a bucket is a cache line");

#define BUCKETS_PER_CHUNK (TMEM_CHUNK / sizeof(struct bucket))

static struct bucket *bucket_at(const struct tmem_ghost *g,
				const struct tmem_space *space, uint32_t n)
{
	struct bucket *buckets =
		tmem_chunks_at(&g->chunks, space, n / BUCKETS_PER_CHUNK);

	return &buckets[n % BUCKETS_PER_CHUNK];
}

/* The largest power of two that is no more than @n, which is not 0. */
static uint32_t power_below(uint32_t n)
{
	return 1u << (31 - __builtin_clz(n));
}

/* As linear hashing has it: buckets from half of the next power on are split off
 * those below. The fingerprint's bits are not used again. */
static struct bucket *bucket_of(const struct tmem_ghost *g,
				const struct tmem_space *space, uint32_t hash)
{
	uint32_t whole = power_below(g->buckets), bits = hash >> MARK_BITS;
	uint32_t n = bits & (2 * whole - 1);

	return bucket_at(g, space, n < g->buckets ? n : n - whole);
}

/* From the low bits: the high ones choose the bucket. Never 0. */
static uint16_t mark_of(uint32_t hash, enum tmem_left how)
{
	uint32_t fingerprint = hash & ((1u << MARK_BITS) - 1);

	return (uint16_t)(how << MARK_BITS | fingerprint);
}

/*
 * One bucket more. It begins as a copy of the one that it is split off: which of
 * the two a mark belongs to is not known any more, and the wrong ones get old.
 * Before, with buckets found by multiplying, growing lost the marks: on P12 at
 * 20% a store that filled up forgot nearly all it had taken, and 12% of the hits.
 */
static int grow(struct tmem_ghost *g, struct tmem_space *space)
{
	uint32_t n = g->buckets;

	if (n == g->chunks.count * BUCKETS_PER_CHUNK &&
	    tmem_chunks_add(&g->chunks, space))
		return -ENOMEM;
	if (n)
		*bucket_at(g, space, n) =
			*bucket_at(g, space, n - power_below(n));
	g->buckets++;
	return 0;
}

void tmem_ghost_add(struct tmem_ghost *g, struct tmem_space *space,
		    uint32_t hash, enum tmem_left how, uint32_t pages)
{
	uint32_t want = pages / MARKS + 1;
	struct bucket *b;

	while (want > g->buckets && !grow(g, space))
		continue;
	if (!g->buckets)
		return;
	b = bucket_of(g, space, hash);
	b->mark[b->next] = mark_of(hash, how);
	b->next = (uint16_t)((b->next + 1) % MARKS);
}

enum tmem_left tmem_ghost_find(struct tmem_ghost *g,
			       const struct tmem_space *space, uint32_t hash,
			       int forget)
{
	uint16_t fingerprint = mark_of(hash, TMEM_LEFT_NOT);
	enum tmem_left how;
	struct bucket *b;
	uint32_t i;

	if (!g->buckets)
		return TMEM_LEFT_NOT;
	b = bucket_of(g, space, hash);
	for (i = 0; i < MARKS; i++) {
		how = (enum tmem_left)(b->mark[i] >> MARK_BITS);
		if (how == TMEM_LEFT_NOT ||
		    (b->mark[i] & ((1u << MARK_BITS) - 1)) != fingerprint)
			continue;
		if (forget)
			b->mark[i] = 0;
		return how;
	}
	return TMEM_LEFT_NOT;
}

void tmem_ghost_prefetch(const struct tmem_ghost *g,
			 const struct tmem_space *space, uint32_t hash)
{
	if (g->buckets)
		__builtin_prefetch(bucket_of(g, space, hash), 1);
}

int tmem_ghost_check(const struct tmem_ghost *g, const struct tmem_space *space,
		     enum tmem_left how)
{
	const struct bucket *b;
	uint32_t n, i;

	if (g->buckets > g->chunks.count * BUCKETS_PER_CHUNK)
		return 0;
	for (n = 0; n < g->buckets; n++) {
		b = bucket_at(g, space, n);
		if (b->next >= MARKS)
			return 0;
		for (i = 0; i < MARKS; i++)
			if (b->mark[i] && b->mark[i] >> MARK_BITS != how)
				return 0;
	}
	return 1;
}

void tmem_ghost_finish(struct tmem_ghost *g)
{
	tmem_chunks_finish(&g->chunks);
}
