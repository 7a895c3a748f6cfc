/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-contract-keys.c - T9: every bit of a key counts and no value is special.
 */
#include <string.h>

#include "content.h"
#include "leftover.h"
#include "machine.h"
#include "opened.h"
#include "unit.h"
#include <tmem/tmem.h>

#define PAGE 4096u
#define MANY (MACHINE_SANITIZED ? 20000u : 200000u)

struct scene {
	struct opened o;
	int pool;
};

static void scene_init(struct scene *s, const char *where)
{
	opened_init(&s->o, where);
	s->pool = opened_pool(&s->o, TMEM_POOL_PERSISTENT, 0);
}

/* Stores under a key a page that names it. */
static void put(struct scene *s, struct tmem_key key, uint64_t name)
{
	uint8_t page[PAGE];

	page_fill(page, PAGE, CONTENT_SAME, name);
	assert_int_equal(tmem_put(s->o.t, s->pool, &key, page), 1);
}

static void hits(struct scene *s, struct tmem_key key, uint64_t name)
{
	uint8_t page[PAGE];

	assert_int_equal(tmem_get(s->o.t, s->pool, &key, page), 1);
	assert_true(page_equal(page, PAGE, CONTENT_SAME, name));
}

static void misses(struct scene *s, struct tmem_key key)
{
	uint8_t page[PAGE];

	assert_int_equal(tmem_get(s->o.t, s->pool, &key, page), 0);
}

static struct tmem_key flipped(struct tmem_key key, unsigned bit)
{
	uint64_t mask = 1ull << (bit % 64);

	if (bit < 192)
		key.object[bit / 64] ^= mask;
	else
		key.index ^= mask;
	return key;
}

/* 256 keys that differ from one in a single bit are 256 other pages. */
static void every_bit_counts(void **state)
{
	static const struct tmem_key bases[] = {
		{ { 0, 0, 0 }, 0 },
		{ { UINT64_MAX, UINT64_MAX, UINT64_MAX }, UINT64_MAX },
		{ { 0x0123456789abcdef, 42, 1ull << 63 }, 64 },
	};
	struct scene s;
	unsigned bit;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		scene_init(&s, "embedded:size=8M");
		put(&s, bases[i], 1000);
		for (bit = 0; bit < 256; bit++)
			misses(&s, flipped(bases[i], bit));
		for (bit = 0; bit < 256; bit++)
			put(&s, flipped(bases[i], bit), bit);
		hits(&s, bases[i], 1000);
		for (bit = 0; bit < 256; bit++)
			hits(&s, flipped(bases[i], bit), bit);
		opened_finish(&s.o);
	}
}

/* Flushing an object touches none whose id differs in one bit. */
static void every_bit_of_an_object_counts(void **state)
{
	const struct tmem_key base = { { 5, 6, 7 }, 8 };
	struct scene s;
	unsigned bit;

	(void)state;
	scene_init(&s, "embedded:size=8M");
	put(&s, base, 1000);
	for (bit = 0; bit < 192; bit++)
		put(&s, flipped(base, bit), bit);
	assert_int_equal(tmem_flush_object(s.o.t, s.pool, &base), 1);
	misses(&s, base);
	for (bit = 0; bit < 192; bit++)
		hits(&s, flipped(base, bit), bit);
	assert_int_equal(opened_stats(&s.o).objects, 192);
	for (bit = 0; bit < 192; bit++) {
		struct tmem_key key = flipped(base, bit);

		assert_int_equal(tmem_flush_object(s.o.t, s.pool, &key), 1);
		misses(&s, key);
	}
	assert_int_equal(opened_stats(&s.o).objects, 0);
	opened_finish(&s.o);
}

static void no_value_is_special(void **state)
{
	static const uint64_t values[] = {
		0,	    1,		63,	    64,		65,
		255,	    256,	65535,	    65536,	UINT32_MAX - 1,
		UINT32_MAX, 1ull << 32, 1ull << 36, 1ull << 63, UINT64_MAX - 1,
		UINT64_MAX,
	};
	const unsigned n = sizeof(values) / sizeof(values[0]);
	struct tmem_key key;
	struct scene s;
	unsigned i, j;

	(void)state;
	scene_init(&s, "embedded:size=8M");
	for (i = 0; i < n; i++) {
		for (j = 0; j < n; j++) {
			key.object[0] = key.object[1] = key.object[2] =
				values[i];
			key.index = values[j];
			put(&s, key, i * n + j);
		}
	}
	for (i = 0; i < n; i++) {
		for (j = 0; j < n; j++) {
			key.object[0] = key.object[1] = key.object[2] =
				values[i];
			key.index = values[j];
			hits(&s, key, i * n + j);
		}
	}
	assert_int_equal(opened_stats(&s.o).objects, n);
	opened_finish(&s.o);
}

/* The words of a key are not interchangeable, and neither are object and index. */
static void order_counts(void **state)
{
	static const struct tmem_key keys[] = {
		{ { 1, 2, 3 }, 4 }, { { 2, 1, 3 }, 4 }, { { 3, 2, 1 }, 4 },
		{ { 1, 3, 2 }, 4 }, { { 4, 2, 3 }, 1 }, { { 1, 2, 4 }, 3 },
	};
	struct scene s;
	unsigned i;

	(void)state;
	scene_init(&s, "embedded:size=8M");
	for (i = 0; i < 6; i++)
		put(&s, keys[i], i);
	for (i = 0; i < 6; i++)
		hits(&s, keys[i], i);
	opened_finish(&s.o);
}

/* Keys alike in their low bits must not crowd one place (L14): it takes long. */
static void many(uint64_t object_step, uint64_t index_step)
{
	struct scene s;
	uint64_t i;

	scene_init(&s, "embedded:size=64M");
	for (i = 0; i < MANY; i++)
		put(&s, tmem_key(i * object_step, i * index_step), i);
	assert_int_equal(opened_stats(&s.o).pages_persistent, MANY);
	for (i = 0; i < MANY; i++)
		hits(&s, tmem_key(i * object_step, i * index_step), i);
	misses(&s, tmem_key(MANY * object_step, MANY * index_step));
	opened_finish(&s.o);
}

static void indexes_in_a_row(void **state)
{
	(void)state;
	many(0, 1);
}

static void indexes_alike_in_the_low_word(void **state)
{
	(void)state;
	many(0, 1ull << 32);
}

static void objects_that_are_multiples_of_256(void **state)
{
	(void)state;
	many(256, 0);
}

static void objects_and_indexes_together(void **state)
{
	(void)state;
	many(1ull << 40, 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(every_bit_of_an_object_counts),
		cmocka_unit_test(no_value_is_special),
		cmocka_unit_test(order_counts),
		cmocka_unit_test(indexes_in_a_row),
		cmocka_unit_test(indexes_alike_in_the_low_word),
		cmocka_unit_test(objects_that_are_multiples_of_256),
		cmocka_unit_test(objects_and_indexes_together),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
