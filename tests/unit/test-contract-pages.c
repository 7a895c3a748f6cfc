/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-contract-pages.c - put, get and flush on every kind of pool and every page
 * size, in a store with room to spare: semantics 1 to 6 of tmem.h.
 */
#include <errno.h>
#include <string.h>

#include "content.h"
#include "leftover.h"
#include "opened.h"
#include "unit.h"
#include <tmem/tmem.h>

#define PAGE_MAX TMEM_PAGE_SIZE_MAX
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The kinds of pool, and whether a get removes what it hits. */
static const struct kind {
	uint32_t flags;
	int takes;
} kinds[] = {
	{ 0, 1 },
	{ TMEM_POOL_KEEP, 0 },
	{ TMEM_POOL_TAKE, 1 },
	{ TMEM_POOL_PERSISTENT, 0 },
	{ TMEM_POOL_PERSISTENT | TMEM_POOL_KEEP, 0 },
	{ TMEM_POOL_PERSISTENT | TMEM_POOL_TAKE, 1 },
};

struct scene {
	struct opened o;
	const struct kind *kind;
	uint32_t size;
	int pool;
	uint8_t a[PAGE_MAX], b[PAGE_MAX], got[PAGE_MAX + 64];
};

/* Runs a test on a fresh pool of every kind and page size. */
static void on_every_pool(void (*test)(struct scene *s))
{
	static struct scene s;
	size_t i;

	opened_init(&s.o, "embedded:size=16M");
	for (i = 0; i < COUNT(kinds); i++) {
		for (s.size = 4096; s.size <= PAGE_MAX; s.size *= 2) {
			s.kind = &kinds[i];
			s.pool = opened_pool(&s.o, s.kind->flags, s.size);
			test(&s);
			opened_check(&s.o);
			assert_int_equal(tmem_pool_destroy(s.o.t, s.pool), 0);
		}
	}
	opened_finish(&s.o);
}

static int put(struct scene *s, struct tmem_key key, const void *page)
{
	return tmem_put(s->o.t, s->pool, &key, page);
}

/* Gets into a buffer whose end must stay as it was. */
static int get(struct scene *s, struct tmem_key key)
{
	memset(s->got, 0xa5, sizeof(s->got));
	return tmem_get(s->o.t, s->pool, &key, s->got) |
	       (page_uniform(s->got + s->size, sizeof(s->got) - s->size, 0xa5)
			? 0
			: 1 << 16);
}

static void hits(struct scene *s, struct tmem_key key, const void *page)
{
	assert_int_equal(get(s, key), 1);
	assert_memory_equal(s->got, page, s->size);
}

static void misses(struct scene *s, struct tmem_key key)
{
	assert_int_equal(get(s, key), 0);
}

/* A put copies: what the caller does to its page later is its own affair. */
static void copies(struct scene *s)
{
	uint64_t kind;

	for (kind = 0; kind < CONTENT_KINDS; kind++) {
		page_fill(s->a, s->size, kind, kind);
		memcpy(s->b, s->a, s->size);
		assert_int_equal(put(s, tmem_key(1, kind), s->a), 1);
		assert_memory_equal(s->a, s->b, s->size);
		memset(s->a, 0xee, s->size);
		hits(s, tmem_key(1, kind), s->b);
	}
}

static void a_put_copies(void **state)
{
	(void)state;
	on_every_pool(copies);
}

static void removes_or_not(struct scene *s)
{
	struct tmem_key key = tmem_key(5, 5);

	page_fill(s->a, s->size, CONTENT_RANDOM, 1);
	misses(s, key);
	assert_int_equal(put(s, key, s->a), 1);
	hits(s, key, s->a);
	if (!s->kind->takes) {
		hits(s, key, s->a);
		hits(s, key, s->a);
		return;
	}
	misses(s, key);
	misses(s, key);
	assert_int_equal(tmem_flush_page(s->o.t, s->pool, &key), 0);
	assert_int_equal(put(s, key, s->a), 1);
	hits(s, key, s->a);
	misses(s, key);
}

/* Semantics 3: private ephemeral and TAKE remove, all others leave. */
static void a_get_removes_or_not(void **state)
{
	(void)state;
	on_every_pool(removes_or_not);
}

