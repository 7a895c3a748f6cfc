/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-model-revoke.c - the model on a store whose ephemeral memory is taken back
 * between its steps, inside its own calls to the source, and by a thread that
 * does so at any moment.
 *
 * Persistent pages must not notice; ephemeral ones may miss and nothing else.
 * TMEM_MODEL_STEPS, TMEM_MODEL_SEED and TMEM_TEST_LONG are those of test-model.c;
 * with the thread at work a seed does not repeat a run exactly.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "leftover.h"
#include "lines.h"
#include "machine.h"
#include "model.h"
#include "revocable.h"
#include "rng.h"
#include "unit.h"

#define MIB ((uint64_t)1 << 20)
#define STEP_BYTES 128u
#define STEPS (MACHINE_SANITIZED ? 3000u : 12000u)
#define PAUSE_NS_MAX 200000u

static uint64_t seed, steps, walk_every;

/* Runs of all steps, until enough was revoked meanwhile. */
#define RUNS_MAX 10

struct scene {
	struct revocable store;
	struct lines lines;
	struct model *m;
	struct rng rng;
	int revoking; /* a thread does */
	pthread_t thread;
	atomic_int stop; /* it should */
};

static void *revoke_now_and_then(void *arg)
{
	struct scene *s = arg;
	struct rng rng = { .state = seed + 1 };

	while (!atomic_load(&s->stop)) {
		struct timespec pause = {
			.tv_nsec = (long)rng_below(&rng, PAUSE_NS_MAX),
		};

		(void)lease_revoking_revoke(s->store.source);
		(void)nanosleep(&pause, NULL);
	}
	return NULL;
}

static void start_revoking(struct scene *s)
{
	atomic_init(&s->stop, 0);
	assert_int_equal(
		pthread_create(&s->thread, NULL, revoke_now_and_then, s), 0);
	s->revoking = 1;
}

static void stop_revoking(struct scene *s)
{
	if (!s->revoking)
		return;
	atomic_store(&s->stop, 1);
	(void)pthread_join(s->thread, NULL);
	s->revoking = 0;
}

static void must(struct scene *s, int ok)
{
	if (ok)
		return;
	stop_revoking(s);
	fail_msg("TMEM_MODEL_SEED=%llu: %s", (unsigned long long)seed,
		 model_fault(s->m));
}

static void walk(struct scene *s)
{
	int err = tmem_check(s->store.t);

	if (!err)
		return;
	stop_revoking(s);
	fail_msg("TMEM_MODEL_SEED=%llu: step %llu: tmem_check: %d\n%s",
		 (unsigned long long)seed,
		 (unsigned long long)model_counts(s->m).steps, err,
		 s->lines.text);
}

static void random_step(struct scene *s)
{
	uint64_t words[STEP_BYTES / 8];
	struct model_bytes in = {
		.at = (const uint8_t *)words,
		.end = (const uint8_t *)(words + STEP_BYTES / 8),
	};
	size_t i;

	for (i = 0; i < STEP_BYTES / 8; i++)
		words[i] = rng_next(&s->rng);
	must(s, model_step(s->m, &in) == 1);
}

static void scene_init(struct scene *s, uint64_t limit_bytes, uint32_t agers,
		       int dense)
{
	struct revocable_opts opts = {
		.limit_bytes = limit_bytes,
		.limit_most = limit_bytes * 2,
		.agers = agers,
		.dense = dense,
		.seed = seed,
		.log = lines_take,
		.log_ctx = &s->lines,
	};
	struct model_opts how = {
		.limit_bytes = limit_bytes,
		.limit_least = limit_bytes / 2,
		.limit_most = limit_bytes * 2,
	};

	s->revoking = 0;
	lines_init(&s->lines);
	assert_int_equal(revocable_open(&opts, &s->store), 0);
	s->rng.state = seed;
	how.t = s->store.t;
	how.source = s->store.source;
	s->m = model_create(&how);
	assert_non_null(s->m);
}

/* 1: often enough for the steps to have met it. */
static int is_revoked_enough(const struct scene *s)
{
	struct lease_revoking_counts sc;

	lease_revoking_counts(s->store.source, &sc);
	return sc.revoked > model_counts(s->m).steps / 200;
}

static void scene_finish(struct scene *s)
{
	struct model_counts c = model_counts(s->m);
	struct lease_revoking_counts sc;

	lease_revoking_counts(s->store.source, &sc);
	print_message("%llu steps: %llu of %llu gets hit, %llu segments "
		      "revoked, %llu late calls\n",
		      (unsigned long long)c.steps, (unsigned long long)c.hits,
		      (unsigned long long)c.gets, (unsigned long long)sc.revoked,
		      (unsigned long long)sc.late);
	if (c.steps >= 1000) {
		assert_true(c.hits > c.gets / 128);
		assert_true(c.stored > c.puts / 8);
		assert_true(is_revoked_enough(s));
	}
	model_destroy(s->m);
	tmem_close(s->store.t);
	lines_finish(&s->lines);
}

static void run_steps(struct scene *s)
{
	uint64_t i;

	for (i = 0; i < steps; i++) {
		random_step(s);
		if (i % walk_every == 0)
			walk(s);
		if (i % 1000 == 999)
			must(s, !model_settle(s->m));
	}
	must(s, !model_settle(s->m));
	walk(s);
}

static void between_steps(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, 4 * MIB, 0, 0);
	run_steps(&s);
	scene_finish(&s);
}

static void inside_calls_to_the_source(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, 2 * MIB, 0, 0);
	lease_revoking_set_odds(s.store.source, 3);
	run_steps(&s);
	lease_revoking_set_odds(s.store.source, 0);
	scene_finish(&s);
}

static void at_any_moment_with(uint64_t limit_bytes, uint32_t agers, int dense)
{
	struct scene s;
	int i;

	scene_init(&s, limit_bytes, agers, dense);
	start_revoking(&s);
	/* The other thread gets its turns when it does. */
	for (i = 0; !i || (!is_revoked_enough(&s) && i < RUNS_MAX); i++)
		run_steps(&s);
	stop_revoking(&s);
	walk(&s);
	scene_finish(&s);
}

static void at_any_moment(void **state)
{
	(void)state;
	at_any_moment_with(4 * MIB, 0, 0);
}

static void at_any_moment_beside_agers(void **state)
{
	(void)state;
	at_any_moment_with(4 * MIB, 2, 0);
}

static void dense_pages_at_any_moment(void **state)
{
	(void)state;
	at_any_moment_with(8 * MIB, 0, 1);
	at_any_moment_with(8 * MIB, 2, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(between_steps),
		cmocka_unit_test(inside_calls_to_the_source),
		cmocka_unit_test(at_any_moment),
		cmocka_unit_test(at_any_moment_beside_agers),
		cmocka_unit_test(dense_pages_at_any_moment),
		cmocka_unit_test(leftover_none),
	};
	int is_long = rng_setting("TMEM_TEST_LONG", 0) != 0;

	seed = rng_seed("TMEM_MODEL_SEED");
	steps = rng_setting("TMEM_MODEL_STEPS", is_long ? STEPS * 100 : STEPS);
	walk_every = is_long ? 64 : 1;
	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
