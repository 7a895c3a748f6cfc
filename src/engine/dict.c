/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dict.c - dictionaries made, found, kept while they are referred to, freed.
 */
#include "dict.h"

#include <errno.h>
#include <string.h>
#include <zstd.h>

#include "assertion.h"
#include "codec.h"
#include "fault.h"
#include "segment.h"

/* Charged before it is made, and corrected once it is known. With libzstd 1.5,
 * one takes 62 KiB to encode with at level 1 (158 if it is small), 158 at level
 * 2, 415 up to level 9, and 43 KiB to decode with. */
#define DICT_BYTES_MOST(level) ((level) <= 2 ? 256u << 10 : 512u << 10)

static _Atomic uint32_t *refs(struct tmem_dicts *d, uint32_t number)
{
	return &d->space->dict_refs[number];
}

void tmem_dicts_init(struct tmem_dicts *d, struct tmem_space *space)
{
	uint32_t n;

	memset(d, 0, sizeof(*d));
	d->space = space;
	for (n = 1; n < TMEM_DICTS; n++)
		atomic_store(refs(d, n), TMEM_DICT_DEAD);
}

static void discard(struct tmem_dict *dict)
{
	(void)ZSTD_freeCDict(dict->encode);
	(void)ZSTD_freeDDict(dict->decode);
	memset(dict, 0, sizeof(*dict));
}

void tmem_dicts_finish(struct tmem_dicts *d)
{
	uint32_t n;

	for (n = 1; n < TMEM_DICTS; n++)
		discard(&d->dicts[n]);
}

static uint32_t first_of(enum tmem_class cls)
{
	return 1 + (uint32_t)cls * TMEM_DICTS_LIVE;
}

static int make(struct tmem_dicts *d, struct tmem_dict *dict, const void *bytes,
		uint32_t len, int level)
{
	uint64_t most = DICT_BYTES_MOST(level), took = 0;

	if (tmem_space_charge(d->space, most))
		return -ENOMEM;
	dict->encode = tmem_fault(TMEM_FAULT_ALLOC)
			       ? NULL
			       : ZSTD_createCDict(bytes, len, level);
	dict->decode = tmem_fault(TMEM_FAULT_ALLOC)
			       ? NULL
			       : ZSTD_createDDict(bytes, len);
	if (dict->encode && dict->decode)
		took = ZSTD_sizeof_CDict(dict->encode) +
		       ZSTD_sizeof_DDict(dict->decode);
	if (took > most)
		took = 0;
	tmem_space_uncharge(d->space, most - took);
	dict->bytes = took;
	if (!took)
		discard(dict);
	return took ? 0 : -ENOMEM;
}

int tmem_dict_add(struct tmem_dicts *d, enum tmem_class cls, const void *bytes,
		  uint32_t len, int level)
{
	uint32_t n = first_of(cls), end = n + TMEM_DICTS_LIVE;
	int err;

	while (n < end && d->dicts[n].bytes)
		n++;
	if (n == end)
		return -ENOSPC;
	err = make(d, &d->dicts[n], bytes, len, level);
	if (err)
		return err;
	d->dicts[n].serial = ++d->serial;
	atomic_fetch_add(&d->live, 1);
	atomic_store(refs(d, n), 1);
	return (int)n;
}

void tmem_dict_adopt(struct tmem_dicts *d, enum tmem_class cls, uint32_t number)
{
	/* Pairs with tmem_dict_pin(): who sees the number sees the rest. */
	tmem_dict_unpin(d, atomic_exchange(&d->current[cls], number));
}

int tmem_dict_hold(struct tmem_dicts *d, uint32_t number)
{
	uint32_t now;

	if (!number)
		return 1;
	if (number >= TMEM_DICTS)
		return 0;
	now = atomic_load(refs(d, number));
	while (!(now & TMEM_DICT_DEAD))
		if (atomic_compare_exchange_weak(refs(d, number), &now, now + 1))
			return 1;
	return 0;
}

uint32_t tmem_dict_pin(struct tmem_dicts *d, enum tmem_class cls)
{
	uint32_t n;

	/* Dead: a newer one is current by now. */
	do {
		n = atomic_load(&d->current[cls]);
	} while (!tmem_dict_hold(d, n));
	return n;
}

void tmem_dict_unpin(struct tmem_dicts *d, uint32_t number)
{
	uint32_t was;

	if (!number)
		return;
	was = atomic_fetch_sub(refs(d, number), 1);
	TMEM_ASSERT(was && !(was & TMEM_DICT_DEAD));
}

uint32_t tmem_dict_oldest(const struct tmem_dicts *d, enum tmem_class cls)
{
	uint32_t n = first_of(cls), end = n + TMEM_DICTS_LIVE, oldest = n;

	for (; n < end; n++) {
		if (!d->dicts[n].bytes)
			return 0;
		if (d->dicts[n].serial < d->dicts[oldest].serial)
			oldest = n;
	}
	return oldest;
}

uint32_t tmem_dict_free_unused(struct tmem_dicts *d, struct tmem_codec *codecs,
			       uint32_t codecs_count)
{
	uint32_t n, i, none, dead = 0;

	for (n = 1; n < TMEM_DICTS; n++) {
		none = 0;
		if (d->dicts[n].bytes &&
		    atomic_compare_exchange_strong(refs(d, n), &none,
						   TMEM_DICT_DEAD))
			dead |= 1u << n;
	}
	if (!dead)
		return 0;
	/* Whoever saw an entry of theirs alive has a context until it is read. */
	for (i = 0; i < codecs_count; i++) {
		tmem_lock_acquire(&codecs[i].lock);
		tmem_lock_release(&codecs[i].lock);
	}
	for (n = 1; n < TMEM_DICTS; n++)
		if (dead & 1u << n) {
			tmem_space_uncharge(d->space, d->dicts[n].bytes);
			discard(&d->dicts[n]);
			atomic_fetch_sub(&d->live, 1);
		}
	return dead;
}
