/* SPDX-License-Identifier: BSD-2-Clause */
/* test-tmemd-psi.c - /proc/pressure/memory read, and what sessions claim summed. */
#include <string.h>

#include "figures.h"
#include "psi.h"
#include "unit.h"

static void reads(void **state)
{
	struct tmem_wire_psi p;

	(void)state;
	tmemd_psi_read("some avg10=1.23 avg60=0.05 avg300=0.00 total=123456\n"
		       "full avg10=100.00 avg60=99.99 avg300=0.00 total=7\n",
		       &p);
	assert_int_equal(p.some_avg10, 123);
	assert_int_equal(p.some_avg60, 5);
	assert_true(p.some_us == 123456);
	assert_int_equal(p.full_avg10, 10000);
	assert_int_equal(p.full_avg60, 9999);
	assert_true(p.full_us == 7);
}

static void unknown(void **state)
{
	static const char *const texts[] = { "", "some", "some avg10=x",
					     "some avg10=1.00 avg60=1.00",
					     "full avg10=1.00\nsome " };
	const struct tmemd_psi none = { -1 };
	struct tmem_wire_psi p, ones;
	size_t i;

	(void)state;
	memset(&ones, 0xff, sizeof(ones));
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		tmemd_psi_read(texts[i], &p);
		assert_memory_equal(&p, &ones, sizeof(p));
	}
	tmemd_psi_look(&none, &p);
	assert_memory_equal(&p, &ones, sizeof(p));
}

static void sums(void **state)
{
	struct tmem_wire_figures sum = { 0 }, f = {
		.limit_bytes = 1, .pages_dense = 2, .puts = 3, .shortages = 4
	};

	(void)state;
	tmemd_figures_add(&sum, &f);
	tmemd_figures_add(&sum, &f);
	assert_true(sum.limit_bytes == 2 && sum.pages_dense == 4);
	assert_true(sum.puts == 6 && sum.shortages == 8);
	tmemd_figures_add_counted(&sum, &f);
	assert_true(sum.limit_bytes == 2 && sum.pages_dense == 4);
	assert_true(sum.puts == 9 && sum.shortages == 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(unknown),
		cmocka_unit_test(sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
