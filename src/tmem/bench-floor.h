/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-floor.h - copies that any store must make: cases for bench_run().
 */
#ifndef TMEM_COMMAND_BENCH_FLOOR_H
#define TMEM_COMMAND_BENCH_FLOOR_H

#include "bench-area.h"
#include "bench-copy.h"
#include "bench-run.h"

/** struct bench_floor - pages copied to and from random places of an area. */
struct bench_floor {
	const struct bench_area *area;
	const struct bench_area *source; /* of what is put */
	uint64_t source_pages;		 /* that many of it; few: it is hot */
	bench_copy_fn copy;
	struct bench_random random;
	uint8_t *buffer; /* a page, for gets; stays in the first-level cache */
};

/** A source of so many pages stays in a first-level cache of 32 KiB. */
#define BENCH_HOT_PAGES 4u

/** bench_floor_init() - 0, -ENOMEM. */
int bench_floor_init(struct bench_floor *f, const struct bench_area *area,
		     const struct bench_area *source, uint64_t source_pages);
void bench_floor_finish(struct bench_floor *f);

/** bench_floor_put() - past the caches, fenced after each page. */
void bench_floor_put(void *ctx, unsigned count);

/** bench_floor_get() - memcpy() to the buffer. */
void bench_floor_get(void *ctx, unsigned count);

#endif
