/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sample.h - pages drawn at random from all that a store holds.
 */
#ifndef TMEM_ENGINE_SAMPLE_H
#define TMEM_ENGINE_SAMPLE_H

#include "store.h"

/**
 * tmem_sample_page() - bytes of some page that might be worth compressing.
 * @cls: of which class.
 * @age: of the segment it is in, at least: no older pages.
 * @random: any 64 bits, others each time.
 * @to: TMEM_SAMPLE_BYTES: a page, or a part of a larger one.
 *
 * Return: 1; 0 nothing of the kind was where it looked: try again.
 */
int tmem_sample_page(struct tmem_store *st, enum tmem_class cls, uint64_t age,
		     uint64_t random, uint8_t *to);

#endif
