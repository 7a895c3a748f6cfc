/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-contract-forms.c - T17: whatever form a page is kept in, and however often
 * that changes under pressure, what comes back is what was put.
 */
#include <string.h>

#include "content.h"
#include "leftover.h"
#include "opened.h"
#include "rng.h"
#include "unit.h"
#include <tmem/tmem.h>

#define MIB ((uint64_t)1 << 20)

static struct opened o;

struct set {
	int pool;
	uint32_t size; /* of a page */
	int kind;      /* of content; CONTENT_KINDS: each in turn */
	uint64_t n;
	uint8_t *stored; /* per page: it was */
};

static void set_init(struct set *set, uint32_t flags, uint32_t size, int kind,
		     uint64_t n)
{
	set->pool = opened_pool(&o, flags, size);
	set->size = size;
	set->kind = kind;
	set->n = n;
	set->stored = test_calloc(n, 1);
}

static void set_finish(struct set *set)
{
	test_free(set->stored);
	assert_int_equal(tmem_pool_destroy(o.t, set->pool), 0);
}

static enum content_kind kind_of(const struct set *set, uint64_t i)
{
	return set->kind == CONTENT_KINDS ? i % CONTENT_KINDS
					  : (enum content_kind)set->kind;
}

/* Puts all pages; says how many were stored. */
static uint64_t set_put(struct set *set)
{
	static uint8_t page[TMEM_PAGE_SIZE_MAX];
	uint64_t i, stored = 0;

	for (i = 0; i < set->n; i++) {
		struct tmem_key key = tmem_key(i % 17, i);
		int ret;

		page_fill(page, set->size, kind_of(set, i), i);
		ret = tmem_put(o.t, set->pool, &key, page);
		assert_in_range(ret, 0, 1);
		set->stored[i] = (uint8_t)ret;
		stored += (uint64_t)ret;
	}
	return stored;
}

/* Every page of a persistent set that was stored is there and right. */
static void set_is_right(const struct set *set)
{
	static uint8_t page[TMEM_PAGE_SIZE_MAX];
	uint64_t i;

	for (i = 0; i < set->n; i++) {
		struct tmem_key key = tmem_key(i % 17, i);

		assert_int_equal(tmem_get(o.t, set->pool, &key, page),
				 set->stored[i]);
		if (set->stored[i])
			assert_true(page_equal(page, set->size, kind_of(set, i),
					       i));
	}
}

/* Pages that compress: more of them than would fit raw. */
static void compressible(uint32_t size)
{
	const uint64_t raw = 8 * MIB / size;
	struct tmem_stats s;
	struct set set;
	uint64_t stored;

	opened_init(&o, "embedded:size=8M");
	set_init(&set, TMEM_POOL_PERSISTENT, size, CONTENT_TEXT, raw * 3 / 2);
	stored = set_put(&set);
	s = opened_stats(&o);
	if (stored <= raw * 5 / 4)
		print_error("%u: %llu pages of %llu\n", size,
			    (unsigned long long)stored, (unsigned long long)raw);
	assert_true(stored > raw * 5 / 4);
	assert_true(s.used_bytes <= s.limit_bytes);
	assert_true(s.pages_packed + s.pages_dense > stored / 2);
	set_is_right(&set);
	opened_check(&o);
	opened_age(&o);
	opened_check(&o);
	set_is_right(&set);
	assert_int_equal(tmem_shrink(o.t, UINT64_MAX, NULL), 0);
	opened_check(&o);
	set_is_right(&set);
	set_finish(&set);
	opened_finish(&o);
}

static void more_fits_than_raw(void **state)
{
	uint32_t size;

	(void)state;
	for (size = 4096; size <= TMEM_PAGE_SIZE_MAX; size *= 2)
		compressible(size);
}

/* Same-filled pages take next to nothing. */
static void same_pages_take_no_room(void **state)
{
	struct set set;

	(void)state;
	opened_init(&o, "embedded:size=4M");
	set_init(&set, TMEM_POOL_PERSISTENT, 4096, CONTENT_SAME, 16384);
	assert_int_equal(set_put(&set), set.n);
	set_is_right(&set);
	assert_int_equal(opened_stats(&o).pages_same, set.n);
	set_finish(&set);
	opened_finish(&o);
}

