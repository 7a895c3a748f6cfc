/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-dense.c - T17 of dense pages: what comes back is what was put, whichever
 * dictionary it was made with, however often dictionaries come and go; and when
 * they are made at all.
 */
#include <string.h>
#include <time.h>

#include "content.h"
#include "leftover.h"
#include "machine.h"
#include "opened.h"
#include "rng.h"
#include "unit.h"
#include <tmem/tmem.h>

#define MIB ((uint64_t)1 << 20)
#define PAGE 4096u

/* Everything that is sealed is made dense as soon as there is time. */
#define AT_ONCE "embedded:size=24M,codec=zstd,raw=0"

static struct opened o;
static uint8_t page[TMEM_PAGE_SIZE_MAX], got[TMEM_PAGE_SIZE_MAX];

/* Records of a vocabulary: a page of them shrinks a little, and to next to
 * nothing for who knows the vocabulary. */
#define RECORD 128u
#define RECORDS 64u

static void fill_records(uint8_t *to, uint64_t vocabulary, uint64_t seed)
{
	struct rng pick = { .state = seed * 31 + vocabulary };
	uint32_t at;

	for (at = 0; at < PAGE; at += RECORD) {
		struct rng record = {
			.state = vocabulary * RECORDS +
				 rng_below(&pick, RECORDS),
		};
		uint32_t i;

		for (i = 0; i < RECORD; i++)
			to[at + i] = (uint8_t)(rng_next(&record) % 32);
	}
}

static struct tmem_key key_of(uint64_t i)
{
	return tmem_key(i / 64, i % 64);
}

static void put_records(int pool, uint64_t vocabulary, uint64_t first,
			uint64_t count)
{
	uint64_t i;

	for (i = first; i < first + count; i++) {
		struct tmem_key key = key_of(i);

		fill_records(page, vocabulary, i);
		assert_int_equal(tmem_put(o.t, pool, &key, page), 1);
		if (i % 64 == 63)
			opened_age(&o);
	}
	opened_age(&o);
}

static void records_are_right(int pool, uint64_t vocabulary, uint64_t first,
			      uint64_t count)
{
	uint64_t i;

	for (i = first; i < first + count; i++) {
		struct tmem_key key = key_of(i);

		fill_records(page, vocabulary, i);
		assert_int_equal(tmem_get(o.t, pool, &key, got), 1);
		assert_memory_equal(got, page, PAGE);
	}
}

/* ---- Forms ---------------------------------------------------------------- */

/* A page and parts of it. */
static void is_right(int pool, uint32_t size, enum content_kind kind, uint64_t i)
{
	struct tmem_op op = {
		.code = TMEM_OP_GET,
		.pool = pool,
		.key = key_of(i),
		.page = got,
		.offset = (uint32_t)(i * 97 % (size - 64)),
		.len = 1 + (uint32_t)(i % 64),
	};

	page_fill(page, size, kind, i);
	assert_int_equal(tmem_get(o.t, pool, &op.key, got), 1);
	assert_memory_equal(got, page, size);
	assert_int_equal(tmem_submit(o.t, &op, 1), 0);
	assert_int_equal(op.result, 1);
	assert_memory_equal(got, page + op.offset, op.len);
}

/* All kinds of content, and those that end near where raw and packed part. */
static void all_sizes_of(uint32_t size)
{
	const uint64_t n = 6 * MIB / size;
	struct tmem_stats s;
	uint64_t i;
	int pool;

	opened_init(&o, AT_ONCE);
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, size);
	for (i = 0; i < n; i++) {
		struct tmem_key key = key_of(i);

		page_fill(page, size, i % CONTENT_KINDS, i);
		assert_int_equal(tmem_put(o.t, pool, &key, page), 1);
	}
	opened_age(&o);
	s = opened_stats(&o);
	/* Text, and half of what barely shrinks; open segments stay raw. */
	assert_true(s.pages_dense > n / 5);
	assert_true(s.pages_raw >= n / 5);
	assert_true(s.used_bytes <= s.limit_bytes);
	opened_check(&o);
	for (i = 0; i < n; i++)
		is_right(pool, size, i % CONTENT_KINDS, i);
	assert_int_equal(tmem_shrink(o.t, UINT64_MAX, NULL), 0);
	for (i = 0; i < n; i++)
		is_right(pool, size, i % CONTENT_KINDS, i);
	opened_finish(&o);
}

