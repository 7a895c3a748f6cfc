/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay-trace.h - a trace in memory: requests of pages, numbered densely.
 *
 * A line is `r PAGE` or `w PAGE`. Pages get ids in the order in which they come
 * first, so that whatever follows works on arrays.
 */
#ifndef TMEM_COMMAND_REPLAY_TRACE_H
#define TMEM_COMMAND_REPLAY_TRACE_H

#include <stdint.h>

struct input;
struct progress;

/** TRACE_WRITE - of a request: the page is written. The rest is its id. */
#define TRACE_WRITE (1u << 31)

/** TRACE_IDS_MAX - most distinct pages: an event has two bits beside the id. */
#define TRACE_IDS_MAX (1u << 30)

/** struct trace - what was read. */
struct trace {
	uint32_t *request; /* id, and TRACE_WRITE */
	uint64_t count, count_room;
	uint64_t *page; /* by id: its number in the trace */
	uint32_t ids, ids_room;
	uint32_t *slot; /* by hash of the page: id + 1; 0: free */
	uint32_t slot_mask;
	uint64_t line; /* the last line read, from 1 */
};

/**
 * trace_read() - all of a trace.
 * @t: out: freed by trace_finish(), also after a failure.
 *
 * Return: 0; -EINVAL the line numbered `line` is malformed; -ENOMEM; -EFBIG more
 *	than TRACE_IDS_MAX pages; what input_read() gives.
 */
int trace_read(struct trace *t, struct input *in, struct progress *progress)
	__attribute__((warn_unused_result));

void trace_finish(struct trace *t);

#endif
