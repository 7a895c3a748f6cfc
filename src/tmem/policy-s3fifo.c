/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy-s3fifo.c - three queues (Yang and others, SOSP 2023).
 *
 *	new ---> small --used twice--> main <-- used: round again
 *	           |                    ^  |
 *	           v not                |  v not
 *	         ghost ---asked again---+  gone
 *
 * A tenth of the room is small's, the rest main's; ghost has pages no longer
 * held, as many as main has room for. Counts of use stop at 3. Small gives unless
 * it is empty or main has more than its share. libCacheSim's S3FIFO.c lets pages
 * start in main while the cache fills; its older S3FIFOv0.c, and this, do not.
 *
 * A get that takes its page is no use in the cache: what has come back that way,
 * or out of ghost, goes to main when it is put again.
 */
#include "replay-policy.h"

#include <errno.h>
#include <stdlib.h>

#include "replay-queues.h"
#include "replay-stream.h"

#define SMALL_SHARE 10 /* one part in ten */
#define USE_TO_MAIN 2
#define USE_MAX 3
#define RETURNED 0x80 /* beside the count of use: has come back */

enum {
	SMALL,
	MAIN,
	GHOST
};

struct s3fifo {
	struct queues q;
	uint8_t *use; /* by id */
	uint32_t pages, main_max;
};

static int held(const struct s3fifo *c, uint32_t id)
{
	return queues_of(&c->q, id) < GHOST;
}

static void add_ghost(struct s3fifo *c, uint32_t id)
{
	if (!c->main_max)
		return;
	if (c->q.count[GHOST] == c->main_max)
		queues_del(&c->q, queues_oldest(&c->q, GHOST));
	queues_add(&c->q, GHOST, id);
}

/* Until one goes, or all have moved on to main. */
static void evict_small(struct s3fifo *c)
{
	while (c->q.count[SMALL]) {
		uint32_t id = queues_oldest(&c->q, SMALL);
		int moves = c->use[id] >= USE_TO_MAIN;

		queues_del(&c->q, id);
		c->use[id] = 0;
		if (moves) {
			queues_add(&c->q, MAIN, id);
		} else {
			add_ghost(c, id);
			return;
		}
	}
}

static void evict_main(struct s3fifo *c)
{
	for (;;) {
		uint32_t id = queues_oldest(&c->q, MAIN);

		queues_del(&c->q, id);
		if (!c->use[id])
			return;
		c->use[id]--;
		queues_add(&c->q, MAIN, id);
	}
}

static void make_room(struct s3fifo *c)
{
	while (c->q.count[SMALL] + c->q.count[MAIN] >= c->pages) {
		if (c->q.count[MAIN] > c->main_max || !c->q.count[SMALL])
			evict_main(c);
		else
			evict_small(c);
	}
}

static int get(struct s3fifo *c, uint32_t id, int takes)
{
	if (queues_of(&c->q, id) == GHOST) {
		queues_del(&c->q, id);
		c->use[id] = RETURNED;
	}
	if (!held(c, id))
		return 0;
	if (takes) {
		queues_del(&c->q, id);
		c->use[id] = RETURNED;
	} else if (c->use[id] < USE_MAX) {
		c->use[id]++;
	}
	return 1;
}

static void put(struct s3fifo *c, uint32_t id)
{
	int returned = c->use[id] & RETURNED || queues_of(&c->q, id) == GHOST;

	if (queues_of(&c->q, id) != QUEUES_NONE)
		queues_del(&c->q, id);
	make_room(c);
	c->use[id] = 0;
	queues_add(&c->q, returned ? MAIN : SMALL, id);
}

/* Return: 1 a hit. */
static int play(struct s3fifo *c, uint32_t event)
{
	uint32_t id = EVENT_ID(event);

	switch (EVENT_OP(event)) {
	case EVENT_ASK:
		if (get(c, id, 0))
			return 1;
		put(c, id);
		return 0;
	case EVENT_GET:
		return get(c, id, 1);
	case EVENT_PUT:
		put(c, id);
		return 0;
	default:
		if (held(c, id))
			queues_del(&c->q, id);
		return 0;
	}
}

int policy_s3fifo_run(const struct stream *s, uint32_t pages, uint64_t *ret_hits)
{
	struct s3fifo c = {
		.use = calloc((size_t)s->ids + 1, 1),
		.pages = pages,
	};
	uint64_t i, hits = 0;
	int err = c.use ? queues_init(&c.q, s->ids) : -ENOMEM;

	if (err) {
		free(c.use);
		return err;
	}
	c.main_max = pages - (pages < SMALL_SHARE ? 1 : pages / SMALL_SHARE);
	for (i = 0; i < s->count; i++)
		hits += (unsigned)play(&c, s->event[i]);
	queues_finish(&c.q);
	free(c.use);
	*ret_hits = hits;
	return 0;
}
