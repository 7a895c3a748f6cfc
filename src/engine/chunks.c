/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chunks.c - directories of metadata chunks, doubled as they fill.
 */
#include "chunks.h"

#include <errno.h>
#include <string.h>

#include "mem.h"

/* First room of a directory: 16 chunks are 512 buckets of a table. */
#define ROOM_MIN 16

static uint64_t directory_bytes(uint32_t room)
{
	return sizeof(struct tmem_directory) + (uint64_t)room * sizeof(uint32_t);
}

static int directory_grow(struct tmem_chunks *c, struct tmem_space *space)
{
	uint32_t room = c->dir ? 2 * c->dir->room : ROOM_MIN;
	struct tmem_directory *dir;

	if (tmem_space_charge(space, directory_bytes(room)))
		return -ENOMEM;
	dir = tmem_mem_alloc(directory_bytes(room));
	if (!dir) {
		tmem_space_uncharge(space, directory_bytes(room));
		return -ENOMEM;
	}
	if (c->dir)
		memcpy(dir->chunk, c->dir->chunk, c->count * sizeof(uint32_t));
	dir->room = room;
	dir->older = c->dir;
	/* Before the count that needs it: see tmem_table_prefetch(). */
	__atomic_store_n(&c->dir, dir, __ATOMIC_RELEASE);
	return 0;
}

int tmem_chunks_add(struct tmem_chunks *c, struct tmem_space *space)
{
	uint32_t chunk;

	if ((!c->dir || c->count == c->dir->room) && directory_grow(c, space))
		return -ENOMEM;
	chunk = tmem_chunk_alloc(space);
	if (chunk == TMEM_CHUNK_NONE)
		return -ENOMEM;
	c->dir->chunk[c->count++] = chunk;
	return 0;
}

void tmem_chunks_drop(struct tmem_chunks *c, struct tmem_space *space)
{
	tmem_chunk_free(space, c->dir->chunk[--c->count]);
}

void tmem_chunks_finish(struct tmem_chunks *c)
{
	struct tmem_directory *dir, *older;

	for (dir = c->dir; dir; dir = older) {
		older = dir->older;
		tmem_mem_free(dir, directory_bytes(dir->room));
	}
	memset(c, 0, sizeof(*c));
}
