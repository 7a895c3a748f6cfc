/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-contract-stats.c - T19: every counter moves exactly as tmem.h says, for
 * the store and for the pool, and no other counter moves with it.
 */
#include <string.h>

#include "content.h"
#include "leftover.h"
#include "opened.h"
#include "unit.h"
#include <tmem/tmem.h>

#define PAGE 4096u

static struct opened o;
static struct tmem_stats before;

/*
 * Takes the figures and says how they differ from last time. What only a run of
 * background work or the store's own housekeeping changes is left out.
 */
static struct tmem_stats moved(void)
{
	struct tmem_stats now = opened_stats(&o), diff = now;
	uint64_t *d = &diff.limit_bytes, *b = &before.limit_bytes;

	for (; d <= &diff.ager_ns; d++, b++)
		*d -= *b;
	diff.size = 0;
	diff.used_bytes = diff.ager_ns = 0;
	diff.pages_same = diff.pages_raw = 0;
	diff.pages_packed = diff.pages_dense = 0;
	before = now;
	/* Every page has one form. */
	assert_int_equal(now.pages_same + now.pages_raw + now.pages_packed +
				 now.pages_dense,
			 stats_pages(&now));
	return diff;
}

static void start(const char *where, uint64_t limit_pages)
{
	struct tmem_open_opts opts = {
		.size = sizeof(opts),
		.agers = TMEM_NO_AGERS,
		.limit_pages = limit_pages,
	};

	opened_init_opts(&o, where, &opts);
	memset(&before, 0, sizeof(before));
	(void)moved();
}

/* The figures moved by exactly `want`. */
static void moved_by(struct tmem_stats want)
{
	struct tmem_stats diff = moved();

	assert_memory_equal(&diff, &want, sizeof(diff));
}

#define MOVED_BY(...) moved_by((struct tmem_stats){ __VA_ARGS__ })

static int put(int pool, struct tmem_key key, enum content_kind kind,
	       uint64_t seed)
{
	static uint8_t page[TMEM_PAGE_SIZE_MAX];
	struct tmem_pool_stats s = opened_pool_stats(&o, pool);

	page_fill(page, s.page_size, kind, seed);
	return tmem_put(o.t, pool, &key, page);
}

static int get(int pool, struct tmem_key key)
{
	static uint8_t page[TMEM_PAGE_SIZE_MAX];

	return tmem_get(o.t, pool, &key, page);
}

static void a_new_store_is_empty(void **state)
{
	struct tmem_stats s;

	(void)state;
	opened_init(&o, "embedded:size=8M");
	s = opened_stats(&o);
	assert_int_equal(s.limit_bytes, 8u << 20);
	assert_in_range(s.used_bytes, 1, s.limit_bytes);
	s.used_bytes = s.ager_ns = s.limit_bytes = 0;
	assert_memory_equal(&s, &(struct tmem_stats){ .size = s.size },
			    sizeof(s));
	opened_finish(&o);
}

static void pools(void **state)
{
	int pool;

	(void)state;
	start("embedded:size=8M", 0);
	pool = opened_pool(&o, 0, 0);
	MOVED_BY(.pools = 1);
	assert_int_equal(tmem_pool_destroy(o.t, pool), 0);
	MOVED_BY(.pools = UINT64_MAX);
	opened_finish(&o);
}

