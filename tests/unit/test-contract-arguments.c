/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-contract-arguments.c - a wrong argument returns its errno and changes
 * nothing: not the store, not its figures, not the caller's buffers. Only a call
 * that sets something up may say a line about it.
 */
#include <errno.h>
#include <string.h>

#include "content.h"
#include "leftover.h"
#include "opened.h"
#include "unit.h"
#include <tmem/tmem.h>

#define PAGE 4096u

static const struct tmem_key key = { { 1, 2, 3 }, 4 };

struct scene {
	struct opened o;
	int pool;
	struct tmem_stats before;
	uint8_t page[PAGE];
};

/* A store with one persistent page under `key`. */
static void scene_init(struct scene *s)
{
	opened_init(&s->o, "embedded:size=8M");
	s->pool = opened_pool(&s->o, TMEM_POOL_PERSISTENT, 0);
	page_fill(s->page, PAGE, CONTENT_RANDOM, 1);
	assert_int_equal(tmem_put(s->o.t, s->pool, &key, s->page), 1);
	s->before = opened_stats(&s->o);
	lines_clear(&s->o.lines);
}

/* Nothing has changed, and the page is still there. */
static void scene_finish(struct scene *s)
{
	struct tmem_stats after = opened_stats(&s->o);
	uint8_t got[PAGE];

	after.ager_ns = s->before.ager_ns;
	assert_memory_equal(&after, &s->before, sizeof(after));
	assert_int_equal(s->o.lines.count, 0);
	assert_int_equal(tmem_get(s->o.t, s->pool, &key, got), 1);
	assert_memory_equal(got, s->page, PAGE);
	opened_finish(&s->o);
}

static void no_session(void **state)
{
	struct tmem_pool_stats pool_stats = { .size = sizeof(pool_stats) };
	struct tmem_stats stats = { .size = sizeof(stats) };
	struct tmem_op op = { .code = TMEM_OP_FLUSH_PAGE };
	uint8_t page[PAGE] = { 0 };
	uint64_t bytes = 77;

	(void)state;
	assert_int_equal(tmem_pool_create(NULL, NULL), -EINVAL);
	assert_int_equal(tmem_pool_destroy(NULL, 0), -EINVAL);
	assert_int_equal(tmem_put(NULL, 0, &key, page), -EINVAL);
	assert_int_equal(tmem_get(NULL, 0, &key, page), -EINVAL);
	assert_int_equal(tmem_flush_page(NULL, 0, &key), -EINVAL);
	assert_int_equal(tmem_flush_object(NULL, 0, &key), -EINVAL);
	assert_int_equal(tmem_submit(NULL, &op, 1), -EINVAL);
	assert_int_equal(tmem_shrink(NULL, 0, &bytes), -EINVAL);
	assert_int_equal(bytes, 77);
	assert_int_equal(tmem_set_limit(NULL, 8u << 20), -EINVAL);
	assert_int_equal(tmem_freeze(NULL, 0), -EINVAL);
	assert_int_equal(tmem_age(NULL, 0), -EINVAL);
	assert_int_equal(tmem_stats(NULL, &stats), -EINVAL);
	assert_int_equal(tmem_pool_stats(NULL, 0, &pool_stats), -EINVAL);
	assert_int_equal(tmem_check(NULL), -EINVAL);
}

static void no_key_no_page(void **state)
{
	uint8_t page[PAGE];
	struct scene s;

	(void)state;
	scene_init(&s);
	memset(page, 0xa5, PAGE);
	assert_int_equal(tmem_put(s.o.t, s.pool, NULL, page), -EINVAL);
	assert_int_equal(tmem_put(s.o.t, s.pool, &key, NULL), -EINVAL);
	assert_int_equal(tmem_get(s.o.t, s.pool, NULL, page), -EINVAL);
	assert_int_equal(tmem_get(s.o.t, s.pool, &key, NULL), -EINVAL);
	assert_int_equal(tmem_flush_page(s.o.t, s.pool, NULL), -EINVAL);
	assert_int_equal(tmem_flush_object(s.o.t, s.pool, NULL), -EINVAL);
	assert_true(page_uniform(page, PAGE, 0xa5));
	scene_finish(&s);
}

