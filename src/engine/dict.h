/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dict.h - the live dictionaries of a store, by number.
 *
 *	number	0: none; 1 .. 4 of ephemeral pages; 5 .. 8 of persistent ones
 *
 * A dictionary lives as long as somebody refers to it: each segment that holds, or
 * held since it was opened, an entry made with it; the class whose current one it
 * is; a worker that packs with it this moment. Readers of dense pages do not
 * count: they hold a codec context, and whoever frees a dictionary takes each of
 * these once before.
 */
#ifndef TMEM_ENGINE_DICT_H
#define TMEM_ENGINE_DICT_H

#include <stdatomic.h>
#include <stdint.h>

#include "lease.h"

/** More would cost memory for what old pages gain little by. */
#define TMEM_DICTS_LIVE 4u

/** In a count of refs: free, or being freed. Far above what refs add up to. */
#define TMEM_DICT_DEAD (1u << 31)

#define TMEM_DICT_CLASSES 2u
#define TMEM_DICTS (1u + TMEM_DICT_CLASSES * TMEM_DICTS_LIVE)

/** What 4 KiB pages gain ends here: one of 64 KiB saved nothing more. */
#define TMEM_DICT_BYTES (16u << 10)

struct ZSTD_CDict_s;
struct ZSTD_DDict_s;
struct tmem_codec;
struct tmem_space;

/** struct tmem_dict - one; all but refs under the trainer's lock, and constant
 * while there are refs. */
struct tmem_dict {
	struct ZSTD_CDict_s *encode;
	struct ZSTD_DDict_s *decode;
	uint64_t bytes;	 /* charged for both */
	uint64_t serial; /* the lower the older */
};

struct tmem_dicts {
	struct tmem_space *space; /* (c) its dict_refs count */
	struct tmem_dict dicts[TMEM_DICTS];
	_Atomic uint32_t current[TMEM_DICT_CLASSES]; /* (a) 0: none yet */
	_Atomic uint32_t live;			     /* (a) in all */
	uint64_t serial;			     /* trainer's lock */
};

void tmem_dicts_init(struct tmem_dicts *d, struct tmem_space *space);
/** tmem_dicts_finish() - takes no lock, so what was charged stays so. */
void tmem_dicts_finish(struct tmem_dicts *d);

/**
 * tmem_dict_add() - make one of bytes, with one ref: the caller's.
 * @level: zstd's, of what it will pack.
 *
 * Context: the trainer's lock.
 * Return: its number; -ENOMEM; -ENOSPC all of the class are live.
 */
int tmem_dict_add(struct tmem_dicts *d, enum tmem_class cls, const void *bytes,
		  uint32_t len, int level);

/** tmem_dict_adopt() - the current one of a class from now on; the caller's ref
 * becomes the class's. Trainer's lock. */
void tmem_dict_adopt(struct tmem_dicts *d, enum tmem_class cls, uint32_t number);

/**
 * tmem_dict_pin() - the current one of a class, kept until unpinned.
 *
 * Return: its number, 0: none.
 */
uint32_t tmem_dict_pin(struct tmem_dicts *d, enum tmem_class cls);
void tmem_dict_unpin(struct tmem_dicts *d, uint32_t number);

/** tmem_dict_hold() - keep the one of an entry until unpinned; 1 done, 0 it is
 * gone, and so is the entry. Number 0 is always there. */
int tmem_dict_hold(struct tmem_dicts *d, uint32_t number);

/** tmem_dict_at() - NULL for number 0. For who holds a ref, or a codec context
 * under which the entry's segment was seen alive. */
static inline const struct tmem_dict *tmem_dict_at(const struct tmem_dicts *d,
						   uint32_t number)
{
	return number && number < TMEM_DICTS ? &d->dicts[number] : NULL;
}

/** tmem_dict_oldest() - the one of a class that should be re-encoded, because no
 * more can be live; 0: none. Trainer's lock. */
uint32_t tmem_dict_oldest(const struct tmem_dicts *d, enum tmem_class cls);

/**
 * tmem_dict_free_unused() - free those that nobody refers to.
 * @codecs: contexts of readers, each of which is waited for.
 *
 * Context: the trainer's lock, no codec's.
 * Return: bit n: number n was freed.
 */
uint32_t tmem_dict_free_unused(struct tmem_dicts *d, struct tmem_codec *codecs,
			       uint32_t codecs_count);

#endif
