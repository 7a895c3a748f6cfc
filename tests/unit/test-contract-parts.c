/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-contract-parts.c - tmem_submit(): batches in order, and parts of pages
 * with every boundary and wraparound of offset and length (T11).
 */
#include <errno.h>
#include <string.h>

#include "content.h"
#include "leftover.h"
#include "opened.h"
#include "rng.h"
#include "unit.h"
#include <tmem/tmem.h>

#define PAGE_MAX TMEM_PAGE_SIZE_MAX

struct scene {
	struct opened o;
	int pool;
	uint32_t size;
	struct tmem_key key;
	uint8_t want[PAGE_MAX]; /* what the page holds */
	uint8_t buf[PAGE_MAX + 64];
};

static struct scene s; /* too large for a stack */

static void scene_init(uint32_t flags, uint32_t size)
{
	opened_init(&s.o, "embedded:size=16M");
	s.pool = opened_pool(&s.o, flags, size);
	s.size = size;
	s.key = tmem_key(1, 2);
}

static void scene_put(enum content_kind kind, uint64_t seed)
{
	page_fill(s.want, s.size, kind, seed);
	assert_int_equal(tmem_put(s.o.t, s.pool, &s.key, s.want), 1);
}

static int part(uint32_t code, uint32_t offset, uint32_t len)
{
	struct tmem_op op = {
		.code = code,
		.pool = s.pool,
		.key = s.key,
		.page = s.buf,
		.offset = offset,
		.len = len,
	};

	assert_int_equal(tmem_submit(s.o.t, &op, 1), 0);
	return op.result;
}

static void whole_is_as_wanted(void)
{
	memset(s.buf, 0xa5, sizeof(s.buf));
	assert_int_equal(tmem_get(s.o.t, s.pool, &s.key, s.buf), 1);
	assert_memory_equal(s.buf, s.want, s.size);
}

static void get_part(uint32_t offset, uint32_t len)
{
	memset(s.buf, 0xa5, sizeof(s.buf));
	assert_int_equal(part(TMEM_OP_GET, offset, len), 1);
	assert_memory_equal(s.buf, s.want + offset, len);
	assert_true(page_uniform(s.buf + len, sizeof(s.buf) - len, 0xa5));
}

static void put_part(uint32_t offset, uint32_t len, uint64_t seed)
{
	page_fill(s.buf, (len + 7) & ~7u, CONTENT_RANDOM, seed);
	memcpy(s.want + offset, s.buf, len);
	assert_int_equal(part(TMEM_OP_PUT, offset, len), 1);
}

/* Any range of any page, whatever form it is in, and the page stays. */
static void getting_a_part(void **state)
{
	static const uint32_t flags[] = { 0, TMEM_POOL_PERSISTENT,
					  TMEM_POOL_TAKE };
	struct rng rng = { .state = 1 };
	unsigned kind, i, round;

	(void)state;
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		scene_init(flags[i], i ? 4096 : PAGE_MAX);
		for (kind = 0; kind < CONTENT_KINDS; kind++) {
			scene_put(kind, kind);
			get_part(0, 1);
			get_part(s.size - 1, 1);
			get_part(0, s.size - 1);
			get_part(1, s.size - 1);
			for (round = 0; round < 50; round++) {
				uint32_t at = rng_below(&rng, s.size - 1);

				get_part(at, 1 + rng_below(&rng, s.size - at));
			}
			whole_is_as_wanted();
		}
		opened_finish(&s.o);
	}
}

/* Aged into another form, a page has the same parts. */
static void getting_a_part_of_an_aged_page(void **state)
{
	unsigned kind;

	(void)state;
	scene_init(TMEM_POOL_PERSISTENT, 4096);
	for (kind = 0; kind < CONTENT_KINDS; kind++) {
		s.key.index = kind;
		scene_put(kind, kind);
	}
	assert_int_equal(tmem_shrink(s.o.t, UINT64_MAX, NULL), 0);
	opened_age(&s.o);
	for (kind = 0; kind < CONTENT_KINDS; kind++) {
		s.key.index = kind;
		page_fill(s.want, s.size, kind, kind);
		get_part(1000, 2000);
		get_part(4095, 1);
		put_part(3, 500, kind);
		whole_is_as_wanted();
	}
	opened_finish(&s.o);
}