static void every_page_size(void **state)
{
	uint32_t size;

	(void)state;
	for (size = TMEM_PAGE_SIZE_MIN; size <= TMEM_PAGE_SIZE_MAX; size *= 2)
		all_sizes_of(size);
}

/* Pages whose random head has every length around the thresholds. */
static void around_the_thresholds(void **state)
{
	const uint32_t around[] = { 0, 8, 16, PAGE / 8 * 7, PAGE };
	struct rng rng;
	uint64_t i = 0;
	uint32_t a, cut;
	int pool, pass;

	(void)state;
	opened_init(&o, AT_ONCE);
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	for (pass = 0; pass < 2; pass++) {
		i = 0;
		for (a = 0; a < sizeof(around) / sizeof(around[0]); a++)
			for (cut = around[a] > 64 ? around[a] - 64 : 0;
			     cut <= around[a] + 64 && cut <= PAGE; cut++, i++) {
				struct tmem_key key = key_of(i);
				uint32_t at;

				rng.state = cut;
				memset(page, 0, PAGE);
				for (at = 0; at < cut; at++)
					page[at] = (uint8_t)rng_next(&rng);
				if (!pass) {
					assert_int_equal(tmem_put(o.t, pool,
								  &key, page),
							 1);
					continue;
				}
				assert_int_equal(tmem_get(o.t, pool, &key, got),
						 1);
				assert_memory_equal(got, page, PAGE);
			}
		opened_age(&o);
	}
	assert_true(opened_stats(&o).pages_dense > i / 4);
	opened_finish(&o);
}

/* Putters pack when nobody ages; later there is time. */
static void packed_pages_become_dense(void **state)
{
	struct tmem_stats before, after;
	uint64_t i, n = 0;
	int pool;

	(void)state;
	opened_init(&o, AT_ONCE);
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	for (i = 0; i < 9000; i++, n++) {
		struct tmem_key key = key_of(i);

		page_fill(page, PAGE, CONTENT_TEXT, i);
		assert_int_equal(tmem_put(o.t, pool, &key, page), 1);
	}
	before = opened_stats(&o);
	assert_true(before.pages_packed > n / 2);
	assert_true(before.puts_packed > 0);
	assert_int_equal(before.pages_dense, 0);
	/* Room for the contexts, and time. */
	for (i = 0; i < 2000; i++) {
		struct tmem_key key = key_of(i);

		assert_int_equal(tmem_flush_page(o.t, pool, &key), 1);
	}
	opened_age(&o);
	after = opened_stats(&o);
	assert_true(after.pages_dense > n / 2);
	assert_true(after.pages_packed < n / 8);
	assert_true(after.used_bytes < before.used_bytes);
	for (i = 2000; i < n; i++)
		is_right(pool, PAGE, CONTENT_TEXT, i);
	opened_finish(&o);
}

/* The first so many pages, of text; all are stored. */
static void put_text(int pool, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < n; i++) {
		struct tmem_key key = key_of(i);

		page_fill(page, PAGE, CONTENT_TEXT, i);
		assert_int_equal(tmem_put(o.t, pool, &key, page), 1);
	}
}

/* Where puts outrun the agers, putters pack; and not by turns with each put. */
static void putters_pack_under_pressure(void **state)
{
	struct tmem_stats s;
	uint64_t i;
	int pool;

	(void)state;
	opened_init(&o, "embedded:size=24M,codec=zstd");
	pool = opened_pool(&o, TMEM_POOL_KEEP, 0);
	put_text(pool, 5000);
	s = opened_stats(&o);
	assert_int_equal(s.puts_packed, 0);
	assert_int_equal(s.shortages, 0);
	assert_int_equal(s.pages_raw, 5000);
	for (i = 5000; i < 30000; i++) {
		struct tmem_key key = key_of(i);

		page_fill(page, PAGE, CONTENT_TEXT, i);
		assert_int_equal(tmem_put(o.t, pool, &key, page), 1);
	}
	s = opened_stats(&o);
	print_message("%llu of %llu puts packed, short %llu times\n",
		      (unsigned long long)s.puts_packed,
		      (unsigned long long)s.puts,
		      (unsigned long long)s.shortages);
	assert_true(s.puts_packed > 1000);
	assert_true(s.shortages >= 1);
	assert_true(s.shortages * 20 < s.puts_packed);
	opened_finish(&o);
}

