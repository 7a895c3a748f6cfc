/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pass.h - one replay of the access list, with a store or without.
 */
#ifndef TMEM_COMMAND_PASS_H
#define TMEM_COMMAND_PASS_H

#include <stdint.h>

#include "histogram.h"

struct access_list;
struct dataset;
struct progress;
struct demo_store;

/** struct pass_figures - what was counted and timed. */
struct pass_figures {
	uint64_t accesses;    /* pages handed to the application */
	uint64_t l1_hits;     /* found in the first-level cache */
	uint64_t gets;	      /* asked of the pool */
	uint64_t hits;	      /* given by it */
	uint64_t puts;	      /* victims offered to it */
	uint64_t refused;     /* of those, not taken */
	uint64_t disk_reads;  /* of 4 KiB */
	uint64_t first_reads; /* of those, a page that was not read before */
	uint64_t verified;    /* pages that matched their hash */
	uint64_t changed;     /* accesses not made: the file changed under us */
	uint64_t differing;   /* pages that did not match: a fault */
	uint64_t ns;	      /* the whole pass */
	uint64_t disk_ns;     /* waiting for the disk */
	struct tmem_histogram disk; /* a read each, ns */
	struct tmem_histogram put;
	struct tmem_histogram get; /* hits and misses */
};

/** struct pass_plan - what to replay. */
struct pass_plan {
	struct dataset *data;
	struct access_list *list; /* rewound first */
	struct demo_store *store; /* NULL: without */
	uint64_t accesses;
	uint64_t deadline_ns; /* of tmem_clock_ns(): ends early */
	uint32_t l1_pages;
	struct progress *progress;
};

/** PASS_FAULT_MAX - longest description of a fault, bytes. */
#define PASS_FAULT_MAX 700

/**
 * pass_run() - replay.
 * @fig: out: filled as far as the pass came, also on failure.
 * @fault: out: PASS_FAULT_MAX bytes: what failed, or the first page that
 *	differed; "" if nothing did.
 *
 * Return: 0, -ENOMEM, an error of the disk or of the store.
 */
int pass_run(const struct pass_plan *plan, struct pass_figures *fig,
	     char *fault) __attribute__((warn_unused_result));

#endif
