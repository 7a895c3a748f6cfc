/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * put.c - taking a page in, or refusing it.
 *
 *	choose a form -> admit -> reserve room -> copy -> fence -> publish
 *
 * Nothing is locked while the page is copied. Whatever fails on the way ends in
 * refuse(), which takes out the page that the key had: a put that fails leaves
 * nothing.
 */
#include "put.h"

#include <errno.h>
#include <string.h>

#include "ager.h"
#include "clock.h"
#include "fault.h"
#include "form.h"
#include "mem.h"
#include "policy.h"
#include "read.h"

/* Rounds of making room that one put asks for while others take it away. */
#define ROOM_TRIES 16

/* Puts that are refused at once after one that could not make room. */
#define ROOM_SKIP 256

/* Entries that a putter sees to when free segments are few: it makes more room
 * than its own page takes unless segments are nearly all live. */
#define HELP_ENTRIES 8

/** struct shape - the form that a page goes in as. */
struct shape {
	const void *bytes;
	uint32_t info;
	uint64_t word;		  /* same-filled: what bytes point to */
	struct tmem_codec *codec; /* packed: what bytes point into */
	int pack_tried;
};

struct put {
	struct tmem_store *st;
	const struct tmem_view *pool;
	const struct tmem_ref *ref;
	const void *page;
	const uint64_t *expected; /* the slot must still be this; NULL: any */
	enum tmem_stream stream;
	uint32_t object_guess; /* its number, probably; 0: no idea */
	struct shape shape;
};

/* ---- Shape --------------------------------------------------------------- */

static uint32_t page_size(const struct put *p)
{
	return 1u << p->pool->page_shift;
}

static void shape_raw(struct put *p)
{
	p->shape.bytes = p->page;
	p->shape.info = tmem_entry_info(page_size(p), TMEM_FORM_RAW,
					p->pool->page_shift);
}

/* Packs the page unless that was tried; leaves it raw if it does not get small
 * or no context is free. */
static void shape_pack(struct put *p)
{
	struct tmem_codec *c;
	uint32_t len;

	if (p->shape.pack_tried)
		return;
	p->shape.pack_tried = 1;
	c = tmem_codec_try(p->st);
	if (!c)
		return;
	tmem_log_expect(&p->st->log, p->stream, page_size(p) / 2);
	len = tmem_codec_pack(c, p->page, page_size(p),
			      TMEM_PACKED_MAX(page_size(p)));
	if (!len) {
		p->shape.info |= TMEM_ENTRY_UNPACKABLE;
		tmem_codec_release(c);
		return;
	}
	p->shape.codec = c;
	p->shape.bytes = c->out;
	p->shape.info =
		tmem_entry_info(len, TMEM_FORM_PACKED, p->pool->page_shift);
}

/* A context is a lock: given up before anything that takes another lock of the
 * same or a lower rank. The packed bytes are gone with it. */
static void shape_drop_codec(struct put *p)
{
	if (!p->shape.codec)
		return;
	tmem_codec_release(p->shape.codec);
	p->shape.codec = NULL;
	p->shape.pack_tried = 0;
	shape_raw(p);
}

static void shape_choose(struct put *p)
{
	p->shape.pack_tried = 0;
	shape_raw(p);
	if (tmem_form_same(p->page, page_size(p), &p->shape.word)) {
		p->shape.pack_tried = 1;
		p->shape.bytes = &p->shape.word;
		p->shape.info = tmem_entry_info(sizeof(p->shape.word),
						TMEM_FORM_SAME,
						p->pool->page_shift);
	}
}

static uint32_t shape_units(const struct put *p)
{
	return tmem_entry_units(TMEM_ENTRY_FORM(p->shape.info) == TMEM_FORM_RAW
					? TMEM_LAYOUT_RAW
					: TMEM_LAYOUT_LOG,
				p->shape.info);
}

/* ---- Refusing ------------------------------------------------------------ */

static int refuse(struct put *p, enum tmem_refusal why)
{
	struct tmem_tally *tally;
	struct tmem_hit hit;

	tmem_index_lock(p->st, p->ref);
	tally = tmem_index_tally(p->st, p->ref);
	if (tally) {
		tally->puts++;
		tally->refused[why]++;
		if (tmem_index_find(p->st, p->ref, &hit))
			tmem_index_drop(p->st, p->ref, &hit.cursor);
	}
	tmem_index_unlock(p->st, p->ref);
	return tally ? 0 : -EBADF;
}

