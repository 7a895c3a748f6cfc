/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-contract-shrink.c - T14: tmem_shrink() frees what was asked for or says
 * how much less, drops ephemeral pages only, and takes any number of bytes.
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

/* Puts @n pages under indexes from @first; says how many were stored. */
static uint64_t fill(int pool, uint64_t first, uint64_t n,
		     enum content_kind kind)
{
	uint64_t i, stored = 0;
	uint8_t page[PAGE];

	for (i = first; i < first + n; i++) {
		struct tmem_key key = tmem_key(i % 31, i);

		page_fill(page, PAGE, kind, i);
		stored += (uint64_t)tmem_put(o.t, pool, &key, page);
	}
	return stored;
}

/* Of those pages, how many hit; each must be what was put. */
static uint64_t count(int pool, uint64_t first, uint64_t n,
		      enum content_kind kind)
{
	uint64_t i, found = 0;
	uint8_t page[PAGE];

	for (i = first; i < first + n; i++) {
		struct tmem_key key = tmem_key(i % 31, i);
		int hit = tmem_get(o.t, pool, &key, page);

		assert_in_range(hit, 0, 1);
		if (hit)
			assert_true(page_equal(page, PAGE, kind, i));
		found += (uint64_t)hit;
	}
	return found;
}

/* Shrinks, and holds what is reported against what the store still uses. */
static uint64_t shrink(uint64_t bytes)
{
	uint64_t before = opened_stats(&o).used_bytes, after, freed = 77;

	assert_int_equal(tmem_shrink(o.t, bytes, &freed), 0);
	after = opened_stats(&o).used_bytes;
	assert_true(freed <= before);
	assert_true(after <= before);
	/* Some room may be needed to make room. */
	assert_true(before - after + before / 20 + 65536 >= freed);
	opened_check(&o);
	return freed;
}

static const uint64_t amounts[] = {
	0,	    1,		4095,	    4096,      65536,
	UINT32_MAX, 1ull << 32, 1ull << 63, INT64_MAX, UINT64_MAX - 4095,
	UINT64_MAX,
};

static void any_amount_from_an_empty_store(void **state)
{
	size_t i;

	(void)state;
	opened_init(&o, "embedded:size=8M");
	for (i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++)
		(void)shrink(amounts[i]);
	assert_int_equal(tmem_shrink(o.t, UINT64_MAX, NULL), 0);
	assert_int_equal(opened_stats(&o).limit_bytes, 8 * MIB);
	opened_finish(&o);
}

static void any_amount_from_a_full_store(void **state)
{
	size_t i;
	int pool;

	(void)state;
	for (i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++) {
		uint64_t used, freed;

		opened_init(&o, "embedded:size=8M");
		pool = opened_pool(&o, TMEM_POOL_KEEP, 0);
		(void)fill(pool, 0, 3000, CONTENT_RANDOM);
		used = opened_stats(&o).used_bytes;
		assert_true(used > 6 * MIB);
		freed = shrink(amounts[i]);
		if (amounts[i] <= MIB)
			assert_true(freed >= amounts[i]);
		else
			assert_true(freed >= used / 2);
		(void)count(pool, 0, 3000, CONTENT_RANDOM);
		opened_finish(&o);
	}
}

/* Asked for a part, it gives that much and does not drop everything. */
static void a_part_is_a_part(void **state)
{
	uint64_t before, after, freed;
	struct tmem_stats s;
	int pool;

	(void)state;
	opened_init(&o, "embedded:size=32M");
	pool = opened_pool(&o, TMEM_POOL_KEEP, 0);
	(void)fill(pool, 0, 10000, CONTENT_RANDOM);
	s = opened_stats(&o);
	before = s.pages_ephemeral;
	freed = shrink(8 * MIB);
	assert_in_range(freed, 8 * MIB, 12 * MIB);
	s = opened_stats(&o);
	after = s.pages_ephemeral;
	assert_true(s.evictions >= before - after);
	assert_true(after >= before / 2);
	assert_int_equal(count(pool, 0, 10000, CONTENT_RANDOM), after);
	opened_finish(&o);
}

