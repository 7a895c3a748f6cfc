/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-synthetic.h - made-up pages that pack like real ones.
 *
 * For machines on which nothing can be harvested. A kind is a histogram of the
 * sizes to which lz4 brought the pages of a real process; a made-up page is runs
 * of random bytes and repetitions of what came before, in the proportion that
 * gives the size drawn. What they say about speed is coarse: harvest if you can.
 */
#ifndef TMEM_COMMAND_BENCH_SYNTHETIC_H
#define TMEM_COMMAND_BENCH_SYNTHETIC_H

#include <stdint.h>

/** Sizes are drawn by bins of 512 bytes. */
#define BENCH_SYNTHETIC_BINS 8u

struct bench_synthetic {
	const char *name;
	uint8_t pct[BENCH_SYNTHETIC_BINS]; /* of pages; about 100 in all */
};

/** bench_synthetic_kinds() - the kinds; *ret_count of them. */
const struct bench_synthetic *bench_synthetic_kinds(unsigned *ret_count);

/** bench_synthetic_fill() - make `count` pages of a kind. */
void bench_synthetic_fill(const struct bench_synthetic *kind, uint8_t *pages,
			  uint64_t count, uint64_t seed);

#endif
