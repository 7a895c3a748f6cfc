/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * codec-lz4.c - the packed form: lz4 blocks, a page each.
 */
#include "codec.h"

#include <errno.h>
#include <lz4.h>
#include <string.h>

#include "hash.h"
#include "mem.h"

static uint64_t codec_bytes(uint32_t size)
{
	return 2ull * size;
}

int tmem_codec_init(struct tmem_codec *c, struct tmem_space *space,
		    uint32_t page_size)
{
	memset(c, 0, sizeof(*c));
	tmem_lock_init(&c->lock, TMEM_RANK_CODEC);
	c->space = space;
	if (tmem_space_charge(space, sizeof(LZ4_stream_t)))
		return -ENOMEM;
	c->lz4 = tmem_mem_alloc(sizeof(LZ4_stream_t));
	if (!c->lz4) {
		tmem_space_uncharge(space, sizeof(LZ4_stream_t));
		return -ENOMEM;
	}
	(void)LZ4_initStream(c->lz4, sizeof(LZ4_stream_t));
	return tmem_codec_widen(c, page_size);
}

void tmem_codec_finish(struct tmem_codec *c)
{
	if (!c->space)
		return;
	tmem_codec_finish_zstd(c);
	tmem_mem_free(c->lz4, sizeof(LZ4_stream_t));
	tmem_mem_free(c->out, c->size);
	tmem_mem_free(c->page, c->size);
	tmem_lock_finish(&c->lock);
}

int tmem_codec_widen(struct tmem_codec *c, uint32_t page_size)
{
	uint8_t *out, *page;

	if (page_size <= c->size)
		return 0;
	if (tmem_space_charge(c->space, codec_bytes(page_size - c->size)))
		return -ENOMEM;
	out = tmem_mem_alloc(page_size);
	page = tmem_mem_alloc(page_size);
	if (!out || !page) {
		tmem_mem_free(out, page_size);
		tmem_mem_free(page, page_size);
		tmem_space_uncharge(c->space, codec_bytes(page_size - c->size));
		return -ENOMEM;
	}
	tmem_mem_free(c->out, c->size);
	tmem_mem_free(c->page, c->size);
	c->out = out;
	c->page = page;
	c->size = page_size;
	/* It would outgrow what is charged for it; who needs it makes another. */
	tmem_codec_drop_encoder(c);
	return 0;
}

uint32_t tmem_codec_pack(struct tmem_codec *c, const void *page, uint32_t size,
			 uint32_t max)
{
	int len;

	/* The fast reset leaves the 16 KiB table as it is: clearing it would
	 * cost a tenth of packing a page. */
	LZ4_resetStream_fast(c->lz4);
	len = LZ4_compress_fast_continue(c->lz4, page, (char *)c->out,
					 (int)size, (int)max, 1);
	return len > 0 ? (uint32_t)len : 0;
}

int tmem_codec_unpack(const void *packed, uint32_t len, void *page,
		      uint32_t size)
{
	return LZ4_decompress_safe(packed, page, (int)len, (int)size) ==
			       (int)size
		       ? 0
		       : -EIO;
}

uint32_t tmem_codec_check(const void *payload, uint32_t len, uint64_t index,
			  uint32_t dict)
{
	return (uint32_t)tmem_hash(payload, len,
				   index ^ len ^ (uint64_t)dict << 56);
}