static void getting_a_part_of_nothing(void **state)
{
	(void)state;
	scene_init(TMEM_POOL_PERSISTENT, 4096);
	memset(s.buf, 0xa5, sizeof(s.buf));
	assert_int_equal(part(TMEM_OP_GET, 16, 16), 0);
	assert_true(page_uniform(s.buf, sizeof(s.buf), 0xa5));
	opened_finish(&s.o);
}

static void putting_a_part(void **state)
{
	struct rng rng = { .state = 2 };
	unsigned kind, round;

	(void)state;
	scene_init(TMEM_POOL_PERSISTENT, 8192);
	for (kind = 0; kind < CONTENT_KINDS; kind++) {
		scene_put(kind, kind);
		put_part(0, 1, 1);
		put_part(s.size - 1, 1, 2);
		put_part(1, s.size - 1, 3);
		put_part(0, s.size - 1, 4);
		scene_put(kind, kind);
		for (round = 0; round < 50; round++) {
			uint32_t at = rng_below(&rng, s.size - 1);

			put_part(at, 1 + rng_below(&rng, s.size - at), round);
			whole_is_as_wanted();
		}
	}
	opened_finish(&s.o);
}

/* In an exclusive pool the whole page is still there for one get. */
static void putting_a_part_of_an_ephemeral_page(void **state)
{
	(void)state;
	scene_init(0, 4096);
	scene_put(CONTENT_TEXT, 1);
	put_part(5, 100, 2);
	get_part(0, 300);
	whole_is_as_wanted();
	assert_int_equal(tmem_get(s.o.t, s.pool, &s.key, s.buf), 0);
	opened_finish(&s.o);
}

/* There is nothing to change: refused, and nothing is made up (L5). */
static void putting_a_part_of_nothing(void **state)
{
	struct tmem_stats before, after;

	(void)state;
	scene_init(TMEM_POOL_PERSISTENT, 4096);
	before = opened_stats(&s.o);
	assert_int_equal(part(TMEM_OP_PUT, 16, 16), 0);
	after = opened_stats(&s.o);
	assert_int_equal(after.puts, before.puts + 1);
	assert_int_equal(stats_refused(&after), 1);
	assert_int_equal(stats_pages(&after) | after.objects, 0);
	assert_int_equal(tmem_get(s.o.t, s.pool, &s.key, s.buf), 0);
	assert_int_equal(tmem_flush_page(s.o.t, s.pool, &s.key), 0);
	opened_finish(&s.o);
}

/* T11: outside the page, also by wrapping around, is -EINVAL, and harmless. */
static void outside_the_page(void **state)
{
	static const uint32_t bad[][2] = {
		{ 0, 4097 },
		{ 1, 4096 },
		{ 4095, 2 },
		{ 4096, 1 },
		{ 4097, 1 },
		{ 0, UINT32_MAX },
		{ 1, UINT32_MAX },
		{ 2, UINT32_MAX },
		{ 4096, UINT32_MAX },
		{ UINT32_MAX, 1 },
		{ UINT32_MAX, 2 },
		{ UINT32_MAX, UINT32_MAX },
		{ 0x80000000u, 1 },
		{ 0x80000000u, 0x80000000u },
		{ 0x80000000u, 0x80000001u },
		{ 4095, 0xfffff002u },
		{ 0xfffff000u, 4096 },
		{ 0xfffff800u, 4096 },
		{ 65536, 1 },
		{ 0, 65536 },
	};
	struct tmem_stats before, after;
	size_t i;

	(void)state;
	scene_init(TMEM_POOL_PERSISTENT, 4096);
	scene_put(CONTENT_RANDOM, 1);
	before = opened_stats(&s.o);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(s.buf, 0xa5, sizeof(s.buf));
		assert_int_equal(part(TMEM_OP_GET, bad[i][0], bad[i][1]),
				 -EINVAL);
		assert_true(page_uniform(s.buf, sizeof(s.buf), 0xa5));
		assert_int_equal(part(TMEM_OP_PUT, bad[i][0], bad[i][1]),
				 -EINVAL);
	}
	after = opened_stats(&s.o);
	after.ager_ns = before.ager_ns;
	assert_memory_equal(&before, &after, sizeof(after));
	whole_is_as_wanted();
	opened_finish(&s.o);
}