/* ---- Dictionaries ----------------------------------------------------------- */

static void a_dictionary_helps(void **state)
{
	uint64_t with, n = 3000;
	struct tmem_stats s;
	int pool;

	(void)state;
	opened_init(&o, AT_ONCE);
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	put_records(pool, 1, 0, n);
	s = opened_stats(&o);
	assert_true(s.dictionaries >= 1);
	records_are_right(pool, 1, 0, n);
	/* The second half was packed with it: a record comes to 3 bytes, where
	 * six bits of eight would be 3 KiB a page. */
	with = opened_pool_stats(&o, pool).used_bytes;
	print_message("%llu bytes a page\n", (unsigned long long)(with / n));
	assert_true(with / n < 2000);
	opened_finish(&o);
}

static void flush_records(int pool, uint64_t first, uint64_t count)
{
	uint64_t i;

	for (i = first; i < first + count; i++) {
		struct tmem_key key = key_of(i);

		assert_int_equal(tmem_flush_page(o.t, pool, &key), 1);
	}
}

/*
 * Content changes again and again, old pages stay: there are never more than four
 * dictionaries, those of old pages give way, and every page is right. Each phase
 * is longer than the last, as is the time until a next dictionary.
 */
static void retrained_over_live_pages(void **state)
{
	enum {
		PHASES = 6,
		FIRST = 1000
	};
	uint64_t at[PHASES + 1] = { 0 }, most = 0, phase;
	struct tmem_stats s;
	int pool;

	(void)state;
	opened_init(&o, "embedded:size=256M,codec=zstd,raw=0");
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	for (phase = 0; phase < PHASES; phase++) {
		at[phase + 1] = at[phase] + (FIRST << phase);
		put_records(pool, phase, at[phase], at[phase + 1] - at[phase]);
		s = opened_stats(&o);
		most = s.dictionaries > most ? s.dictionaries : most;
		print_message(
			"%llu dictionaries, %llu bytes a page\n",
			(unsigned long long)s.dictionaries,
			(unsigned long long)(s.used_bytes / at[phase + 1]));
		assert_true(s.dictionaries <= 4);
		opened_check(&o);
	}
	assert_int_equal(most, 4);
	for (phase = 0; phase < PHASES; phase++)
		records_are_right(pool, phase, at[phase],
				  at[phase + 1] - at[phase]);
	/* What nobody refers to any more goes. */
	flush_records(pool, 0, at[PHASES]);
	put_records(pool, 0, 0, 200);
	assert_true(opened_stats(&o).dictionaries <= 2);
	records_are_right(pool, 0, 0, 200);
	opened_finish(&o);
}

/* Training takes steps of up to 2 ms, and none is begun with less time. */
static void none_in_a_small_budget(void **state)
{
	uint64_t i;
	int pool;

	(void)state;
	opened_init(&o, AT_ONCE);
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	for (i = 0; i < 4000; i++) {
		struct tmem_key key = key_of(i);

		fill_records(page, 1, i);
		assert_int_equal(tmem_put(o.t, pool, &key, page), 1);
		while (tmem_age(o.t, 1000) == 1)
			;
	}
	assert_int_equal(opened_stats(&o).dictionaries, 0);
	assert_true(opened_stats(&o).pages_dense > 3000);
	records_are_right(pool, 1, 0, 4000);
	put_records(pool, 1, 4000, 640);
	assert_int_equal(opened_stats(&o).dictionaries, 1);
	opened_finish(&o);
}

/* Of each class its own, so that losing one says nothing about the other. */
static void each_class_has_its_own(void **state)
{
	int kept, lost;

	(void)state;
	opened_init(&o, AT_ONCE);
	kept = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	lost = opened_pool(&o, TMEM_POOL_KEEP, 0);
	put_records(kept, 1, 0, 3000);
	assert_int_equal(opened_stats(&o).dictionaries, 1);
	put_records(lost, 2, 0, 3000);
	assert_true(opened_stats(&o).dictionaries >= 2);
	records_are_right(kept, 1, 0, 3000);
	records_are_right(lost, 2, 0, 3000);
	opened_finish(&o);
}

