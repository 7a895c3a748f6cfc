/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-report.h - figures as they come, and how they are told.
 *
 *	{ "bench": ..., "machine": { ... }, "request": { ... },
 *	  "KEY": figure, ...
 *	  "GROUP": { "KEY": figure or [ figures ], ... }, ...
 *	  "repeats": { "KEY": [ what the figure is the median of ], ... },
 *	  "latency": { "KEY": { "p50": ns, ..., "percentiles": [[pct, ns]] } } }
 */
#ifndef TMEM_COMMAND_BENCH_REPORT_H
#define TMEM_COMMAND_BENCH_REPORT_H

#include <stdint.h>
#include <stdio.h>

#include "bench-machine.h"
#include "bench-run.h"
#include "histogram.h"

#define BENCH_FIGURES_MAX 192u
#define BENCH_LATENCIES_MAX 16u
#define BENCH_KEY_MAX 40u

/** struct bench_figure - one number, or one list of them. */
struct bench_figure {
	const char *group; /* NULL: none */
	char key[BENCH_KEY_MAX];
	const char *text; /* for people: what it is */
	int is_list;	  /* the values are figures, not repeats of one */
	unsigned count;
	double values[BENCH_REPEATS_MAX];
};

struct bench_latency {
	const char *key;
	struct tmem_histogram histogram;
};

/** struct bench_request - what the figures were made from. */
struct bench_request {
	const char *name;
	uint64_t size;
	int tiny;
	unsigned repeats;
	const char *corpora; /* NULL: made up */
};

struct bench_report {
	struct bench_machine machine;
	struct bench_request request;
	uint64_t store_page_bytes; /* OS pages under the store; 0: no store */
	unsigned figures_count;
	struct bench_figure figures[BENCH_FIGURES_MAX];
	unsigned latencies_count;
	struct bench_latency latencies[BENCH_LATENCIES_MAX];
};

/**
 * bench_report_add() - a figure: the median of its repeats.
 * @group: NULL, or its figures are added one after the other.
 */
void bench_report_add(struct bench_report *r, const char *group, const char *key,
		      const char *text, const double *values, unsigned count);

/** bench_report_one() - a figure that was measured once. */
void bench_report_one(struct bench_report *r, const char *group,
		      const char *key, const char *text, double value);

/** bench_report_list() - figures that belong together. */
void bench_report_list(struct bench_report *r, const char *group,
		       const char *key, const char *text, const double *values,
		       unsigned count);

/** bench_report_series() - a cost, ns, and its distribution as "KEY" less its
 * "_ns". */
void bench_report_series(struct bench_report *r, const char *key,
			 const char *text, const struct bench_series *s);

/** bench_report_latency() - a distribution alone, ns; @key lives on. */
void bench_report_latency(struct bench_report *r, const char *key,
			  const struct tmem_histogram *histogram);

/** bench_report_find() - the figure of a key outside groups; negative: none. */
double bench_report_find(const struct bench_report *r, const char *key);

/** bench_report_json() - one object. Keys are only added. */
void bench_report_json(FILE *out, const struct bench_report *r);

/** bench_report_table() - for people; its form may change. */
void bench_report_table(FILE *out, const struct bench_report *r);

#endif
