/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * progress.h - one moving line on stderr, for a person who waits.
 *
 * Silent unless stderr is a terminal.
 */
#ifndef TMEM_COMMAND_PROGRESS_H
#define TMEM_COMMAND_PROGRESS_H

#include <stdint.h>

/** struct progress - the line. */
struct progress {
	int on;		   /* stderr is a terminal */
	const char *phase; /* what is under way */
	uint64_t total;	   /* pages that the phase has, 0: unknown */
	uint64_t done;
	uint64_t start_ns;
	uint64_t shown_ns;
};

/** progress_init() - looks at stderr. */
void progress_init(struct progress *p);

/** progress_start() - a phase begins. */
void progress_start(struct progress *p, const char *phase, uint64_t total);

/** progress_add() - `n` more are done. Costs a clock reading now and then. */
void progress_add(struct progress *p, uint64_t n);

/** progress_end() - the phase is over: the line goes. */
void progress_end(struct progress *p);

#endif
