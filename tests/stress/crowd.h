/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crowd.h - four threads on one store, each call judged as it returns.
 *
 * Keys of a thread's own hold persistent pages of which it knows exactly what
 * must be there. Keys that all threads share hold pages that name their writer
 * and its sequence number; of those, every call that returned has made some
 * impossible for good:
 *
 *	whatever had been put before a call began and was overwritten, flushed,
 *	taken or missed by it must never be seen again by a call that begins
 *	after it has returned
 *
 * which is what semantics 4 to 6 of tmem.h come to.
 */
#ifndef TESTS_STRESS_CROWD_H
#define TESTS_STRESS_CROWD_H

#include <stddef.h>
#include <stdint.h>

#include <tmem/tmem.h>

struct crowd_opts {
	struct tmem *t;
	uint64_t ms; /* how long */
	uint64_t seed;
	uint64_t limit_bytes; /* of the store; it is lowered and raised */
};

struct crowd_counts {
	uint64_t puts, stored, gets, hits, flushes;
	uint64_t lost; /* misses on shared keys where a page had been */
	uint64_t gone; /* calls that found their pool destroyed */
};

/**
 * crowd_run() - let them loose, and hold the store's figures against theirs.
 * @fault: out: what was wrong.
 *
 * Return: 0, -1 the store was wrong.
 */
int crowd_run(const struct crowd_opts *opts, struct crowd_counts *ret,
	      char *fault, size_t fault_size);

#endif