/* ---- Admission of persistent pages --------------------------------------- */

/* Units that live persistent pages may fill. */
static uint64_t live_max(const struct tmem_store *st)
{
	const struct tmem_space *s = &st->space;
	uint64_t segments = atomic_load(&s->held_max);
	uint64_t others =
		atomic_load(&s->held_meta) + TMEM_RESERVE + TMEM_OPEN_SLACK;

	if (segments <= others)
		return 0;
	return (segments - others) * tmem_log_room(s, TMEM_LAYOUT_RAW) *
	       TMEM_PERSISTENT_PCT / 100;
}

static int charge_live(struct tmem_store *st, uint32_t units, uint32_t credit)
{
	uint64_t live = atomic_fetch_add(&st->live, TMEM_LIVE_PUT + units);

	if (TMEM_LIVE_UNITS(live) + units <= live_max(st) + credit)
		return 1;
	atomic_fetch_sub(&st->live, TMEM_LIVE_PUT + units);
	return 0;
}

/* Units that an overwrite will give back. */
static uint32_t credit_of(struct put *p)
{
	struct tmem_hit hit;
	uint32_t units = 0;

	tmem_index_lock(p->st, p->ref);
	if (tmem_index_find(p->st, p->ref, &hit))
		units = tmem_entry_units(tmem_place_form(hit.place) ==
							 TMEM_FORM_RAW
						 ? TMEM_LAYOUT_RAW
						 : TMEM_LAYOUT_LOG,
					 hit.entry.info);
	tmem_index_unlock(p->st, p->ref);
	return units;
}

/* Packing other persistent pages cannot help again before a segment more was
 * filled: refusals in a row stay cheap. */
static int help_density(struct tmem_store *st)
{
	uint32_t clock = atomic_load(&st->log.clock);

	if (atomic_load(&st->density_clock) == clock)
		return 0;
	if (tmem_ager_help(st, TMEM_NEED_DENSITY, TMEM_UNIT_ENTRIES))
		return 1;
	atomic_store(&st->density_clock, clock);
	return 0;
}

/* 1: charged for; 0: no. Compresses this page, then others, before it says no. */
static int admit(struct put *p)
{
	struct tmem_store *st = p->st;
	uint32_t credit;

	if (charge_live(st, shape_units(p), 0))
		return 1;
	shape_pack(p);
	credit = credit_of(p);
	for (;;) {
		if (charge_live(st, shape_units(p), credit))
			return 1;
		shape_drop_codec(p);
		if (tmem_sweep_pending(st))
			tmem_sweep_finish(st);
		else if (!help_density(st))
			return 0;
		shape_pack(p);
	}
}

static void unadmit(const struct put *p, uint32_t units)
{
	if (p->pool->flags & TMEM_POOL_PERSISTENT)
		atomic_fetch_sub(&p->st->live, TMEM_LIVE_PUT + units);
}

/* ---- Room ---------------------------------------------------------------- */

static int reserve(struct put *p, struct tmem_room *room)
{
	if (tmem_fault_wasting())
		(void)tmem_log_reserve(&p->st->log, p->stream, p->ref->index,
				       p->shape.info, 0, room);
	return tmem_log_reserve(&p->st->log, p->stream, p->ref->index,
				p->shape.info, 0, room);
}

/*
 * Making room in a store that has none to make compacts dozens of segments for
 * nothing. So after one such attempt the next puts do not try, until a page goes.
 */
static int make_room(struct tmem_store *st)
{
	uint32_t skip = atomic_load(&st->room_skip);

	if (skip) {
		atomic_store(&st->room_skip, skip - 1);
		return 0;
	}
	if (tmem_ager_help(st, TMEM_NEED_ROOM, TMEM_UNIT_ENTRIES))
		return 1;
	atomic_store(&st->room_skip, ROOM_SKIP);
	return 0;
}

