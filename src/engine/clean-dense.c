/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clean-dense.c - one entry of a segment made dense, if that makes it smaller.
 *
 *	raw	-> dense, or it stays where it is, marked
 *	packed	-> dense if that saves an eighth, else it moves as it is, marked
 *	dense	-> dense with the current dictionary, if its own is to go
 *	same	moves as it is
 *
 * So a log segment is empty afterwards, and a raw one as far as its pages
 * compress. Each page is tried once.
 */
#include "clean-dense.h"

#include <errno.h>

#include "form.h"
#include "read.h"

/* A job gives up when of so many pages fewer than an eighth gained. */
#define TRIES 32u
#define GAIN_SHARE 8u

/* The page, in the worker's buffer; what is read may not be revoked meanwhile. */
static int load(struct tmem_store *st, struct tmem_worker *w,
		const struct tmem_hit *hit, uint32_t size)
{
	const struct tmem_part whole = { 0, size };

	if (size > w->codec.size ||
	    (tmem_place_form(hit->place) == TMEM_FORM_RAW &&
	     TMEM_ENTRY_LEN(hit->entry.info) != size))
		return -EIO;
	return tmem_read(st, hit->place, &hit->entry, &whole, w->codec.page);
}

static enum tmem_class class_of(const struct tmem_store *st, uint64_t place)
{
	return (enum tmem_class)st->space
		.segments[tmem_place_segment(&st->space, place)]
		.cls;
}

static uint32_t dense_info(uint32_t len, uint32_t page_shift, uint32_t dict)
{
	return tmem_entry_info(len, TMEM_FORM_DENSE, page_shift) |
	       dict << TMEM_ENTRY_DICT_SHIFT;
}

/* Most bytes that are worth the move. */
static uint32_t most(const struct tmem_hit *hit, uint32_t size)
{
	uint32_t len = TMEM_ENTRY_LEN(hit->entry.info);

	return tmem_place_form(hit->place) == TMEM_FORM_PACKED
		       ? len - len / GAIN_SHARE
		       : TMEM_PACKED_MAX(size);
}

/* Shared by all that packs a page: does what `dict` makes of it go anywhere? */
static enum tmem_fate move_with(struct tmem_store *st, struct tmem_worker *w,
				const struct tmem_hit *hit, uint32_t dict,
				uint32_t *ret_len)
{
	uint32_t shift = TMEM_ENTRY_PAGE_SHIFT(hit->entry.info);

	*ret_len = tmem_codec_dense(&w->codec,
				    tmem_dict_at(&st->dense.dicts, dict),
				    w->codec.page, 1u << shift,
				    most(hit, 1u << shift));
	if (!*ret_len)
		return TMEM_FATE_DONE;
	return tmem_move_to(st, w, hit, dense_info(*ret_len, shift, dict),
			    w->codec.out + TMEM_DENSE_SKIP);
}

static enum tmem_fate leave(struct tmem_store *st, struct tmem_worker *w,
			    const struct tmem_hit *hit, uint32_t bits)
{
	struct tmem_hit marked = *hit;

	if (tmem_place_form(hit->place) == TMEM_FORM_RAW) {
		if (bits)
			tmem_move_mark(st, &hit->entry, hit->place, bits);
		return TMEM_FATE_DONE;
	}
	marked.entry.info |= bits;
	return tmem_move_as_is(st, w, &marked, tmem_place_use(hit->place));
}

/* The job's segment is not worth more of it. */
static void note_try(struct tmem_worker *w, int gained)
{
	w->job.gained += (uint32_t)gained;
	if (++w->job.tried == TRIES && w->job.gained < TRIES / GAIN_SHARE &&
	    w->job.walk.layout == TMEM_LAYOUT_RAW)
		w->job.walk.at = w->job.walk.fill;
}

static enum tmem_fate make_dense(struct tmem_store *st, struct tmem_worker *w,
				 const struct tmem_hit *hit)
{
	enum tmem_class cls = class_of(st, hit->place);
	uint32_t size = 1u << TMEM_ENTRY_PAGE_SHIFT(hit->entry.info);
	uint32_t dict, len;
	enum tmem_fate fate;
	int err = load(st, w, hit, size);

	/* What is damaged stays so, for its user to learn of it. */
	if (err == -EIO && tmem_place_form(hit->place) != TMEM_FORM_RAW)
		return leave(st, w, hit, TMEM_ENTRY_UNDENSE);
	if (err)
		return TMEM_FATE_DONE;
	if (tmem_place_form(hit->place) == TMEM_FORM_RAW &&
	    !tmem_form_probe(w->codec.page, size)) {
		note_try(w, 0);
		return leave(st, w, hit,
			     TMEM_ENTRY_UNDENSE | TMEM_ENTRY_UNPACKABLE);
	}
	dict = tmem_dict_pin(&st->dense.dicts, cls);
	fate = move_with(st, w, hit, dict, &len);
	tmem_dict_unpin(&st->dense.dicts, dict);
	if (fate != TMEM_FATE_DONE)
		return fate;
	note_try(w, len > 0);
	tmem_dense_note(st, cls, len ? len : most(hit, size), size);
	return len ? fate : leave(st, w, hit, TMEM_ENTRY_UNDENSE);
}

/* Its checksum never fits, and fits no better without the dictionary: which it
 * must not keep alive. */
static enum tmem_fate leave_damaged(struct tmem_store *st, struct tmem_worker *w,
				    const struct tmem_hit *hit)
{
	struct tmem_hit without = *hit;

	without.entry.info &= TMEM_ENTRY_WITHOUT_DICT;
	return leave(st, w, &without, TMEM_ENTRY_UNDENSE);
}

/* Whatever it comes to, but not with the dictionary that is to go. */
static enum tmem_fate make_anew(struct tmem_store *st, struct tmem_worker *w,
				const struct tmem_hit *hit)
{
	uint32_t shift = TMEM_ENTRY_PAGE_SHIFT(hit->entry.info), dict, len;
	enum tmem_fate fate;
	int err = load(st, w, hit, 1u << shift);

	if (err == -ESTALE)
		return TMEM_FATE_DONE;
	if (err)
		return leave_damaged(st, w, hit);
	dict = tmem_dict_pin(&st->dense.dicts, class_of(st, hit->place));
	fate = move_with(st, w, hit, dict, &len);
	tmem_dict_unpin(&st->dense.dicts, dict);
	if (!len)
		fate = move_with(st, w, hit, 0, &len);
	if (!len)
		fate = tmem_move_to(st, w, hit,
				    tmem_entry_info(1u << shift, TMEM_FORM_RAW,
						    shift) |
					    TMEM_ENTRY_UNDENSE,
				    w->codec.page);
	return fate;
}

enum tmem_fate tmem_clean_dense(struct tmem_store *st, struct tmem_worker *w,
				const struct tmem_hit *hit)
{
	uint32_t dict = TMEM_ENTRY_DICT(hit->entry.info);

	switch (tmem_place_form(hit->place)) {
	case TMEM_FORM_RAW:
	case TMEM_FORM_PACKED:
		return hit->entry.info & TMEM_ENTRY_UNDENSE
			       ? leave(st, w, hit, 0)
			       : make_dense(st, w, hit);
	case TMEM_FORM_DENSE:
		return dict && atomic_load(&st->dense.retired) & 1u << dict
			       ? make_anew(st, w, hit)
			       : leave(st, w, hit, 0);
	default:
		return leave(st, w, hit, 0);
	}
}