static void second_wins(struct scene *s)
{
	struct tmem_key key = tmem_key(1, 1);
	unsigned from, to;

	for (from = 0; from < CONTENT_KINDS; from++) {
		for (to = 0; to < CONTENT_KINDS; to++) {
			page_fill(s->a, s->size, from, 100 + from);
			page_fill(s->b, s->size, to, 200 + to);
			assert_int_equal(put(s, key, s->a), 1);
			assert_int_equal(put(s, key, s->b), 1);
			hits(s, key, s->b);
		}
	}
}

/* T3: put, put, get yields the second, whatever forms the two take. */
static void put_put_get(void **state)
{
	(void)state;
	on_every_pool(second_wins);
}

static void flushes_page(struct scene *s)
{
	struct tmem_key key = tmem_key(9, 1), beside = tmem_key(9, 2);

	page_fill(s->a, s->size, CONTENT_TEXT, 1);
	page_fill(s->b, s->size, CONTENT_TEXT, 2);
	assert_int_equal(tmem_flush_page(s->o.t, s->pool, &key), 0);
	assert_int_equal(put(s, key, s->a), 1);
	assert_int_equal(put(s, beside, s->b), 1);
	assert_int_equal(tmem_flush_page(s->o.t, s->pool, &key), 1);
	misses(s, key);
	assert_int_equal(tmem_flush_page(s->o.t, s->pool, &key), 0);
	assert_int_equal(tmem_flush_page(s->o.t, s->pool, &key), 0);
	misses(s, key);
	hits(s, beside, s->b);
	assert_int_equal(put(s, key, s->b), 1);
	hits(s, key, s->b);
}

/* T4: 1 when it was there, 0 when not, and gone in either case. */
static void flush_page(void **state)
{
	(void)state;
	on_every_pool(flushes_page);
}

static void flushes_object(struct scene *s)
{
	struct tmem_key key = tmem_key(3, 0), beside = tmem_key(4, 0);
	uint64_t i;

	for (i = 0; i < 20; i++) {
		key.index = i << 3 * (i % 20);
		beside.index = key.index;
		page_fill(s->a, s->size, i % CONTENT_KINDS, i);
		assert_int_equal(put(s, key, s->a), 1);
		assert_int_equal(put(s, beside, s->a), 1);
	}
	key.index = 0xdeadbeef; /* ignored */
	assert_int_equal(tmem_flush_object(s->o.t, s->pool, &key), 1);
	assert_int_equal(tmem_flush_object(s->o.t, s->pool, &key), 0);
	for (i = 0; i < 20; i++) {
		key.index = i << 3 * (i % 20);
		beside.index = key.index;
		page_fill(s->a, s->size, i % CONTENT_KINDS, i);
		misses(s, key);
		assert_int_equal(tmem_flush_page(s->o.t, s->pool, &key), 0);
		hits(s, beside, s->a);
	}
	/* The object may be had again at once. */
	key.index = 1;
	assert_int_equal(put(s, key, s->b), 1);
	hits(s, key, s->b);
	key.index = 0;
	misses(s, key);
	assert_int_equal(tmem_flush_object(s->o.t, s->pool, &key),
			 !s->kind->takes);
	assert_int_equal(tmem_flush_object(s->o.t, s->pool, &key), 0);
}

/* T4: all of an object, nothing of any other. */
static void flush_object(void **state)
{
	(void)state;
	on_every_pool(flushes_object);
}

/* An object whose pages went one by one is no more: nothing to flush. */
static void empties(struct scene *s)
{
	struct tmem_key key = tmem_key(3, 0);

	page_fill(s->a, s->size, CONTENT_TEXT, 1);
	for (key.index = 0; key.index < 5; key.index++)
		assert_int_equal(put(s, key, s->a), 1);
	for (key.index = 0; key.index < 5; key.index++)
		assert_int_equal(tmem_flush_page(s->o.t, s->pool, &key), 1);
	assert_int_equal(tmem_flush_object(s->o.t, s->pool, &key), 0);
	assert_int_equal(opened_pool_stats(&s->o, s->pool).objects, 0);
}