static void puts_and_gets(void **state)
{
	int eph, keep, pers;

	(void)state;
	start("embedded:size=8M", 0);
	eph = opened_pool(&o, 0, 0);
	keep = opened_pool(&o, TMEM_POOL_KEEP, 16384);
	pers = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	(void)moved();
	assert_int_equal(put(eph, tmem_key(1, 1), CONTENT_TEXT, 1), 1);
	MOVED_BY(.puts = 1, .pages_ephemeral = 1, .objects = 1,
		 .raw_bytes = PAGE);
	assert_int_equal(put(keep, tmem_key(1, 1), CONTENT_RANDOM, 1), 1);
	MOVED_BY(.puts = 1, .pages_ephemeral = 1, .objects = 1,
		 .raw_bytes = 16384);
	assert_int_equal(put(pers, tmem_key(1, 1), CONTENT_ZERO, 1), 1);
	MOVED_BY(.puts = 1, .pages_persistent = 1, .objects = 1,
		 .raw_bytes = PAGE);
	/* A second page of an object is no second object. */
	assert_int_equal(put(pers, tmem_key(1, 2), CONTENT_TEXT, 2), 1);
	MOVED_BY(.puts = 1, .pages_persistent = 1, .raw_bytes = PAGE);
	/* Nor is a page put over another one more page. */
	assert_int_equal(put(pers, tmem_key(1, 2), CONTENT_RANDOM, 3), 1);
	MOVED_BY(.puts = 1);
	assert_int_equal(get(pers, tmem_key(1, 2)), 1);
	MOVED_BY(.gets = 1, .hits = 1);
	assert_int_equal(get(pers, tmem_key(1, 3)), 0);
	MOVED_BY(.gets = 1);
	assert_int_equal(get(keep, tmem_key(1, 1)), 1);
	MOVED_BY(.gets = 1, .hits = 1);
	/* An exclusive get takes the page, and its object, with it. */
	assert_int_equal(get(eph, tmem_key(1, 1)), 1);
	MOVED_BY(.gets = 1, .hits = 1, .pages_ephemeral = UINT64_MAX,
		 .objects = UINT64_MAX, .raw_bytes = -(uint64_t)PAGE);
	assert_int_equal(get(eph, tmem_key(1, 1)), 0);
	assert_int_equal(moved().hits, 0);
	opened_finish(&o);
}

static void flushes(void **state)
{
	struct tmem_key key = tmem_key(1, 1);
	int pool;

	(void)state;
	start("embedded:size=8M", 0);
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	for (key.index = 0; key.index < 5; key.index++)
		assert_int_equal(put(pool, key, CONTENT_TEXT, key.index), 1);
	(void)moved();
	assert_int_equal(tmem_flush_page(o.t, pool, &key), 0);
	MOVED_BY(.flushes = 1);
	key.index = 0;
	assert_int_equal(tmem_flush_page(o.t, pool, &key), 1);
	MOVED_BY(.flushes = 1, .pages_persistent = UINT64_MAX,
		 .raw_bytes = -(uint64_t)PAGE);
	assert_int_equal(tmem_flush_object(o.t, pool, &key), 1);
	MOVED_BY(.flushes = 1, .pages_persistent = -4ull, .objects = UINT64_MAX,
		 .raw_bytes = -4ull * PAGE);
	assert_int_equal(tmem_flush_object(o.t, pool, &key), 0);
	MOVED_BY(.flushes = 1);
	opened_finish(&o);
}

static void destroying_a_pool(void **state)
{
	uint64_t i;
	int pool;

	(void)state;
	start("embedded:size=8M", 0);
	pool = opened_pool(&o, 0, 0);
	for (i = 0; i < 100; i++)
		assert_int_equal(
			put(pool, tmem_key(i / 10, i), CONTENT_TEXT, i), 1);
	(void)moved();
	assert_int_equal(tmem_pool_destroy(o.t, pool), 0);
	MOVED_BY(.pools = UINT64_MAX, .pages_ephemeral = -100ull,
		 .objects = -10ull, .raw_bytes = -100ull * PAGE);
	opened_finish(&o);
}

/* Parts count as the puts and gets they are. */
static void parts(void **state)
{
	uint8_t buf[64] = { 0 };
	struct tmem_op op = {
		.code = TMEM_OP_GET,
		.key = tmem_key(1, 1),
		.page = buf,
		.offset = 10,
		.len = 20,
	};

	(void)state;
	start("embedded:size=8M", 0);
	op.pool = opened_pool(&o, 0, 0);
	assert_int_equal(put(op.pool, op.key, CONTENT_TEXT, 1), 1);
	(void)moved();
	assert_int_equal(tmem_submit(o.t, &op, 1), 0);
	MOVED_BY(.gets = 1, .hits = 1);
	op.code = TMEM_OP_PUT;
	assert_int_equal(tmem_submit(o.t, &op, 1), 0);
	assert_int_equal(op.result, 1);
	MOVED_BY(.puts = 1);
	opened_finish(&o);
}

static void refused_when_frozen(void **state)
{
	int pool;

	(void)state;
	start("embedded:size=8M", 0);
	pool = opened_pool(&o, 0, 0);
	(void)moved();
	assert_int_equal(tmem_freeze(o.t, 1), 0);
	assert_int_equal(put(pool, tmem_key(1, 1), CONTENT_TEXT, 1), 0);
	MOVED_BY(.puts = 1, .refused_frozen = 1);
	opened_finish(&o);
}

