/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ghost.h - fingerprints of pages that left a shard lately.
 *
 *	bucket (a cache line):  | next | mark[31], a ring |
 *	mark:  how it left:2 | fingerprint:14
 *
 * A page that is put again while its mark is there has earned the main queue. An
 * exclusive get destroys all that was known of a page, so history can live nowhere
 * else. There are about as many marks as pages in the shard; a bucket's oldest
 * mark makes way for its newest. One in about 500 strangers is mistaken for a
 * page that left: 31 marks of 14 bits.
 *
 * Callers hold the shard's lock.
 */
#ifndef TMEM_ENGINE_GHOST_H
#define TMEM_ENGINE_GHOST_H

#include <stdint.h>

#include "chunks.h"

enum tmem_left {
	TMEM_LEFT_NOT,	  /* no mark */
	TMEM_LEFT_TAKEN,  /* by a get */
	TMEM_LEFT_EVICTED /* see tmem_policy_marks() */
};

struct tmem_ghost {
	struct tmem_chunks chunks; /* 64 buckets each */
	uint32_t buckets;
};

/**
 * tmem_ghost_add() - a page left.
 * @pages: in the shard: how long a history is wanted.
 *
 * Best effort: without memory for a longer history it stays as short as it is.
 */
void tmem_ghost_add(struct tmem_ghost *g, struct tmem_space *space,
		    uint32_t hash, enum tmem_left how, uint32_t pages);

/** tmem_ghost_find() - how the page left; @forget: and remove the mark. */
enum tmem_left tmem_ghost_find(struct tmem_ghost *g,
			       const struct tmem_space *space, uint32_t hash,
			       int forget);

/** tmem_ghost_prefetch() - a tmem_ghost_find() follows. */
void tmem_ghost_prefetch(const struct tmem_ghost *g,
			 const struct tmem_space *space, uint32_t hash);

/** tmem_ghost_check() - 1: as it should be, with marks of this kind only. */
int tmem_ghost_check(const struct tmem_ghost *g, const struct tmem_space *space,
		     enum tmem_left how);

/** tmem_ghost_finish() - as tmem_chunks_finish(). */
void tmem_ghost_finish(struct tmem_ghost *g);

#endif
