/* SPDX-License-Identifier: BSD-2-Clause */
/* bench-lz4.c - the bare codec, a page at a time. */
#include "bench-lz4.h"

void bench_lz4_init(struct bench_lz4 *c)
{
	(void)LZ4_initStream(&c->state, sizeof(c->state));
}

unsigned bench_lz4_pack(struct bench_lz4 *c, const void *page)
{
	int len;

	LZ4_resetStream_fast(&c->state);
	len = LZ4_compress_fast_continue(&c->state, page, (char *)c->out,
					 TMEM_PAGE_SIZE, BENCH_PACKED_MAX, 1);
	return len > 0 ? (unsigned)len : 0;
}

int bench_lz4_unpack(struct bench_lz4 *c, const void *packed, unsigned len)
{
	return LZ4_decompress_safe(packed, (char *)c->out, (int)len,
				   TMEM_PAGE_SIZE) == TMEM_PAGE_SIZE;
}