/* Every call that takes a pool id, with one that names no pool. */
static void all_refuse_pool(struct tmem *t, int pool)
{
	struct tmem_pool_stats stats, copy;
	struct tmem_op op = { .flags = 0 };
	uint8_t page[PAGE];
	uint32_t code;

	memset(page, 0xa5, PAGE);
	memset(&stats, 0x5a, sizeof(stats));
	stats.size = sizeof(stats);
	copy = stats;
	assert_int_equal(tmem_put(t, pool, &key, page), -EBADF);
	assert_int_equal(tmem_get(t, pool, &key, page), -EBADF);
	assert_int_equal(tmem_flush_page(t, pool, &key), -EBADF);
	assert_int_equal(tmem_flush_object(t, pool, &key), -EBADF);
	assert_int_equal(tmem_pool_destroy(t, pool), -EBADF);
	assert_int_equal(tmem_pool_stats(t, pool, &stats), -EBADF);
	assert_memory_equal(&stats, &copy, sizeof(stats));
	for (code = TMEM_OP_PUT; code <= TMEM_OP_FLUSH_OBJECT; code++) {
		op.code = code;
		op.pool = pool;
		op.key = key;
		op.page = page;
		assert_int_equal(tmem_submit(t, &op, 1), 0);
		assert_int_equal(op.result, -EBADF);
	}
	assert_true(page_uniform(page, PAGE, 0xa5));
}

static void no_such_pool(void **state)
{
	static const int bad[] = {
		-1,
		-2,
		-255,
		-256,
		-257,
		INT32_MIN,
		INT32_MIN + 1,
		INT32_MAX,
		INT32_MAX - 1,
		0x7fffff00,
		0x40000000,
	};
	struct scene s;
	size_t i;
	int bit;

	(void)state;
	scene_init(&s);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		all_refuse_pool(s.o.t, bad[i]);
	/* The ids around the one there is, and with any one bit changed. */
	for (i = 1; i <= TMEM_POOLS_MAX + 1; i++)
		all_refuse_pool(s.o.t, (int)((unsigned)s.pool + i));
	for (bit = 0; bit < 32; bit++)
		all_refuse_pool(s.o.t, (int)((unsigned)s.pool ^ 1u << bit));
	scene_finish(&s);
}

static void bad_pool_options(void **state)
{
	struct {
		struct tmem_pool_opts known;
		uint64_t later[2];
	} opts = { .known = { .size = sizeof(opts) } };
	struct scene s;
	unsigned bit;

	(void)state;
	scene_init(&s);
	opts.later[1] = 1;
	assert_int_equal(tmem_pool_create(s.o.t, &opts.known), -E2BIG);
	opts.later[1] = 0;
	opts.known.size = 0;
	assert_int_equal(tmem_pool_create(s.o.t, &opts.known), -EINVAL);
	opts.known.size = sizeof(opts.known) - 1;
	assert_int_equal(tmem_pool_create(s.o.t, &opts.known), -EINVAL);
	opts.known.size = sizeof(opts.known);
	for (bit = 4; bit < 32; bit++) {
		opts.known.flags = 1u << bit;
		assert_int_equal(tmem_pool_create(s.o.t, &opts.known), -EINVAL);
	}
	opts.known.flags = TMEM_POOL_KEEP | TMEM_POOL_TAKE;
	assert_int_equal(tmem_pool_create(s.o.t, &opts.known), -EINVAL);
	opts.known.flags |= TMEM_POOL_PERSISTENT;
	assert_int_equal(tmem_pool_create(s.o.t, &opts.known), -EINVAL);
	opts.known.flags = TMEM_POOL_SHARED;
	assert_int_equal(tmem_pool_create(s.o.t, &opts.known), -EOPNOTSUPP);
	opts.known.flags |= TMEM_POOL_PERSISTENT;
	assert_int_equal(tmem_pool_create(s.o.t, &opts.known), -EOPNOTSUPP);
	lines_clear(&s.o.lines);
	scene_finish(&s);
}

