/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * codec-zstd.c - the dense form: zstd frames without their magic number, a page
 * each, with a dictionary or without one.
 *
 * Per 4 KiB page at level 1, a dictionary of 16 KiB makes heaps 10% smaller and
 * packs them a third faster: its tables are attached, not built (measured with
 * `tmem bench density`). A frame says neither its size nor its dictionary: the
 * entry does.
 *
 * libzstd allocates for itself. Contexts are made ahead of use and used once, so
 * that what they take is known and charged; a fault point stands for each.
 */
#include "codec.h"

#include <errno.h>
#include <string.h>
#include <zstd.h>

#include <tmem/tmem.h>

#include "dict.h"
#include "fault.h"

/*
 * Charged before a context is made, and corrected once it is known. With libzstd
 * 1.5, levels 1 to 9, an encoder takes 72 to 104 KiB for pages of 4 KiB and at
 * most 1033 KiB for larger ones, a decoder 94 KiB.
 */
#define ENCODER_BYTES_MOST(size)                                               \
	((size) <= TMEM_PAGE_SIZE_MIN ? 128u << 10 : 1152u << 10)
#define DECODER_BYTES_MOST (192u << 10)

static const uint8_t magic[TMEM_DENSE_SKIP] = { 0x28, 0xb5, 0x2f, 0xfd };

static ZSTD_CCtx *make_encoder(struct tmem_codec *c, int level)
{
	ZSTD_CCtx *e = tmem_fault(TMEM_FAULT_ALLOC) ? NULL : ZSTD_createCCtx();

	if (!e)
		return NULL;
	/* Sizes and dictionary are in the entry. */
	(void)ZSTD_CCtx_setParameter(e, ZSTD_c_compressionLevel, level);
	(void)ZSTD_CCtx_setParameter(e, ZSTD_c_contentSizeFlag, 0);
	(void)ZSTD_CCtx_setParameter(e, ZSTD_c_dictIDFlag, 0);
	/* Its tables are allocated by the first page. */
	memset(c->page, 0, c->size);
	if (ZSTD_isError(ZSTD_compress2(e, c->out, c->size, c->page, c->size))) {
		(void)ZSTD_freeCCtx(e);
		return NULL;
	}
	return e;
}

int tmem_codec_add_encoder(struct tmem_codec *c, int level)
{
	uint64_t most = ENCODER_BYTES_MOST(c->size), took;
	ZSTD_CCtx *e;

	if (c->encoder)
		return 0;
	if (tmem_space_charge(c->space, most))
		return -ENOMEM;
	e = make_encoder(c, level);
	took = e ? ZSTD_sizeof_CCtx(e) : 0;
	/* Another libzstd that wants more is not let have it. */
	if (took > most) {
		(void)ZSTD_freeCCtx(e);
		e = NULL;
		took = 0;
	}
	tmem_space_uncharge(c->space, most - took);
	c->encoder_bytes = took;
	c->encoder = e;
	return e ? 0 : -ENOMEM;
}

int tmem_codec_add_decoder(struct tmem_codec *c)
{
	uint64_t took;
	ZSTD_DCtx *d;

	if (tmem_space_charge(c->space, DECODER_BYTES_MOST))
		return -ENOMEM;
	d = tmem_fault(TMEM_FAULT_ALLOC) ? NULL : ZSTD_createDCtx();
	took = d ? ZSTD_sizeof_DCtx(d) : 0;
	if (took > DECODER_BYTES_MOST) {
		(void)ZSTD_freeDCtx(d);
		d = NULL;
		took = 0;
	}
	tmem_space_uncharge(c->space, DECODER_BYTES_MOST - took);
	c->decoder = d;
	return d ? 0 : -ENOMEM;
}

void tmem_codec_drop_encoder(struct tmem_codec *c)
{
	if (c->encoder)
		tmem_space_uncharge(c->space, c->encoder_bytes);
	(void)ZSTD_freeCCtx(c->encoder);
	c->encoder = NULL;
}

void tmem_codec_finish_zstd(struct tmem_codec *c)
{
	(void)ZSTD_freeCCtx(c->encoder);
	(void)ZSTD_freeDCtx(c->decoder);
}

uint32_t tmem_codec_dense(struct tmem_codec *c, const struct tmem_dict *dict,
			  const void *page, uint32_t size, uint32_t max)
{
	size_t len;

	/* A page that did not fit leaves the context amid its frame: no other
	 * dictionary would be taken then. */
	(void)ZSTD_CCtx_reset(c->encoder, ZSTD_reset_session_only);
	if (ZSTD_isError(
		    ZSTD_CCtx_refCDict(c->encoder, dict ? dict->encode : NULL)))
		return 0;
	len = ZSTD_compress2(c->encoder, c->out, max + TMEM_DENSE_SKIP, page,
			     size);
	return ZSTD_isError(len) || len <= TMEM_DENSE_SKIP
		       ? 0
		       : (uint32_t)(len - TMEM_DENSE_SKIP);
}

int tmem_codec_undense(struct tmem_codec *c, const struct tmem_dict *dict,
		       uint32_t len, void *page, uint32_t size)
{
	size_t got;

	memcpy(c->out, magic, sizeof(magic));
	len += TMEM_DENSE_SKIP;
	if (dict)
		got = ZSTD_decompress_usingDDict(c->decoder, page, size, c->out,
						 len, dict->decode);
	else
		got = ZSTD_decompressDCtx(c->decoder, page, size, c->out, len);
	return got == size ? 0 : -EIO;
}
