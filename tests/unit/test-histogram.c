/* SPDX-License-Identifier: BSD-2-Clause */
/* test-histogram.c - percentiles are at most 1/32 above what was added. */
#include <stdint.h>

#include "histogram.h"
#include "unit.h"

static void empty(void **state)
{
	struct tmem_histogram h;

	(void)state;
	tmem_histogram_init(&h);
	assert_true(tmem_histogram_count(&h) == 0);
	assert_true(tmem_histogram_max(&h) == 0);
	assert_true(tmem_histogram_percentile(&h, 50) == 0);
	assert_true(tmem_histogram_mean(&h) == 0);
}

/* One value alone is found within the bound, wherever it lies. */
static void expect_near(uint64_t value)
{
	struct tmem_histogram h;
	uint64_t got;

	tmem_histogram_init(&h);
	tmem_histogram_add(&h, value);
	/* A larger one beside it, so that the maximum does not help. */
	tmem_histogram_add(&h, value * 4);
	got = tmem_histogram_percentile(&h, 50);
	assert_true(got >= value);
	assert_true(got - value <= value / 32);
}

static void resolution(void **state)
{
	unsigned bit;
	uint64_t value;

	(void)state;
	for (value = 0; value < 5000; value++)
		expect_near(value);
	for (bit = 10; bit < TMEM_HISTOGRAM_VALUE_BITS - 2; bit++) {
		expect_near((1ull << bit) - 1);
		expect_near(1ull << bit);
		expect_near((1ull << bit) + 1);
		expect_near((1ull << bit) + (1ull << (bit - 1)) - 1);
	}
}

static void percentiles(void **state)
{
	struct tmem_histogram h;
	uint64_t value, p50, p99;

	(void)state;
	tmem_histogram_init(&h);
	for (value = 1; value <= 100000; value++)
		tmem_histogram_add(&h, value);
	p50 = tmem_histogram_percentile(&h, 50);
	p99 = tmem_histogram_percentile(&h, 99);
	assert_in_range(p50, 50000, 50000 + 50000 / 32);
	assert_in_range(p99, 99000, 100000);
	assert_true(tmem_histogram_percentile(&h, 0) == 1);
	assert_true(tmem_histogram_percentile(&h, 100) == 100000);
	assert_true(tmem_histogram_max(&h) == 100000);
	assert_true(tmem_histogram_count(&h) == 100000);
	assert_true(tmem_histogram_mean(&h) == 50000.5);
}

static void beyond_the_last_bucket(void **state)
{
	struct tmem_histogram h;

	(void)state;
	tmem_histogram_init(&h);
	tmem_histogram_add(&h, UINT64_MAX);
	tmem_histogram_add(&h, (1ull << TMEM_HISTOGRAM_VALUE_BITS) - 1);
	assert_true(tmem_histogram_count(&h) == 2);
	assert_true(tmem_histogram_max(&h) == UINT64_MAX);
	assert_true(tmem_histogram_percentile(&h, 100) == UINT64_MAX);
}

static void merging(void **state)
{
	struct tmem_histogram a, b, all;
	uint64_t value;
	double pct;

	(void)state;
	tmem_histogram_init(&a);
	tmem_histogram_init(&b);
	tmem_histogram_init(&all);
	for (value = 0; value < 10000; value++) {
		uint64_t x = value * value * 7919;

		tmem_histogram_add(value % 3 ? &a : &b, x);
		tmem_histogram_add(&all, x);
	}
	tmem_histogram_merge(&a, &b);
	assert_true(tmem_histogram_count(&a) == tmem_histogram_count(&all));
	assert_true(tmem_histogram_max(&a) == tmem_histogram_max(&all));
	assert_true(tmem_histogram_mean(&a) == tmem_histogram_mean(&all));
	for (pct = 0; pct <= 100; pct += 0.5)
		assert_true(tmem_histogram_percentile(&a, pct) ==
			    tmem_histogram_percentile(&all, pct));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(resolution),
		cmocka_unit_test(percentiles),
		cmocka_unit_test(beyond_the_last_bucket),
		cmocka_unit_test(merging),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
