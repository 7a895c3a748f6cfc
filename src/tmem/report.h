/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.h - what `tmem demo` measured, for people and for programs.
 */
#ifndef TMEM_COMMAND_REPORT_H
#define TMEM_COMMAND_REPORT_H

#include <stdint.h>
#include <stdio.h>

#include <tmem/tmem.h>

struct pass_figures;

/** struct report - everything that is told; all of it measured or asked for. */
struct report {
	const char *dir;
	const char *where; /* the store */
	uint64_t seed;
	uint64_t files;		/* that take part */
	uint64_t files_skipped; /* found and not readable */
	uint64_t files_plain;	/* read without O_DIRECT */
	uint64_t pages;		/* distinct ones */
	uint64_t bytes;		/* in them, tails not padded */
	uint64_t l1_bytes;
	uint64_t accesses_planned; /* more than were made: time was up */
	const struct pass_figures *without;
	const struct pass_figures *with;
	struct tmem_stats stats; /* of the store, at the end */
};

/** report_ratio() - a / b; negative: b is 0 and there is none. */
static inline double report_ratio(uint64_t a, uint64_t b)
{
	return b ? (double)a / (double)b : -1.0;
}

/** report_table() - for people; its form may change. */
void report_table(FILE *out, const struct report *r);

/** report_json() - one object; its keys stay. */
void report_json(FILE *out, const struct report *r);

#endif
