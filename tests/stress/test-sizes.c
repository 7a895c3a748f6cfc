/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-sizes.c - stores from the least size to 2 GiB: filled, churned, verified,
 * within their limit, closed; and one giant object, whose churn must not make any
 * operation slow (T13).
 *
 * TMEM_SIZES_MAX_MIB says which size is the last. Sizes for which the machine
 * has no memory are left out; large ones are of one kind each, unless
 * TMEM_TEST_LONG=1.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "leftover.h"
#include "machine.h"
#include "opened.h"
#include "rng.h"
#include "unit.h"

#define MIB ((uint64_t)1 << 20)
#define PAGE 4096u
#define SIZES_MAX_MIB (MACHINE_SANITIZED ? 128u : 2048u)

/* Of what would fit raw, how much a full store must hold at least, percent. */
#define FULL_PCT_LEAST 40u /* of 1 MiB, where the reserve is a good part */
#define FULL_PCT 70u	   /* from here on */
#define FULL_PCT_FROM (16 * MIB)

/* From here on one kind of pool a size, and a sample verified after churn. */
#define LARGE_FROM (512 * MIB)
#define SAMPLE 16u

#define CHURN_OPS (MACHINE_SANITIZED ? 20000u : 200000u)

/* One operation in a thousand may be slower than this. */
#define SLOW_NS (MACHINE_SANITIZED ? 50000000u : 5000000u)

static struct opened o;

/* An incompressible page for every key and version, at the cost of a copy. */
static void fill(uint8_t *page, uint64_t index, uint64_t version)
{
	static uint8_t base[PAGE];
	static int made;

	if (!made)
		page_fill(base, PAGE, CONTENT_RANDOM, 1);
	made = 1;
	memcpy(page, base, PAGE);
	memcpy(page, &index, sizeof(index));
	memcpy(page + PAGE - sizeof(version), &version, sizeof(version));
}

static struct tmem_key key_of(uint64_t index)
{
	return tmem_key(index / 256, index % 256);
}

struct set {
	int pool;
	int persistent;
	uint64_t n;
	uint8_t *versions; /* 0: nothing was stored */
};

static void set_init(struct set *set, uint32_t flags, uint64_t n)
{
	set->pool = opened_pool(&o, flags, 0);
	set->persistent = !!(flags & TMEM_POOL_PERSISTENT);
	set->n = n;
	set->versions = calloc(n, 1);
	assert_non_null(set->versions);
}

static void set_put(struct set *set, uint64_t index)
{
	struct tmem_key key = key_of(index);
	uint8_t version = (uint8_t)(set->versions[index] % 255 + 1);
	uint8_t page[PAGE];
	int ret;

	fill(page, index, version);
	ret = tmem_put(o.t, set->pool, &key, page);
	assert_in_range(ret, 0, 1);
	set->versions[index] = ret ? version : 0;
}

/* Says whether it hit. */
static uint64_t set_get(struct set *set, uint64_t index)
{
	struct tmem_key key = key_of(index);
	uint8_t page[PAGE], want[PAGE];
	int ret = tmem_get(o.t, set->pool, &key, page);

	if (set->persistent)
		assert_int_equal(ret, set->versions[index] != 0);
	assert_in_range(ret, 0, set->versions[index] != 0);
	if (!ret)
		return 0;
	fill(want, index, set->versions[index]);
	assert_memory_equal(page, want, PAGE);
	return 1;
}

/* Every @step th page; says how many hit. */
static uint64_t set_verify(struct set *set, uint64_t step)
{
	uint64_t i, hits = 0;

	for (i = 0; i < set->n; i += step)
		hits += set_get(set, i);
	return hits;
}

static void set_churn(struct set *set, uint64_t ops)
{
	struct rng rng = { .state = 1 };
	uint64_t i;

	for (i = 0; i < ops; i++) {
		uint64_t index = rng_below(&rng, set->n);
		struct tmem_key key = key_of(index);

		if (i % 4 == 3) {
			(void)tmem_flush_page(o.t, set->pool, &key);
			set->versions[index] = 0;
		} else if (i % 4 == 2) {
			(void)set_get(set, index);
		} else {
			set_put(set, index);
		}
	}
}

static void within_limit(void)
{
	struct tmem_stats s = opened_stats(&o);

	assert_true(s.used_bytes <= s.limit_bytes);
}

