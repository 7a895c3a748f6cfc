/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * codec-lz4.c - the packed form: lz4 blocks, a page each.
 */
#include "codec.h"

#include <errno.h>
#include <lz4.h>

#include "hash.h"
#include "mem.h"

int tmem_codec_add_packer(struct tmem_codec *c)
{
	if (tmem_space_charge(c->space, sizeof(LZ4_stream_t)))
		return -ENOMEM;
	c->packer = tmem_mem_alloc(sizeof(LZ4_stream_t));
	if (!c->packer) {
		tmem_space_uncharge(c->space, sizeof(LZ4_stream_t));
		return -ENOMEM;
	}
	(void)LZ4_initStream(c->packer, sizeof(LZ4_stream_t));
	return 0;
}

void tmem_codec_finish_lz4(struct tmem_codec *c)
{
	tmem_mem_free(c->packer, sizeof(LZ4_stream_t));
}

uint32_t tmem_codec_pack(struct tmem_codec *c, const void *page, uint32_t size,
			 uint32_t max)
{
	int len;

	/* The fast reset leaves the 16 KiB table as it is: clearing it would
	 * cost a tenth of packing a page. */
	LZ4_resetStream_fast(c->packer);
	len = LZ4_compress_fast_continue(c->packer, page, (char *)c->out,
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
