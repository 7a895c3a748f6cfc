/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard.h - work that changes the machine, and somebody who puts it right again,
 * whatever becomes of the work.
 *
 *	guard (this process)	waits; SIGHUP, SIGINT, SIGTERM end the work
 *	  worker		a group of its own; with it goes all it started
 *	guard			tidies up by what the worker has written down
 *
 * So no handler has to know what is up.
 */
#ifndef BENCH_GUARD_H
#define BENCH_GUARD_H

#include <stddef.h>

/**
 * struct guard_task - what is worked on.
 * @work: in the worker.
 * @tidy: in the guard, once the worker and its processes are gone.
 * @ctx: for both: guard_share().
 */
struct guard_task {
	void (*work)(void *ctx);
	void (*tidy)(void *ctx);
	void *ctx;
};

/** guard_share() - zeroed memory that both of them have. */
void *guard_share(size_t bytes);

/** guard_run() - Return: an exit status: the worker's, 1 if it was ended. */
int guard_run(const struct guard_task *t);

#endif
