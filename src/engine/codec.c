/* SPDX-License-Identifier: BSD-2-Clause */
/* codec.c - contexts: a codec's state and its two buffers, made ahead of use. */
#include "codec.h"

#include <errno.h>
#include <string.h>

#include "mem.h"

static uint64_t buffer_bytes(uint32_t size)
{
	return 2ull * size;
}

static void free_buffers(struct tmem_codec *c)
{
	tmem_mem_free(c->out, c->size);
	tmem_mem_free(c->page, c->size);
}

int tmem_codec_init(struct tmem_codec *c, struct tmem_space *space,
		    uint32_t page_size)
{
	int err;

	memset(c, 0, sizeof(*c));
	tmem_lock_init(&c->lock, TMEM_RANK_CODEC);
	c->space = space;
	err = tmem_codec_add_packer(c);
	return err ? err : tmem_codec_widen(c, page_size);
}

int tmem_codec_init_decoder(struct tmem_codec *c, struct tmem_space *space,
			    uint32_t page_size)
{
	int err;

	memset(c, 0, sizeof(*c));
	c->space = space;
	err = tmem_codec_widen(c, page_size);
	if (!err)
		err = tmem_codec_add_decoder(c);
	if (err && c->size) {
		free_buffers(c);
		tmem_space_uncharge(space, buffer_bytes(c->size));
	}
	if (err)
		memset(c, 0, sizeof(*c));
	else
		tmem_lock_init(&c->lock, TMEM_RANK_CODEC);
	return err;
}

void tmem_codec_finish(struct tmem_codec *c)
{
	if (!c->space)
		return;
	/* Nothing is uncharged: its space goes with it, and in a forked child whoever
	 * held the space's lock is not there. */
	tmem_codec_finish_zstd(c);
	tmem_codec_finish_lz4(c);
	free_buffers(c);
	tmem_lock_finish(&c->lock);
}

int tmem_codec_widen(struct tmem_codec *c, uint32_t page_size)
{
	uint8_t *out, *page;
	uint64_t more;

	if (page_size <= c->size)
		return 0;
	more = buffer_bytes(page_size - c->size);
	if (tmem_space_charge(c->space, more))
		return -ENOMEM;
	out = tmem_mem_alloc(page_size);
	page = tmem_mem_alloc(page_size);
	if (!out || !page) {
		tmem_mem_free(out, page_size);
		tmem_mem_free(page, page_size);
		tmem_space_uncharge(c->space, more);
		return -ENOMEM;
	}
	free_buffers(c);
	c->out = out;
	c->page = page;
	c->size = page_size;
	/* It would outgrow what is charged for it; who needs it makes another. */
	tmem_codec_drop_encoder(c);
	return 0;
}
