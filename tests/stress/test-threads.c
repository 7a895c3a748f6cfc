/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-threads.c - T20: four threads on one store, with no agers and with two.
 *
 * TMEM_STRESS_MS says how long each run takes, TMEM_STRESS_SEED what is done.
 */
#include "crowd.h"
#include "leftover.h"
#include "opened.h"
#include "rng.h"
#include "unit.h"

#define MIB ((uint64_t)1 << 20)
#define RUN_MS 1500u
#define RUN_MS_LONG 60000u

static uint64_t seed, run_ms;

static void run(const char *where, uint64_t limit_bytes, uint32_t agers)
{
	struct tmem_open_opts open_opts = {
		.size = sizeof(open_opts),
		.agers = agers,
	};
	struct crowd_opts opts = {
		.ms = run_ms,
		.seed = seed,
		.limit_bytes = limit_bytes,
	};
	struct crowd_counts counts;
	struct opened o;
	char fault[300];
	int failed;

	opened_init_opts(&o, where, &open_opts);
	opts.t = o.t;
	failed = crowd_run(&opts, &counts, fault, sizeof(fault));
	print_message("%llu of %llu puts stored, %llu of %llu gets hit\n",
		      (unsigned long long)counts.stored,
		      (unsigned long long)counts.puts,
		      (unsigned long long)counts.hits,
		      (unsigned long long)counts.gets);
	if (failed)
		fail_msg("TMEM_STRESS_SEED=%llu: %s\n%s",
			 (unsigned long long)seed, fault, o.lines.text);
	assert_true(counts.stored > counts.puts / 8);
	assert_true(counts.hits > counts.gets / 8);
	opened_finish(&o);
}

static void without_agers(void **state)
{
	(void)state;
	run("embedded:size=3M", 3 * MIB, TMEM_NO_AGERS);
}

static void with_two_agers(void **state)
{
	(void)state;
	run("embedded:size=3M", 3 * MIB, 2);
}

static void with_room_to_spare(void **state)
{
	(void)state;
	run("embedded:size=64M", 64 * MIB, 1);
}

static void dense_with_two_agers(void **state)
{
	(void)state;
	run("embedded:size=8M,codec=zstd,raw=0,share=100", 8 * MIB, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_agers),
		cmocka_unit_test(with_two_agers),
		cmocka_unit_test(with_room_to_spare),
		cmocka_unit_test(dense_with_two_agers),
		cmocka_unit_test(leftover_none),
	};
	int is_long = rng_setting("TMEM_TEST_LONG", 0) != 0;

	seed = rng_seed("TMEM_STRESS_SEED");
	run_ms = rng_setting("TMEM_STRESS_MS", is_long ? RUN_MS_LONG : RUN_MS);
	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
