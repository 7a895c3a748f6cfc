/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * codec.h - contexts in which pages are packed and unpacked.
 *
 * A context is a codec's state and two buffers, made ahead of use: the paths of
 * put and get allocate nothing. Workers own one each, putters share a few.
 */
#ifndef TMEM_ENGINE_CODEC_H
#define TMEM_ENGINE_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "lock.h"
#include "segment.h"

struct tmem_codec {
	struct tmem_lock lock;	  /* TMEM_RANK_CODEC */
	struct tmem_space *space; /* (c) charged for it */
	void *lz4;		  /* state */
	uint8_t *out;		  /* packed bytes, size */
	uint8_t *page;		  /* a page, size */
	uint32_t size;		  /* bytes of each buffer */
};

int tmem_codec_init(struct tmem_codec *c, struct tmem_space *space,
		    uint32_t page_size);
void tmem_codec_finish(struct tmem_codec *c);

/** tmem_codec_widen() - buffers for larger pages; 0 or -ENOMEM, unchanged. */
int tmem_codec_widen(struct tmem_codec *c, uint32_t page_size);

/**
 * tmem_codec_pack() - lz4 form of a page, in c->out.
 *
 * Return: its length, at most `max`; 0 it does not get that small.
 */
uint32_t tmem_codec_pack(struct tmem_codec *c, const void *page, uint32_t size,
			 uint32_t max);

/** tmem_codec_unpack() - 0, -EIO: these bytes are not a page. */
int tmem_codec_unpack(const void *packed, uint32_t len, void *page,
		      uint32_t size);

/** tmem_codec_check() - the checksum that goes with a log entry. */
uint32_t tmem_codec_check(const void *payload, uint32_t len, uint64_t index);

#endif
