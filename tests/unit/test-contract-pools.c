/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-contract-pools.c - pools come and go: how many there may be, that an id is
 * never used twice, and that a destroyed pool's pages are gone at once.
 */
#include <errno.h>
#include <string.h>

#include "content.h"
#include "leftover.h"
#include "machine.h"
#include "opened.h"
#include "unit.h"
#include <tmem/tmem.h>

#define PAGE 4096u

/* More than the ids of a table that counts generations in 16 bits. */
#define GENERATIONS (MACHINE_SANITIZED ? 70000u : 140000u)

static void defaults(void **state)
{
	struct tmem_pool_stats s;
	struct opened o;
	int pool;

	(void)state;
	opened_init(&o, "embedded:size=8M");
	pool = tmem_pool_create(o.t, NULL);
	assert_true(pool >= 0);
	s = opened_pool_stats(&o, pool);
	assert_int_equal(s.flags, 0);
	assert_int_equal(s.page_size, TMEM_PAGE_SIZE);
	opened_finish(&o);
}

static void every_kind_and_page_size(void **state)
{
	static const uint32_t kinds[] = {
		0,
		TMEM_POOL_PERSISTENT,
		TMEM_POOL_KEEP,
		TMEM_POOL_TAKE,
		TMEM_POOL_PERSISTENT | TMEM_POOL_KEEP,
		TMEM_POOL_PERSISTENT | TMEM_POOL_TAKE,
	};
	struct tmem_pool_stats s;
	struct opened o;
	uint32_t size;
	size_t i;
	int pool;

	(void)state;
	opened_init(&o, "embedded:size=16M");
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (size = 4096; size <= 65536; size *= 2) {
			pool = opened_pool(&o, kinds[i], size);
			s = opened_pool_stats(&o, pool);
			assert_int_equal(s.flags, kinds[i]);
			assert_int_equal(s.page_size, size);
			assert_int_equal(s.raw_bytes | s.used_bytes, 0);
		}
	}
	opened_finish(&o);
}

/* The uuid of a private pool is ignored, its name is copied. */
static void names(void **state)
{
	struct tmem_pool_opts opts = { .size = sizeof(opts) };
	char name[] = "swap of the first guest";
	struct opened o;
	int one, two;

	(void)state;
	opened_init(&o, "embedded:size=8M");
	memset(opts.uuid, 0xff, sizeof(opts.uuid));
	opts.name = name;
	one = tmem_pool_create(o.t, &opts);
	assert_true(one >= 0);
	memset(name, 'x', sizeof(name) - 1);
	two = tmem_pool_create(o.t, &opts);
	assert_true(two >= 0);
	assert_int_not_equal(one, two);
	opened_finish(&o);
}

static void options_of_a_newer_caller(void **state)
{
	struct {
		struct tmem_pool_opts known;
		uint64_t later[4];
	} opts = { .known = { .size = sizeof(opts) } };
	struct opened o;

	(void)state;
	opened_init(&o, "embedded:size=8M");
	assert_true(tmem_pool_create(o.t, &opts.known) >= 0);
	opened_finish(&o);
}

static void as_many_as_there_may_be(void **state)
{
	int pools[TMEM_POOLS_MAX], again;
	struct opened o;
	int i, j;

	(void)state;
	opened_init(&o, "embedded:size=8M");
	for (i = 0; i < TMEM_POOLS_MAX; i++) {
		pools[i] = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
		for (j = 0; j < i; j++)
			assert_int_not_equal(pools[i], pools[j]);
	}
	assert_int_equal(opened_stats(&o).pools, TMEM_POOLS_MAX);
	assert_int_equal(tmem_pool_create(o.t, NULL), -ENOSPC);
	assert_int_equal(opened_stats(&o).pools, TMEM_POOLS_MAX);
	assert_int_equal(tmem_pool_destroy(o.t, pools[100]), 0);
	again = tmem_pool_create(o.t, NULL);
	assert_true(again >= 0);
	assert_int_not_equal(again, pools[100]);
	assert_int_equal(tmem_pool_create(o.t, NULL), -ENOSPC);
	assert_int_equal(tmem_pool_destroy(o.t, pools[100]), -EBADF);
	for (i = 0; i < TMEM_POOLS_MAX; i++)
		assert_int_equal(
			tmem_pool_destroy(o.t, i == 100 ? again : pools[i]), 0);
	assert_int_equal(opened_stats(&o).pools, 0);
	opened_finish(&o);
}

