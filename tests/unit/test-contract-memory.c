/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-contract-memory.c - used_bytes against what the kernel says: this
 * process's resident memory while a store is full, the machine's free memory
 * when it is given back, and the address space when a store is closed.
 *
 * Other programs take and free memory as well, so that gets a few tries.
 */
#include <string.h>

#include "content.h"
#include "leftover.h"
#include "machine.h"
#include "opened.h"
#include "rng.h"
#include "unit.h"
#include <tmem/tmem.h>

#define PAGE 4096u
#define MIB ((uint64_t)1 << 20)
#define TRIES 8

/* What the C library and the kernel's counting may differ by. */
#define SLACK (3 * MIB)

static struct opened o;

/* A different incompressible page for every index, at the cost of a copy. */
static void fast_fill(uint8_t *page, uint64_t index)
{
	static uint8_t base[PAGE];
	static int made;

	if (!made)
		page_fill(base, PAGE, CONTENT_RANDOM, 1);
	made = 1;
	memcpy(page, base, PAGE);
	memcpy(page + index % 500 * 8, &index, sizeof(index));
}

/* Puts @n incompressible pages. */
static uint64_t fill(int pool, uint64_t n)
{
	uint64_t i, stored = 0;
	uint8_t page[PAGE];

	for (i = 0; i < n; i++) {
		struct tmem_key key = tmem_key(i / 64, i % 64);

		fast_fill(page, i);
		stored += (uint64_t)tmem_put(o.t, pool, &key, page);
	}
	return stored;
}

static int near(uint64_t rss, uint64_t used)
{
	return rss <= used + used / 10 + SLACK &&
	       rss + used / 10 + SLACK >= used;
}

/* Fills a store to the brim, then shrinks it, and counts along. */
static void follows(const char *where, uint32_t flags)
{
	uint64_t before = machine_rss(), used, rss, i;
	struct tmem_stats s;
	int pool;

	opened_init(&o, where);
	pool = opened_pool(&o, flags, 0);
	(void)fill(pool, opened_stats(&o).limit_bytes / PAGE * 3 / 2);
	s = opened_stats(&o);
	assert_true(s.used_bytes > s.limit_bytes / 2);
	rss = machine_rss() - before;
	if (!near(rss, s.used_bytes))
		print_error("%s: rss %llu, used %llu\n", where,
			    (unsigned long long)rss,
			    (unsigned long long)s.used_bytes);
	assert_true(near(rss, s.used_bytes));
	for (i = 0; i < s.limit_bytes / PAGE / 64; i++) {
		struct tmem_key key = tmem_key(i, 0);

		(void)tmem_flush_object(o.t, pool, &key);
	}
	assert_int_equal(tmem_shrink(o.t, UINT64_MAX, NULL), 0);
	used = opened_stats(&o).used_bytes;
	rss = machine_rss();
	rss = rss > before ? rss - before : 0;
	if (!near(rss, used))
		print_error("%s, shrunk: rss %llu, used %llu\n", where,
			    (unsigned long long)rss, (unsigned long long)used);
	assert_true(near(rss, used));
	opened_finish(&o);
	assert_true(machine_rss() <= before + SLACK);
}

/* What a store has in reserve is not given back, nor counted as if it were; it is
 * within the limit, also within a lower one. */
static void a_reserve_is_no_gift(void **state)
{
	const struct tmem_open_opts opts = {
		.size = sizeof(opts),
		.limit_bytes = 64 * MIB,
		.reserve_bytes = 16 * MIB,
	};
	uint64_t first = machine_rss(), before, after, freed;
	int pool, i, is = 0;

	(void)state;
	if (MACHINE_SANITIZED)
		skip_for("a sanitizer's own memory moves");
	opened_init_opts(&o, "embedded:", &opts);
	pool = opened_pool(&o, TMEM_POOL_KEEP, 0);
	(void)fill(pool, 64 * MIB / PAGE); /* it takes the reserve as well */
	/* A few times: the kernel may fill a hole of huge pages meanwhile. */
	for (i = 0; i < 4 && !is; i++) {
		before = machine_rss();
		assert_int_equal(tmem_shrink(o.t, 8 * MIB, &freed), 0);
		after = machine_rss();
		assert_true(freed >= 8 * MIB);
		is = after + freed <= before + MIB;
	}
	assert_true(is);
	opened_age(&o);
	assert_int_equal(tmem_shrink(o.t, UINT64_MAX, &freed), 0);
	assert_true(machine_rss() >= first + 15 * MIB);
	assert_int_equal(tmem_set_limit(o.t, 4 * MIB), 0);
	assert_true(machine_rss() <= first + 4 * MIB + SLACK);
	opened_finish(&o);
}