static void an_empty_object_is_none(void **state)
{
	(void)state;
	on_every_pool(empties);
}

/* The same keys in two pools are two pages. */
static void pools_are_apart(void **state)
{
	struct tmem_key key = tmem_key(1, 1);
	uint8_t a[4096], b[4096], got[4096];
	struct opened o;
	int one, two;

	(void)state;
	opened_init(&o, "embedded:size=8M");
	one = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	two = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	page_fill(a, sizeof(a), CONTENT_RANDOM, 1);
	page_fill(b, sizeof(b), CONTENT_RANDOM, 2);
	assert_int_equal(tmem_put(o.t, one, &key, a), 1);
	assert_int_equal(tmem_get(o.t, two, &key, got), 0);
	assert_int_equal(tmem_put(o.t, two, &key, b), 1);
	assert_int_equal(tmem_flush_object(o.t, one, &key), 1);
	assert_int_equal(tmem_get(o.t, one, &key, got), 0);
	assert_int_equal(tmem_get(o.t, two, &key, got), 1);
	assert_memory_equal(got, b, sizeof(b));
	assert_int_equal(tmem_pool_destroy(o.t, one), 0);
	assert_int_equal(tmem_get(o.t, two, &key, got), 1);
	opened_finish(&o);
}

/* A get that misses says so by 0 and leaves the caller's page alone. */
static void a_miss_writes_nothing(void **state)
{
	static struct scene s;

	(void)state;
	opened_init(&s.o, "embedded:size=8M");
	s.size = 4096;
	s.pool = opened_pool(&s.o, 0, s.size);
	misses(&s, tmem_key(1, 1));
	assert_true(page_uniform(s.got, sizeof(s.got), 0xa5));
	opened_finish(&s.o);
}

/* Work done in the background moves pages and changes none. */
static void age_changes_nothing(struct scene *s)
{
	uint64_t i;

	for (i = 0; i < 40; i++) {
		page_fill(s->a, s->size, i % CONTENT_KINDS, i);
		assert_int_equal(put(s, tmem_key(i % 3, i), s->a), 1);
	}
	opened_age(&s->o);
	opened_check(&s->o);
	for (i = 0; i < 40; i++) {
		page_fill(s->a, s->size, i % CONTENT_KINDS, i);
		if (s->kind->flags & TMEM_POOL_PERSISTENT)
			hits(s, tmem_key(i % 3, i), s->a);
		else if (get(s, tmem_key(i % 3, i)) == 1)
			assert_memory_equal(s->got, s->a, s->size);
	}
}

static void ageing_changes_nothing(void **state)
{
	(void)state;
	on_every_pool(age_changes_nothing);
}

/* A caller's buffer need not be aligned to anything. */
static void unaligned_buffers(void **state)
{
	static uint8_t from[4096 + 64], to[4096 + 64];
	struct opened o;
	unsigned at;
	int pool;

	(void)state;
	opened_init(&o, "embedded:size=8M");
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	for (at = 0; at < 64; at++) {
		struct tmem_key key = tmem_key(1, at);
		unsigned kind = at % CONTENT_KINDS;

		page_fill(from + at, 4096, kind, at);
		assert_int_equal(tmem_put(o.t, pool, &key, from + at), 1);
		memset(to, 0xa5, sizeof(to));
		assert_int_equal(tmem_get(o.t, pool, &key, to + 63 - at), 1);
		assert_true(page_equal(to + 63 - at, 4096, kind, at));
		assert_true(page_uniform(to, 63 - at, 0xa5));
		assert_true(page_uniform(to + 63 - at + 4096, at + 1, 0xa5));
	}
	opened_finish(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_put_copies),
		cmocka_unit_test(a_get_removes_or_not),
		cmocka_unit_test(put_put_get),
		cmocka_unit_test(flush_page),
		cmocka_unit_test(flush_object),
		cmocka_unit_test(an_empty_object_is_none),
		cmocka_unit_test(pools_are_apart),
		cmocka_unit_test(a_miss_writes_nothing),
		cmocka_unit_test(ageing_changes_nothing),
		cmocka_unit_test(unaligned_buffers),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
