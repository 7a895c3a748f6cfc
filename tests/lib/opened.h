/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opened.h - a store under test, with its log kept.
 *
 * What cannot be done fails the running test (cmocka), so all of this is for a
 * program's first thread.
 */
#ifndef TESTS_LIB_OPENED_H
#define TESTS_LIB_OPENED_H

#include "lines.h"
#include <tmem/tmem.h>

struct opened {
	struct tmem *t;
	struct lines lines;
};

/** opened_init() - open @where with no ager threads. */
void opened_init(struct opened *o, const char *where);

/** opened_init_opts() - the same with @opts, whose log is replaced. */
void opened_init_opts(struct opened *o, const char *where,
		      const struct tmem_open_opts *opts);

/** opened_finish() - run the walkers and close. */
void opened_finish(struct opened *o);

/**
 * opened_close() - close without a walk.
 *
 * For stores of 1 GiB and more: a walk holds more locks at a time than the thread
 * sanitizer can keep account of.
 */
void opened_close(struct opened *o);

/** opened_pool() - one more pool; @page_size 0: 4096. */
int opened_pool(struct opened *o, uint32_t flags, uint32_t page_size);

/** opened_check() - run the walkers; what they find fails the test. */
void opened_check(struct opened *o);

/** opened_age() - do background work until there is none. */
void opened_age(struct opened *o);

/** opened_stats(), opened_pool_stats() - the figures. */
struct tmem_stats opened_stats(struct opened *o);
struct tmem_pool_stats opened_pool_stats(struct opened *o, int pool);

/** stats_pages(), stats_refused() - sums of a reading. */
uint64_t stats_pages(const struct tmem_stats *s);
uint64_t stats_refused(const struct tmem_stats *s);

#endif
