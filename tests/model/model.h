/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model.h - a store held against a trivial reference.
 *
 * Bytes become operations over a few pools and a few keys, so that everything
 * happens to everything. The reference is a table of what was last put under
 * each key, and says for every operation what may come of it:
 *
 *	absent	must miss
 *	may	ephemeral: misses, or hits with exactly these bytes
 *	must	persistent: hits with exactly these bytes
 *
 * The same driver serves the random tests and the fuzzer. One thread; agers and a
 * source that revokes may be at work beside it.
 */
#ifndef TESTS_MODEL_MODEL_H
#define TESTS_MODEL_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include <tmem/tmem.h>

struct lease_revoking;
struct model;

/** struct model_opts - the store under test. */
struct model_opts {
	struct tmem *t;
	uint64_t limit_bytes;	       /* it was opened with */
	uint64_t limit_least;	       /* for tmem_set_limit() */
	uint64_t limit_most;	       /* the same */
	struct lease_revoking *source; /* NULL: nothing is revoked */
	int exact; /* nobody else is at work: every count must tally */
};

/** struct model_counts - so that a test knows it has tested something. */
struct model_counts {
	uint64_t steps;
	uint64_t puts, stored, stored_persistent;
	uint64_t gets, hits;
	uint64_t parts;	  /* hits and stores of parts of pages */
	uint64_t flushed; /* flushes that found something */
	uint64_t pools;	  /* made */
	uint64_t revoked;
};

/** struct model_bytes - what is still to be interpreted. */
struct model_bytes {
	const uint8_t *at, *end;
};

/** model_create() - Return: the model, NULL: no memory. */
struct model *model_create(const struct model_opts *opts);

/** model_destroy() - the store stays. */
void model_destroy(struct model *m);

/**
 * model_step() - do what the next bytes say, and judge what came of it.
 *
 * Return: 1 done, 0 the bytes are used up, -1 the store was wrong: see
 * model_fault().
 */
int model_step(struct model *m, struct model_bytes *in);

/**
 * model_settle() - look up every key and hold every figure against the reference.
 *
 * Return: 0, -1 the store was wrong.
 */
int model_settle(struct model *m);

/** model_fault() - what was wrong, in which step. */
const char *model_fault(const struct model *m);

struct model_counts model_counts(const struct model *m);

#endif