/* T12: the cap is exact; a put over a page there is no more than before. */
static void refused_by_limit_pages(void **state)
{
	uint64_t i;
	int pool;

	(void)state;
	start("embedded:size=8M", 50);
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	for (i = 0; i < 50; i++)
		assert_int_equal(
			put(pool, tmem_key(1, i), i % CONTENT_KINDS, i), 1);
	(void)moved();
	assert_int_equal(put(pool, tmem_key(1, 50), CONTENT_ZERO, 1), 0);
	MOVED_BY(.puts = 1, .refused_quota = 1);
	assert_int_equal(put(pool, tmem_key(1, 7), CONTENT_TEXT, 99), 1);
	MOVED_BY(.puts = 1);
	assert_int_equal(
		tmem_flush_page(o.t, pool, &(struct tmem_key){ { 1 }, 3 }), 1);
	assert_int_equal(put(pool, tmem_key(1, 50), CONTENT_TEXT, 1), 1);
	assert_int_equal(put(pool, tmem_key(1, 3), CONTENT_TEXT, 1), 0);
	assert_int_equal(before.limit_bytes, 8u << 20);
	assert_int_equal(opened_stats(&o).pages_persistent, 50);
	opened_finish(&o);
}

/* limit_pages binds ephemeral pages too, whether by refusing or dropping. */
static void limit_pages_binds_all(void **state)
{
	struct tmem_stats s;
	int eph, pers;
	uint64_t i;

	(void)state;
	start("embedded:size=8M", 50);
	eph = opened_pool(&o, TMEM_POOL_KEEP, 0);
	pers = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	for (i = 0; i < 200; i++) {
		int ret = put(i % 3 ? eph : pers, tmem_key(1, i), CONTENT_TEXT,
			      i);

		assert_in_range(ret, 0, 1);
		s = opened_stats(&o);
		assert_in_range(stats_pages(&s), 1, 50);
	}
	assert_int_equal(s.refused_full + s.refused_nomem + s.refused_frozen, 0);
	opened_finish(&o);
}

static void refused_when_full(void **state)
{
	uint64_t i, stored = 0;
	struct tmem_stats s;
	int pool;

	(void)state;
	start("embedded:size=4M", 0);
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	for (i = 0; i < 2000; i++)
		stored += (uint64_t)put(pool, tmem_key(1, i), CONTENT_RANDOM, i);
	s = opened_stats(&o);
	assert_int_equal(s.puts, 2000);
	assert_int_equal(s.pages_persistent, stored);
	assert_int_equal(s.raw_bytes, stored * PAGE);
	assert_int_equal(s.puts - stats_refused(&s), stored);
	assert_true(s.refused_full + s.refused_nomem > 0);
	assert_true(s.refused_full > 0);
	assert_int_equal(s.refused_quota | s.refused_frozen | s.evictions, 0);
	opened_finish(&o);
}

/* What was dropped to make room is counted, and so is its being missed. */
static void evictions_and_ghosts(void **state)
{
	uint64_t i, stored = 0, missed = 0;
	struct tmem_stats s;
	int pool;

	(void)state;
	start("embedded:size=4M", 0);
	pool = opened_pool(&o, TMEM_POOL_KEEP, 0);
	for (i = 0; i < 3000; i++)
		stored += (uint64_t)put(pool, tmem_key(1, i), CONTENT_RANDOM, i);
	s = opened_stats(&o);
	assert_true(s.evictions > 0);
	assert_int_equal(s.pages_ephemeral + s.evictions, stored);
	for (i = 0; i < 3000; i++)
		missed += !get(pool, tmem_key(1, i));
	s = opened_stats(&o);
	assert_int_equal(s.gets, 3000);
	assert_int_equal(s.hits, 3000 - missed);
	assert_in_range(s.ghost_hits, 1, missed);
	assert_int_equal(opened_pool_stats(&o, pool).evictions, s.evictions);
	assert_int_equal(opened_pool_stats(&o, pool).ghost_hits, s.ghost_hits);
	opened_finish(&o);
}

/* Never there, or flushed, is not a page "dropped lately". */
static void a_plain_miss_is_no_ghost(void **state)
{
	uint64_t i;
	int pool;

	(void)state;
	start("embedded:size=8M", 0);
	pool = opened_pool(&o, TMEM_POOL_KEEP, 0);
	for (i = 0; i < 200; i++)
		assert_int_equal(get(pool, tmem_key(1, i)), 0);
	assert_int_equal(opened_stats(&o).ghost_hits, 0);
	opened_finish(&o);
}