/* Seven bits of eight: looks worth trying, and does not get below the bound. */
static void fill_in_vain(uint8_t *to, uint64_t seed)
{
	struct rng rng = { .state = seed };
	uint32_t at;

	for (at = 0; at < PAGE; at++)
		to[at] = (uint8_t)(rng_next(&rng) >> 32 & 127);
}

/* A page that does not get small leaves nothing behind in the encoder: the next
 * one, of the other class, is made with its own dictionary. */
static void classes_by_turns(void **state)
{
	int pools[2];
	uint64_t i;

	(void)state;
	opened_init(&o, AT_ONCE);
	pools[0] = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	pools[1] = opened_pool(&o, TMEM_POOL_KEEP, 0);
	for (i = 0; i < 3000; i++) {
		struct tmem_key key = key_of(i);

		if (i % 2)
			fill_in_vain(page, i);
		else
			page_fill(page, PAGE, CONTENT_TEXT, i);
		assert_int_equal(tmem_put(o.t, pools[0], &key, page), 1);
		fill_records(page, 1, i);
		assert_int_equal(tmem_put(o.t, pools[1], &key, page), 1);
		if (i % 16 == 15)
			opened_age(&o);
	}
	opened_age(&o);
	assert_true(opened_stats(&o).dictionaries >= 2);
	for (i = 0; i < 3000; i += 2)
		is_right(pools[0], PAGE, CONTENT_TEXT, i);
	for (i = 1; i < 3000; i += 2) {
		struct tmem_key key = key_of(i);

		fill_in_vain(page, i);
		assert_int_equal(tmem_get(o.t, pools[0], &key, got), 1);
		assert_memory_equal(got, page, PAGE);
	}
	records_are_right(pools[1], 1, 0, 3000);
	opened_finish(&o);
}

/* ---- Nothing to learn from ------------------------------------------------- */

static void learn_nothing_from(enum content_kind kind, uint64_t n, int same)
{
	uint64_t i;
	int pool;

	opened_init(&o, AT_ONCE);
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	for (i = 0; i < n; i++) {
		struct tmem_key key = key_of(i);

		page_fill(page, PAGE, kind, same ? 1 : i);
		assert_int_equal(tmem_put(o.t, pool, &key, page), 1);
	}
	opened_age(&o);
	opened_check(&o);
	for (i = 0; i < n; i++) {
		struct tmem_key key = key_of(i);

		page_fill(page, PAGE, kind, same ? 1 : i);
		assert_int_equal(tmem_get(o.t, pool, &key, got), 1);
		assert_memory_equal(got, page, PAGE);
	}
}

static void too_few_pages(void **state)
{
	(void)state;
	learn_nothing_from(CONTENT_TEXT, 30, 0);
	assert_int_equal(opened_stats(&o).dictionaries, 0);
	opened_finish(&o);
}

static void one_page_again_and_again(void **state)
{
	(void)state;
	learn_nothing_from(CONTENT_TEXT, 3000, 1);
	assert_true(opened_stats(&o).pages_dense > 2000);
	opened_finish(&o);
}

static void incompressible_pages(void **state)
{
	(void)state;
	learn_nothing_from(CONTENT_RANDOM, 3000, 0);
	assert_int_equal(opened_stats(&o).dictionaries, 0);
	assert_int_equal(opened_stats(&o).pages_raw, 3000);
	opened_finish(&o);
}

static void same_filled_pages(void **state)
{
	(void)state;
	learn_nothing_from(CONTENT_SAME, 3000, 0);
	assert_int_equal(opened_stats(&o).dictionaries, 0);
	assert_int_equal(opened_stats(&o).pages_same, 3000);
	opened_finish(&o);
}

/* ---- Ageing itself ---------------------------------------------------------- */

