/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decoders.h - the contexts that gets of dense pages borrow.
 */
#ifndef TMEM_ENGINE_DECODERS_H
#define TMEM_ENGINE_DECODERS_H

#include <stdatomic.h>
#include <stdint.h>

#include "bounds.h"
#include "codec.h"
#include "lock.h"

struct tmem_space;

/*
 * As many gets of dense pages go on at a time. One takes 100 KiB, so small stores
 * have two. They are not those of putters, who hold theirs while they wait for room.
 */
#define TMEM_DECODERS_LEAST 2u
#define TMEM_DECODERS_MOST 8u
#define TMEM_DECODER_BYTES (128 * TMEM_MIB) /* of limit, for each */

struct tmem_decoders {
	struct tmem_lock lock; /* TMEM_RANK_DENSE: making and widening them */
	struct tmem_codec codecs[TMEM_DECODERS_MOST];
	uint32_t count;	   /* lock; constant once they are ready */
	_Atomic int ready; /* (a) */
};

void tmem_decoders_init(struct tmem_decoders *d);
void tmem_decoders_finish(struct tmem_decoders *d);

/** tmem_decoders_prepare() - have them, for a store of this limit and pages of this
 * size. Return: 1 they are there, 0 there is no memory for them now. */
int tmem_decoders_prepare(struct tmem_decoders *d, struct tmem_space *space,
			  uint64_t limit_bytes, uint32_t page_size);

/** tmem_decoders_widen() - for larger pages; 0, -ENOMEM. */
int tmem_decoders_widen(struct tmem_decoders *d, uint32_t page_size);

/** tmem_decoders_borrow() - one of them, locked; NULL: there are none, and so there
 * is no dense page. Given up by tmem_codec_release(). */
struct tmem_codec *tmem_decoders_borrow(struct tmem_decoders *d);

#endif
