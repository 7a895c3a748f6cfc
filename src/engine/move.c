/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * move.c - one entry moved out of a segment.
 *
 * The new entry is written first, and then the slot is exchanged, so a reader finds
 * the page at every moment. What comes to live nowhere is abandoned room.
 */
#include "move.h"

#include <string.h>

#include "read.h"

/* Copies the entry's bytes as they are. */
static void copy_entry(struct tmem_store *st, const struct tmem_hit *hit,
		       const struct tmem_room *room)
{
	uint32_t len = TMEM_ENTRY_LEN(hit->entry.info);
	const uint8_t *from = tmem_place_payload(&st->space, hit->place);

	if (tmem_place_form(hit->place) == TMEM_FORM_RAW)
		st->copy(room->payload, from, len);
	else
		memcpy(room->payload - sizeof(uint32_t),
		       from - sizeof(uint32_t), len + sizeof(uint32_t));
}

/* The lz4 form of a raw entry, in the worker's buffer; 0: it does not pack. */
static uint32_t pack_entry(struct tmem_store *st, struct tmem_worker *w,
			   const struct tmem_hit *hit)
{
	uint32_t size = TMEM_ENTRY_LEN(hit->entry.info);

	if (hit->entry.info & TMEM_ENTRY_UNPACKABLE || size > w->codec.size)
		return 0;
	/* Copied first: the codec may not see bytes that are being revoked. */
	memcpy(w->codec.page, tmem_place_payload(&st->space, hit->place), size);
	return tmem_codec_pack(&w->codec, w->codec.page, size,
			       TMEM_PACKED_MAX(size));
}

/* Exchanges the slot if it still says the old place. */
static void switch_over(struct tmem_store *st, const struct tmem_hit *from,
			const struct tmem_room *room, uint32_t use)
{
	struct tmem_ref ref;
	struct tmem_hit now;

	tmem_copy_fence();
	if (!tmem_index_find_entry(st, &from->entry, from->place, &ref, &now)) {
		tmem_log_abandon(&st->log, room);
		return;
	}
	tmem_index_move(st, &ref, &now, room, use);
	tmem_index_unlock(st, &ref);
}

void tmem_move_mark(struct tmem_store *st, const struct tmem_entry *e,
		    uint64_t place, uint32_t bits)
{
	struct tmem_ref ref;
	struct tmem_hit hit;

	if (!tmem_index_find_entry(st, e, place, &ref, &hit))
		return;
	tmem_place_entry(&st->space, place)->info |= bits;
	tmem_index_unlock(st, &ref);
}

enum tmem_fate tmem_move_to(struct tmem_store *st, struct tmem_worker *w,
			    const struct tmem_hit *hit, uint32_t info,
			    const void *bytes)
{
	struct tmem_room room;

	if (tmem_log_reserve(&st->log, w->job.stream, hit->entry.index, info,
			     w->job.age, &room))
		return TMEM_FATE_STUCK;
	tmem_write(st, &room, bytes);
	switch_over(st, hit, &room, tmem_place_use(hit->place));
	return TMEM_FATE_DONE;
}

enum tmem_fate tmem_move_packed(struct tmem_store *st, struct tmem_worker *w,
				const struct tmem_hit *hit)
{
	uint32_t len = pack_entry(st, w, hit);

	if (!len) {
		if (!(hit->entry.info & TMEM_ENTRY_UNPACKABLE))
			tmem_move_mark(st, &hit->entry, hit->place,
				       TMEM_ENTRY_UNPACKABLE);
		return TMEM_FATE_DONE;
	}
	return tmem_move_to(
		st, w, hit,
		tmem_entry_info(len, TMEM_FORM_PACKED,
				TMEM_ENTRY_PAGE_SHIFT(hit->entry.info)),
		w->codec.out);
}

enum tmem_fate tmem_move_as_is(struct tmem_store *st, struct tmem_worker *w,
			       const struct tmem_hit *hit, uint32_t use)
{
	uint32_t info = hit->entry.info, dict = TMEM_ENTRY_DICT(info);
	enum tmem_fate fate = TMEM_FATE_STUCK;
	struct tmem_room room;

	/* Not there: the entry is dead by now, or its header is damaged. Its
	 * check fits no less without a dictionary. */
	if (!tmem_dict_hold(&st->dense.dicts, dict)) {
		info &= TMEM_ENTRY_WITHOUT_DICT;
		dict = 0;
	}
	if (!tmem_log_reserve(&st->log, w->job.stream, hit->entry.index, info,
			      w->job.age, &room)) {
		copy_entry(st, hit, &room);
		switch_over(st, hit, &room, use);
		fate = TMEM_FATE_DONE;
	}
	tmem_dict_unpin(&st->dense.dicts, dict);
	return fate;
}
