/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy-queue.c - one queue: FIFO drops the page that was put first, used or not;
 * LRU the one least recently used.
 *
 * Where a get takes its page, there is no use in the cache to go by: there LRU is
 * FIFO.
 */
#include "replay-policy.h"
#include "replay-queues.h"
#include "replay-stream.h"

#define CACHE 0 /* the queue */

static void put(struct queues *q, uint32_t pages, uint32_t id)
{
	if (q->count[CACHE] == pages)
		queues_del(q, queues_oldest(q, CACHE));
	queues_add(q, CACHE, id);
}

/* Return: 1 a hit. */
static int play(struct queues *q, uint32_t pages, uint32_t event, int use_counts)
{
	uint32_t id = EVENT_ID(event);
	int held = queues_of(q, id) == CACHE;

	switch (EVENT_OP(event)) {
	case EVENT_ASK:
		if (held && !use_counts)
			return 1;
		if (held)
			queues_del(q, id);
		put(q, pages, id);
		return held;
	case EVENT_PUT:
		if (held)
			queues_del(q, id);
		put(q, pages, id);
		return 0;
	default:
		if (held)
			queues_del(q, id);
		return held && EVENT_OP(event) == EVENT_GET;
	}
}

static int run(const struct stream *s, uint32_t pages, int use_counts,
	       uint64_t *ret_hits)
{
	uint64_t i, hits = 0;
	struct queues q;
	int err = queues_init(&q, s->ids);

	if (err)
		return err;
	for (i = 0; i < s->count; i++)
		hits += (unsigned)play(&q, pages, s->event[i], use_counts);
	queues_finish(&q);
	*ret_hits = hits;
	return 0;
}

int policy_lru_run(const struct stream *s, uint32_t pages, uint64_t *ret_hits)
{
	return run(s, pages, 1, ret_hits);
}

int policy_fifo_run(const struct stream *s, uint32_t pages, uint64_t *ret_hits)
{
	return run(s, pages, 0, ret_hits);
}
