/* SPDX-License-Identifier: BSD-2-Clause */
/* decoders.c - the contexts that gets of dense pages borrow. */
#include "decoders.h"

#include <sched.h>

static uint32_t wanted(uint64_t limit_bytes)
{
	uint64_t n = limit_bytes / TMEM_DECODER_BYTES;

	return n < TMEM_DECODERS_LEAST	? TMEM_DECODERS_LEAST
	       : n > TMEM_DECODERS_MOST ? TMEM_DECODERS_MOST
					: (uint32_t)n;
}

void tmem_decoders_init(struct tmem_decoders *d)
{
	tmem_lock_init(&d->lock, TMEM_RANK_DENSE);
}

void tmem_decoders_finish(struct tmem_decoders *d)
{
	uint32_t i;

	for (i = 0; i < d->count; i++)
		tmem_codec_finish(&d->codecs[i]);
	tmem_lock_finish(&d->lock);
}

/* All, or as many as there is memory for, but the least. */
int tmem_decoders_prepare(struct tmem_decoders *d, struct tmem_space *space,
			  uint64_t limit_bytes, uint32_t page_size)
{
	uint32_t most = wanted(limit_bytes);

	if (atomic_load(&d->ready))
		return 1;
	tmem_lock_acquire(&d->lock);
	while (!atomic_load(&d->ready) && d->count < most &&
	       !tmem_codec_init_decoder(&d->codecs[d->count], space, page_size))
		d->count++;
	if (d->count >= TMEM_DECODERS_LEAST)
		atomic_store(&d->ready, 1);
	tmem_lock_release(&d->lock);
	return atomic_load(&d->ready);
}

int tmem_decoders_widen(struct tmem_decoders *d, uint32_t page_size)
{
	uint32_t i;
	int err = 0;

	tmem_lock_acquire(&d->lock);
	for (i = 0; i < d->count && !err; i++) {
		tmem_lock_acquire(&d->codecs[i].lock);
		err = tmem_codec_widen(&d->codecs[i], page_size);
		tmem_lock_release(&d->codecs[i].lock);
	}
	tmem_lock_release(&d->lock);
	return err;
}

struct tmem_codec *tmem_decoders_borrow(struct tmem_decoders *d)
{
	uint32_t i, first;

	if (!atomic_load_explicit(&d->ready, memory_order_acquire) || !d->count)
		return NULL;
	/* The one this processor had last is in its caches: taking them in
	 * turns costs a get 0.2 us. */
	first = (uint32_t)sched_getcpu();
	for (i = 0; i < d->count; i++)
		if (tmem_lock_try(&d->codecs[(first + i) % d->count].lock))
			return &d->codecs[(first + i) % d->count];
	tmem_lock_acquire(&d->codecs[first % d->count].lock);
	return &d->codecs[first % d->count];
}