/* What does not compress is kept raw, and costs no more than a raw page. */
static void incompressible_pages_stay_raw(void **state)
{
	struct tmem_stats s;
	struct set set;
	uint64_t stored;

	(void)state;
	opened_init(&o, "embedded:size=8M");
	set_init(&set, TMEM_POOL_PERSISTENT, 4096, CONTENT_RANDOM, 4096);
	stored = set_put(&set);
	assert_true(stored * 4096 > 5 * MIB);
	opened_age(&o);
	(void)tmem_shrink(o.t, UINT64_MAX, NULL);
	s = opened_stats(&o);
	assert_int_equal(s.pages_raw, stored);
	set_is_right(&set);
	set_finish(&set);
	opened_finish(&o);
}

/* Zero tails of every length, so that every threshold is met and passed. */
static void every_compressed_size(void **state)
{
	static uint8_t page[4096], got[4096];
	struct tmem_key key = tmem_key(1, 0);
	int pool, round;
	uint64_t n;

	(void)state;
	opened_init(&o, "embedded:size=16M");
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	for (key.index = 0; key.index <= 4096; key.index++) {
		page_fill(page, sizeof(page), CONTENT_RANDOM, key.index);
		n = 4096 - key.index;
		memset(page + key.index, 0, n);
		if (tmem_put(o.t, pool, &key, page) != 1)
			break;
	}
	n = key.index;
	assert_true(n > 3000);
	for (round = 0; round < 3; round++) {
		for (key.index = 0; key.index < n; key.index++) {
			page_fill(page, sizeof(page), CONTENT_RANDOM, key.index);
			memset(page + key.index, 0, 4096 - key.index);
			assert_int_equal(tmem_get(o.t, pool, &key, got), 1);
			assert_memory_equal(got, page, sizeof(page));
		}
		if (round)
			(void)tmem_shrink(o.t, UINT64_MAX, NULL);
		else
			opened_age(&o);
		opened_check(&o);
	}
	opened_finish(&o);
}

/* All kinds at once, under pressure, put over each other again and again. */
static void forms_change_under_pressure(void **state)
{
	struct rng rng = { .state = rng_seed("TMEM_FORMS_SEED") };
	enum {
		KEYS = 1500,
		ROUNDS = 20000
	};
	static int16_t kinds[KEYS]; /* -1: not there */
	static uint64_t seeds[KEYS];
	uint8_t page[4096];
	unsigned i, n;
	int pool;

	(void)state;
	opened_init(&o, "embedded:size=3M");
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	memset(kinds, 0xff, sizeof(kinds));
	for (i = 0; i < ROUNDS; i++) {
		unsigned k = (unsigned)rng_below(&rng, KEYS);
		struct tmem_key key = tmem_key(k % 7, k);
		uint64_t dice = rng_below(&rng, 1000);

		if (dice < 600) {
			kinds[k] = (int16_t)rng_below(&rng, CONTENT_KINDS);
			seeds[k] = rng_next(&rng);
			page_fill(page, sizeof(page),
				  (enum content_kind)kinds[k], seeds[k]);
			if (tmem_put(o.t, pool, &key, page) != 1)
				kinds[k] = -1;
		} else if (dice < 700) {
			assert_int_equal(tmem_flush_page(o.t, pool, &key),
					 kinds[k] >= 0);
			kinds[k] = -1;
		} else if (dice < 990) {
			assert_int_equal(tmem_get(o.t, pool, &key, page),
					 kinds[k] >= 0);
			if (kinds[k] >= 0)
				assert_true(page_equal(
					page, sizeof(page),
					(enum content_kind)kinds[k], seeds[k]));
		} else if (dice < 998) {
			(void)tmem_age(o.t, rng_below(&rng, 500));
		} else {
			(void)tmem_shrink(o.t, rng_below(&rng, 4 * MIB), NULL);
		}
		if (i % 512 == 0)
			opened_check(&o);
	}
	for (i = n = 0; i < KEYS; i++)
		n += kinds[i] >= 0;
	assert_int_equal(opened_stats(&o).pages_persistent, n);
	assert_true(n > 100);
	opened_finish(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_fits_than_raw),
		cmocka_unit_test(same_pages_take_no_room),
		cmocka_unit_test(incompressible_pages_stay_raw),
		cmocka_unit_test(every_compressed_size),
		cmocka_unit_test(forms_change_under_pressure),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
