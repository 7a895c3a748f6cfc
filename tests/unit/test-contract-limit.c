/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-contract-limit.c - used_bytes never exceeds the limit, whatever is put,
 * and tmem_set_limit() moves it within its bounds.
 */
#include <errno.h>
#include <string.h>

#include "content.h"
#include "leftover.h"
#include "opened.h"
#include "rng.h"
#include "unit.h"
#include <tmem/tmem.h>

#define PAGE 4096u
#define MIB ((uint64_t)1 << 20)

static struct opened o;

static void within_limit(void)
{
	struct tmem_stats s = opened_stats(&o);

	if (s.used_bytes > s.limit_bytes)
		print_error("used %llu of %llu\n",
			    (unsigned long long)s.used_bytes,
			    (unsigned long long)s.limit_bytes);
	assert_true(s.used_bytes <= s.limit_bytes);
}

static int put(int pool, uint64_t index, enum content_kind kind)
{
	struct tmem_key key = tmem_key(index % 31, index);
	uint8_t page[PAGE];

	page_fill(page, PAGE, kind, index);
	return tmem_put(o.t, pool, &key, page);
}

static uint64_t count(int pool, uint64_t n, enum content_kind kind)
{
	uint64_t i, found = 0;
	uint8_t page[PAGE];

	for (i = 0; i < n; i++) {
		struct tmem_key key = tmem_key(i % 31, i);

		if (tmem_get(o.t, pool, &key, page) != 1)
			continue;
		assert_true(page_equal(page, PAGE, kind, i));
		found++;
	}
	return found;
}

/* Fill far beyond the limit, then churn, with one kind of content. */
static void churn(const char *where, uint32_t flags, enum content_kind kind)
{
	struct rng rng = { .state = kind };
	uint64_t i, n;
	int pool;

	opened_init(&o, where);
	n = opened_stats(&o).limit_bytes / PAGE * 3;
	pool = opened_pool(&o, flags, 0);
	for (i = 0; i < n; i++) {
		assert_in_range(put(pool, i, kind), 0, 1);
		if (i % 8 == 0)
			within_limit();
	}
	for (i = 0; i < n; i++) {
		struct tmem_key key;
		uint64_t index = rng_below(&rng, n);

		key = tmem_key(index % 31, index);
		if (i % 3)
			assert_in_range(put(pool, index, kind), 0, 1);
		else
			(void)tmem_flush_page(o.t, pool, &key);
		if (i % 64 == 0)
			(void)tmem_age(o.t, 100);
		if (i % 8 == 0)
			within_limit();
	}
	opened_finish(&o);
}

static void used_stays_within_the_limit(void **state)
{
	static const char *const where[] = { "embedded:size=1M",
					     "embedded:size=4M" };
	size_t i;
	int kind;

	(void)state;
	for (i = 0; i < 2; i++) {
		for (kind = 0; kind < CONTENT_KINDS; kind++) {
			churn(where[i], 0, kind);
			churn(where[i], TMEM_POOL_KEEP, kind);
			churn(where[i], TMEM_POOL_PERSISTENT, kind);
		}
	}
}

/* Many small objects cost more than pages do: they count as well. */
static void objects_count(void **state)
{
	uint8_t page[PAGE] = { 0 };
	uint64_t i, stored = 0;
	int pool;

	(void)state;
	opened_init(&o, "embedded:size=1M");
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	for (i = 0; i < 60000; i++) {
		struct tmem_key key = tmem_key(i, 0);
		int ret = tmem_put(o.t, pool, &key, page);

		assert_in_range(ret, 0, 1);
		stored += (uint64_t)ret;
		if (i % 64 == 0)
			within_limit();
	}
	assert_in_range(stored, 1000, 59999);
	assert_int_equal(opened_stats(&o).objects, stored);
	opened_finish(&o);
}

static void bounds(void **state)
{
	static const uint64_t good[] = { MIB, 2 * MIB, 64 * MIB, 512 * MIB,
					 8 * MIB };
	size_t i;

	(void)state;
	opened_init(&o, "embedded:size=8M");
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(tmem_set_limit(o.t, good[i]), 0);
		assert_int_equal(opened_stats(&o).limit_bytes, good[i]);
	}
	/* 64 times what it was opened with, not what it is now. */
	assert_int_equal(tmem_set_limit(o.t, MIB), 0);
	assert_int_equal(tmem_set_limit(o.t, 512 * MIB), 0);
	assert_int_equal(tmem_set_limit(o.t, 512 * MIB + 1), -EINVAL);
	assert_int_equal(tmem_set_limit(o.t, MIB - 1), -EINVAL);
	assert_int_equal(opened_stats(&o).limit_bytes, 512 * MIB);
	opened_finish(&o);
}

