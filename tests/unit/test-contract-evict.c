/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-contract-evict.c - T13: an overfull ephemeral pool goes on taking puts and
 * drops old pages; an overfull persistent pool refuses and keeps every page it
 * took; and ephemeral pages make way for persistent ones.
 */
#include <string.h>

#include "content.h"
#include "leftover.h"
#include "opened.h"
#include "unit.h"
#include <tmem/tmem.h>

#define PAGE 4096u
#define MIB ((uint64_t)1 << 20)

static struct opened o;

static int put(int pool, uint64_t index, enum content_kind kind)
{
	struct tmem_key key = tmem_key(index / 64, index);
	uint8_t page[PAGE];
	int ret;

	page_fill(page, PAGE, kind, index);
	ret = tmem_put(o.t, pool, &key, page);
	assert_in_range(ret, 0, 1);
	return ret;
}

/* 1: it hit, and was right. */
static int get(int pool, uint64_t index, enum content_kind kind)
{
	struct tmem_key key = tmem_key(index / 64, index);
	uint8_t page[PAGE];
	int ret = tmem_get(o.t, pool, &key, page);

	assert_in_range(ret, 0, 1);
	if (ret)
		assert_true(page_equal(page, PAGE, kind, index));
	return ret;
}

static void overfill(uint32_t flags, enum content_kind kind)
{
	const uint64_t fits = 8 * MIB / PAGE, n = fits * 4;
	uint64_t i, stored = 0, recent = 0, all = 0;
	int pool;

	opened_init(&o, "embedded:size=8M");
	pool = opened_pool(&o, flags, 0);
	for (i = 0; i < n; i++)
		stored += (uint64_t)put(pool, i, kind);
	assert_true(stored >= n - n / 100);
	/* The last few per cent are young whatever the policy. */
	for (i = n - fits / 50; i < n; i++)
		recent += (uint64_t)get(pool, i, kind);
	assert_true(recent >= fits / 50 * 9 / 10);
	for (i = 0; i < n - fits / 50; i++)
		all += (uint64_t)get(pool, i, kind);
	all += recent;
	if (all < fits * 6 / 10)
		print_error("%llu of %llu pages are held\n",
			    (unsigned long long)all, (unsigned long long)fits);
	assert_true(all >= fits * 6 / 10);
	opened_check(&o);
	opened_finish(&o);
}

static void an_ephemeral_pool_keeps_taking(void **state)
{
	(void)state;
	overfill(TMEM_POOL_KEEP, CONTENT_RANDOM);
	overfill(TMEM_POOL_KEEP, CONTENT_TEXT);
	overfill(0, CONTENT_RANDOM);
	overfill(0, CONTENT_TEXT);
}

/* Once it missed, it misses until it is put again (semantics 5). */
static void no_resurrection(void **state)
{
	uint64_t i;
	int pool;

	(void)state;
	opened_init(&o, "embedded:size=2M");
	pool = opened_pool(&o, TMEM_POOL_KEEP, 0);
	for (i = 0; i < 3000; i++) {
		(void)put(pool, i, CONTENT_RANDOM);
		if (i >= 300 && !get(pool, i - 300, CONTENT_RANDOM)) {
			assert_int_equal(get(pool, i - 300, CONTENT_RANDOM), 0);
			if (i % 16 == 0)
				opened_age(&o);
			assert_int_equal(get(pool, i - 300, CONTENT_RANDOM), 0);
		}
	}
	opened_finish(&o);
}

/* What is got again and again outlives what is never asked for. */
static void a_hot_page_stays(void **state)
{
	const uint64_t hot = 100, cold = 20000;
	uint64_t i, rounds = 0, hits = 0;
	int pool;

	(void)state;
	opened_init(&o, "embedded:size=8M");
	pool = opened_pool(&o, TMEM_POOL_KEEP, 0);
	for (i = 0; i < cold; i++) {
		if (i % 10 == 0) {
			uint64_t h = i / 10 % hot;

			if (get(pool, h, CONTENT_RANDOM))
				hits++;
			else
				(void)put(pool, h, CONTENT_RANDOM);
			rounds++;
		}
		(void)put(pool, 1000 + i, CONTENT_RANDOM);
	}
	assert_true(hits >= rounds / 2);
	opened_finish(&o);
}

