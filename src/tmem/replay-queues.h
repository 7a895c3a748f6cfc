/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay-queues.h - queues of page ids; an id is in one of them, or in none.
 *
 * By arrays over all ids: everything takes the same short time, and nothing is
 * allocated on the way.
 */
#ifndef TMEM_COMMAND_REPLAY_QUEUES_H
#define TMEM_COMMAND_REPLAY_QUEUES_H

#include <stdint.h>

/** QUEUES_MAX - queues; numbered from 0. */
#define QUEUES_MAX 3

/** QUEUES_NONE - an id that is in none. */
#define QUEUES_NONE QUEUES_MAX

struct queues {
	uint32_t ids;
	uint32_t *prev, *next; /* by id; at ids + n are both ends of queue n */
	uint8_t *in;	       /* by id: its queue, or QUEUES_NONE */
	uint32_t count[QUEUES_MAX]; /* ids in each */
};

/** queues_init() - all empty. Return: 0, -ENOMEM. */
int queues_init(struct queues *q, uint32_t ids)
	__attribute__((warn_unused_result));

void queues_finish(struct queues *q);

/** queues_of() - which queue has the id, or QUEUES_NONE. */
static inline unsigned queues_of(const struct queues *q, uint32_t id)
{
	return q->in[id];
}

/** queues_add() - an id that is in none becomes the newest of a queue. */
void queues_add(struct queues *q, unsigned queue, uint32_t id);

/** queues_del() - an id leaves its queue. */
void queues_del(struct queues *q, uint32_t id);

/** queues_oldest() - of a queue that is not empty. */
uint32_t queues_oldest(const struct queues *q, unsigned queue);

#endif