/* The limit stays: what was given back may be taken again. */
static void it_may_grow_again(void **state)
{
	uint64_t first, second;
	int pool;

	(void)state;
	opened_init(&o, "embedded:size=8M");
	pool = opened_pool(&o, TMEM_POOL_KEEP, 0);
	(void)fill(pool, 0, 3000, CONTENT_RANDOM);
	first = opened_stats(&o).pages_ephemeral;
	(void)shrink(UINT64_MAX);
	assert_int_equal(opened_stats(&o).limit_bytes, 8 * MIB);
	(void)fill(pool, 3000, 3000, CONTENT_RANDOM);
	second = opened_stats(&o).pages_ephemeral;
	assert_true(second >= first - first / 5);
	opened_finish(&o);
}

static void persistent_pages_stay(void **state)
{
	uint64_t persistent;
	int eph, pers;

	(void)state;
	opened_init(&o, "embedded:size=16M");
	pers = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	eph = opened_pool(&o, TMEM_POOL_KEEP, 0);
	persistent = fill(pers, 0, 1500, CONTENT_RANDOM);
	assert_int_equal(persistent, 1500);
	(void)fill(eph, 0, 4000, CONTENT_RANDOM);
	assert_true(shrink(UINT64_MAX) >= 4 * MIB);
	assert_int_equal(opened_stats(&o).pages_persistent, 1500);
	assert_int_equal(count(pers, 0, 1500, CONTENT_RANDOM), 1500);
	(void)shrink(UINT64_MAX);
	assert_int_equal(count(pers, 0, 1500, CONTENT_RANDOM), 1500);
	opened_finish(&o);
}

/* Persistent pages that compress are compressed rather than left. */
static void persistent_pages_are_compressed(void **state)
{
	uint64_t stored, used, freed;
	struct tmem_stats s;
	int pool;

	(void)state;
	opened_init(&o, "embedded:size=32M");
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	stored = fill(pool, 0, 5000, CONTENT_TEXT);
	assert_int_equal(stored, 5000);
	used = opened_stats(&o).used_bytes;
	freed = shrink(UINT64_MAX);
	s = opened_stats(&o);
	assert_true(s.used_bytes < s.raw_bytes * 7 / 10);
	/* Unless they were compressed as they came, that was given back. */
	assert_true(freed >= (used > s.raw_bytes ? s.raw_bytes / 4 : 0));
	assert_int_equal(s.pages_persistent, 5000);
	assert_true(s.pages_packed + s.pages_dense > 4000);
	assert_int_equal(count(pool, 0, 5000, CONTENT_TEXT), 5000);
	opened_finish(&o);
}

/* Flushed pages' room is given back, whoever was to clean up (T14). */
static void flushed_room_is_given_back(void **state)
{
	uint64_t stored, used;
	uint64_t i;
	int pool;

	(void)state;
	opened_init(&o, "embedded:size=16M");
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	stored = fill(pool, 0, 3000, CONTENT_RANDOM);
	assert_int_equal(stored, 3000);
	used = opened_stats(&o).used_bytes;
	for (i = 0; i < 31; i++)
		assert_int_equal(
			tmem_flush_object(o.t, pool,
					  &(struct tmem_key){ { i }, 0 }),
			1);
	assert_true(shrink(UINT64_MAX) >= used / 2 ||
		    opened_stats(&o).used_bytes <= used / 2);
	assert_int_equal(count(pool, 0, 3000, CONTENT_RANDOM), 0);
	opened_finish(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_amount_from_an_empty_store),
		cmocka_unit_test(any_amount_from_a_full_store),
		cmocka_unit_test(a_part_is_a_part),
		cmocka_unit_test(it_may_grow_again),
		cmocka_unit_test(persistent_pages_stay),
		cmocka_unit_test(persistent_pages_are_compressed),
		cmocka_unit_test(flushed_room_is_given_back),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
