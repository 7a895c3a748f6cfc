/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay-report.h - what `tmem replay` found, for people, programs and eyes.
 */
#ifndef TMEM_COMMAND_REPLAY_REPORT_H
#define TMEM_COMMAND_REPLAY_REPORT_H

#include <stdint.h>
#include <stdio.h>

#include "replay-options.h"
#include "replay-policy.h"
#include "replay-store.h"

/** struct replay_point - of one size. */
struct replay_point {
	const struct replay_size *size;
	uint32_t pages;
	struct replay_figures tmem;
	uint64_t hits[POLICIES]; /* of the others */
};

/** struct replay_report - of a run. */
struct replay_report {
	const struct replay_options *opt;
	uint64_t requests;
	uint32_t distinct;
	uint32_t l1_pages; /* 0: no first level */
	uint64_t asked; /* all requests, or those that missed the first level */
	const struct replay_point *point;
	unsigned points;
};

/** replay_miss_ratio() - of what was asked. */
double replay_miss_ratio(const struct replay_report *r, uint64_t hits);

/** replay_ns_per_request() - of the library's calls, by all requests. */
double replay_ns_per_request(const struct replay_report *r,
			     const struct replay_point *p);

void replay_report_table(FILE *out, const struct replay_report *r);

void replay_report_json(FILE *out, const struct replay_report *r);

/** replay_report_plot() - the miss ratios over the sizes, as SVG. */
void replay_report_plot(FILE *out, const struct replay_report *r);

#endif
