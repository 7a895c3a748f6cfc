/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * order.h - ephemeral segments in the order in which they would best be lost.
 */
#ifndef TMEM_ENGINE_ORDER_H
#define TMEM_ENGINE_ORDER_H

#include <stdint.h>

struct tmem_store;
struct tmem_victim;

/**
 * tmem_store_coldest() - segments to give up, the first one first.
 * @ret: out: up to @max of them.
 *
 * First those that hold nothing, then those whose pages were asked for least. What
 * is being filled or worked on is not among them. For want of memory, those come
 * that are first in the file.
 *
 * Context: some milliseconds; takes memory for the time of the call, and the locks of
 * space and index for microseconds at a time.
 * Return: how many.
 */
uint32_t tmem_store_coldest(struct tmem_store *st, struct tmem_victim *ret,
			    uint32_t max);

#endif
