/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay-store.h - the store plays a list of events.
 */
#ifndef TMEM_COMMAND_REPLAY_STORE_H
#define TMEM_COMMAND_REPLAY_STORE_H

#include <stdint.h>

#include <tmem/tmem.h>

struct content;
struct progress;
struct replay_options;
struct replay_size;
struct stream;
struct trace;

/** REPLAY_FAULT_MAX - room for what went wrong, in words, bytes. */
#define REPLAY_FAULT_MAX 400

/** struct replay_plan - what to play and how. */
struct replay_plan {
	const struct replay_options *opt;
	const struct trace *trace;
	const struct stream *stream;
	const struct content *content;
	const struct replay_size *size;
	struct progress *progress;
};

/** struct replay_figures - how it went. */
struct replay_figures {
	uint64_t hits;
	uint64_t tmem_ns; /* in calls of the library, clock readings included */
	struct tmem_stats stats; /* at the end */
};

/**
 * replay_store_run() - play all events through a store of its own.
 * @fault: out: what went wrong, REPLAY_FAULT_MAX bytes.
 *
 * Return: 0; -EINVAL the store cannot be of that size; -EILSEQ a page was not
 *	what had been put; what the library's calls give.
 */
int replay_store_run(const struct replay_plan *plan, struct replay_figures *fig,
		     char *fault) __attribute__((warn_unused_result));

#endif
