/* SPDX-License-Identifier: BSD-2-Clause */
/* bench-zstd.c - the bare codec, a page at a time. */
#include "bench-zstd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zdict.h>

#define LEVEL 1
#define DICT_BYTES (16u << 10)
#define SAMPLES 256u

static int learn(struct bench_zstd *z, const uint8_t *const *pages,
		 uint64_t count)
{
	uint8_t *sample = malloc((size_t)SAMPLES * TMEM_PAGE_SIZE);
	uint8_t dict[DICT_BYTES];
	size_t sizes[SAMPLES], len = 0;
	unsigned i;

	for (i = 0; sample && i < SAMPLES; i++) {
		memcpy(sample + (size_t)i * TMEM_PAGE_SIZE,
		       pages[i * count / SAMPLES], TMEM_PAGE_SIZE);
		sizes[i] = TMEM_PAGE_SIZE;
	}
	if (sample)
		len = ZDICT_trainFromBuffer(dict, sizeof(dict), sample, sizes,
					    SAMPLES);
	free(sample);
	if (!len)
		return -ENOMEM;
	if (ZDICT_isError(len))
		return -ENODATA;
	z->encode = ZSTD_createCDict(dict, len, LEVEL);
	z->decode = ZSTD_createDDict(dict, len);
	return z->encode && z->decode ? 0 : -ENOMEM;
}

int bench_zstd_init(struct bench_zstd *z, const uint8_t *const *pages,
		    uint64_t count)
{
	int err;

	memset(z, 0, sizeof(*z));
	z->encoder = ZSTD_createCCtx();
	z->decoder = ZSTD_createDCtx();
	if (!z->encoder || !z->decoder)
		return -ENOMEM;
	err = learn(z, pages, count);
	if (err)
		return err;
	(void)ZSTD_CCtx_setParameter(z->encoder, ZSTD_c_contentSizeFlag, 0);
	(void)ZSTD_CCtx_setParameter(z->encoder, ZSTD_c_dictIDFlag, 0);
	(void)ZSTD_CCtx_refCDict(z->encoder, z->encode);
	return 0;
}

void bench_zstd_finish(struct bench_zstd *z)
{
	(void)ZSTD_freeCCtx(z->encoder);
	(void)ZSTD_freeDCtx(z->decoder);
	(void)ZSTD_freeCDict(z->encode);
	(void)ZSTD_freeDDict(z->decode);
}

unsigned bench_zstd_pack(struct bench_zstd *z, const void *page)
{
	size_t len = ZSTD_compress2(z->encoder, z->out, sizeof(z->out), page,
				    TMEM_PAGE_SIZE);

	return ZSTD_isError(len) ? 0 : (unsigned)len;
}

int bench_zstd_unpack(struct bench_zstd *z, const void *packed, unsigned len)
{
	return ZSTD_decompress_usingDDict(z->decoder, z->out, TMEM_PAGE_SIZE,
					  packed, len,
					  z->decode) == TMEM_PAGE_SIZE;
}
