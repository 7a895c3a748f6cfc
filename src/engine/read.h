/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * read.h - the one function that turns an entry's bytes into a page.
 */
#ifndef TMEM_ENGINE_READ_H
#define TMEM_ENGINE_READ_H

#include "store.h"

/** struct tmem_part - a range of a page, bytes. */
struct tmem_part {
	uint32_t offset, len;
};

/**
 * tmem_read() - copy a page, or a part of it, out of its entry.
 * @place: where the slot says it is; pinned by the caller in sanitizer builds.
 * @entry: its header, read under the shard's lock.
 * @to: part->len bytes.
 *
 * Takes no lock that a putter holds for long: parts of packed pages, and pages
 * packed to more than 4 KiB, go through a shared codec context.
 *
 * Return: 0; -ESTALE the segment was emptied, lost or revoked meanwhile and @to
 *	holds anything; -EIO the entry is damaged.
 */
int tmem_read(struct tmem_store *st, uint64_t place,
	      const struct tmem_entry *entry, const struct tmem_part *part,
	      void *to);

/** tmem_write() - fill room with a page's form; the caller fences. */
void tmem_write(struct tmem_store *st, const struct tmem_room *room,
		const void *bytes);

/** tmem_codec_acquire() - a putter's context; tmem_codec_release() gives it up. */
struct tmem_codec *tmem_codec_acquire(struct tmem_store *st);
/** tmem_codec_try() - the same if one is free at once, else NULL. */
struct tmem_codec *tmem_codec_try(struct tmem_store *st);
void tmem_codec_release(struct tmem_codec *codec);

#endif
