/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-zstd.h - the bare codec with a dictionary: the floor under dense pages.
 *
 * The dictionary is libzstd's own trainer's, level and flags are the store's.
 */
#ifndef TMEM_COMMAND_BENCH_ZSTD_H
#define TMEM_COMMAND_BENCH_ZSTD_H

#include <stdint.h>

#include <zstd.h>

#include <tmem/tmem.h>

/** Enough for any frame of a page. */
#define BENCH_ZSTD_MAX (TMEM_PAGE_SIZE + 256)

struct bench_zstd {
	ZSTD_CCtx *encoder;
	ZSTD_DCtx *decoder;
	ZSTD_CDict *encode;
	ZSTD_DDict *decode;
	uint8_t out[BENCH_ZSTD_MAX];
};

/**
 * bench_zstd_init() - learn from every nth of some pages.
 *
 * Return: 0; -ENOMEM; -ENODATA there is nothing to learn. Finish it in any case.
 */
int bench_zstd_init(struct bench_zstd *z, const uint8_t *const *pages,
		    uint64_t count);
void bench_zstd_finish(struct bench_zstd *z);

/** bench_zstd_pack() - into z->out; its length, 0: failed. */
unsigned bench_zstd_pack(struct bench_zstd *z, const void *page);

/** bench_zstd_unpack() - into z->out; 1 it was a page, 0 not. */
int bench_zstd_unpack(struct bench_zstd *z, const void *packed, unsigned len);

#endif
