/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagelock.h - a lock for each page of a disk: one bit.
 *
 * A word has the bits of 32 neighbouring pages, so a request that lies in one
 * word takes all of its pages by one exchange. Nobody holds pages of two words at
 * once, so there is no order to keep. Who waits, sleeps on the word.
 */
#ifndef TMEM_NBDKIT_PAGELOCK_H
#define TMEM_NBDKIT_PAGELOCK_H

#include <stdatomic.h>
#include <stdint.h>

/** PAGELOCK_WORD - pages of a word. */
#define PAGELOCK_WORD 32

/** struct pagelocks - of a disk. */
struct pagelocks {
	_Atomic uint32_t *words;  /* (c) the pointer; (a) a bit a page */
	_Atomic uint32_t waiting; /* (a) threads that sleep, or are about to */
};

/** pagelocks_init() - all open. Return: 0, -ENOMEM. */
int pagelocks_init(struct pagelocks *l, uint64_t pages);
void pagelocks_finish(struct pagelocks *l);

/**
 * pagelock_take() - wait for pages, and lock them.
 * @page: the first; @count of them, all in its word.
 */
void pagelock_take(struct pagelocks *l, uint64_t page, unsigned count);
void pagelock_drop(struct pagelocks *l, uint64_t page, unsigned count);

#endif
