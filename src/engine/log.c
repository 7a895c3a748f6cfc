/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.c - dealing room out of open segments, and walking closed ones.
 */
#include "log.h"

#include <errno.h>
#include <string.h>

#include "assertion.h"
#include "bounds.h"

static enum tmem_class stream_class(enum tmem_stream stream)
{
	return stream == TMEM_STREAM_PERSISTENT || stream == TMEM_STREAM_KEPT
		       ? TMEM_CLASS_PERSISTENT
		       : TMEM_CLASS_EPHEMERAL;
}

static enum tmem_queue stream_queue(enum tmem_stream stream)
{
	if (stream_class(stream) == TMEM_CLASS_PERSISTENT)
		return TMEM_QUEUE_NONE;
	return stream == TMEM_STREAM_MAIN || stream == TMEM_STREAM_RETURNED
		       ? TMEM_QUEUE_MAIN
		       : TMEM_QUEUE_PROBATION;
}

static int is_put_stream(enum tmem_stream stream)
{
	return stream <= TMEM_STREAM_PERSISTENT;
}

void tmem_log_init(struct tmem_log *log, struct tmem_space *space)
{
	uint32_t s, l;

	log->space = space;
	for (s = 0; s < TMEM_STREAMS; s++)
		for (l = 0; l < TMEM_LAYOUTS; l++) {
			tmem_lock_init(&log->heads[s][l].lock, TMEM_RANK_HEAD);
			log->heads[s][l].segment = TMEM_SEGMENT_NONE;
		}
}

void tmem_log_finish(struct tmem_log *log)
{
	uint32_t s, l;

	if (!log->space)
		return;
	for (s = 0; s < TMEM_STREAMS; s++)
		for (l = 0; l < TMEM_LAYOUTS; l++)
			tmem_lock_finish(&log->heads[s][l].lock);
}

static uint32_t opens_max(const struct tmem_space *s)
{
	uint32_t max = atomic_load(&s->held_max) * TMEM_OPEN_PCT / 100;

	return max > TMEM_OPEN_MIN ? max : TMEM_OPEN_MIN;
}

/* ---- Opening and closing; the head's lock is held ------------------------ */

uint32_t tmem_log_room(const struct tmem_space *s, enum tmem_layout layout)
{
	uint32_t slots = s->units / TMEM_RAW_UNITS - tmem_raw_first(s);

	return layout == TMEM_LAYOUT_RAW ? slots * (TMEM_RAW_UNITS + 1)
					 : s->units - 1;
}

static void close_head(struct tmem_log *log, struct tmem_head *head, int full)
{
	struct tmem_space *s = log->space;
	struct tmem_segment *g = &s->segments[head->segment];
	struct tmem_label *label =
		(void *)tmem_lease_segment(s->lease, head->segment);

	label->magic = TMEM_LABEL_MAGIC;
	label->cls = g->cls;
	label->layout = atomic_load(&g->layout);
	label->queue = g->queue;
	label->spare = 0;
	label->epoch = tmem_word_epoch(atomic_load(&g->word));
	label->fill = g->fill;
	tmem_space_seal(s, head->segment,
			full ? g->dealt
			     : tmem_log_room(s,
					     (enum tmem_layout)label->layout));
	head->segment = TMEM_SEGMENT_NONE;
}

/* Before one more is opened: closes whichever was opened longest ago. No head's
 * lock is held here, since two have the same rank. */
static void close_oldest(struct tmem_log *log)
{
	struct tmem_head *head, *oldest = NULL;
	uint32_t i, age, most = 0, now = atomic_load(&log->clock);

	for (i = 0; i < TMEM_STREAMS * TMEM_LAYOUTS; i++) {
		head = &log->heads[i / TMEM_LAYOUTS][i % TMEM_LAYOUTS];
		tmem_lock_acquire(&head->lock);
		age = now - head->stamp;
		if (head->segment != TMEM_SEGMENT_NONE && age >= most) {
			most = age;
			oldest = head;
		}
		tmem_lock_release(&head->lock);
	}
	if (!oldest)
		return;
	tmem_lock_acquire(&oldest->lock);
	if (oldest->segment != TMEM_SEGMENT_NONE)
		close_head(log, oldest, 0);
	tmem_lock_release(&oldest->lock);
}

/*
 * The head that a stream writes to. A small store cannot afford all of them:
 * there the cleaner writes where the putters do, and in the smallest both queues
 * share as well.
 */
static struct tmem_head *head_of(struct tmem_log *log, enum tmem_stream stream,
				 enum tmem_layout layout)
{
	static const enum tmem_stream shared[TMEM_STREAMS] = {
		[TMEM_STREAM_EPHEMERAL] = TMEM_STREAM_EPHEMERAL,
		[TMEM_STREAM_RETURNED] = TMEM_STREAM_RETURNED,
		[TMEM_STREAM_PERSISTENT] = TMEM_STREAM_PERSISTENT,
		[TMEM_STREAM_PROBATION] = TMEM_STREAM_EPHEMERAL,
		[TMEM_STREAM_MAIN] = TMEM_STREAM_RETURNED,
		[TMEM_STREAM_KEPT] = TMEM_STREAM_PERSISTENT,
	};
	uint32_t max = opens_max(log->space);