/* Lowering it drops ephemeral pages at once. */
static void lowered_over_ephemeral_pages(void **state)
{
	uint64_t i;
	int pool;

	(void)state;
	opened_init(&o, "embedded:size=32M");
	pool = opened_pool(&o, TMEM_POOL_KEEP, 0);
	for (i = 0; i < 8000; i++)
		(void)put(pool, i, CONTENT_RANDOM);
	assert_true(opened_stats(&o).used_bytes > 16 * MIB);
	assert_int_equal(tmem_set_limit(o.t, 8 * MIB), 0);
	within_limit();
	assert_int_equal(opened_stats(&o).limit_bytes, 8 * MIB);
	assert_true(opened_stats(&o).pages_ephemeral > 500);
	assert_int_equal(count(pool, 8000, CONTENT_RANDOM),
			 opened_stats(&o).pages_ephemeral);
	opened_check(&o);
	for (i = 8000; i < 12000; i++) {
		(void)put(pool, i, CONTENT_RANDOM);
		within_limit();
	}
	opened_finish(&o);
}

/*
 * Lowering it below what persistent pages need keeps them, refuses every put
 * until enough are flushed, and then takes puts again.
 */
static void lowered_over_persistent_pages(void **state)
{
	struct tmem_key key;
	uint64_t i;
	int pool;

	(void)state;
	opened_init(&o, "embedded:size=32M");
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	for (i = 0; i < 5000; i++)
		assert_int_equal(put(pool, i, CONTENT_RANDOM), 1);
	assert_int_equal(tmem_set_limit(o.t, 8 * MIB), 0);
	assert_int_equal(opened_stats(&o).limit_bytes, 8 * MIB);
	opened_check(&o);
	assert_int_equal(count(pool, 5000, CONTENT_RANDOM), 5000);
	for (i = 5000; i < 5200; i++)
		assert_int_equal(put(pool, i, CONTENT_RANDOM), 0);
	/* A put over a page is a put too: refused, and the old one gone. */
	assert_int_equal(put(pool, 17, CONTENT_RANDOM), 0);
	key = tmem_key(17, 17);
	assert_int_equal(tmem_flush_page(o.t, pool, &key), 0);
	assert_int_equal(count(pool, 5000, CONTENT_RANDOM), 4999);
	for (i = 0; i < 31; i++) {
		key = tmem_key(i, 0);
		assert_int_equal(tmem_flush_object(o.t, pool, &key), 1);
	}
	assert_int_equal(tmem_shrink(o.t, 1, NULL), 0);
	opened_age(&o);
	within_limit();
	assert_int_equal(put(pool, 1, CONTENT_RANDOM), 1);
	opened_finish(&o);
}

/* Raising it makes room for more than the store was opened for. */
static void raised(void **state)
{
	uint64_t i, stored = 0;
	int pool;

	(void)state;
	opened_init(&o, "embedded:size=1M");
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	for (i = 0; i < 1000; i++)
		stored += (uint64_t)put(pool, i, CONTENT_RANDOM);
	assert_true(stored < 256);
	assert_int_equal(tmem_set_limit(o.t, 32 * MIB), 0);
	for (i = 0; i < 5000; i++) {
		assert_int_equal(put(pool, i, CONTENT_RANDOM), 1);
		if (i % 16 == 0)
			within_limit();
	}
	assert_int_equal(count(pool, 5000, CONTENT_RANDOM), 5000);
	opened_finish(&o);
}

/* Up and down while it is in use. */
static void moved_about(void **state)
{
	struct rng rng = { .state = rng_seed("TMEM_LIMIT_SEED") };
	int eph, pers;
	uint64_t i;

	(void)state;
	opened_init(&o, "embedded:size=2M");
	eph = opened_pool(&o, 0, 0);
	pers = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	for (i = 0; i < 300; i++) {
		uint64_t n = rng_below(&rng, 60);

		assert_int_equal(
			tmem_set_limit(o.t, MIB + rng_below(&rng, 7 * MIB)), 0);
		while (n--) {
			uint64_t index = rng_below(&rng, 3000);
			struct tmem_key key = tmem_key(index % 31, index);

			if (n % 4 == 0)
				(void)tmem_flush_page(o.t, pers, &key);
			(void)put(n % 4 == 1 ? pers : eph, index,
				  n % CONTENT_KINDS);
		}
		opened_check(&o);
	}
	opened_finish(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(used_stays_within_the_limit),
		cmocka_unit_test(objects_count),
		cmocka_unit_test(bounds),
		cmocka_unit_test(lowered_over_ephemeral_pages),
		cmocka_unit_test(lowered_over_persistent_pages),
		cmocka_unit_test(raised),
		cmocka_unit_test(moved_about),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
