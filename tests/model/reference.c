/* SPDX-License-Identifier: BSD-2-Clause */
/* reference.c - a table of pages, in plain memory. */
#include "reference.h"

#include <stdlib.h>
#include <string.h>

struct tmem_key ref_key(unsigned object, unsigned index)
{
	struct tmem_key key = { { 0, 0, 0 }, 0 };

	key.object[object % 3] = object | (uint64_t)(object > 2) << 63;
	key.index = index | (uint64_t)(index & 7) << 40;
	return key;
}

int ref_takes(const struct ref_pool *pool)
{
	if (pool->flags & (TMEM_POOL_KEEP | TMEM_POOL_TAKE))
		return !!(pool->flags & TMEM_POOL_TAKE);
	return !(pool->flags & TMEM_POOL_PERSISTENT);
}

int ref_put(struct ref_pool *pool, struct ref *ref, const uint8_t *page)
{
	uint8_t *want = malloc(pool->size);

	if (!want)
		return -1;
	memcpy(want, page, pool->size);
	ref_flush(ref);
	ref->want = want;
	ref->state = pool->flags & TMEM_POOL_PERSISTENT ? MUST : MAY;
	return 0;
}

void ref_flush(struct ref *ref)
{
	free(ref->want);
	ref->want = NULL;
	ref->state = ABSENT;
}

void ref_flush_object(struct ref_pool *pool, unsigned object)
{
	unsigned i;

	for (i = 0; i < INDEXES; i++)
		ref_flush(&pool->refs[object][i]);
}

void ref_flush_pool(struct ref_pool *pool)
{
	unsigned o;

	for (o = 0; o < OBJECTS; o++)
		ref_flush_object(pool, o);
}

enum ref_state ref_object(const struct ref_pool *pool, unsigned object)
{
	enum ref_state most = ABSENT;
	unsigned i;

	for (i = 0; i < INDEXES; i++)
		if (pool->refs[object][i].state > most)
			most = pool->refs[object][i].state;
	return most;
}

void ref_count(const struct ref_pool *pool, enum ref_state least,
	       struct ref_tally *sum)
{
	unsigned o, i;

	for (o = 0; o < OBJECTS; o++) {
		sum->objects += ref_object(pool, o) >= least;
		for (i = 0; i < INDEXES; i++) {
			if (pool->refs[o][i].state < least)
				continue;
			sum->pages++;
			sum->bytes += pool->size;
		}
	}
}
