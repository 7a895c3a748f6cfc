/* SPDX-License-Identifier: BSD-2-Clause */
/* test-tmemd-belief.c - what sessions claim: believed as it is where it can be so,
 * and as far as it can where it cannot. */
#include <string.h>

#include "belief.h"
#include "figures.h"
#include "unit.h"

#define MIB (1ull << 20)
#define SEC 1000000000ull

#define BACKWARDS (1u << TMEM_WIRE_DOUBT_BACKWARDS)
#define TIME (1u << TMEM_WIRE_DOUBT_TIME)
#define MEMORY (1u << TMEM_WIRE_DOUBT_MEMORY)

static const struct tmem_wire_figures nothing;

static struct tmemd_means means(uint64_t age_ns, uint64_t lent_bytes)
{
	return (struct tmemd_means){ .age_ns = age_ns,
				     .cpus = 8,
				     .lent_most_bytes = lent_bytes };
}

/* All CPUs do nothing but the quickest that there is, on a machine three times as
 * quick as the one it was measured on (27 ns), in a store of equal pages. */
static void the_quickest_is_believed(void **state)
{
	const struct tmemd_means m = means(SEC, 512 * MIB);
	const struct tmem_wire_figures said = {
		.limit_bytes = 512 * MIB,
		.used_bytes = 600 * MIB,
		.raw_bytes = 512 * MIB / 29 * 65536,
		.objects = 512 * MIB / 29,
		.pools = 256,
		.pages_ephemeral = 512 * MIB / 29,
		.pages_same = 512 * MIB / 29,
		.puts = 8 * SEC / 9,
		.refused_frozen = 8 * SEC / 9,
		.gets = 8 * SEC / 9,
		.hits = 8 * SEC / 9,
		.ghost_hits = 8 * SEC / 9,
		.evictions = 8 * SEC / 9,
		.ager_ns = 65 * SEC,
	};
	struct tmem_wire_figures is;

	(void)state;
	assert_int_equal(tmemd_belief_form(&m, &nothing, &said, &is), 0);
	assert_memory_equal(&is, &said, sizeof(is));
	/* And so is that it holds less now, and did nothing meanwhile. */
	assert_int_equal(tmemd_belief_form(&m, &said, &said, &is), 0);
	assert_memory_equal(&is, &said, sizeof(is));
}

/* Two reports that were made seconds apart and waited in the socket come at once. */
static void reports_that_waited(void **state)
{
	const struct tmemd_means m = means(100 * SEC, MIB);
	const struct tmem_wire_figures first = { .gets = 1000 },
				       second = { .gets = 700 * SEC / 30 };
	struct tmem_wire_figures is, then;

	(void)state;
	assert_int_equal(tmemd_belief_form(&m, &nothing, &first, &is), 0);
	assert_int_equal(tmemd_belief_form(&m, &is, &second, &then), 0);
	assert_int_equal(then.gets, second.gets);
}

static void what_cannot_be(void **state)
{
	struct tmemd_means m = means(SEC, MIB);
	struct tmem_wire_figures said, is, later;

	(void)state;
	memset(&said, 0xff, sizeof(said));
	assert_int_equal(tmemd_belief_form(&m, &nothing, &said, &is),
			 TIME | MEMORY);
	assert_int_equal(is.puts, 2 * SEC);
	assert_int_equal(is.shortages, 2 * SEC);
	assert_int_equal(is.ager_ns, 65 * SEC);
	assert_int_equal(is.pages_raw, MIB / 8);
	assert_int_equal(is.raw_bytes, MIB / 8 * 65536);
	assert_int_equal(is.used_bytes, 1025 * MIB);
	assert_int_equal(is.limit_bytes, 1024 * 1024 * MIB);
	assert_int_equal(is.pools, 256);
	/* Time brings more of it, but no jump. */
	m.age_ns += 1000;
	assert_int_equal(tmemd_belief_form(&m, &is, &said, &later),
			 TIME | MEMORY);
	assert_int_equal(later.puts, is.puts + 2000);
	/* Nothing that was counted is taken back, what is kept now is. */
	assert_int_equal(tmemd_belief_form(&m, &later, &nothing, &is),
			 BACKWARDS);
	assert_int_equal(is.puts, later.puts);
	assert_int_equal(is.raw_bytes, 0);
	/* One that was never lent anything keeps nothing. */
	m = means(SEC, 0);
	said = nothing;
	said.raw_bytes = 1;
	assert_int_equal(tmemd_belief_form(&m, &nothing, &said, &is), MEMORY);
	assert_int_equal(is.raw_bytes, 0);
	said = nothing;
	said.gets = 3 * SEC;
	assert_int_equal(tmemd_belief_form(&m, &nothing, &said, &is), TIME);
}

/* Ten years of a machine with ten thousand CPUs, and all that is said of it. */
static void nothing_overflows(void **state)
{
	struct tmemd_means m = { .age_ns = 316 * 1000000 * SEC,
				 .cpus = 10000,
				 .lent_most_bytes = UINT64_MAX / 2 };
	struct tmem_wire_figures said, is, sum = nothing;
	const uint64_t *words = (const uint64_t *)&sum;
	size_t i;

	(void)state;
	memset(&said, 0xff, sizeof(said));
	assert_int_equal(tmemd_belief_form(&m, &nothing, &said, &is),
			 TIME | MEMORY);
	assert_true(is.puts == TMEMD_FIGURE_MAX);
	assert_true(is.raw_bytes == TMEMD_FIGURE_MAX);
	tmemd_figures_add(&sum, &said);
	tmemd_figures_add(&sum, &is);
	tmemd_figures_add(&sum, &said);
	for (i = 0; i < sizeof(sum) / sizeof(*words); i++)
		assert_true(words[i] == TMEMD_FIGURE_MAX);
	assert_true(tmemd_figure_sum(TMEMD_FIGURE_MAX - 1, 1) ==
		    TMEMD_FIGURE_MAX);
	assert_int_equal(tmemd_figure_sum(3, 4), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_quickest_is_believed),
		cmocka_unit_test(reports_that_waited),
		cmocka_unit_test(what_cannot_be),
		cmocka_unit_test(nothing_overflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
