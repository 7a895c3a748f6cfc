/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay-stream.c - playing a trace, through a first level if there is one.
 *
 * The first level drops the page least recently used. A write fills its page
 * without asking for the old one; so what a cache below has of it is outdated,
 * and flushed. In the exclusive mode the page asked for comes first, then the
 * victim goes: what a hit frees is there for the victim.
 */
#include "replay-stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay-queues.h"
#include "replay-trace.h"

#define ROOM_FIRST (1u << 16)
#define L1 0 /* the queue */

int stream_add(struct stream *s, unsigned op, uint32_t id)
{
	uint64_t room = s->room ? s->room * 2 : ROOM_FIRST;
	uint32_t *event;

	if (s->count == s->room) {
		event = reallocarray(s->event, room, sizeof(*event));
		if (!event)
			return -ENOMEM;
		s->event = event;
		s->room = room;
	}
	s->event[s->count++] = EVENT(op, id);
	if (id >= s->ids)
		s->ids = id + 1;
	return 0;
}

static int miss(struct stream *s, uint32_t request, enum stream_mode mode)
{
	uint32_t id = request & ~TRACE_WRITE;

	s->asked++;
	if (request & TRACE_WRITE)
		return stream_add(s, EVENT_FLUSH, id);
	return stream_add(s, mode == STREAM_BELOW ? EVENT_ASK : EVENT_GET, id);
}

/* The page becomes the first level's newest; the oldest may have to go. */
static int admit(struct stream *s, struct queues *l1, uint32_t l1_pages,
		 uint32_t id, enum stream_mode mode)
{
	uint32_t victim;

	queues_add(l1, L1, id);
	if (l1->count[L1] <= l1_pages)
		return 0;
	victim = queues_oldest(l1, L1);
	queues_del(l1, victim);
	return mode == STREAM_EXCLUSIVE ? stream_add(s, EVENT_PUT, victim) : 0;
}

static int play(struct stream *s, const struct trace *t, struct queues *l1,
		uint32_t l1_pages, enum stream_mode mode)
{
	uint64_t i;
	int err = 0;

	for (i = 0; !err && i < t->count; i++) {
		uint32_t id = t->request[i] & ~TRACE_WRITE;

		if (queues_of(l1, id) == L1)
			queues_del(l1, id);
		else
			err = miss(s, t->request[i], mode);
		if (!err)
			err = admit(s, l1, l1_pages, id, mode);
	}
	return err;
}

static int play_inclusive(struct stream *s, const struct trace *t)
{
	uint64_t i;
	int err = 0;

	for (i = 0; !err && i < t->count; i++)
		err = stream_add(s, EVENT_ASK, t->request[i] & ~TRACE_WRITE);
	s->asked = s->count;
	return err;
}

int stream_init(struct stream *s, const struct trace *t, enum stream_mode mode,
		uint32_t l1_pages)
{
	struct queues l1;
	int err;

	memset(s, 0, sizeof(*s));
	if (mode == STREAM_INCLUSIVE) {
		err = play_inclusive(s, t);
	} else {
		err = queues_init(&l1, t->ids);
		if (!err) {
			err = play(s, t, &l1, l1_pages, mode);
			queues_finish(&l1);
		}
	}
	s->ids = t->ids;
	return err;
}

void stream_finish(struct stream *s)
{
	free(s->event);
	memset(s, 0, sizeof(*s));
}
