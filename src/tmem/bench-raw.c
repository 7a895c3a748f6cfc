/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-raw.c - puts, gets and misses of pages that do not compress, in turns
 * with the copies that no store could do without.
 *
 * Puts are into segments that were filled before and are backed with memory. The
 * store is filled to WINDOW_PCT and then goes on: each batch of puts is followed
 * by a flush, not timed, of as many of the oldest pages. When free segments get
 * few, a putter frees dead ones; that is part of what is measured. Before
 * anything is timed, twice the store's size has gone through it.
 *
 * The floor writes to random places of an area of the store's size, the store
 * wherever its log goes: what that saves in page-table walks is the store's.
 * Source and destination buffer are hot on both sides, gets are of random pages.
 */
#include <errno.h>

#include "bench-floor.h"
#include "bench-mill.h"
#include "bench.h"

/* Live share of the store. Beyond it, a persistent pool of a small store would
 * refuse; below, nothing changes. */
#define WINDOW_PCT 70

enum {
	FLOOR_PUT,
	FLOOR_GET,
	PUT,
	GET,
	MISS,
	SUBMIT,
	CASES
};

static uint64_t window_of(const struct bench *b)
{
	return b->sizes.store_bytes / TMEM_PAGE_SIZE * WINDOW_PCT / 100;
}

/* Once around, so that every segment has been filled and freed. */
static void settle(struct bench_mill *m)
{
	uint64_t turns = 2 * m->bench->sizes.store_bytes / TMEM_PAGE_SIZE;

	while (m->head < m->window)
		bench_mill_put(m, 1);
	while (m->head < turns) {
		bench_mill_put(m, BENCH_BATCH);
		bench_mill_flush(m, BENCH_BATCH);
	}
}

static void note_backing(struct bench *b, uint64_t before)
{
	uint64_t huge = bench_machine_huge_bytes();

	b->report.store_page_bytes =
		huge > before && huge - before > b->sizes.store_bytes / 2
			? 2u << 20
			: (uint64_t)b->report.machine.os_page_bytes;
}

static void add_figures(struct bench_report *r, const struct bench_series *s)
{
	double ratios[BENCH_REPEATS_MAX];
	unsigned n;

	bench_report_series(r, "floor_put_ns",
			    "fenced copy past the caches, hot source",
			    &s[FLOOR_PUT]);
	bench_report_series(r, "floor_get_ns", "copy of a cold page",
			    &s[FLOOR_GET]);
	bench_report_series(r, "put_raw_ns", "put of a page kept raw", &s[PUT]);
	n = bench_ratios(&s[PUT], &s[FLOOR_PUT], ratios);
	bench_report_add(r, NULL, "put_raw_ratio", "... / floor_put", ratios, n);
	bench_report_series(r, "get_raw_ns", "get of it, cold", &s[GET]);
	n = bench_ratios(&s[GET], &s[FLOOR_GET], ratios);
	bench_report_add(r, NULL, "get_raw_ratio", "... / floor_get", ratios, n);
	bench_report_series(r, "miss_ns", "get of a page that is not there",
			    &s[MISS]);
	bench_report_series(r, "batch_get_ns", "get, 32 by one tmem_submit()",
			    &s[SUBMIT]);
}

static int measure(struct bench *b, struct bench_mill *m, struct bench_floor *f)
{
	const struct bench_case cases[CASES] = {
		[FLOOR_PUT] = { bench_floor_put, NULL, f },
		[FLOOR_GET] = { bench_floor_get, NULL, f },
		[PUT] = { bench_mill_put, bench_mill_flush, m },
		[GET] = { bench_mill_get, NULL, m },
		[MISS] = { bench_mill_miss, NULL, m },
		[SUBMIT] = { bench_mill_submit, NULL, m },
	};
	struct bench_series series[CASES];

	bench_run(cases, CASES, &b->plan, series);
	add_figures(&b->report, series);
	return bench_mill_check(m);
}

int bench_raw(struct bench *b)
{
	const struct bench_store_plan plan = {
		.bytes = b->sizes.store_bytes,
		.agers = TMEM_NO_AGERS,
		.flags = TMEM_POOL_KEEP,
	};
	uint64_t huge = bench_machine_huge_bytes();
	struct bench_area area = { 0 };
	struct bench_floor floor = { 0 };
	struct bench_mill mill;
	int err = bench_mill_open(b, &mill, &plan, window_of(b));

	if (!err) {
		settle(&mill);
		note_backing(b, huge);
		if (bench_area_init(&area, b->sizes.store_bytes, 1) ||
		    bench_floor_init(&floor, &area, &b->noise, BENCH_HOT_PAGES))
			err = bench_fail(b, -ENOMEM, "out of memory");
	}
	if (!err)
		err = measure(b, &mill, &floor);
	bench_floor_finish(&floor);
	bench_area_finish(&area);
	bench_mill_close(&mill);
	return err;
}

/* Every key is there already; the pages still die in the order they came. */
int bench_over(struct bench *b)
{
	const struct bench_store_plan plan = {
		.bytes = b->sizes.store_bytes,
		.agers = TMEM_NO_AGERS,
		.flags = TMEM_POOL_PERSISTENT,
	};
	struct bench_mill mill;
	const struct bench_case put = { bench_mill_put, NULL, &mill };
	struct bench_series series;
	int err = bench_mill_open(b, &mill, &plan, window_of(b));

	if (!err) {
		/* A ring of as many numbers as live. */
		mill.mask /= 2;
		while (mill.head < 4 * mill.mask)
			bench_mill_put(&mill, 1);
		bench_run(&put, 1, &b->plan, &series);
		bench_report_series(&b->report, "put_over_ns",
				    "put onto a page, persistent pool", &series);
		err = bench_mill_check(&mill);
	}
	bench_mill_close(&mill);
	return err;
}