/* Room and the page's bytes in it, or a refusal. */
static int write_page(struct put *p, struct tmem_room *room)
{
	int tries = 0, persistent = p->pool->flags & TMEM_POOL_PERSISTENT;
	uint32_t units;
	int err;

	for (;;) {
		if (tmem_ager_short(p->st))
			shape_pack(p);
		if (persistent && !admit(p))
			return -ENOSPC;
		units = shape_units(p);
		err = reserve(p, room);
		if (!err)
			break;
		unadmit(p, units);
		shape_drop_codec(p);
		/* Memory is on its way: dropping pages for this one would be a
		 * loss, and waiting for it is not a putter's to do. */
		if (err == -EAGAIN)
			return -ENOSPC;
		if (tries++ == ROOM_TRIES || !make_room(p->st))
			return -ENOSPC;
	}
	tmem_write(p->st, room, p->shape.bytes);
	/* Here, while the page's bytes are still on their way to memory: behind
	 * the fence nothing overlaps with anything. */
	if (TMEM_ENTRY_FORM(p->shape.info) == TMEM_FORM_RAW)
		p->object_guess =
			tmem_object_peek(&p->st->objects, &p->ref->object);
	tmem_copy_fence();
	if (p->shape.codec) {
		tmem_codec_release(p->shape.codec);
		p->shape.codec = NULL;
		atomic_fetch_add(&p->st->puts_packed, 1);
	}
	return 0;
}

/* ---- Publishing ---------------------------------------------------------- */

/*
 * Return: 1 stored; -EBADF the pool went; -EAGAIN the segment was revoked, or the
 * slot is not the expected one; -ENOMEM, -EDQUOT as tmem_index_store().
 */
static int publish(struct put *p, struct tmem_room *room)
{
	struct tmem_store *st = p->st;
	struct tmem_tally *tally;
	struct tmem_hit hit;
	int found, err;

	tmem_index_lock(st, p->ref);
	tally = tmem_index_tally(st, p->ref);
	found = tally && tmem_index_find(st, p->ref, &hit);
	if (!tally)
		err = -EBADF;
	else if (!tmem_segment_alive(&st->space, room->segment,
				     tmem_place_epoch(room->place)) ||
		 (p->expected &&
		  (!found || !tmem_index_same(hit.place, *p->expected))))
		err = -EAGAIN;
	else
		err = tmem_index_store(st, p->ref, tally, found ? &hit : NULL,
				       room, p->object_guess);
	if (!err) {
		tally->puts++;
		/* Under the lock, so that a walker sees charge and page. */
		if (p->pool->flags & TMEM_POOL_PERSISTENT)
			atomic_fetch_sub(&st->live, TMEM_LIVE_PUT);
	}
	tmem_index_unlock(st, p->ref);
	if (!err)
		return 1;
	unadmit(p, room->units);
	tmem_log_abandon(&st->log, room);
	return err;
}

static int exists(struct put *p)
{
	struct tmem_hit hit;
	int found;

	tmem_index_lock(p->st, p->ref);
	found = tmem_index_find(p->st, p->ref, &hit);
	tmem_index_unlock(p->st, p->ref);
	return found;
}

/* Under limit_pages, one page goes for each new one that comes. */
static int within_quota(struct put *p)
{
	struct tmem_store *st = p->st;

	return !st->limit_pages || atomic_load(&st->pages) < st->limit_pages ||
	       exists(p) || tmem_ager_help(st, TMEM_NEED_PAGE, 1);
}

static enum tmem_stream stream_of(struct put *p)
{
	enum tmem_left how;

	if (p->pool->flags & TMEM_POOL_PERSISTENT)
		return TMEM_STREAM_PERSISTENT;
	if (!atomic_load_explicit(&p->st->haunted, memory_order_relaxed) &&
	    !(p->pool->take && tmem_policy_tries(p->st, p->ref)))
		return TMEM_STREAM_EPHEMERAL;
	tmem_index_lock(p->st, p->ref);
	how = tmem_index_left(p->st, p->ref);
	if (p->pool->take)
		tmem_policy_try_put(p->st, p->ref);
	tmem_index_unlock(p->st, p->ref);
	return tmem_policy_stream(p->st, p->pool, p->ref, how);
}

static int put_once(struct put *p)
{
	struct tmem_room room;
	int err;

	if (!within_quota(p))
		return -EDQUOT;
	shape_choose(p);
	err = write_page(p, &room);
	return err ? err : publish(p, &room);
}