static void store_of(uint64_t bytes, uint32_t flags)
{
	uint64_t fits = bytes / PAGE, held, i;
	uint64_t pct = bytes >= FULL_PCT_FROM ? FULL_PCT : FULL_PCT_LEAST;
	uint64_t start = machine_now_ns();
	struct set set;
	char where[64];

	(void)snprintf(where, sizeof(where), "embedded:size=%" PRIu64 "M",
		       bytes / MIB);
	opened_init(&o, where);
	set_init(&set, flags, fits + fits / 8);
	for (i = 0; i < set.n; i++) {
		set_put(&set, i);
		if (i % 1024 == 0)
			within_limit();
	}
	held = set_verify(&set, 1);
	print_message("%5" PRIu64 " MiB, flags %u: %" PRIu64 " of %" PRIu64
		      " pages held, ",
		      bytes / MIB, flags, held, fits);
	assert_true(held * 100 >= fits * pct);
	within_limit();
	set_churn(&set, fits / 4);
	within_limit();
	(void)set_verify(&set, bytes < LARGE_FROM ? 1 : SAMPLE);
	opened_check(&o);
	free(set.versions);
	opened_finish(&o);
	print_message("%" PRIu64 " ms\n", (machine_now_ns() - start) / 1000000);
}

static void every_size(void **state)
{
	uint64_t max = rng_setting("TMEM_SIZES_MAX_MIB", SIZES_MAX_MIB) * MIB;
	int is_long = rng_setting("TMEM_TEST_LONG", 0) != 0, persistent = 0;
	uint64_t bytes;

	(void)state;
	for (bytes = MIB; bytes <= max; bytes *= 2) {
		if (machine_mem_available() < bytes * 2)
			break;
		persistent = !persistent;
		if (bytes < LARGE_FROM || is_long || !persistent)
			store_of(bytes, TMEM_POOL_KEEP);
		if (bytes < LARGE_FROM || is_long || persistent)
			store_of(bytes, TMEM_POOL_PERSISTENT);
	}
	assert_true(bytes > MIB);
}

/* Sizes that are no power of two, nor of anything else. */
static void odd_sizes(void **state)
{
	static const uint64_t sizes[] = { 1048577, 1234567,  3145727,
					  7000001, 16777217, 33554431 };
	char where[64];
	struct set set;
	uint64_t i;
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		(void)snprintf(where, sizeof(where), "embedded:size=%" PRIu64,
			       sizes[k]);
		opened_init(&o, where);
		set_init(&set, TMEM_POOL_PERSISTENT, sizes[k] / PAGE);
		for (i = 0; i < set.n; i++) {
			set_put(&set, i);
			within_limit();
		}
		assert_true(set_verify(&set, 1) * 100 >= set.n * FULL_PCT_LEAST);
		free(set.versions);
		opened_finish(&o);
	}
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Everything is in one object, three times as much as there is room for. */
static void giant_object(uint32_t flags)
{
	const uint64_t n = 32 * MIB / PAGE * 3;
	struct rng rng = { .state = rng_seed("TMEM_SIZES_SEED") };
	uint64_t *took = malloc(CHURN_OPS * sizeof(*took));
	uint8_t page[PAGE];
	uint64_t i, start;
	int pool, ret;

	assert_non_null(took);
	opened_init(&o, "embedded:size=32M");
	pool = opened_pool(&o, flags, 0);
	for (i = 0; i < CHURN_OPS; i++) {
		struct tmem_key key = tmem_key(1, rng_below(&rng, n));

		fill(page, key.index, 1);
		start = machine_now_ns();
		if (i % 8 == 0)
			ret = tmem_flush_page(o.t, pool, &key);
		else if (i % 4 == 1)
			ret = tmem_get(o.t, pool, &key, page);
		else
			ret = tmem_put(o.t, pool, &key, page);
		took[i] = machine_now_ns() - start;
		assert_in_range(ret, 0, 1);
	}
	qsort(took, CHURN_OPS, sizeof(*took), by_value);
	print_message("one object, flags %u: p50 %" PRIu64 " ns, p99.9 %" PRIu64
		      " ns, slowest %" PRIu64 " ns\n",
		      flags, took[CHURN_OPS / 2],
		      took[CHURN_OPS - CHURN_OPS / 1000], took[CHURN_OPS - 1]);
	assert_true(took[CHURN_OPS - CHURN_OPS / 1000] < SLOW_NS);
	free(took);
	opened_finish(&o);
}

static void one_giant_object(void **state)
{
	(void)state;
	giant_object(0);
	giant_object(TMEM_POOL_KEEP);
	giant_object(TMEM_POOL_PERSISTENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size),
		cmocka_unit_test(odd_sizes),
		cmocka_unit_test(one_giant_object),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
