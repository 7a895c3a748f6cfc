/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ghost.c - rings of marks, found by hash.
 */
#include "ghost.h"

#define MARKS 31
#define MARK_BITS 14

struct bucket {
	uint16_t next;
	uint16_t mark[MARKS]; /* 0: none */
};
_Static_assert(sizeof(struct bucket) == 64, "a bucket is a cache line");

#define BUCKETS_PER_CHUNK (TMEM_CHUNK / sizeof(struct bucket))

static struct bucket *bucket_of(const struct tmem_ghost *g,
				const struct tmem_space *space, uint32_t hash)
{
	uint32_t n = (uint32_t)((uint64_t)hash * g->buckets >> 32);
	struct bucket *buckets =
		tmem_chunks_at(&g->chunks, space, n / BUCKETS_PER_CHUNK);

	return &buckets[n % BUCKETS_PER_CHUNK];
}

/* From the low bits: the high ones chose the bucket. Never 0. */
static uint16_t mark_of(uint32_t hash, enum tmem_left how)
{
	uint32_t fingerprint = hash & ((1u << MARK_BITS) - 1);

	return (uint16_t)(how << MARK_BITS | fingerprint);
}

/* Longer by a quarter at least: it changes where marks are looked for, and those
 * that stand elsewhere are lost. */
static void grow(struct tmem_ghost *g, struct tmem_space *space, uint32_t want)
{
	uint32_t buckets = g->buckets + g->buckets / 4;

	if (buckets < want)
		buckets = want;
	while (g->chunks.count * BUCKETS_PER_CHUNK < buckets)
		if (tmem_chunks_add(&g->chunks, space))
			return;
	g->buckets = buckets;
}

void tmem_ghost_add(struct tmem_ghost *g, struct tmem_space *space,
		    uint32_t hash, enum tmem_left how, uint32_t pages)
{
	uint32_t want = pages / MARKS + 1;
	struct bucket *b;

	if (want > g->buckets)
		grow(g, space, want);
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

void tmem_ghost_finish(struct tmem_ghost *g)
{
	tmem_chunks_finish(&g->chunks);
}
