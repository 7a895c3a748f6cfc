/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench.h - a benchmark under way, and the rooms it goes through.
 */
#ifndef TMEM_COMMAND_BENCH_H
#define TMEM_COMMAND_BENCH_H

#include <stdint.h>

#include "bench-area.h"
#include "bench-corpus.h"
#include "bench-report.h"
#include "bench-run.h"
#include "progress.h"

#define BENCH_FAULT_MAX 256u

/** Where corpora are, unless an option says. */
#define BENCH_CORPORA_VARIABLE "TMEM_CORPORA"

/** struct bench_options - what was asked for. */
struct bench_options {
	uint64_t size; /* bytes of a store; 0: 1 GiB, or a few MiB if tiny */
	const char *corpora; /* a directory; NULL: made-up pages */
	const char *only;    /* parts whose text has this in it; NULL: all */
	int tiny;	     /* only see that it works */
	int json;
};

/** struct bench_sizes - how much of everything. */
struct bench_sizes {
	uint64_t store_bytes;
	uint64_t corpus_bytes;	   /* of each, at most */
	uint64_t table_bytes;	   /* of the look-up floor's */
	uint64_t growth_pages;	   /* in the first of four decades */
	uint64_t growth_bytes;	   /* of the store that holds the last one */
	uint64_t chill_bytes;	   /* read between batches to empty caches */
	uint64_t churn_ns;	   /* of measured churn, for each kind */
	uint64_t churn_bytes;	   /* of its store */
	unsigned churn_per_second; /* puts */
	unsigned pressed_batch;	   /* puts; see bench-pressed.c */
	unsigned pressed_puts;	   /* a repeat, at most */
	unsigned shrinks;	   /* repeats of filling and emptying a store */
};

/** struct bench - everything of one run. */
struct bench {
	const struct bench_options *opt;
	struct bench_sizes sizes;
	struct bench_plan plan;
	struct bench_cpus cpus;
	struct bench_corpora corpora;
	struct bench_area noise; /* pages that do not compress */
	struct progress progress;
	struct bench_report report;
	char fault[BENCH_FAULT_MAX]; /* why it failed */
};

/** bench_create() - ready to measure; NULL: no memory. *ret_err is 0, or why it
 * is not ready (told in ->fault). */
struct bench *bench_create(const struct bench_options *opt, const char *name,
			   int *ret_err);
void bench_destroy(struct bench *b);

/** bench_fail() - note why; returns @err. */
int bench_fail(struct bench *b, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** struct bench_step - a part of a benchmark. */
struct bench_step {
	const char *text;	     /* for who waits */
	int (*run)(struct bench *b); /* 0, or negative errno by bench_fail() */
};

/** bench_steps() - those that are wanted, one after the other, until one fails. */
int bench_steps(struct bench *b, const struct bench_step *steps, unsigned count);

/** bench_limits() - what the machine can do; bench_store() - what the store
 * does; bench_lease() - what it does on lent memory. Figures are added to b->report. Return: 0 or negative errno. */
int bench_limits(struct bench *b);
int bench_store(struct bench *b);
int bench_lease(struct bench *b);

/** bench_density() - memory and CPU of a page in each form, beside zram's;
 * bench_tail() - the slowest operations. Likewise. */
int bench_density(struct bench *b);
int bench_tail(struct bench *b);

/** bench_dense() - gets of dense pages: a part of bench_density(). */
int bench_dense(struct bench *b);

/** The parts of bench_store(). */
int bench_raw(struct bench *b);	    /* puts, gets, misses of raw pages */
int bench_over(struct bench *b);    /* puts that replace pages */
int bench_packed(struct bench *b);  /* gets and puts of packed ones */
int bench_pressed(struct bench *b); /* puts into a full store */
int bench_meta(struct bench *b);    /* bytes beside the pages' own */
int bench_churn(struct bench *b);   /* memory and CPU under steady change */
int bench_threads(struct bench *b);
int bench_shrink(struct bench *b); /* filling and giving back */
int bench_growth(struct bench *b); /* cost against pages */

#endif