/* Metadata that could not grow: a segment freed for it may be all it takes. */
static int worth_another(struct put *p, int err)
{
	if (err == -EAGAIN)
		return !p->expected;
	if (err == -ENOMEM)
		return make_room(p->st);
	return err == -EDQUOT;
}

static int put(struct put *p)
{
	int err, tries = 0;

	if (atomic_load_explicit(&p->st->frozen, memory_order_relaxed))
		return refuse(p, TMEM_REFUSED_FROZEN);
	p->stream = stream_of(p);
	do {
		err = put_once(p);
	} while (err < 0 && ++tries < TMEM_PUT_TRIES && worth_another(p, err));
	switch (err) {
	case -ENOSPC:
		return refuse(p, TMEM_REFUSED_FULL);
	case -EDQUOT:
		return refuse(p, TMEM_REFUSED_QUOTA);
	case -ENOMEM:
		return refuse(p, TMEM_REFUSED_NOMEM);
	case -EAGAIN:
		return p->expected ? err : refuse(p, TMEM_REFUSED_FULL);
	default:
		return err;
	}
}

/* The putter's bounded share of the work, where nobody else keeps up. */
static void lend_a_hand(struct tmem_store *st)
{
	struct tmem_worker *w;
	uint64_t start;

	if (!tmem_ager_short(st))
		return;
	w = tmem_ager_worker(st, 0);
	if (!w)
		return;
	/* Wall clock: a call for CPU time would cost a fifth of the work. */
	start = tmem_clock_ns();
	(void)tmem_ager_unit(st, w, TMEM_NEED_NONE, HELP_ENTRIES);
	tmem_lock_release(&w->lock);
	atomic_fetch_add(&st->ager_ns, tmem_clock_ns() - start);
}

int tmem_put_ref(struct tmem_store *st, const struct tmem_view *pool,
		 const struct tmem_ref *ref, const void *page)
{
	struct put p = { .st = st, .pool = pool, .ref = ref, .page = page };
	int ret = put(&p);

	tmem_fault_delay();
	lend_a_hand(st);
	return ret;
}

/* ---- Parts --------------------------------------------------------------- */

/* The page as it is now, in full. Return: 1, 0 none, negative errno. */
static int load(struct put *p, void *page, uint64_t *ret_place)
{
	struct tmem_part whole = { 0, page_size(p) };
	struct tmem_hit hit;
	int found, err;

	do {
		tmem_index_lock(p->st, p->ref);
		found = tmem_index_tally(p->st, p->ref) &&
			tmem_index_find(p->st, p->ref, &hit);
		if (found)
			tmem_segment_pin(&p->st->space,
					 tmem_place_segment(&p->st->space,
							    hit.place));
		tmem_index_unlock(p->st, p->ref);
		if (!found)
			return 0;
		err = tmem_read(p->st, hit.place, &hit.entry, &whole, page);
		tmem_segment_unpin(&p->st->space,
				   tmem_place_segment(&p->st->space, hit.place));
	} while (err == -ESTALE);
	*ret_place = hit.place;
	return err ? err : 1;
}

int tmem_put_part(struct tmem_store *st, const struct tmem_view *pool,
		  const struct tmem_ref *ref, const struct tmem_part *part,
		  const void *bytes)
{
	struct put p = { .st = st, .pool = pool, .ref = ref };
	uint8_t *page;
	uint64_t place;
	int ret;

	if (atomic_load_explicit(&st->frozen, memory_order_relaxed))
		return refuse(&p, TMEM_REFUSED_FROZEN);
	/* Not a codec's buffer: reading and packing may each want that. */
	page = tmem_mem_alloc(page_size(&p));
	if (!page)
		return refuse(&p, TMEM_REFUSED_NOMEM);
	p.page = page;
	p.expected = &place;
	do {
		ret = load(&p, page, &place);
		if (ret == 1) {
			memcpy(page + part->offset, bytes, part->len);
			ret = put(&p);
		} else if (!ret || !(pool->flags & TMEM_POOL_PERSISTENT)) {
			/* None, or a damaged ephemeral one: that is none. */
			ret = refuse(&p, TMEM_REFUSED_FULL);
		}
	} while (ret == -EAGAIN);
	tmem_mem_free(page, page_size(&p));
	return ret;
}
