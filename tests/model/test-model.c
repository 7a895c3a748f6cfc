/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-model.c - random operations on stores of several sizes, with and without
 * agers, each step held against the model's reference.
 *
 * Short form: the walkers run after every step. TMEM_TEST_LONG=1: a hundred times
 * as many steps, the walkers after every 64th. TMEM_MODEL_STEPS and
 * TMEM_MODEL_SEED say how many and which.
 */
#include <stdio.h>

#include "leftover.h"
#include "machine.h"
#include "model.h"
#include "opened.h"
#include "rng.h"
#include "unit.h"

#define MIB ((uint64_t)1 << 20)
#define STEP_BYTES 128u

#define STEPS (MACHINE_SANITIZED ? 3000u : 12000u)

static uint64_t seed, steps, walk_every;

static void must(const struct model *m, int ok)
{
	if (!ok)
		fail_msg("TMEM_MODEL_SEED=%llu: %s", (unsigned long long)seed,
			 model_fault(m));
}

/* One step from fresh random bytes. */
static void random_step(struct model *m, struct rng *rng)
{
	uint64_t words[STEP_BYTES / 8];
	struct model_bytes in = {
		.at = (const uint8_t *)words,
		.end = (const uint8_t *)(words + STEP_BYTES / 8),
	};
	size_t i;

	for (i = 0; i < STEP_BYTES / 8; i++)
		words[i] = rng_next(rng);
	must(m, model_step(m, &in) == 1);
}

/* So that a store which refuses and misses everything does not pass. */
static void tested_something(const struct model *m)
{
	struct model_counts c = model_counts(m);

	print_message("%llu steps: %llu of %llu puts stored, %llu of %llu gets "
		      "hit, %llu pools\n",
		      (unsigned long long)c.steps, (unsigned long long)c.stored,
		      (unsigned long long)c.puts, (unsigned long long)c.hits,
		      (unsigned long long)c.gets, (unsigned long long)c.pools);
	if (c.steps < 1000)
		return;
	assert_true(c.stored > c.puts / 8);
	assert_true(c.stored_persistent > c.puts / 32);
	assert_true(c.hits > c.gets / 32);
	assert_true(c.parts > 0);
	assert_true(c.flushed > 0);
}

static void run(const char *where, uint64_t limit_bytes, uint32_t agers)
{
	struct tmem_open_opts opts = { .size = sizeof(opts), .agers = agers };
	struct rng rng = { .state = seed + limit_bytes + agers };
	struct model_opts how = {
		.limit_bytes = limit_bytes,
		.limit_least = limit_bytes > MIB ? limit_bytes / 2 : MIB,
		.limit_most = limit_bytes * 2,
		.exact = agers == TMEM_NO_AGERS,
	};
	struct opened o;
	struct model *m;
	uint64_t i;

	opened_init_opts(&o, where, &opts);
	how.t = o.t;
	m = model_create(&how);
	assert_non_null(m);
	for (i = 0; i < steps; i++) {
		random_step(m, &rng);
		if (i % walk_every == 0)
			opened_check(&o);
		if (i % 1000 == 999)
			must(m, !model_settle(m));
	}
	must(m, !model_settle(m));
	tested_something(m);
	model_destroy(m);
	opened_finish(&o);
}

static void the_least_store(void **state)
{
	(void)state;
	run("embedded:size=1M", MIB, TMEM_NO_AGERS);
}

static void a_small_store(void **state)
{
	(void)state;
	run("embedded:size=3M", 3 * MIB, TMEM_NO_AGERS);
}

static void a_store_with_room(void **state)
{
	(void)state;
	run("embedded:size=24M", 24 * MIB, TMEM_NO_AGERS);
}

static void a_small_store_with_agers(void **state)
{
	(void)state;
	run("embedded:size=3M", 3 * MIB, 2);
}

/* Pages grow dense between steps; dictionaries come and go. */
static void a_dense_store(void **state)
{
	(void)state;
	run("embedded:size=8M,codec=zstd,raw=0", 8 * MIB, TMEM_NO_AGERS);
}

static void a_dense_store_with_agers(void **state)
{
	(void)state;
	run("embedded:size=8M,codec=zstd,raw=0,share=100", 8 * MIB, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_store),
		cmocka_unit_test(a_small_store),
		cmocka_unit_test(a_store_with_room),
		cmocka_unit_test(a_small_store_with_agers),
		cmocka_unit_test(a_dense_store),
		cmocka_unit_test(a_dense_store_with_agers),
		cmocka_unit_test(leftover_none),
	};
	int is_long = rng_setting("TMEM_TEST_LONG", 0) != 0;

	seed = rng_seed("TMEM_MODEL_SEED");
	steps = rng_setting("TMEM_MODEL_STEPS", is_long ? STEPS * 100 : STEPS);
	walk_every = is_long ? 64 : 1;
	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
