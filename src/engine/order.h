/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * order.h - ephemeral segments in the order in which they would best be lost.
 */
#ifndef TMEM_ENGINE_ORDER_H
#define TMEM_ENGINE_ORDER_H

#include <stdint.h>

struct tmem_store;

/**
 * tmem_store_coldest() - segments for a source to revoke, the first one first.
 * @ret: out: up to @max of their numbers.
 *
 * First those that hold nothing, then those whose pages were asked for least. What
 * is being filled or worked on is not among them.
 *
 * Context: some milliseconds; takes memory for the time of the call, and the locks of
 * space and index for microseconds at a time.
 * Return: how many; 0 as well for want of memory.
 */
uint32_t tmem_store_coldest(struct tmem_store *st, uint32_t *ret, uint32_t max);

#endif
