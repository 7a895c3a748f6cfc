/* SPDX-License-Identifier: BSD-2-Clause */
/* replay-queues.c - queues of page ids, by arrays. */
#include "replay-queues.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "assertion.h"

int queues_init(struct queues *q, uint32_t ids)
{
	size_t all = (size_t)ids + QUEUES_MAX;
	uint32_t n;

	memset(q, 0, sizeof(*q));
	q->ids = ids;
	q->prev = calloc(all, sizeof(*q->prev));
	q->next = calloc(all, sizeof(*q->next));
	q->in = malloc(all);
	if (!q->prev || !q->next || !q->in) {
		queues_finish(q);
		return -ENOMEM;
	}
	memset(q->in, QUEUES_NONE, all);
	for (n = 0; n < QUEUES_MAX; n++)
		q->prev[ids + n] = q->next[ids + n] = ids + n;
	return 0;
}

void queues_finish(struct queues *q)
{
	free(q->prev);
	free(q->next);
	free(q->in);
	memset(q, 0, sizeof(*q));
}

void queues_add(struct queues *q, unsigned queue, uint32_t id)
{
	uint32_t ends = q->ids + queue;

	TMEM_ASSERT(q->in[id] == QUEUES_NONE);
	q->in[id] = (uint8_t)queue;
	q->prev[id] = ends;
	q->next[id] = q->next[ends];
	q->prev[q->next[ends]] = id;
	q->next[ends] = id;
	q->count[queue]++;
}

void queues_del(struct queues *q, uint32_t id)
{
	unsigned queue = q->in[id];

	TMEM_ASSERT(queue < QUEUES_MAX);
	q->next[q->prev[id]] = q->next[id];
	q->prev[q->next[id]] = q->prev[id];
	q->in[id] = QUEUES_NONE;
	q->count[queue]--;
}

uint32_t queues_oldest(const struct queues *q, unsigned queue)
{
	uint32_t id = q->prev[q->ids + queue];

	TMEM_ASSERT(id < q->ids);
	return id;
}
