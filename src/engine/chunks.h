/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chunks.h - a growing array of metadata chunks.
 */
#ifndef TMEM_ENGINE_CHUNKS_H
#define TMEM_ENGINE_CHUNKS_H

#include <stdint.h>

#include "segment.h"

/**
 * struct tmem_directory - chunk numbers; replaced by a larger one, never moved.
 *
 * Replaced ones stay until the end (all together no more than the last), because
 * prefetching reads without the lock.
 */
struct tmem_directory {
	struct tmem_directory *older;
	uint32_t room;
	uint32_t chunk[];
};

struct tmem_chunks {
	struct tmem_directory *dir;
	uint32_t count;
};

/** tmem_chunks_add() - one more, zeroed; 0, -ENOMEM with nothing changed. */
int tmem_chunks_add(struct tmem_chunks *c, struct tmem_space *space);

/** tmem_chunks_drop() - give the last one back. */
void tmem_chunks_drop(struct tmem_chunks *c, struct tmem_space *space);

/**
 * tmem_chunks_finish() - the directories go; the chunks go with their segments.
 *
 * Nothing is uncharged: the store goes, and in a forked child the space's lock
 * may be held for good.
 */
void tmem_chunks_finish(struct tmem_chunks *c);

/** tmem_chunks_at() - the nth chunk's memory. */
static inline void *tmem_chunks_at(const struct tmem_chunks *c,
				   const struct tmem_space *space, uint32_t n)
{
	const struct tmem_directory *dir =
		__atomic_load_n(&c->dir, __ATOMIC_ACQUIRE);

	return tmem_chunk_at(space, dir->chunk[n]);
}

#endif
