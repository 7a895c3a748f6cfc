/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.h - what a benchmark of the daemon is asked for.
 */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include "bench-report.h"

struct options {
	const char *name; /* of the benchmark */
	const char *doc;  /* what it does, for --help */
	int tiny;	  /* only see that it works */
	int json;
	const char *out; /* a directory for drawings; NULL: none */
};

/** options_parse() - the command line; ends the program if it makes no sense. */
void options_parse(struct options *o, int argc, char **argv);

/** options_tell() - all figures, as asked for. */
void options_tell(const struct options *o, struct bench_report *r,
		  uint64_t size_bytes, unsigned repeats);

#endif