static void bad_page_sizes(void **state)
{
	static const uint32_t bad[] = {
		1,     512,    2048,	 4095,	      4097,	  6144,
		8191,  12288,  20480,	 49152,	      65535,	  65537,
		98304, 131072, 1u << 20, 0x80000000u, UINT32_MAX, 0x80001000u,
	};
	struct tmem_pool_opts opts = { .size = sizeof(opts) };
	struct scene s;
	size_t i;

	(void)state;
	scene_init(&s);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		opts.page_size = bad[i];
		assert_int_equal(tmem_pool_create(s.o.t, &opts), -EINVAL);
		assert_int_equal(s.o.lines.count, i + 1);
	}
	lines_clear(&s.o.lines);
	scene_finish(&s);
}

static void bad_memory_calls(void **state)
{
	static const int frozen[] = { -1, 2, INT32_MIN, INT32_MAX };
	struct scene s;
	size_t i;

	(void)state;
	scene_init(&s);
	for (i = 0; i < sizeof(frozen) / sizeof(frozen[0]); i++)
		assert_int_equal(tmem_freeze(s.o.t, frozen[i]), -EINVAL);
	assert_int_equal(tmem_set_limit(s.o.t, 0), -EINVAL);
	assert_int_equal(tmem_set_limit(s.o.t, 1), -EINVAL);
	assert_int_equal(tmem_set_limit(s.o.t, 4096), -EINVAL);
	assert_int_equal(tmem_set_limit(s.o.t, 64 * (8ull << 20) + 1), -EINVAL);
	assert_int_equal(tmem_set_limit(s.o.t, 1ull << 63), -EINVAL);
	assert_int_equal(tmem_set_limit(s.o.t, UINT64_MAX), -EINVAL);
	lines_clear(&s.o.lines);
	scene_finish(&s);
}

static void bad_batches(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s);
	assert_int_equal(tmem_submit(s.o.t, NULL, 1), -EINVAL);
	assert_int_equal(tmem_submit(s.o.t, NULL, UINT32_MAX), -EINVAL);
	assert_int_equal(tmem_submit(s.o.t, NULL, 0), 0);
	scene_finish(&s);
}

/* One op with a fault of its own; the buffers and all other fields stay. */
static void op_refused(struct scene *s, struct tmem_op op)
{
	uint8_t page[PAGE];
	struct tmem_op copy;

	memset(page, 0xa5, PAGE);
	if (op.page)
		op.page = page;
	op.result = 77;
	copy = op;
	assert_int_equal(tmem_submit(s->o.t, &op, 1), 0);
	assert_int_equal(op.result, -EINVAL);
	copy.result = op.result;
	assert_memory_equal(&op, &copy, sizeof(op));
	assert_true(page_uniform(page, PAGE, 0xa5));
}

static void bad_ops(void **state)
{
	static const uint32_t codes[] = { 0,
					  5,
					  6,
					  255,
					  256 + TMEM_OP_PUT,
					  0x80000000u | TMEM_OP_PUT,
					  UINT32_MAX };
	struct scene s;
	uint32_t code;
	size_t i;

	(void)state;
	scene_init(&s);
	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		op_refused(&s, (struct tmem_op){ .code = codes[i],
						 .pool = s.pool,
						 .key = key,
						 .page = s.page });
	for (code = TMEM_OP_PUT; code <= TMEM_OP_FLUSH_OBJECT; code++) {
		struct tmem_op good = {
			.code = code,
			.pool = s.pool,
			.key = key,
			.page = s.page,
			.user_data = 0x1122334455667788ull,
		};
		struct tmem_op bad = good;

		bad.flags = 1;
		op_refused(&s, bad);
		bad.flags = 0x80000000u;
		op_refused(&s, bad);
		bad = good;
		bad.reserved[0] = 1;
		op_refused(&s, bad);
		bad = good;
		bad.reserved[1] = 1ull << 63;
		op_refused(&s, bad);
		bad = good;
		bad.page = NULL;
		if (code == TMEM_OP_PUT || code == TMEM_OP_GET)
			op_refused(&s, bad);
	}
	scene_finish(&s);
}