	if (max < TMEM_STREAMS * TMEM_LAYOUTS)
		stream = shared[stream];
	if (max < TMEM_STREAMS && stream == TMEM_STREAM_RETURNED)
		stream = TMEM_STREAM_EPHEMERAL;
	return &log->heads[stream][layout];
}

/* Return: as tmem_space_open(). */
static int open_head(struct tmem_log *log, struct tmem_head *head,
		     enum tmem_stream stream, enum tmem_layout layout,
		     uint64_t age)
{
	struct tmem_space *s = log->space;
	struct tmem_segment_plan plan = {
		.cls = stream_class(stream),
		.layout = layout,
		.queue = stream_queue(stream),
		.age = is_put_stream(stream) ? 0 : age,
		.reserve = is_put_stream(stream) ? TMEM_RESERVE : 0,
	};
	int result;

	result = tmem_space_open(s, &plan, &head->segment);
	if (result < 0) {
		head->segment = TMEM_SEGMENT_NONE;
		return result;
	}
	s->segments[head->segment].fill =
		layout == TMEM_LAYOUT_RAW ? tmem_raw_first(s) * TMEM_RAW_UNITS
					  : 1; /* the label */
	head->stamp = atomic_fetch_add(&log->clock, 1) + 1;
	return result;
}

/* Behind the head's lock: until this is done, others fill the segment page by page.
 */
static void back(struct tmem_space *s, uint32_t segment)
{
	if (s->lease->segment_size <= TMEM_BACK_MAX)
		s->lease->ops->populate(s->lease, segment);
}

/* Units of the segment's address space that an entry takes. */
static uint32_t units_dealt(enum tmem_layout layout, uint32_t info)
{
	if (layout == TMEM_LAYOUT_RAW)
		return TMEM_ENTRY_LEN(info) >> TMEM_UNIT_SHIFT;
	return tmem_entry_units(layout, info);
}

static int fits(const struct tmem_space *s, const struct tmem_head *head,
		enum tmem_layout layout, uint32_t info)
{
	return s->segments[head->segment].fill + units_dealt(layout, info) <=
	       s->units;
}

/* The dictionary is kept by whoever asks for this room, until it is dealt. */
static void note_form(struct tmem_space *s, struct tmem_segment *g,
		      uint32_t info, uint32_t units)
{
	uint32_t dict = TMEM_ENTRY_DICT(info);

	if (TMEM_ENTRY_FORM(info) == TMEM_FORM_PACKED &&
	    !(info & TMEM_ENTRY_UNDENSE))
		g->packed += units;
	if (dict && !(atomic_load_explicit(&g->dicts, memory_order_relaxed) &
		      1u << dict)) {
		atomic_fetch_or(&g->dicts, (uint16_t)(1u << dict));
		atomic_fetch_add(&s->dict_refs[dict], 1);
	}
}

static void deal(struct tmem_log *log, uint32_t segment,
		 enum tmem_layout layout, uint32_t info, struct tmem_room *ret)
{
	struct tmem_space *s = log->space;
	struct tmem_segment *g = &s->segments[segment];
	uint64_t w = atomic_fetch_add(&g->word, TMEM_WORD_PENDING);
	uint64_t location =
		((uint64_t)segment << (s->segment_shift - TMEM_UNIT_SHIFT)) +
		g->fill;

	TMEM_ASSERT(tmem_word_pending(w) < 0xfff);
	ret->segment = segment;
	ret->units = tmem_entry_units(layout, info);
	ret->place =
		tmem_place(tmem_word_epoch(w), TMEM_ENTRY_FORM(info), location);
	ret->entry = tmem_place_entry(s, ret->place);
	ret->payload = tmem_place_payload(s, ret->place);
	g->fill += units_dealt(layout, info);
	g->dealt += ret->units;
	if (layout == TMEM_LAYOUT_LOG)
		note_form(s, g, info, ret->units);
}

/* Outside of the head's lock: the line is cold, and nobody walks a segment in
 * which something is pending. */
static void write_header(const struct tmem_room *room, uint64_t index,
			 uint32_t info)
{
	room->entry->index = index;
	room->entry->object = 0;
	room->entry->info = info;
}

int tmem_log_reserve(struct tmem_log *log, enum tmem_stream stream,
		     uint64_t index, uint32_t info, uint64_t age,
		     struct tmem_room *ret)
{
	struct tmem_space *s = log->space;
	enum tmem_layout layout = TMEM_ENTRY_FORM(info) == TMEM_FORM_RAW
					  ? TMEM_LAYOUT_RAW
					  : TMEM_LAYOUT_LOG;
	struct tmem_head *head = head_of(log, stream, layout);
	int result = 0;

