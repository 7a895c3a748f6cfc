/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-lz4.h - the bare codec: the floor under packed pages.
 *
 * The same calls of lz4 as the store makes: a state that is only reset the fast
 * way, acceleration 1, and no more room than a packed page may take.
 */
#ifndef TMEM_COMMAND_BENCH_LZ4_H
#define TMEM_COMMAND_BENCH_LZ4_H

#include <stdint.h>

#include <lz4.h>

#include <tmem/tmem.h>

/** What the store keeps packed at most; larger pages stay raw. */
#define BENCH_PACKED_MAX (TMEM_PAGE_SIZE - TMEM_PAGE_SIZE / 8)

struct bench_lz4 {
	LZ4_stream_t state;
	uint8_t out[TMEM_PAGE_SIZE];
};

void bench_lz4_init(struct bench_lz4 *c);

/** bench_lz4_pack() - into c->out; its length, 0: does not get small. */
unsigned bench_lz4_pack(struct bench_lz4 *c, const void *page);

/** bench_lz4_unpack() - into c->out; 1 it was a page, 0 not. */
int bench_lz4_unpack(struct bench_lz4 *c, const void *packed, unsigned len);

#endif
