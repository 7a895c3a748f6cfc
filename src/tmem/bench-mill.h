/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-mill.h - a store, and a window of keys that moves through it.
 *
 *	key numbers   ... tail |<-------- window: these live -------->| head ...
 *
 * A put takes the number at the head, a flush the one at the tail, so pages die
 * in the order in which they came, and segments die whole: what a put costs then
 * is a put, and the freeing of a dead segment every few hundred. Numbers are
 * scattered over the keys: neighbours in time are no neighbours in an object.
 * An object has 64 pages.
 */
#ifndef TMEM_COMMAND_BENCH_MILL_H
#define TMEM_COMMAND_BENCH_MILL_H

#include <stdint.h>

#include <tmem/tmem.h>

#include "bench-run.h"

struct bench;

#define BENCH_OBJECT_PAGES 64u

/** Operations of one tmem_submit(). */
#define BENCH_SUBMIT 32u

/** struct bench_store_plan - a store to open. */
struct bench_store_plan {
	uint64_t bytes;
	const char *where; /* as of tmem_open(); NULL: embedded */
	uint32_t agers;	   /* as of struct tmem_open_opts */
	uint32_t flags;	   /* of its pool */
	int small;	   /* 1: on 4 KiB pages whatever its size */
	const char *keys;  /* more of `where`, with a comma before each; NULL */
};

struct bench_mill {
	struct bench *bench;
	struct tmem *session;
	int pool;
	const uint8_t *const *pages; /* what is put, in turns */
	uint64_t pages_count;
	uint64_t mask; /* key numbers are below mask + 1, then over again */
	uint64_t head;
	uint64_t window;
	uint64_t failed; /* operations that did not do what they should */
	uint64_t done;	 /* of how many */
	struct bench_random random;
	uint8_t *buffer; /* BENCH_SUBMIT pages */
};

/**
 * bench_mill_open() - a store with a pool, nothing in it.
 * @m: out; closed by bench_mill_close() whatever the return.
 * @window: pages that shall live.
 */
int bench_mill_open(struct bench *b, struct bench_mill *m,
		    const struct bench_store_plan *plan, uint64_t window);
void bench_mill_close(struct bench_mill *m);

/** bench_mill_noise() - put pages that do not compress, hot in the cache. */
void bench_mill_noise(struct bench_mill *m);

/** bench_mill_mix() - put pages of all corpora. */
void bench_mill_mix(struct bench_mill *m);

/** bench_mill_key() - the key of a number. */
struct tmem_key bench_mill_key(const struct bench_mill *m, uint64_t number);

/* For struct bench_case; ctx is the mill. */
void bench_mill_put(void *ctx, unsigned count);	   /* at the head */
void bench_mill_flush(void *ctx, unsigned count);  /* at the tail */
void bench_mill_get(void *ctx, unsigned count);	   /* any that lives */
void bench_mill_miss(void *ctx, unsigned count);   /* one that never was */
void bench_mill_submit(void *ctx, unsigned count); /* gets, 32 a call */

/**
 * bench_mill_check() - did all operations do what they should?
 *
 * One in a thousand may not: ephemeral pages may vanish.
 * Return: 0, -EIO.
 */
int bench_mill_check(struct bench_mill *m);

/** bench_mill_stats() - the store's and the pool's; 0 or negative errno. */
int bench_mill_stats(struct bench_mill *m, struct tmem_stats *ret,
		     struct tmem_pool_stats *ret_pool);

#endif
