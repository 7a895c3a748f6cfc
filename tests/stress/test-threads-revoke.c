/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-threads-revoke.c - four threads on one store while another takes its
 * ephemeral segments back at any moment, and the source does so in its calls.
 *
 * TMEM_STRESS_MS and TMEM_STRESS_SEED are those of test-threads.c.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "crowd.h"
#include "leftover.h"
#include "lines.h"
#include "revocable.h"
#include "rng.h"
#include "unit.h"

#define MIB ((uint64_t)1 << 20)
#define RUN_MS 1500u
#define RUN_MS_LONG 60000u
#define PAUSE_NS_MAX 300000u

static uint64_t seed, run_ms;
static atomic_int stop;

static void *revoke_now_and_then(void *arg)
{
	struct lease_revoking *source = arg;
	struct rng rng = { .state = seed + 77 };

	while (!atomic_load(&stop)) {
		struct timespec pause = {
			.tv_nsec = (long)rng_below(&rng, PAUSE_NS_MAX),
		};

		(void)lease_revoking_revoke(source);
		(void)nanosleep(&pause, NULL);
	}
	return NULL;
}

static void run(uint64_t limit_bytes, uint32_t agers, unsigned one_in, int dense)
{
	struct lines lines;
	struct revocable_opts store_opts = {
		.limit_bytes = limit_bytes,
		.agers = agers,
		.dense = dense,
		.seed = seed,
		.log = lines_take,
		.log_ctx = &lines,
	};
	struct crowd_opts opts = {
		.ms = run_ms,
		.seed = seed,
		.limit_bytes = limit_bytes,
	};
	struct lease_revoking_counts revoked;
	struct crowd_counts counts;
	struct revocable store;
	pthread_t thread;
	char fault[300];
	int failed;

	lines_init(&lines);
	assert_int_equal(revocable_open(&store_opts, &store), 0);
	lease_revoking_set_odds(store.source, one_in);
	atomic_store(&stop, 0);
	assert_int_equal(pthread_create(&thread, NULL, revoke_now_and_then,
					store.source),
			 0);
	opts.t = store.t;
	failed = crowd_run(&opts, &counts, fault, sizeof(fault));
	atomic_store(&stop, 1);
	assert_int_equal(pthread_join(thread, NULL), 0);
	lease_revoking_counts(store.source, &revoked);
	print_message("%llu of %llu puts stored, %llu of %llu gets hit, "
		      "%llu segments revoked, %llu late calls\n",
		      (unsigned long long)counts.stored,
		      (unsigned long long)counts.puts,
		      (unsigned long long)counts.hits,
		      (unsigned long long)counts.gets,
		      (unsigned long long)revoked.revoked,
		      (unsigned long long)revoked.late);
	if (failed)
		fail_msg("TMEM_STRESS_SEED=%llu: %s\n%s",
			 (unsigned long long)seed, fault, lines.text);
	assert_true(counts.stored > counts.puts / 8);
	assert_true(counts.hits > counts.gets / 8);
	assert_true(revoked.revoked > 0);
	assert_int_equal(tmem_check(store.t), 0);
	tmem_close(store.t);
	lines_finish(&lines);
}

static void without_agers(void **state)
{
	(void)state;
	run(4 * MIB, 0, 0, 0);
}

static void with_two_agers(void **state)
{
	(void)state;
	run(4 * MIB, 2, 0, 0);
}

static void inside_calls_too(void **state)
{
	(void)state;
	run(3 * MIB, 1, 8, 0);
}

static void dense_with_two_agers(void **state)
{
	(void)state;
	run(8 * MIB, 2, 0, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_agers),
		cmocka_unit_test(with_two_agers),
		cmocka_unit_test(inside_calls_too),
		cmocka_unit_test(dense_with_two_agers),
		cmocka_unit_test(leftover_none),
	};
	int is_long = rng_setting("TMEM_TEST_LONG", 0) != 0;

	seed = rng_seed("TMEM_STRESS_SEED");
	run_ms = rng_setting("TMEM_STRESS_MS", is_long ? RUN_MS_LONG : RUN_MS);
	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