	tmem_lock_acquire(&head->lock);
	if (head->segment != TMEM_SEGMENT_NONE && !fits(s, head, layout, info))
		close_head(log, head, 1);
	if (head->segment == TMEM_SEGMENT_NONE &&
	    atomic_load(&s->opens) >= opens_max(s)) {
		tmem_lock_release(&head->lock);
		close_oldest(log);
		tmem_lock_acquire(&head->lock);
		if (head->segment != TMEM_SEGMENT_NONE &&
		    !fits(s, head, layout, info))
			close_head(log, head, 1);
	}
	if (head->segment == TMEM_SEGMENT_NONE)
		result = open_head(log, head, stream, layout, age);
	if (result >= 0)
		deal(log, head->segment, layout, info, ret);
	tmem_lock_release(&head->lock);
	if (result < 0)
		return result;
	if (result && is_put_stream(stream))
		back(s, ret->segment);
	write_header(ret, index, info);
	return 0;
}

void tmem_log_expect(struct tmem_log *log, enum tmem_stream stream,
		     uint32_t bytes)
{
#ifndef TMEM_PIN
	/* Without the lock: at worst, some lines are loaded for nothing. */
	struct tmem_space *s = log->space;
	uint32_t n = head_of(log, stream, TMEM_LAYOUT_LOG)->segment, fill, i;

	if (n == TMEM_SEGMENT_NONE)
		return;
	fill = s->segments[n].fill;
	for (i = 0; i < bytes; i += 64)
		__builtin_prefetch(tmem_lease_segment(s->lease, n) +
					   ((size_t)fill << TMEM_UNIT_SHIFT) + i,
				   1);
#else
	(void)log;
	(void)stream;
	(void)bytes;
#endif
}

void tmem_log_publish(struct tmem_log *log, const struct tmem_room *room,
		      uint32_t object)
{
	room->entry->object = object;
	atomic_fetch_add_explicit(&log->space->segments[room->segment].word,
				  TMEM_WORD_PAGE + room->units -
					  TMEM_WORD_PENDING,
				  memory_order_release);
}

void tmem_log_abandon(struct tmem_log *log, const struct tmem_room *room)
{
	atomic_fetch_sub_explicit(&log->space->segments[room->segment].word,
				  TMEM_WORD_PENDING, memory_order_release);
}

uint32_t tmem_log_seal(struct tmem_log *log, enum tmem_class cls, int revoked)
{
	struct tmem_space *space = log->space;
	struct tmem_head *head;
	uint32_t s, l, sealed = 0;

	for (s = 0; s < TMEM_STREAMS; s++) {
		if (stream_class(s) != cls)
			continue;
		for (l = 0; l < TMEM_LAYOUTS; l++) {
			head = &log->heads[s][l];
			tmem_lock_acquire(&head->lock);
			if (head->segment != TMEM_SEGMENT_NONE &&
			    (!revoked ||
			     atomic_load(&space->lease->epochs[head->segment]) !=
				     atomic_load(&space->segments[head->segment]
							  .source_epoch))) {
				close_head(log, head, 0);
				sealed++;
			}
			tmem_lock_release(&head->lock);
		}
	}
	return sealed;
}

/* ---- Walking ------------------------------------------------------------- */

void tmem_walk_init(const struct tmem_log *log, uint32_t segment,
		    struct tmem_walk *w)
{
	const struct tmem_segment *g = &log->space->segments[segment];

	memset(w, 0, sizeof(*w));
	w->segment = segment;
	w->fill = g->fill;
	w->layout = atomic_load(&g->layout);
	w->at = w->layout == TMEM_LAYOUT_RAW
			? tmem_raw_first(log->space) * TMEM_RAW_UNITS
			: 1;
}

int tmem_walk_next(const struct tmem_log *log, struct tmem_walk *w)
{
	const struct tmem_space *s = log->space;
	uint64_t location =
		((uint64_t)w->segment << (s->segment_shift - TMEM_UNIT_SHIFT)) +
		w->at;
	uint8_t epoch =
		tmem_word_epoch(atomic_load(&s->segments[w->segment].word));
	uint32_t form = w->layout == TMEM_LAYOUT_RAW ? TMEM_FORM_RAW
						     : TMEM_FORM_SAME;
	uint32_t units;

	if (w->at >= w->fill)
		return 0;
	/* For finding the header, any form of the log layout will do. */
	w->place = tmem_place(epoch, form, location);
	w->entry = *tmem_place_entry(s, w->place);
	w->place = tmem_place(epoch, TMEM_ENTRY_FORM(w->entry.info), location);
	units = units_dealt(w->layout, w->entry.info);
	/* Only a revoked segment has bytes that nobody here wrote: the end. */
	if (!units || units > w->fill - w->at ||
	    (w->layout == TMEM_LAYOUT_RAW) !=
		    (TMEM_ENTRY_FORM(w->entry.info) == TMEM_FORM_RAW))
		return 0;
	w->at += units;
	return 1;
}
