/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lru.c - a first-level cache: least recently used, fixed frames.
 *
 * Slot 0 is both ends of the list: its `next` is the most recently used page,
 * its `prev` the least. Slot i has frame i - 1.
 */
#include "lru.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tmem/tmem.h>

#include "assertion.h"
#include "hash.h"

/** struct lru_slot - a frame's page. */
struct lru_slot {
	uint64_t page;
	uint32_t prev, next; /* in order of use; free slots use `next` only */
	uint32_t chain;	     /* next slot of the same bucket; 0: last */
};

#define LRU_FRAMES_MAX (1u << 30)

int lru_init(struct lru *l, uint32_t frames)
{
	uint32_t buckets = 1, i;

	memset(l, 0, sizeof(*l));
	if (!frames || frames > LRU_FRAMES_MAX)
		return -ENOMEM;
	while (buckets < frames)
		buckets *= 2;
	l->bucket_mask = buckets - 1;
	l->frames = frames;
	l->slot = calloc((size_t)frames + 1, sizeof(*l->slot));
	l->bucket = calloc(buckets, sizeof(*l->bucket));
	l->frame =
		aligned_alloc(TMEM_PAGE_SIZE, (size_t)frames * TMEM_PAGE_SIZE);
	if (!l->slot || !l->bucket || !l->frame) {
		lru_finish(l);
		return -ENOMEM;
	}
	for (i = 1; i < frames; i++)
		l->slot[i].next = i + 1;
	l->free = 1;
	return 0;
}

void lru_finish(struct lru *l)
{
	free(l->slot);
	free(l->bucket);
	free(l->frame);
	memset(l, 0, sizeof(*l));
}

static void *frame_of(const struct lru *l, uint32_t slot)
{
	return l->frame + (size_t)(slot - 1) * TMEM_PAGE_SIZE;
}

static uint32_t *bucket_of(const struct lru *l, uint64_t page)
{
	return &l->bucket[tmem_mix(page, page) & l->bucket_mask];
}

static void list_del(struct lru *l, uint32_t i)
{
	struct lru_slot *s = &l->slot[i];

	l->slot[s->prev].next = s->next;
	l->slot[s->next].prev = s->prev;
}

static void list_add(struct lru *l, uint32_t i)
{
	struct lru_slot *s = &l->slot[i], *ends = &l->slot[0];

	s->prev = 0;
	s->next = ends->next;
	l->slot[ends->next].prev = i;
	ends->next = i;
}

static uint32_t find(const struct lru *l, uint64_t page)
{
	uint32_t i = *bucket_of(l, page);

	while (i && l->slot[i].page != page)
		i = l->slot[i].chain;
	return i;
}

static void chain_del(struct lru *l, uint32_t i)
{
	uint32_t *at = bucket_of(l, l->slot[i].page);

	while (*at != i) {
		TMEM_ASSERT(*at);
		at = &l->slot[*at].chain;
	}
	*at = l->slot[i].chain;
}

void *lru_get(struct lru *l, uint64_t page)
{
	uint32_t i = find(l, page);

	if (!i)
		return NULL;
	list_del(l, i);
	list_add(l, i);
	return frame_of(l, i);
}

const void *lru_victim(const struct lru *l, uint64_t *ret_page)
{
	uint32_t i = l->slot[0].prev;

	if (l->free)
		return NULL;
	*ret_page = l->slot[i].page;
	return frame_of(l, i);
}

int lru_del(struct lru *l, uint64_t page)
{
	uint32_t i = find(l, page);

	if (!i)
		return 0;
	list_del(l, i);
	chain_del(l, i);
	l->slot[i].next = l->free;
	l->free = i;
	return 1;
}

void *lru_add(struct lru *l, uint64_t page)
{
	uint32_t i, *bucket = bucket_of(l, page);

	TMEM_ASSERT(!find(l, page));
	if (!l->free)
		(void)lru_del(l, l->slot[l->slot[0].prev].page);
	i = l->free;
	l->free = l->slot[i].next;
	l->slot[i].page = page;
	l->slot[i].chain = *bucket;
	*bucket = i;
	list_add(l, i);
	return frame_of(l, i);
}
