/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-contract-frozen.c - T5, the frozen matrix: a frozen store refuses new
 * puts, drops the old page on a put over it, and does all else (semantics 7).
 */
#include <errno.h>
#include <string.h>

#include "content.h"
#include "leftover.h"
#include "opened.h"
#include "unit.h"
#include <tmem/tmem.h>

#define PAGE 4096u

static const uint32_t kinds[] = { 0, TMEM_POOL_KEEP, TMEM_POOL_PERSISTENT,
				  TMEM_POOL_PERSISTENT | TMEM_POOL_TAKE };

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct scene {
	struct opened o;
	int pool;
	uint32_t flags;
	uint8_t a[PAGE], b[PAGE], got[PAGE];
};

static const struct tmem_key old = { { 1, 0, 0 }, 1 };
static const struct tmem_key fresh = { { 1, 0, 0 }, 2 };

/* Runs a test with `old` stored and the store frozen, for every kind of pool. */
static void when_frozen(void (*test)(struct scene *s))
{
	static struct scene s;
	size_t i;

	page_fill(s.a, PAGE, CONTENT_RANDOM, 1);
	page_fill(s.b, PAGE, CONTENT_TEXT, 2);
	for (i = 0; i < KINDS; i++) {
		opened_init(&s.o, "embedded:size=8M");
		s.flags = kinds[i];
		s.pool = opened_pool(&s.o, s.flags, 0);
		assert_int_equal(tmem_put(s.o.t, s.pool, &old, s.a), 1);
		assert_int_equal(tmem_freeze(s.o.t, 1), 0);
		test(&s);
		opened_finish(&s.o);
	}
}

static void new_refused(struct scene *s)
{
	assert_int_equal(tmem_put(s->o.t, s->pool, &fresh, s->b), 0);
	assert_int_equal(opened_stats(&s->o).refused_frozen, 1);
	assert_int_equal(opened_pool_stats(&s->o, s->pool).refused_frozen, 1);
	assert_int_equal(tmem_get(s->o.t, s->pool, &fresh, s->got), 0);
	assert_int_equal(tmem_freeze(s->o.t, 0), 0);
	assert_int_equal(tmem_get(s->o.t, s->pool, &fresh, s->got), 0);
	assert_int_equal(tmem_get(s->o.t, s->pool, &old, s->got), 1);
	assert_memory_equal(s->got, s->a, PAGE);
}

static void new_puts_are_refused(void **state)
{
	(void)state;
	when_frozen(new_refused);
}

static void over_old(struct scene *s)
{
	struct tmem_stats after;

	assert_int_equal(tmem_put(s->o.t, s->pool, &old, s->b), 0);
	after = opened_stats(&s->o);
	assert_int_equal(after.refused_frozen, 1);
	assert_int_equal(stats_pages(&after) | after.objects, 0);
	assert_int_equal(tmem_get(s->o.t, s->pool, &old, s->got), 0);
	assert_int_equal(tmem_freeze(s->o.t, 0), 0);
	assert_int_equal(tmem_get(s->o.t, s->pool, &old, s->got), 0);
	assert_int_equal(tmem_put(s->o.t, s->pool, &old, s->b), 1);
	assert_int_equal(tmem_get(s->o.t, s->pool, &old, s->got), 1);
	assert_memory_equal(s->got, s->b, PAGE);
}

static void a_put_over_a_page_drops_it(void **state)
{
	(void)state;
	when_frozen(over_old);
}

static void part_over_old(struct scene *s)
{
	struct tmem_op op = {
		.code = TMEM_OP_PUT,
		.pool = s->pool,
		.key = old,
		.page = s->b,
		.offset = 8,
		.len = 8,
	};

	assert_int_equal(tmem_submit(s->o.t, &op, 1), 0);
	assert_int_equal(op.result, 0);
	assert_int_equal(tmem_freeze(s->o.t, 0), 0);
	assert_int_equal(tmem_get(s->o.t, s->pool, &old, s->got), 0);
}

static void a_part_put_drops_the_page_too(void **state)
{
	(void)state;
	when_frozen(part_over_old);
}

static void gets(struct scene *s)
{
	int takes = !s->flags || s->flags & TMEM_POOL_TAKE;

	assert_int_equal(tmem_get(s->o.t, s->pool, &old, s->got), 1);
	assert_memory_equal(s->got, s->a, PAGE);
	assert_int_equal(tmem_get(s->o.t, s->pool, &old, s->got), !takes);
}

static void gets_work(void **state)
{
	(void)state;
	when_frozen(gets);
}

static void flushes(struct scene *s)
{
	assert_int_equal(tmem_flush_page(s->o.t, s->pool, &old), 1);
	assert_int_equal(tmem_flush_page(s->o.t, s->pool, &old), 0);
	assert_int_equal(tmem_get(s->o.t, s->pool, &old, s->got), 0);
	assert_int_equal(tmem_flush_object(s->o.t, s->pool, &old), 0);
	assert_int_equal(tmem_freeze(s->o.t, 0), 0);
	assert_int_equal(tmem_get(s->o.t, s->pool, &old, s->got), 0);
}

static void flushes_work(void **state)
{
	(void)state;
	when_frozen(flushes);
}

static void flushes_object(struct scene *s)
{
	assert_int_equal(tmem_flush_object(s->o.t, s->pool, &old), 1);
	assert_int_equal(tmem_flush_object(s->o.t, s->pool, &old), 0);
	assert_int_equal(tmem_get(s->o.t, s->pool, &old, s->got), 0);
	assert_int_equal(tmem_freeze(s->o.t, 0), 0);
	assert_int_equal(tmem_get(s->o.t, s->pool, &old, s->got), 0);
}

static void object_flushes_work(void **state)
{
	(void)state;
	when_frozen(flushes_object);
}

static void the_rest(struct scene *s)
{
	int other = opened_pool(&s->o, TMEM_POOL_PERSISTENT, 0);

	assert_int_equal(tmem_put(s->o.t, other, &fresh, s->a), 0);
	assert_int_equal(tmem_pool_destroy(s->o.t, other), 0);
	assert_int_equal(tmem_freeze(s->o.t, 1), 0);
	opened_age(&s->o);
	assert_int_equal(tmem_set_limit(s->o.t, 16u << 20), 0);
	assert_int_equal(tmem_shrink(s->o.t, 1, NULL), 0);
	opened_check(&s->o);
	assert_int_equal(tmem_pool_destroy(s->o.t, s->pool), 0);
	assert_int_equal(tmem_get(s->o.t, s->pool, &old, s->got), -EBADF);
	assert_int_equal(opened_stats(&s->o).pools, 0);
	assert_int_equal(tmem_freeze(s->o.t, 0), 0);
	assert_int_equal(tmem_freeze(s->o.t, 0), 0);
	s->pool = opened_pool(&s->o, s->flags, 0);
	assert_int_equal(tmem_put(s->o.t, s->pool, &fresh, s->a), 1);
}

static void the_rest_works(void **state)
{
	(void)state;
	when_frozen(the_rest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_puts_are_refused),
		cmocka_unit_test(a_put_over_a_page_drops_it),
		cmocka_unit_test(a_part_put_drops_the_page_too),
		cmocka_unit_test(gets_work),
		cmocka_unit_test(flushes_work),
		cmocka_unit_test(object_flushes_work),
		cmocka_unit_test(the_rest_works),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