/* What struct tmem_stats had in the first release. */
#define FIRST_STATS offsetof(struct tmem_stats, puts_packed)

static void bad_stats(void **state)
{
	struct {
		struct tmem_stats known;
		uint64_t later[2];
	} stats, copy;
	struct scene s;

	(void)state;
	scene_init(&s);
	memset(&stats, 0x5a, sizeof(stats));
	memset(stats.later, 0, sizeof(stats.later));
	stats.known.size = 0;
	copy = stats;
	assert_int_equal(tmem_stats(s.o.t, &stats.known), -EINVAL);
	stats.known.size = FIRST_STATS - 1;
	assert_int_equal(tmem_stats(s.o.t, &stats.known), -EINVAL);
	stats.known.size = sizeof(stats);
	stats.later[1] = 1;
	assert_int_equal(tmem_stats(s.o.t, &stats.known), -E2BIG);
	stats.later[1] = 0;
	stats.known.size = 0;
	assert_memory_equal(&stats, &copy, sizeof(stats));
	assert_int_equal(tmem_stats(s.o.t, NULL), -EINVAL);
	/* What a newer caller knows beyond this library stays zero. */
	stats.known.size = sizeof(stats);
	assert_int_equal(tmem_stats(s.o.t, &stats.known), 0);
	assert_int_equal(stats.known.size, sizeof(stats));
	assert_int_equal(stats.known.pages_persistent, 1);
	assert_int_equal(stats.later[0] | stats.later[1], 0);
	scene_finish(&s);
}

/* A program built with the first release's struct has no room for more. */
static void old_stats(void **state)
{
	struct tmem_stats stats;
	struct scene s;

	(void)state;
	scene_init(&s);
	memset(&stats, 0x5a, sizeof(stats));
	stats.size = FIRST_STATS;
	assert_int_equal(tmem_stats(s.o.t, &stats), 0);
	assert_int_equal(stats.size, FIRST_STATS);
	assert_int_equal(stats.pages_persistent, 1);
	assert_true(stats.puts_packed == 0x5a5a5a5a5a5a5a5aull);
	assert_true(stats.dictionaries == 0x5a5a5a5a5a5a5a5aull);
	scene_finish(&s);
}

static void bad_pool_stats(void **state)
{
	struct {
		struct tmem_pool_stats known;
		uint64_t later[2];
	} stats, copy;
	struct scene s;

	(void)state;
	scene_init(&s);
	memset(&stats, 0x5a, sizeof(stats));
	memset(stats.later, 0, sizeof(stats.later));
	stats.known.size = 0;
	copy = stats;
	assert_int_equal(tmem_pool_stats(s.o.t, s.pool, &stats.known), -EINVAL);
	stats.known.size = sizeof(stats.known) - 1;
	assert_int_equal(tmem_pool_stats(s.o.t, s.pool, &stats.known), -EINVAL);
	stats.known.size = sizeof(stats);
	stats.later[0] = 1;
	assert_int_equal(tmem_pool_stats(s.o.t, s.pool, &stats.known), -E2BIG);
	stats.later[0] = 0;
	stats.known.size = 0;
	assert_memory_equal(&stats, &copy, sizeof(stats));
	assert_int_equal(tmem_pool_stats(s.o.t, s.pool, NULL), -EINVAL);
	stats.known.size = sizeof(stats);
	assert_int_equal(tmem_pool_stats(s.o.t, s.pool, &stats.known), 0);
	assert_int_equal(stats.known.size, sizeof(stats));
	assert_int_equal(stats.known.page_size, PAGE);
	assert_int_equal(stats.later[0] | stats.later[1], 0);
	scene_finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_session),
		cmocka_unit_test(no_key_no_page),
		cmocka_unit_test(no_such_pool),
		cmocka_unit_test(bad_pool_options),
		cmocka_unit_test(bad_page_sizes),
		cmocka_unit_test(bad_memory_calls),
		cmocka_unit_test(bad_batches),
		cmocka_unit_test(bad_ops),
		cmocka_unit_test(bad_stats),
		cmocka_unit_test(old_stats),
		cmocka_unit_test(bad_pool_stats),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