static void used_is_what_is_resident(void **state)
{
	(void)state;
	if (MACHINE_SANITIZED)
		skip_for("a sanitizer has memory of its own");
	follows("embedded:size=8M", TMEM_POOL_PERSISTENT);
	follows("embedded:size=64M", TMEM_POOL_PERSISTENT);
	follows("embedded:size=64M", TMEM_POOL_KEEP);
	follows("embedded:size=64M", 0);
	if (machine_mem_available() > 2048 * MIB)
		follows("embedded:size=512M", TMEM_POOL_KEEP);
}

/* 1: free memory rose, by nine tenths of what a shrink said it gave back. */
static int free_rises(const char *where, uint64_t asked)
{
	uint64_t before, after, freed;
	int pool;

	opened_init(&o, where);
	pool = opened_pool(&o, TMEM_POOL_KEEP, 0);
	(void)fill(pool, opened_stats(&o).limit_bytes / PAGE);
	before = machine_mem_free();
	assert_int_equal(tmem_shrink(o.t, asked, &freed), 0);
	after = machine_mem_free();
	assert_true(freed >= asked - asked / 10);
	opened_finish(&o);
	return after >= before + freed / 10 * 9;
}

static void given_back_is_free(void **state)
{
	int i;

	(void)state;
	if (machine_mem_available() < 1024 * MIB)
		skip_for("less than 1 GiB of memory is available");
	for (i = 0; i < TRIES; i++)
		if (free_rises("embedded:size=256M", 200 * MIB))
			return;
	fail_msg("free memory did not rise by what was reported");
}

static void given_back_from_huge_pages_too(void **state)
{
	int i;

	(void)state;
	if (machine_mem_available() < 2048 * MIB)
		skip_for("less than 2 GiB of memory are available");
	for (i = 0; i < TRIES; i++)
		if (free_rises("embedded:size=512M,pages=huge", 400 * MIB))
			return;
	fail_msg("free memory did not rise by what was reported");
}

/* Closing gives back everything, also of a store that was full. */
static void closing_gives_back_everything(void **state)
{
	uint64_t before, space;
	int i, pool;

	(void)state;
	opened_init(&o, "embedded:size=16M"); /* the C library's arenas */
	opened_finish(&o);
	before = machine_rss();
	space = machine_address_space();
	for (i = 0; i < 30; i++) {
		opened_init(&o, "embedded:size=16M");
		pool = opened_pool(&o, i % 2 ? TMEM_POOL_PERSISTENT : 0, 0);
		(void)fill(pool, i < 4 ? 4500 : 50);
		opened_finish(&o);
	}
	assert_true(machine_address_space() <= space + 256 * MIB);
	if (!MACHINE_SANITIZED)
		assert_true(machine_rss() <= before + SLACK);
}

/* A limit is no reason to sit on dead pages: with time, a store holds little more
 * than what lives. */
static void dead_pages_are_given_back(void **state)
{
	const uint64_t n = 48 * MIB / PAGE;
	uint64_t i, full, base;
	struct tmem_stats s;
	uint8_t page[PAGE];
	int pool;

	(void)state;
	opened_init(&o, "embedded:size=128M");
	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, PAGE);
	base = opened_stats(&o).used_bytes;
	assert_int_equal(fill(pool, n), n);
	opened_age(&o);
	full = opened_stats(&o).used_bytes;
	assert_true(full >= base + n * PAGE);
	for (i = 0; i < n; i++) {
		struct tmem_key key = tmem_key(i / 64, i % 64);

		if (i % 4)
			assert_int_equal(tmem_flush_page(o.t, pool, &key), 1);
	}
	opened_age(&o);
	s = opened_stats(&o);
	if (s.used_bytes > base + s.raw_bytes * 5 / 2)
		print_error("%llu used, %llu live\n",
			    (unsigned long long)s.used_bytes,
			    (unsigned long long)s.raw_bytes);
	assert_true(s.used_bytes <= base + s.raw_bytes * 5 / 2);
	for (i = 0; i < n; i += 4) {
		struct tmem_key key = tmem_key(i / 64, i % 64);
		uint8_t expected[PAGE];

		fast_fill(expected, i);
		assert_int_equal(tmem_get(o.t, pool, &key, page), 1);
		assert_memory_equal(page, expected, PAGE);
	}
	opened_finish(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(used_is_what_is_resident),
		cmocka_unit_test(a_reserve_is_no_gift),
		cmocka_unit_test(given_back_is_free),
		cmocka_unit_test(given_back_from_huge_pages_too),
		cmocka_unit_test(dead_pages_are_given_back),
		cmocka_unit_test(closing_gives_back_everything),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
