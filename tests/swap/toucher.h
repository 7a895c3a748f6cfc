/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * toucher.h - a process that uses more memory than its cgroup allows, and knows
 * every byte of it.
 *
 * It does what it is told, one thing at a time, and answers. Each page holds what
 * its number and its generation make (content.h), so that zeros, another page and
 * an older state of the same page are all wrong. A page that the kernel cannot
 * read back (SIGBUS) is lost: no wrong byte. What the process needs for itself is
 * locked, so that only pages under test are swapped.
 */
#ifndef TESTS_SWAP_TOUCHER_H
#define TESTS_SWAP_TOUCHER_H

#include <stdint.h>
#include <sys/types.h>

#include "memlimit.h"

/** struct toucher_answer - how it went. */
struct toucher_answer {
	uint64_t right, wrong, lost; /* pages looked at */
	uint64_t first_wrong;	     /* its number */
};

struct toucher {
	pid_t pid;
	int to, from; /* pipes */
};

/** toucher_start() - in @m; its pages are @bytes in all, and not there yet. */
void toucher_start(struct toucher *t, const struct memlimit *m, uint64_t bytes);

/*
 * What it can be told. Each ends the test if there is no answer in @patience_ms,
 * or the process is gone.
 *
 * toucher_write()	a new generation of every page
 * toucher_check()	look at every byte of every page
 * toucher_mix()	for @ms: look at random pages, write every other anew
 */
struct toucher_answer toucher_write(struct toucher *t, int patience_ms);
struct toucher_answer toucher_check(struct toucher *t, int patience_ms);
struct toucher_answer toucher_mix(struct toucher *t, unsigned ms,
				  int patience_ms);

/** toucher_tell_mix(), toucher_answer() - the same in two steps, for what is to
 * happen meanwhile. */
void toucher_tell_mix(struct toucher *t, unsigned ms);
struct toucher_answer toucher_answer(struct toucher *t, int patience_ms);

/** toucher_end() - kill it, and wait; one that did not start is fine. */
void toucher_end(struct toucher *t);

#endif