static void a_persistent_pool_keeps_what_it_took(void **state)
{
	static const enum content_kind kinds[] = { CONTENT_RANDOM, CONTENT_TEXT,
						   CONTENT_BARELY };
	enum {
		N = 8192
	};
	static uint8_t stored[N];
	uint64_t i, took;
	size_t k;
	int pool;

	(void)state;
	for (k = 0; k < 3; k++) {
		opened_init(&o, "embedded:size=8M");
		pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
		for (i = took = 0; i < N; i++) {
			stored[i] = (uint8_t)put(pool, i, kinds[k]);
			took += stored[i];
		}
		assert_in_range(took, 8 * MIB / PAGE * 6 / 10, N);
		if (kinds[k] == CONTENT_RANDOM)
			assert_true(took < 8 * MIB / PAGE);
		for (i = 0; i < N; i++)
			assert_int_equal(get(pool, i, kinds[k]), stored[i]);
		assert_int_equal(opened_stats(&o).evictions, 0);
		opened_finish(&o);
	}
}

/* Refused is not for ever: flushing makes room again, without an ager. */
static void flushing_makes_room(void **state)
{
	uint64_t i, n;
	int pool;

	(void)state;
	opened_init(&o, "embedded:size=4M");
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	for (n = 0; put(pool, n, CONTENT_RANDOM); n++)
		assert_true(n < 4 * MIB / PAGE);
	for (i = 0; i < n; i += 2) {
		struct tmem_key key = tmem_key(i / 64, i);

		assert_int_equal(tmem_flush_page(o.t, pool, &key), 1);
	}
	/* Every other page went: a third of the room must be had again. */
	for (i = 0; i < n / 3; i++)
		assert_int_equal(put(pool, 10000 + i, CONTENT_RANDOM), 1);
	for (i = 0; i < n; i++)
		assert_int_equal(get(pool, i, CONTENT_RANDOM), i % 2);
	for (i = 0; i < n / 3; i++)
		assert_int_equal(get(pool, 10000 + i, CONTENT_RANDOM), 1);
	opened_check(&o);
	opened_finish(&o);
}

static void ephemeral_pages_make_way(void **state)
{
	const uint64_t half = 8 * MIB / PAGE / 2;
	uint64_t i, took = 0;
	int eph, pers;

	(void)state;
	opened_init(&o, "embedded:size=8M");
	eph = opened_pool(&o, TMEM_POOL_KEEP, 0);
	pers = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	for (i = 0; i < half * 4; i++)
		(void)put(eph, i, CONTENT_RANDOM);
	for (i = 0; i < half; i++)
		took += (uint64_t)put(pers, i, CONTENT_RANDOM);
	assert_true(took >= half * 9 / 10);
	for (i = 0; i < half * 4; i++)
		(void)put(eph, 100000 + i, CONTENT_RANDOM);
	assert_int_equal(opened_stats(&o).pages_persistent, took);
	for (i = 0; i < half; i++)
		(void)get(pers, i, CONTENT_RANDOM);
	assert_int_equal(opened_pool_stats(&o, pers).hits, took);
	opened_finish(&o);
}

/* A store full of persistent pages has no room for ephemeral ones: no fault. */
static void nothing_to_evict(void **state)
{
	uint64_t i, n;
	int eph, pers;

	(void)state;
	opened_init(&o, "embedded:size=2M");
	pers = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	eph = opened_pool(&o, 0, 0);
	for (i = n = 0; i < 1000; i++)
		n += (uint64_t)put(pers, i, CONTENT_RANDOM);
	for (i = 0; i < 1000; i++) {
		(void)put(eph, i, CONTENT_RANDOM);
		(void)get(eph, i, CONTENT_RANDOM);
	}
	assert_int_equal(opened_stats(&o).pages_persistent, n);
	opened_finish(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ephemeral_pool_keeps_taking),
		cmocka_unit_test(no_resurrection),
		cmocka_unit_test(a_hot_page_stays),
		cmocka_unit_test(a_persistent_pool_keeps_what_it_took),
		cmocka_unit_test(flushing_makes_room),
		cmocka_unit_test(ephemeral_pages_make_way),
		cmocka_unit_test(nothing_to_evict),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
