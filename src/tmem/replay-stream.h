/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay-stream.h - what a cache sees of a trace, as a list of events.
 *
 * The store and the policies that it is compared with are given the same list.
 * A first level above them needs none of their answers: it is played once.
 */
#ifndef TMEM_COMMAND_REPLAY_STREAM_H
#define TMEM_COMMAND_REPLAY_STREAM_H

#include <stdint.h>

struct trace;

/** enum - what is wanted of a page. */
enum {
	EVENT_ASK,  /* a get that leaves the page; a miss is put */
	EVENT_GET,  /* a get that takes the page */
	EVENT_PUT,  /* the page is offered; it is not there */
	EVENT_FLUSH /* the page is given up, if it is there */
};

/** An event is one word: what, and the page's id. */
#define EVENT_ID_BITS 30
#define EVENT(op, id) ((uint32_t)(op) << EVENT_ID_BITS | (id))
#define EVENT_OP(event) ((event) >> EVENT_ID_BITS)
#define EVENT_ID(event) ((event) & ((1u << EVENT_ID_BITS) - 1))

/** enum - where the cache is. */
enum stream_mode {
	STREAM_INCLUSIVE, /* alone: it sees every request */
	STREAM_EXCLUSIVE, /* it takes the victims of a first level */
	STREAM_BELOW	  /* it sees the misses of a first level, no victims */
};

/** struct stream - the events. */
struct stream {
	uint32_t *event;
	uint64_t count, room;
	uint32_t ids;
	uint64_t asked; /* requests that came as far as this cache */
};

/**
 * stream_init() - play the trace.
 * @s: out: freed by stream_finish(), also after a failure.
 * @l1_pages: of the first level; none of it when inclusive.
 *
 * Return: 0, -ENOMEM.
 */
int stream_init(struct stream *s, const struct trace *t, enum stream_mode mode,
		uint32_t l1_pages) __attribute__((warn_unused_result));

/** stream_add() - one more event. Return: 0, -ENOMEM. */
int stream_add(struct stream *s, unsigned op, uint32_t id)
	__attribute__((warn_unused_result));

void stream_finish(struct stream *s);

#endif