static void same_pages_are_seen(void **state)
{
	struct tmem_stats s;
	uint64_t i;
	int pool;

	(void)state;
	start("embedded:size=8M", 0);
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	for (i = 0; i < 100; i++)
		assert_int_equal(put(pool, tmem_key(1, i),
				     i % 2 ? CONTENT_SAME : CONTENT_ZERO, i),
				 1);
	for (i = 100; i < 120; i++)
		assert_int_equal(put(pool, tmem_key(1, i), CONTENT_RANDOM, i),
				 1);
	opened_age(&o);
	s = opened_stats(&o);
	assert_int_equal(s.pages_same, 100);
	assert_int_equal(s.pages_raw, 20);
	assert_int_equal(opened_pool_stats(&o, pool).pages_same, 100);
	opened_finish(&o);
}

#define ADD(field) sum->field += s.field
#define SAME(field) assert_int_equal(sum.field, all.field)

static void add_pool(struct tmem_pool_stats *sum, int pool)
{
	struct tmem_pool_stats s = opened_pool_stats(&o, pool);

	ADD(used_bytes);
	ADD(raw_bytes);
	ADD(objects);
	ADD(pages_ephemeral);
	ADD(pages_persistent);
	ADD(pages_same);
	ADD(pages_raw);
	ADD(pages_packed);
	ADD(pages_dense);
	ADD(puts);
	ADD(refused_full);
	ADD(refused_quota);
	ADD(refused_frozen);
	ADD(refused_nomem);
	ADD(gets);
	ADD(hits);
	ADD(flushes);
	ADD(evictions);
	ADD(ghost_hits);
}

/* T19: the store's figures are the sums of its pools'. */
static void pools_sum_up(void **state)
{
	struct tmem_pool_stats sum = { .size = 0 };
	struct tmem_stats all;
	int ids[4], i;
	uint64_t n;

	(void)state;
	start("embedded:size=4M", 3000);
	for (i = 0; i < 4; i++)
		ids[i] = opened_pool(&o, i % 2 ? TMEM_POOL_PERSISTENT : 0,
				     4096u << i / 2);
	for (n = 0; n < 4000; n++) {
		struct tmem_key key = tmem_key(n % 13, n % 997);

		i = (int)(n * 7 / 3 % 4);
		(void)tmem_freeze(o.t, n % 97 < 3);
		(void)put(ids[i], key, n % CONTENT_KINDS, n);
		(void)get(ids[n % 4], key);
		if (n % 11 == 0)
			(void)tmem_flush_page(o.t, ids[i], &key);
		if (n % 251 == 0)
			(void)tmem_flush_object(o.t, ids[i], &key);
		if (n % 500 == 0)
			(void)tmem_age(o.t, 1000);
	}
	all = opened_stats(&o);
	for (i = 0; i < 4; i++)
		add_pool(&sum, ids[i]);
	SAME(raw_bytes);
	SAME(objects);
	SAME(pages_ephemeral);
	SAME(pages_persistent);
	SAME(pages_same);
	SAME(pages_raw);
	SAME(pages_packed);
	SAME(pages_dense);
	SAME(puts);
	SAME(refused_full);
	SAME(refused_quota);
	SAME(refused_frozen);
	SAME(refused_nomem);
	SAME(gets);
	SAME(hits);
	SAME(flushes);
	SAME(evictions);
	SAME(ghost_hits);
	assert_in_range(sum.used_bytes, 1, all.used_bytes);
	for (i = 0; i < 4; i++)
		assert_int_equal(tmem_pool_destroy(o.t, ids[i]), 0);
	/* What pools did stays counted when they are gone. */
	assert_int_equal(opened_stats(&o).puts, all.puts);
	assert_int_equal(opened_stats(&o).hits, all.hits);
	opened_finish(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_store_is_empty),
		cmocka_unit_test(pools),
		cmocka_unit_test(puts_and_gets),
		cmocka_unit_test(flushes),
		cmocka_unit_test(destroying_a_pool),
		cmocka_unit_test(parts),
		cmocka_unit_test(refused_when_frozen),
		cmocka_unit_test(refused_by_limit_pages),
		cmocka_unit_test(limit_pages_binds_all),
		cmocka_unit_test(refused_when_full),
		cmocka_unit_test(evictions_and_ghosts),
		cmocka_unit_test(a_plain_miss_is_no_ghost),
		cmocka_unit_test(same_pages_are_seen),
		cmocka_unit_test(pools_sum_up),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
