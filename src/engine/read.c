/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * read.c - from an entry's bytes to a page, and from a page to an entry's bytes.
 *
 * A segment may be taken away while it is read. So bytes are copied first, then
 * the epoch is asked again, and only then believed. Packed bytes are copied to
 * private memory, checked there, and unpacked from there: no codec ever sees
 * bytes that can change under it.
 */
#include "read.h"

#include <errno.h>
#include <string.h>

#include "fault.h"

/* Packed forms up to here are copied to the stack. */
#define STACK_BYTES 4096u

static int still_there(struct tmem_store *st, uint64_t place)
{
	tmem_segment_fence();
	return tmem_segment_alive(&st->space,
				  tmem_place_segment(&st->space, place),
				  tmem_place_epoch(place));
}

struct tmem_codec *tmem_codec_try(struct tmem_store *st)
{
	struct tmem_codec *c;
	uint32_t i;

	if (tmem_fault(TMEM_FAULT_CODEC))
		return NULL;
	/* In order, not in turns: the first one's table is in a cache. */
	for (i = 0; i < TMEM_CODECS; i++) {
		c = &st->codecs[i];
		if (tmem_lock_try(&c->lock))
			return c;
	}
	return NULL;
}

struct tmem_codec *tmem_codec_acquire(struct tmem_store *st)
{
	struct tmem_codec *c = tmem_codec_try(st);

	if (!c) {
		c = &st->codecs[0];
		tmem_lock_acquire(&c->lock);
	}
	return c;
}

void tmem_codec_release(struct tmem_codec *codec)
{
	tmem_lock_release(&codec->lock);
}

static int read_raw(struct tmem_store *st, uint64_t place,
		    const struct tmem_part *part, void *to)
{
	memcpy(to, tmem_place_payload(&st->space, place) + part->offset,
	       part->len);
	return still_there(st, place) ? 0 : -ESTALE;
}

/* Copies check and payload out of the segment and compares them. */
static int fetch(struct tmem_store *st, uint64_t place,
		 const struct tmem_entry *entry, uint8_t *to)
{
	const uint8_t *payload = tmem_place_payload(&st->space, place);
	uint32_t len = TMEM_ENTRY_LEN(entry->info), check;

	memcpy(&check, payload - sizeof(check), sizeof(check));
	memcpy(to, payload, len);
	if (!still_there(st, place))
		return -ESTALE;
	return tmem_codec_check(to, len, entry->index,
				TMEM_ENTRY_DICT(entry->info)) == check
		       ? 0
		       : -EIO;
}

static int read_same(struct tmem_store *st, uint64_t place,
		     const struct tmem_entry *entry,
		     const struct tmem_part *part, void *to)
{
	uint8_t bytes[sizeof(uint64_t)], *p = to;
	uint64_t word;
	uint32_t i;
	int err;

	if (TMEM_ENTRY_LEN(entry->info) != sizeof(bytes))
		return -EIO;
	err = fetch(st, place, entry, bytes);
	if (err)
		return err;
	if (part->offset % sizeof(word) == 0 && part->len % sizeof(word) == 0) {
		memcpy(&word, bytes, sizeof(word));
		for (i = 0; i < part->len; i += sizeof(word))
			memcpy(p + i, &word, sizeof(word));
		return 0;
	}
	for (i = 0; i < part->len; i++)
		p[i] = bytes[(part->offset + i) % sizeof(word)];
	return 0;
}

static int read_packed(struct tmem_store *st, uint64_t place,
		       const struct tmem_entry *entry,
		       const struct tmem_part *part, void *to)
{
	uint32_t size = 1u << TMEM_ENTRY_PAGE_SHIFT(entry->info);
	uint32_t len = TMEM_ENTRY_LEN(entry->info);
	uint8_t small[STACK_BYTES], *packed = small;
	struct tmem_codec *c = NULL;
	int err;

	/* Before a damaged header is taken at its word. */
	if (len > TMEM_PACKED_MAX(size) || size > TMEM_PAGE_SIZE_MAX ||
	    part->offset + part->len > size)
		return -EIO;
	if (len > sizeof(small) || part->len != size)
		c = tmem_codec_acquire(st);
	if (c)
		packed = c->out;
	err = c && size > c->size ? -EIO : 0;
	if (!err)
		err = fetch(st, place, entry, packed);
	if (!err && part->len == size) {
		err = tmem_codec_unpack(packed, len, to, size);
	} else if (!err) {
		err = tmem_codec_unpack(packed, len, c->page, size);
		if (!err)
			memcpy(to, c->page + part->offset, part->len);
	}
	if (c)
		tmem_codec_release(c);
	return err;
}

/* The context is held from before the segment is seen alive until the page is
 * decoded: so long is the dictionary not freed. */
static int read_dense(struct tmem_store *st, uint64_t place,
		      const struct tmem_entry *entry,
		      const struct tmem_part *part, void *to)
{
	uint32_t size = 1u << TMEM_ENTRY_PAGE_SHIFT(entry->info);
	uint32_t len = TMEM_ENTRY_LEN(entry->info);
	uint32_t number = TMEM_ENTRY_DICT(entry->info);
	const struct tmem_dict *dict = tmem_dict_at(&st->dense.dicts, number);
	struct tmem_codec *c;
	int err = -EIO, whole = part->len == size;

	if (len > TMEM_PACKED_MAX(size) || size > TMEM_PAGE_SIZE_MAX ||
	    part->offset + part->len > size || number >= TMEM_DICTS)
		return -EIO;
	c = tmem_decoders_borrow(&st->dense.decoders);
	if (!c)
		return still_there(st, place) ? -EIO : -ESTALE;
	if (size <= c->size)
		err = fetch(st, place, entry, c->out + TMEM_DENSE_SKIP);
	if (!err)
		err = tmem_codec_undense(c, dict, len, whole ? to : c->page,
					 size);
	if (!err && !whole)
		memcpy(to, c->page + part->offset, part->len);
	tmem_codec_release(c);
	return err;
}

int tmem_read(struct tmem_store *st, uint64_t place,
	      const struct tmem_entry *entry, const struct tmem_part *part,
	      void *to)
{
	if (tmem_place_form(place) == TMEM_FORM_RAW)
		return read_raw(st, place, part, to);
	if (!tmem_entry_inside(&st->space, place, entry->info))
		return -EIO;
	switch (tmem_place_form(place)) {
	case TMEM_FORM_SAME:
		return read_same(st, place, entry, part, to);
	case TMEM_FORM_PACKED:
		return read_packed(st, place, entry, part, to);
	default:
		return read_dense(st, place, entry, part, to);
	}
}

void tmem_write(struct tmem_store *st, const struct tmem_room *room,
		const void *bytes)
{
	uint32_t len = TMEM_ENTRY_LEN(room->entry->info), check;

	if (tmem_place_form(room->place) == TMEM_FORM_RAW) {
		st->copy(room->payload, bytes, len);
		return;
	}
	check = tmem_codec_check(bytes, len, room->entry->index,
				 TMEM_ENTRY_DICT(room->entry->info));
	memcpy(room->payload - sizeof(check), &check, sizeof(check));
	memcpy(room->payload, bytes, len);
}
