/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-contract-log.c - T22: refusals, misses and bad arguments of the data path
 * are counted or returned and never logged, however many there are.
 */
#include <errno.h>
#include <string.h>

#include "content.h"
#include "leftover.h"
#include "opened.h"
#include "unit.h"
#include <tmem/tmem.h>

#define PAGE 4096u
#define TIMES 3000u

static void start(struct opened *o, uint64_t limit_pages)
{
	struct tmem_open_opts opts = {
		.size = sizeof(opts),
		.agers = TMEM_NO_AGERS,
		.limit_pages = limit_pages,
	};

	opened_init_opts(o, "embedded:size=2M", &opts);
}

/* Puts incompressible pages, most of which must be refused. */
static void overfill(struct opened *o)
{
	int pool = opened_pool(o, TMEM_POOL_PERSISTENT, 0);
	unsigned before = lines_count(&o->lines);
	uint8_t page[PAGE], got[PAGE];
	struct tmem_stats s;
	uint64_t i;

	for (i = 0; i < TIMES; i++) {
		struct tmem_key key = tmem_key(1, i);

		page_fill(page, PAGE, CONTENT_RANDOM, i);
		(void)tmem_put(o->t, pool, &key, page);
		key.index += TIMES;
		(void)tmem_get(o->t, pool, &key, got);
		(void)tmem_flush_page(o->t, pool, &key);
	}
	s = opened_stats(o);
	assert_true(stats_refused(&s) > TIMES / 2);
	assert_int_equal(lines_count(&o->lines), before);
}

static void full(void **state)
{
	struct opened o;

	(void)state;
	start(&o, 0);
	overfill(&o);
	opened_finish(&o);
}

static void over_quota(void **state)
{
	struct opened o;

	(void)state;
	start(&o, 10);
	overfill(&o);
	opened_finish(&o);
}

static void frozen(void **state)
{
	struct opened o;

	(void)state;
	start(&o, 0);
	assert_int_equal(tmem_freeze(o.t, 1), 0);
	overfill(&o);
	opened_finish(&o);
}

static void bad_arguments(void **state)
{
	struct tmem_key key = tmem_key(1, 1);
	struct tmem_op op = { .code = 99 };
	uint8_t page[PAGE] = { 0 };
	unsigned before, i;
	struct opened o;

	(void)state;
	start(&o, 0);
	before = lines_count(&o.lines);
	for (i = 0; i < TIMES; i++) {
		assert_int_equal(tmem_put(o.t, (int)i, &key, page), -EBADF);
		assert_int_equal(tmem_get(o.t, -1, &key, page), -EBADF);
		assert_int_equal(tmem_flush_page(o.t, -(int)i - 1, &key),
				 -EBADF);
		assert_int_equal(tmem_flush_object(o.t, 77, &key), -EBADF);
		assert_int_equal(tmem_put(o.t, 0, NULL, NULL), -EINVAL);
		assert_int_equal(tmem_submit(o.t, &op, 1), 0);
	}
	assert_int_equal(lines_count(&o.lines), before);
	opened_finish(&o);
}

static void eviction_and_shrinking(void **state)
{
	uint8_t page[PAGE];
	unsigned before;
	struct opened o;
	uint64_t i;
	int pool;

	(void)state;
	start(&o, 0);
	pool = opened_pool(&o, 0, 0);
	before = lines_count(&o.lines);
	for (i = 0; i < TIMES; i++) {
		struct tmem_key key = tmem_key(i % 9, i);

		page_fill(page, PAGE, CONTENT_TEXT, i);
		assert_in_range(tmem_put(o.t, pool, &key, page), 0, 1);
		if (i % 100 == 0)
			assert_int_equal(tmem_shrink(o.t, UINT64_MAX, NULL), 0);
	}
	assert_int_equal(lines_count(&o.lines), before);
	opened_finish(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full),
		cmocka_unit_test(over_quota),
		cmocka_unit_test(frozen),
		cmocka_unit_test(bad_arguments),
		cmocka_unit_test(eviction_and_shrinking),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