/* T8: an id whose pool went names nothing, however many come after it. */
static void an_id_is_never_used_twice(void **state)
{
	struct tmem_key key = tmem_key(1, 1);
	uint8_t page[PAGE] = { 0 };
	int first, last, pool;
	struct opened o;
	uint32_t n;

	(void)state;
	opened_init(&o, "embedded:size=8M");
	first = last = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	assert_int_equal(tmem_pool_destroy(o.t, first), 0);
	for (n = 0; n < GENERATIONS; n++) {
		pool = tmem_pool_create(o.t, NULL);
		assert_true(pool >= 0);
		assert_int_not_equal(pool, first);
		assert_int_not_equal(pool, last);
		assert_int_equal(tmem_put(o.t, first, &key, page), -EBADF);
		assert_int_equal(tmem_pool_destroy(o.t, last), -EBADF);
		assert_int_equal(tmem_pool_destroy(o.t, pool), 0);
		last = pool;
	}
	opened_finish(&o);
}

/* A pool in the place of another begins empty. */
static void destroy_is_strict(void **state)
{
	static const uint32_t kinds[] = { 0, TMEM_POOL_PERSISTENT,
					  TMEM_POOL_KEEP };
	uint8_t page[PAGE];
	struct tmem_stats s;
	struct opened o;
	uint64_t i;
	size_t k;
	int old, pool;

	(void)state;
	opened_init(&o, "embedded:size=8M");
	for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		old = opened_pool(&o, kinds[k], 0);
		for (i = 0; i < 300; i++) {
			struct tmem_key key = tmem_key(i / 10, i);

			page_fill(page, PAGE, i % CONTENT_KINDS, i);
			assert_int_equal(tmem_put(o.t, old, &key, page), 1);
		}
		assert_int_equal(tmem_pool_destroy(o.t, old), 0);
		pool = opened_pool(&o, kinds[k], 0);
		for (i = 0; i < 300; i++) {
			struct tmem_key key = tmem_key(i / 10, i);

			assert_int_equal(tmem_get(o.t, old, &key, page), -EBADF);
			assert_int_equal(tmem_get(o.t, pool, &key, page), 0);
			assert_int_equal(tmem_flush_page(o.t, pool, &key), 0);
			assert_int_equal(tmem_flush_object(o.t, pool, &key), 0);
		}
		s = opened_stats(&o);
		assert_int_equal(stats_pages(&s) | s.objects | s.raw_bytes, 0);
		assert_int_equal(tmem_pool_destroy(o.t, pool), 0);
	}
	opened_finish(&o);
}

/* The room of pools that went can be had again, with no ager at work. */
static void destroyed_room_comes_back(void **state)
{
	uint64_t i, stored, first = 0;
	uint8_t page[PAGE];
	struct opened o;
	int pool, round;

	(void)state;
	opened_init(&o, "embedded:size=4M");
	for (round = 0; round < 8; round++) {
		pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
		for (i = stored = 0; i < 1200; i++) {
			struct tmem_key key = tmem_key(7, i);

			page_fill(page, PAGE, CONTENT_RANDOM, i);
			stored += (uint64_t)tmem_put(o.t, pool, &key, page);
		}
		if (!round)
			first = stored;
		/* At least half of the store, each time as much as at first. */
		assert_true(stored * PAGE > 2u << 20);
		assert_true(stored * 10 >= first * 9);
		assert_int_equal(tmem_pool_destroy(o.t, pool), 0);
	}
	opened_finish(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(every_kind_and_page_size),
		cmocka_unit_test(names),
		cmocka_unit_test(options_of_a_newer_caller),
		cmocka_unit_test(as_many_as_there_may_be),
		cmocka_unit_test(an_id_is_never_used_twice),
		cmocka_unit_test(destroy_is_strict),
		cmocka_unit_test(destroyed_room_comes_back),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
