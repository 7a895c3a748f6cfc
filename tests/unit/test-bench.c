/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-bench.c - a benchmark tells of a store that is slow or wasteful: a figure
 * that cannot get worse measures nothing.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tmem/tmem.h>

#include "bench-lz4.h"
#include "bench-synthetic.h"
#include "bench.h"
#include "fault.h"
#include "unit.h"

/* Beyond what any of it takes in a slow build on a busy machine. */
#define SLOW_NS 50000

/* A few of a small store's segments are lost to it in the time of a churn. */
#define WASTE_NTH 600

/* Every page takes so much more of its own size; a store still holds them. */
#define META_NTH 16

static const struct bench_options options = { .tiny = 1 };

/* A run of some part of a benchmark; freed by bench_destroy(). */
static struct bench *run(int (*part)(struct bench *b), uint64_t slow_ns,
			 unsigned long waste_nth)
{
	struct bench *b;
	int err;

	b = bench_create(&options, "store", &err);
	assert_non_null(b);
	assert_int_equal(err, 0);
	tmem_fault_slow(slow_ns);
	tmem_fault_waste(waste_nth);
	err = part(b);
	tmem_fault_slow(0);
	tmem_fault_waste(0);
	if (err)
		print_error("%s\n", b->fault);
	assert_int_equal(err, 0);
	return b;
}

static double figure(const struct bench *b, const char *key)
{
	return bench_report_find(&b->report, key);
}

/* That much of the delay shows at least, in nanoseconds an operation. */
#define SHOWN_NS (SLOW_NS / 2)

static void expect_more(const struct bench *good, const struct bench *bad,
			const char *key, double by)
{
	double was = figure(good, key), is = figure(bad, key);

	print_message("%s: %.2f, now %.2f\n", key, was, is);
	assert_true(is - was > by);
}

static void raw(void **state)
{
	static const char *const costs[] = { "put_raw_ns", "get_raw_ns",
					     "miss_ns", "batch_get_ns" };
	static const char *const ratios[] = { "put_raw_ratio", "get_raw_ratio" };
	struct bench *good = run(bench_raw, 0, 0);
	struct bench *slow = run(bench_raw, SLOW_NS, 0);
	unsigned i;

	(void)state;
	for (i = 0; i < 4; i++)
		expect_more(good, slow, costs[i], SHOWN_NS);
	for (i = 0; i < 2; i++)
		expect_more(good, slow, ratios[i], figure(good, ratios[i]));
	bench_destroy(good);
	bench_destroy(slow);
}

static void packed(void **state)
{
	struct bench *good = run(bench_packed, 0, 0);
	struct bench *slow = run(bench_packed, SLOW_NS, 0);

	(void)state;
	expect_more(good, slow, "put_packed_over_ns", SHOWN_NS);
	expect_more(good, slow, "get_packed_over_ns", SHOWN_NS);
	bench_destroy(good);
	bench_destroy(slow);
}

static void fresh(void **state)
{
	struct bench *good = run(bench_shrink, 0, 0);
	struct bench *slow = run(bench_shrink, SLOW_NS, 0);

	(void)state;
	expect_more(good, slow, "first_fill_put_ns", SHOWN_NS);
	bench_destroy(good);
	bench_destroy(slow);
}

static void meta(void **state)
{
	struct bench *good = run(bench_meta, 0, 0);
	struct bench *bad = run(bench_meta, 0, META_NTH);

	(void)state;
	assert_true(figure(good, "meta_bytes_per_page") > 0);
	expect_more(good, bad, "meta_bytes_per_page",
		    TMEM_PAGE_SIZE / META_NTH / 2);
	bench_destroy(good);
	bench_destroy(bad);
}

/* Of pages that may be dropped: what is wasted is not there for them. */
static double ephemeral_waste(const struct bench *b)
{
	unsigned i;

	for (i = 0; i < b->report.figures_count; i++)
		if (!strcmp(b->report.figures[i].key, "ephemeral"))
			return b->report.figures[i].values[0];
	return -1;
}

static void churn(void **state)
{
	struct bench *good = run(bench_churn, 0, 0);
	struct bench *bad = run(bench_churn, 0, WASTE_NTH);

	(void)state;
	print_message("waste: %.2f, wasting: %.2f\n", ephemeral_waste(good),
		      ephemeral_waste(bad));
	assert_true(ephemeral_waste(good) > 0);
	assert_true(ephemeral_waste(bad) > ephemeral_waste(good) + 5);
	assert_true(figure(bad, "waste_under_churn_pct") >=
		    ephemeral_waste(bad));
	bench_destroy(good);
	bench_destroy(bad);
}

/* Made-up pages get about as small as those whose histogram they follow. */
static void synthetic(void **state)
{
	enum {
		PAGES = 256
	};
	const struct bench_synthetic *kinds;
	struct bench_lz4 *lz4 = malloc(sizeof(*lz4));
	uint8_t *pages = malloc((size_t)PAGES * TMEM_PAGE_SIZE);
	unsigned n, i, k, len;
	double want, got;

	(void)state;
	assert_non_null(lz4);
	assert_non_null(pages);
	bench_lz4_init(lz4);
	kinds = bench_synthetic_kinds(&n);
	for (k = 0; k < n; k++) {
		bench_synthetic_fill(&kinds[k], pages, PAGES, 1);
		for (i = 0, want = 0; i < BENCH_SYNTHETIC_BINS; i++)
			want += kinds[k].pct[i] / 100.0 * (i + 0.5) *
				TMEM_PAGE_SIZE / BENCH_SYNTHETIC_BINS;
		for (i = 0, got = 0; i < PAGES; i++) {
			len = bench_lz4_pack(lz4, pages + i * TMEM_PAGE_SIZE);
			got += (double)(len ? len : TMEM_PAGE_SIZE) / PAGES;
		}
		print_message("%s: %.0f bytes, wanted %.0f\n", kinds[k].name,
			      got, want);
		assert_true(got > want * 0.85 && got < want * 1.15);
	}
	free(lz4);
	free(pages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raw),	 cmocka_unit_test(packed),
		cmocka_unit_test(fresh), cmocka_unit_test(meta),
		cmocka_unit_test(churn), cmocka_unit_test(synthetic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
