/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy-optimal.c - what could be reached by knowing the future.
 *
 * Each page put is worth one hit, at the next event that asks for it, if it is
 * kept until then. Of the pages held and the one that comes, the one asked for
 * last goes; one never asked for again is not taken in. Where a get takes its
 * page, this keeps as many of the intervals from put to get as any choice could,
 * never more than `pages` at a time. Where it leaves the page, a hit is a get
 * that takes and a put that follows: Belady's rule, with the right to refuse.
 */
#include "replay-policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "replay-stream.h"

#define NEVER UINT32_MAX

/**
 * struct optimal - the pages held, as a heap of when they are asked for.
 *
 * The root is asked for last. A page's entry is not taken out when its time
 * comes: by then it is smaller than all that are alive, so it never gets to the
 * root while one of them is left.
 */
struct optimal {
	uint32_t *next; /* by event: the next that asks for its page, or NEVER */
	uint32_t *heap;
	uint32_t entries, held;
	uint8_t *kept; /* by event: its page is kept until then */
};

static void heap_add(struct optimal *o, uint32_t key)
{
	uint32_t i = o->entries++;

	while (i && o->heap[(i - 1) / 2] < key) {
		o->heap[i] = o->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	o->heap[i] = key;
}

static void heap_del_root(struct optimal *o)
{
	uint32_t key = o->heap[--o->entries], i = 0, child;

	while ((child = 2 * i + 1) < o->entries) {
		if (child + 1 < o->entries &&
		    o->heap[child + 1] > o->heap[child])
			child++;
		if (o->heap[child] <= key)
			break;
		o->heap[i] = o->heap[child];
		i = child;
	}
	o->heap[i] = key;
}

static void put(struct optimal *o, uint32_t pages, uint32_t when)
{
	if (when == NEVER)
		return;
	if (o->held == pages) {
		if (o->heap[0] < when)
			return;
		o->kept[o->heap[0]] = 0;
		heap_del_root(o);
		o->held--;
	}
	if (!o->held)
		o->entries = 0; /* whatever is there had its time */
	heap_add(o, when);
	o->kept[when] = 1;
	o->held++;
}

static int asks(uint32_t event)
{
	return EVENT_OP(event) == EVENT_ASK || EVENT_OP(event) == EVENT_GET;
}

/* From the end, with the last event seen of each page. */
static int look_ahead(struct optimal *o, const struct stream *s)
{
	uint32_t *last = malloc(((size_t)s->ids + 1) * sizeof(*last));
	uint64_t i;

	if (!last)
		return -ENOMEM;
	memset(last, 0xff, ((size_t)s->ids + 1) * sizeof(*last));
	for (i = s->count; i--;) {
		uint32_t id = EVENT_ID(s->event[i]);

		o->next[i] = last[id];
		last[id] = asks(s->event[i]) ? (uint32_t)i : NEVER;
	}
	free(last);
	return 0;
}

static uint64_t play(struct optimal *o, const struct stream *s, uint32_t pages)
{
	uint64_t i, hits = 0;

	for (i = 0; i < s->count; i++) {
		unsigned op = EVENT_OP(s->event[i]);

		if (o->kept[i]) {
			hits++;
			o->held--;
		}
		if (op == EVENT_ASK || op == EVENT_PUT)
			put(o, pages, o->next[i]);
	}
	return hits;
}

int policy_optimal_run(const struct stream *s, uint32_t pages,
		       uint64_t *ret_hits)
{
	struct optimal o = { 0 };
	int err = -ENOMEM;

	if (s->count < NEVER) {
		o.next = calloc(s->count + 1, sizeof(*o.next));
		o.heap = calloc(s->count + 1, sizeof(*o.heap));
		o.kept = calloc(s->count + 1, 1);
	}
	if (o.next && o.heap && o.kept)
		err = look_ahead(&o, s);
	if (!err)
		*ret_hits = play(&o, s, pages);
	free(o.next);
	free(o.heap);
	free(o.kept);
	return err;
}