/* One op's fault is its own; those around it are done, in order. */
static void a_batch_is_done_in_order(void **state)
{
	static uint8_t a[4096], b[4096], got[4][4096];
	struct tmem_op ops[10];
	unsigned i;

	(void)state;
	scene_init(TMEM_POOL_PERSISTENT, 4096);
	page_fill(a, sizeof(a), CONTENT_RANDOM, 1);
	page_fill(b, sizeof(b), CONTENT_RANDOM, 2);
	memset(ops, 0, sizeof(ops));
	for (i = 0; i < 10; i++)
		ops[i] = (struct tmem_op){ .pool = s.pool,
					   .key = s.key,
					   .result = 77,
					   .user_data = ~(uint64_t)i };
	ops[0].code = TMEM_OP_GET;
	ops[0].page = got[0];
	ops[1].code = TMEM_OP_PUT;
	ops[1].page = a;
	ops[2].code = TMEM_OP_GET;
	ops[2].page = got[1];
	ops[3].code = TMEM_OP_PUT;
	ops[3].page = b;
	ops[4].code = 99;
	ops[5].code = TMEM_OP_GET;
	ops[5].page = got[2];
	ops[6].code = TMEM_OP_FLUSH_PAGE;
	ops[7].code = TMEM_OP_GET;
	ops[7].page = got[3];
	ops[8].code = TMEM_OP_FLUSH_OBJECT;
	ops[9].code = TMEM_OP_GET;
	ops[9].page = got[3];
	ops[9].pool = -1;
	assert_int_equal(tmem_submit(s.o.t, ops, 10), 0);
	assert_int_equal(ops[0].result, 0);
	assert_int_equal(ops[1].result, 1);
	assert_int_equal(ops[2].result, 1);
	assert_memory_equal(got[1], a, sizeof(a));
	assert_int_equal(ops[3].result, 1);
	assert_int_equal(ops[4].result, -EINVAL);
	assert_int_equal(ops[5].result, 1);
	assert_memory_equal(got[2], b, sizeof(b));
	assert_int_equal(ops[6].result, 1);
	assert_int_equal(ops[7].result, 0);
	assert_int_equal(ops[8].result, 0);
	assert_int_equal(ops[9].result, -EBADF);
	for (i = 0; i < 10; i++)
		assert_int_equal(ops[i].user_data, ~(uint64_t)i);
	opened_finish(&s.o);
}

/* A batch longer than any the store may look up at a time. */
static void a_long_batch(void **state)
{
	enum {
		OPS = 1500
	};
	static struct tmem_op ops[OPS];
	static uint8_t pages[OPS][4096];
	unsigned i, round;

	(void)state;
	scene_init(TMEM_POOL_PERSISTENT, 4096);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < OPS; i++) {
			ops[i] = (struct tmem_op){
				.code = round ? TMEM_OP_GET : TMEM_OP_PUT,
				.pool = s.pool,
				.key = tmem_key(i % 7, i),
				.page = pages[i],
			};
			page_fill(pages[i], 4096, CONTENT_TEXT, i + round);
		}
		assert_int_equal(tmem_submit(s.o.t, ops, OPS), 0);
		for (i = 0; i < OPS; i++)
			assert_int_equal(ops[i].result, 1);
	}
	for (i = 0; i < OPS; i++)
		assert_true(page_equal(pages[i], 4096, CONTENT_TEXT, i));
	opened_finish(&s.o);
}

/* The flushes look at no page and no range... and at no index. */
static void flushes_ignore_the_page(void **state)
{
	struct tmem_op op = { .code = TMEM_OP_FLUSH_OBJECT };

	(void)state;
	scene_init(TMEM_POOL_PERSISTENT, 4096);
	scene_put(CONTENT_RANDOM, 1);
	op.pool = s.pool;
	op.key = s.key;
	op.key.index = ~s.key.index;
	assert_int_equal(tmem_submit(s.o.t, &op, 1), 0);
	assert_int_equal(op.result, 1);
	opened_finish(&s.o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(getting_a_part),
		cmocka_unit_test(getting_a_part_of_an_aged_page),
		cmocka_unit_test(getting_a_part_of_nothing),
		cmocka_unit_test(putting_a_part),
		cmocka_unit_test(putting_a_part_of_an_ephemeral_page),
		cmocka_unit_test(putting_a_part_of_nothing),
		cmocka_unit_test(outside_the_page),
		cmocka_unit_test(a_batch_is_done_in_order),
		cmocka_unit_test(a_long_batch),
		cmocka_unit_test(flushes_ignore_the_page),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
