/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-run.h - how anything here is timed: warmed up, pinned, repeated, taken
 * in turns with what it is compared to.
 *
 *	repeat 0:  case 0, case 1, case 2     each: batches, then single ones
 *	repeat 1:  case 2, case 1, case 0
 *	repeat 2:  case 0, case 1, ...
 *
 * A figure is the median of the repeats' means. A repeat's mean comes from
 * batches of operations with one pair of clock readings each: a pair for each
 * operation would cost a tenth of a get. Single operations are timed apart from
 * that, each after some that are not, for the histogram. The cost of the clock
 * is taken off everywhere.
 *
 * A ratio is the median of the ratios within a repeat: what slows the machine
 * for a while slows both sides. A batch from which the scheduler took the
 * processor away is measured again: that is another program's time. Sleeping is
 * not: what a store does of it counts.
 */
#ifndef TMEM_COMMAND_BENCH_RUN_H
#define TMEM_COMMAND_BENCH_RUN_H

#include <sched.h>
#include <stdint.h>

#include "histogram.h"

/** Operations between two readings of the clock. */
#define BENCH_BATCH 64u

/** Most repeats; more make a median no better. */
#define BENCH_REPEATS_MAX 15u

/** struct bench_case - something that can be done again and again. */
struct bench_case {
	void (*run)(void *ctx, unsigned count);	    /* so many operations */
	void (*between)(void *ctx, unsigned count); /* after them, not timed;
						       NULL: nothing */
	void *ctx;
};

/** struct bench_plan - how long, how often. */
struct bench_plan {
	unsigned repeats;  /* at most BENCH_REPEATS_MAX */
	unsigned warm;	   /* operations before the first repeat */
	unsigned ops;	   /* a repeat: operations in batches */
	unsigned singles;  /* a repeat: operations timed one by one */
	unsigned batch;	   /* BENCH_BATCH, or less if one would be too long */
	uint64_t clock_ns; /* a pair of readings; bench_clock_ns() */
};

/** struct bench_series - what was measured of a case. */
struct bench_series {
	unsigned count;			 /* repeats */
	double ns[BENCH_REPEATS_MAX];	 /* mean of an operation in each */
	struct tmem_histogram histogram; /* single operations, ns */
};

/** bench_clock_ns() - what a pair of clock readings costs, ns. */
uint64_t bench_clock_ns(void);

/** struct bench_timer - time of something short. */
struct bench_timer {
	uint64_t clock_ns;
	long taken; /* times that the processor was taken from this thread */
	uint64_t from;
};

void bench_timer_start(struct bench_timer *t, uint64_t clock_ns);

/** bench_timer_stop() - 1 undisturbed, 0 the processor was taken away; *ret_ns
 * is the time, less what reading the clock costs. */
int bench_timer_stop(const struct bench_timer *t, uint64_t *ret_ns);

/** bench_waited_ns() - time that this thread was ready, and had no processor;
 * always 0 where the kernel does not tell. For what is long. */
uint64_t bench_waited_ns(void);

/**
 * bench_run() - measure cases in turns.
 * @series: out: one for each case.
 */
void bench_run(const struct bench_case *cases, unsigned count,
	       const struct bench_plan *plan, struct bench_series *series);

/** bench_median() - of at most BENCH_REPEATS_MAX values; 0 of none. */
double bench_median(const double *values, unsigned count);

/** bench_ratios() - a / b of each repeat; returns how many. */
unsigned bench_ratios(const struct bench_series *a,
		      const struct bench_series *b, double *ret);

/** bench_differences() - a - b of each repeat; returns how many. */
unsigned bench_differences(const struct bench_series *a,
			   const struct bench_series *b, double *ret);

/** struct bench_cpus - the processors that the process may use. */
struct bench_cpus {
	cpu_set_t allowed;
};

/** bench_cpus_init() - before anything is pinned. */
void bench_cpus_init(struct bench_cpus *cpus);

/**
 * bench_pin() - this thread, and those it makes, stay on one processor.
 * @nth: of the allowed ones; beyond them it starts over.
 *
 * Best effort: where pinning is refused, figures are noisier.
 */
void bench_pin(const struct bench_cpus *cpus, unsigned nth);

/** bench_unpin() - this thread may move again. */
void bench_unpin(const struct bench_cpus *cpus);

/* ---- Numbers that look random ------------------------------------------- */

/** struct bench_random - a generator; any first state. */
struct bench_random {
	uint64_t state;
};

/** bench_random() - 64 bits (splitmix64). */
static inline uint64_t bench_random(struct bench_random *r)
{
	uint64_t x = r->state += 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/** bench_below() - a number from 0 to n - 1; n under 2^32. */
static inline uint64_t bench_below(struct bench_random *r, uint64_t n)
{
	return ((bench_random(r) >> 32) * n) >> 32;
}

#endif
