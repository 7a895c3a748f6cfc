/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * train.h - a dictionary in the making, out of a sample of pages.
 *
 * Work comes in steps that each stay well below TMEM_TRAIN_STEP_US, so whoever
 * has little time makes one a little at a time. Knows no store: pages are brought
 * to it.
 */
#ifndef TMEM_ENGINE_TRAIN_H
#define TMEM_ENGINE_TRAIN_H

#include <stdint.h>

struct tmem_space;

/** What is taken of a page; of a larger one a part. */
#define TMEM_SAMPLE_BYTES 4096u

/*
 * Pages of a sample. With 128 a dictionary is within 1% of one made from 600;
 * with 32 within 4%, and fewer than that say nothing about a store. Every fifth is
 * not learned from: it tells what the dictionary is worth.
 */
#define TMEM_SAMPLES_MOST 160u
#define TMEM_SAMPLES_LEAST 40u

/** A step takes less: the last, libzstd's own, 1.3 ms where others take 0.2. */
#define TMEM_TRAIN_STEP_US 2000u

struct tmem_train;

/**
 * tmem_train_create() - an empty sample.
 * @samples: pages wanted.
 * @level: zstd's, of what will be packed.
 *
 * Return: NULL: no memory to be had, or to be charged for.
 */
struct tmem_train *tmem_train_create(struct tmem_space *space, uint32_t samples,
				     int level);
void tmem_train_destroy(struct tmem_train *t);

/** tmem_train_discard() - the same of a store that ends, maybe in a forked child:
 * takes no lock, so what was charged stays so. */
void tmem_train_discard(struct tmem_train *t);

/** tmem_train_slot() - where the next page of the sample goes, TMEM_SAMPLE_BYTES;
 * NULL: it has all it wants. */
uint8_t *tmem_train_slot(struct tmem_train *t);

/** tmem_train_take() - the page in the slot is in the sample. */
void tmem_train_take(struct tmem_train *t);

/** tmem_train_close() - the sample is complete as it is. */
void tmem_train_close(struct tmem_train *t);

/** tmem_train_count() - pages in the sample. */
uint32_t tmem_train_count(const struct tmem_train *t);

/**
 * tmem_train_step() - go on making it; the sample is complete.
 *
 * Return: 1 more steps are needed, 0 done; -ENODATA this sample teaches nothing.
 */
int tmem_train_step(struct tmem_train *t);

/** tmem_train_bytes() - the dictionary, when it is done. */
const uint8_t *tmem_train_bytes(const struct tmem_train *t, uint32_t *ret_len);

/** tmem_train_judge() - the nth page that was not learned from; NULL: no more. */
const uint8_t *tmem_train_judge(const struct tmem_train *t, uint32_t nth);

#endif
