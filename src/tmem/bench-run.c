/* SPDX-License-Identifier: BSD-2-Clause */
/* bench-run.c - warm-up, pinning, repetition, and medians of repeats. */
#include "bench-run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "clock.h"

/* Readings of the clock that its cost is the median of. */
#define CLOCK_PAIRS 999

/* Operations before each single one that is timed: it is met in the middle of
 * others, not behind the clock's own work. */
#define SINGLE_EVERY 8u

/* Batches that are tried for each that is wanted, at most. */
#define TRIES_MAX 4u

static int by_value(const void *va, const void *vb)
{
	const double *a = va, *b = vb;

	return *a < *b ? -1 : *a > *b;
}

uint64_t bench_clock_ns(void)
{
	double pairs[CLOCK_PAIRS];
	uint64_t from;
	int i;

	for (i = 0; i < CLOCK_PAIRS; i++) {
		from = tmem_clock_ns();
		pairs[i] = (double)(tmem_clock_ns() - from);
	}
	qsort(pairs, CLOCK_PAIRS, sizeof(pairs[0]), by_value);
	return (uint64_t)pairs[CLOCK_PAIRS / 2];
}

double bench_median(const double *values, unsigned count)
{
	double sorted[BENCH_REPEATS_MAX];

	if (!count)
		return 0;
	memcpy(sorted, values, count * sizeof(*values));
	qsort(sorted, count, sizeof(sorted[0]), by_value);
	return count % 2 ? sorted[count / 2]
			 : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

unsigned bench_ratios(const struct bench_series *a,
		      const struct bench_series *b, double *ret)
{
	unsigned i;

	for (i = 0; i < a->count && i < b->count; i++)
		ret[i] = a->ns[i] / b->ns[i];
	return i;
}

unsigned bench_differences(const struct bench_series *a,
			   const struct bench_series *b, double *ret)
{
	unsigned i;

	for (i = 0; i < a->count && i < b->count; i++)
		ret[i] = a->ns[i] - b->ns[i];
	return i;
}

/* ---- Time ---------------------------------------------------------------- */

static long times_taken(void)
{
	struct rusage u;

	return getrusage(RUSAGE_THREAD, &u) ? 0 : u.ru_nivcsw;
}

void bench_timer_start(struct bench_timer *t, uint64_t clock_ns)
{
	t->clock_ns = clock_ns;
	t->taken = times_taken();
	t->from = tmem_clock_ns();
}

int bench_timer_stop(const struct bench_timer *t, uint64_t *ret_ns)
{
	uint64_t ns = tmem_clock_ns() - t->from;

	*ret_ns = ns > t->clock_ns ? ns - t->clock_ns : 0;
	return times_taken() == t->taken;
}

uint64_t bench_waited_ns(void)
{
	FILE *f = fopen("/proc/thread-self/schedstat", "re");
	uint64_t ran, waited = 0;

	if (f && fscanf(f, "%" SCNu64 " %" SCNu64, &ran, &waited) != 2)
		waited = 0;
	if (f)
		(void)fclose(f);
	return waited;
}

/* ---- Running ------------------------------------------------------------- */

static int run_batch(const struct bench_case *c, unsigned count,
		     uint64_t clock_ns, uint64_t *ret_ns)
{
	struct bench_timer t;
	int undisturbed;

	bench_timer_start(&t, clock_ns);
	c->run(c->ctx, count);
	undisturbed = bench_timer_stop(&t, ret_ns);
	if (c->between)
		c->between(c->ctx, count);
	return undisturbed;
}

static double run_batches(const struct bench_case *c,
			  const struct bench_plan *plan)
{
	unsigned batches = (plan->ops + plan->batch - 1) / plan->batch;
	unsigned tries = TRIES_MAX * batches, done = 0;
	uint64_t sum = 0, ns;

	/* The last tries count whatever befalls them. */
	while (done < batches) {
		if (!run_batch(c, plan->batch, plan->clock_ns, &ns) && tries &&
		    tries-- > batches)
			continue;
		sum += ns;
		done++;
	}
	return (double)sum / done / plan->batch;
}

static void run_singles(const struct bench_case *c,
			const struct bench_plan *plan, struct tmem_histogram *h)
{
	uint64_t ns;
	unsigned i;

	for (i = 0; i < plan->singles; i++) {
		(void)run_batch(c, SINGLE_EVERY - 1, plan->clock_ns, &ns);
		if (run_batch(c, 1, plan->clock_ns, &ns))
			tmem_histogram_add(h, ns);
	}
}

static void run_warm(const struct bench_case *c, const struct bench_plan *plan)
{
	uint64_t ns;
	unsigned done;

	for (done = 0; done < plan->warm; done += plan->batch)
		(void)run_batch(c, plan->batch, plan->clock_ns, &ns);
}

void bench_run(const struct bench_case *cases, unsigned count,
	       const struct bench_plan *plan, struct bench_series *series)
{
	unsigned repeat, i, n;

	for (i = 0; i < count; i++) {
		memset(&series[i], 0, sizeof(series[i]));
		run_warm(&cases[i], plan);
	}
	for (repeat = 0; repeat < plan->repeats; repeat++) {
		for (i = 0; i < count; i++) {
			n = repeat % 2 ? count - 1 - i : i;
			series[n].ns[repeat] = run_batches(&cases[n], plan);
			series[n].count++;
			run_singles(&cases[n], plan, &series[n].histogram);
		}
	}
}

/* ---- Pinning ------------------------------------------------------------- */

void bench_cpus_init(struct bench_cpus *cpus)
{
	CPU_ZERO(&cpus->allowed);
	if (sched_getaffinity(0, sizeof(cpus->allowed), &cpus->allowed))
		CPU_ZERO(&cpus->allowed);
}

void bench_pin(const struct bench_cpus *cpus, unsigned nth)
{
	unsigned count = (unsigned)CPU_COUNT(&cpus->allowed);
	cpu_set_t one;
	int cpu;

	if (!count)
		return;
	nth %= count;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &cpus->allowed) && !nth--)
			break;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	(void)sched_setaffinity(0, sizeof(one), &one);
}

void bench_unpin(const struct bench_cpus *cpus)
{
	if (CPU_COUNT(&cpus->allowed))
		(void)sched_setaffinity(0, sizeof(cpus->allowed),
					&cpus->allowed);
}
