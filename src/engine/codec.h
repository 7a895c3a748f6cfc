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
	void *packer;		  /* lz4's; NULL: reads dense pages only */
	uint8_t *out;		  /* packed bytes, size */
	uint8_t *page;		  /* a page, size */
	uint32_t size;		  /* bytes of each buffer */
	void *encoder;		  /* zstd's; NULL: packs only */
	void *decoder;		  /* zstd's; NULL: no dense page is about */
	uint64_t encoder_bytes;	  /* what is charged for it */
};

/** tmem_codec_init() - one that packs; 0, -ENOMEM: what there is of it is for
 * tmem_codec_finish(). */
int tmem_codec_init(struct tmem_codec *c, struct tmem_space *space,
		    uint32_t page_size);
void tmem_codec_finish(struct tmem_codec *c);

/** tmem_codec_init_decoder() - one that reads dense pages and packs nothing; else
 * as tmem_codec_init(), and after failure as if it had not been called. */
int tmem_codec_init_decoder(struct tmem_codec *c, struct tmem_space *space,
			    uint32_t page_size);

/** tmem_codec_widen() - buffers for larger pages; 0 or -ENOMEM, unchanged. */
int tmem_codec_widen(struct tmem_codec *c, uint32_t page_size);

/* ---- The packed form; codec-lz4.c ---------------------------------------- */

/** tmem_codec_add_packer() - its state; 0, -ENOMEM. */
int tmem_codec_add_packer(struct tmem_codec *c);

/** tmem_codec_finish_lz4() - a part of tmem_codec_finish(). */
void tmem_codec_finish_lz4(struct tmem_codec *c);

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

/** tmem_codec_check() - the checksum that goes with a log entry; it also covers
 * the number of the dictionary, 0 if there is none. */
uint32_t tmem_codec_check(const void *payload, uint32_t len, uint64_t index,
			  uint32_t dict);

/* ---- The dense form; codec-zstd.c ---------------------------------------- */

struct tmem_dict;

/** Bytes before a dense payload in c->out: what every frame begins with, and no
 * entry keeps. */
#define TMEM_DENSE_SKIP 4u

/** tmem_codec_add_encoder() - make it one that packs densely; 0, -ENOMEM. */
int tmem_codec_add_encoder(struct tmem_codec *c, int level);

/** tmem_codec_drop_encoder() - it packs with lz4 only again. */
void tmem_codec_drop_encoder(struct tmem_codec *c);

/** tmem_codec_add_decoder() - make it one that reads dense pages; 0, -ENOMEM. */
int tmem_codec_add_decoder(struct tmem_codec *c);

/** tmem_codec_finish_zstd() - a part of tmem_codec_finish(). */
void tmem_codec_finish_zstd(struct tmem_codec *c);

/**
 * tmem_codec_dense() - zstd form of a page, in c->out behind TMEM_DENSE_SKIP.
 * @dict: NULL: none.
 *
 * Return: its length, at most `max`; 0 it does not get that small.
 */
uint32_t tmem_codec_dense(struct tmem_codec *c, const struct tmem_dict *dict,
			  const void *page, uint32_t size, uint32_t max);

/** tmem_codec_undense() - the page of a payload that is in c->out behind
 * TMEM_DENSE_SKIP; 0, -EIO. */
int tmem_codec_undense(struct tmem_codec *c, const struct tmem_dict *dict,
		       uint32_t len, void *page, uint32_t size);

#endif
