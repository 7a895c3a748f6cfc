/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lru.h - a first-level cache: least recently used, fixed frames.
 *
 * Stands for the page cache of an operating system or the buffer pool of a
 * database: the thing that a store of pages lies below.
 */
#ifndef TMEM_COMMAND_LRU_H
#define TMEM_COMMAND_LRU_H

#include <stdint.h>

struct lru_slot;

/** struct lru - one thread's. */
struct lru {
	struct lru_slot *slot; /* one per frame; before them the list's ends */
	uint32_t *bucket;      /* first slot of each chain; 0: none */
	uint32_t bucket_mask;
	uint32_t frames;
	uint32_t free; /* first slot that holds nothing, chained; 0: none */
	uint8_t *frame;
};

/** lru_init() - `frames` of TMEM_PAGE_SIZE each. Return: 0, -ENOMEM. */
int lru_init(struct lru *l, uint32_t frames) __attribute__((warn_unused_result));

void lru_finish(struct lru *l);

/**
 * lru_get() - find a page and make it the most recently used.
 *
 * Return: its frame; NULL: it is not here.
 */
void *lru_get(struct lru *l, uint64_t page);

/**
 * lru_victim() - which page lru_add() is going to push out.
 * @ret_page: out: its number.
 *
 * Return: its frame; NULL: none, there is a free one.
 */
const void *lru_victim(const struct lru *l, uint64_t *ret_page);

/**
 * lru_add() - make room for a page that is not here, pushing out lru_victim().
 *
 * Return: its frame, to be filled; aligned to TMEM_PAGE_SIZE.
 */
void *lru_add(struct lru *l, uint64_t page);

/** lru_del() - forget a page. Return: 1 it was there, 0 it was not. */
int lru_del(struct lru *l, uint64_t page);

#endif