/* The same operations on a store that is aged and on one that never is. */
static uint64_t results_of(int aged)
{
	struct rng rng = { .state = 7 };
	uint64_t sum = 0, i;
	int pool;

	opened_init(&o, AT_ONCE);
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	for (i = 0; i < 12000; i++) {
		struct tmem_key key = key_of(rng_below(&rng, 3000));
		uint64_t what = rng_below(&rng, 4);
		int ret;

		if (what < 2) {
			page_fill(page, PAGE, i % CONTENT_KINDS, i);
			ret = tmem_put(o.t, pool, &key, page);
		} else if (what == 2) {
			memset(got, 0, PAGE);
			ret = tmem_get(o.t, pool, &key, got);
			for (uint32_t at = 0; ret == 1 && at < PAGE; at += 8) {
				uint64_t word;

				memcpy(&word, got + at, 8);
				sum = sum * 31 + word;
			}
		} else {
			ret = tmem_flush_page(o.t, pool, &key);
		}
		sum = sum * 31 + (uint64_t)ret;
		if (aged && i % 50 == 0)
			opened_age(&o);
	}
	assert_true(!aged || opened_stats(&o).pages_dense > 100);
	opened_finish(&o);
	return sum;
}

static void ageing_changes_no_result(void **state)
{
	(void)state;
	assert_true(results_of(1) == results_of(0));
}

/* Raw pages keep their share of the limit, and young ones their form. */
static void raw_while_there_is_room(void **state)
{
	int pool;

	(void)state;
	opened_init(&o, "embedded:size=24M,codec=zstd,raw=50");
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	put_text(pool, 2000);
	opened_age(&o);
	assert_int_equal(opened_stats(&o).pages_raw, 2000);
	assert_int_equal(tmem_age(o.t, 1000), 0);
	opened_finish(&o);
}

static void lz4_stores_have_no_dense_pages(void **state)
{
	int pool;

	(void)state;
	opened_init(&o, "embedded:size=24M,codec=lz4,raw=0");
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	put_text(pool, 2000);
	opened_age(&o);
	assert_int_equal(opened_stats(&o).pages_dense, 0);
	assert_true(opened_stats(&o).pages_packed > 1500);
	opened_finish(&o);
}

/* Agers take their share and no more, and nothing once all is done. */
static void agers_keep_to_their_share(void **state)
{
	const struct timespec a_while = { .tv_nsec = 100000000 };
	struct tmem_open_opts opts = { .size = sizeof(opts), .agers = 2 };
	uint64_t from, elapsed, end, i, before;
	struct tmem_stats s;
	int pool;

	(void)state;
	opened_init_opts(&o, "embedded:size=24M,codec=zstd,raw=0,share=10",
			 &opts);
	from = machine_now_ns();
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	put_text(pool, 3000);
	end = from + 60000000000ull;
	do {
		before = opened_stats(&o).ager_ns;
		(void)nanosleep(&a_while, NULL);
		s = opened_stats(&o);
		assert_true(machine_now_ns() < end);
	} while (s.ager_ns != before || s.pages_dense < 2000);
	elapsed = machine_now_ns() - from;
	print_message("%llu us of %llu\n",
		      (unsigned long long)(s.ager_ns / 1000),
		      (unsigned long long)(elapsed / 1000));
	/* Each may have been at a slice when it was looked. */
	assert_true(s.ager_ns < elapsed / 10 + elapsed / 20 + 20000000);
	for (i = 0; i < 3000; i++)
		is_right(pool, PAGE, CONTENT_TEXT, i);
	opened_finish(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_page_size),
		cmocka_unit_test(around_the_thresholds),
		cmocka_unit_test(packed_pages_become_dense),
		cmocka_unit_test(putters_pack_under_pressure),
		cmocka_unit_test(a_dictionary_helps),
		cmocka_unit_test(retrained_over_live_pages),
		cmocka_unit_test(none_in_a_small_budget),
		cmocka_unit_test(each_class_has_its_own),
		cmocka_unit_test(classes_by_turns),
		cmocka_unit_test(too_few_pages),
		cmocka_unit_test(one_page_again_and_again),
		cmocka_unit_test(incompressible_pages),
		cmocka_unit_test(same_filled_pages),
		cmocka_unit_test(ageing_changes_no_result),
		cmocka_unit_test(raw_while_there_is_room),
		cmocka_unit_test(lz4_stores_have_no_dense_pages),
		cmocka_unit_test(agers_keep_to_their_share),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
