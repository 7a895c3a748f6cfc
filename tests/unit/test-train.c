/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-train.c - a dictionary out of a sample: in short steps, of use for pages
 * like those, and none where there is nothing to learn.
 */
#include <errno.h>
#include <string.h>

#include <zstd.h>

#include "bounds.h"
#include "content.h"
#include "fault.h"
#include "lease.h"
#include "leftover.h"
#include "segment.h"
#include "train.h"
#include "unit.h"

#define LEVEL 1

struct bed {
	struct tmem_lease *lease;
	struct tmem_space space;
};

static void bed_init(struct bed *b, uint64_t limit)
{
	struct tmem_lease_opts opts = {
		.bytes_max = 64 * TMEM_MIB,
		.segment_size = 64 * TMEM_KIB,
	};

	assert_int_equal(tmem_lease_embedded_create(&opts, &b->lease), 0);
	assert_int_equal(tmem_space_init(&b->space, b->lease, limit), 0);
}

/* All that was charged is given back. */
static void bed_finish(struct bed *b)
{
	assert_int_equal(atomic_load(&b->space.heap_bytes), 0);
	tmem_space_finish(&b->space, 0);
	b->lease->ops->destroy(b->lease, 0);
}

static struct tmem_train *sample(struct bed *b, enum content_kind kind,
				 uint32_t n, int same)
{
	struct tmem_train *t = tmem_train_create(&b->space, n, LEVEL);
	uint64_t i = 0;
	uint8_t *to;

	assert_non_null(t);
	while ((to = tmem_train_slot(t))) {
		page_fill(to, TMEM_SAMPLE_BYTES, kind, same ? 1 : i++);
		tmem_train_take(t);
	}
	assert_int_equal(tmem_train_count(t), n);
	return t;
}

static int train(struct tmem_train *t)
{
	unsigned steps = 0;
	int ret;

	while ((ret = tmem_train_step(t)) == 1)
		assert_true(steps++ < 2 * TMEM_SAMPLES_MOST);
	return ret;
}

static uint32_t packed_with(const uint8_t *dict, uint32_t len, uint64_t seed)
{
	static uint8_t page[TMEM_SAMPLE_BYTES], out[2 * TMEM_SAMPLE_BYTES];
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t n;

	assert_non_null(c);
	page_fill(page, sizeof(page), CONTENT_TEXT, seed);
	n = ZSTD_compress_usingDict(c, out, sizeof(out), page, sizeof(page),
				    dict, len, LEVEL);
	assert_false(ZSTD_isError(n));
	ZSTD_freeCCtx(c);
	return (uint32_t)n;
}

static void pages_get_smaller(void **state)
{
	struct tmem_train *t;
	const uint8_t *dict;
	struct bed b;
	uint32_t len, i, with = 0, without = 0;

	(void)state;
	bed_init(&b, 16 * TMEM_MIB);
	t = sample(&b, CONTENT_TEXT, TMEM_SAMPLES_MOST, 0);
	assert_int_equal(train(t), 0);
	dict = tmem_train_bytes(t, &len);
	assert_in_range(len, 1024, TMEM_DICT_BYTES);
	/* Pages that were not in the sample. */
	for (i = 0; i < 50; i++) {
		with += packed_with(dict, len, 100000 + i);
		without += packed_with(NULL, 0, 100000 + i);
	}
	print_message("%u bytes a page, %u without\n", with / 50, without / 50);
	assert_true(with < without / 10 * 9);
	tmem_train_destroy(t);
	bed_finish(&b);
}

/* The least sample, and every fifth page of it kept for judging. */
static void the_least_sample(void **state)
{
	struct tmem_train *t;
	struct bed b;
	uint32_t n = 0, len;

	(void)state;
	bed_init(&b, 16 * TMEM_MIB);
	t = sample(&b, CONTENT_TEXT, TMEM_SAMPLES_LEAST, 0);
	while (tmem_train_judge(t, n))
		n++;
	assert_int_equal(n, TMEM_SAMPLES_LEAST / 5);
	assert_int_equal(train(t), 0);
	(void)tmem_train_bytes(t, &len);
	assert_true(len > 0);
	tmem_train_destroy(t);
	bed_finish(&b);
}

/* A sample that stayed too small is taken as it is, however small. */
static void a_sample_cut_short(void **state)
{
	struct tmem_train *t;
	struct bed b;
	uint32_t n, len;

	(void)state;
	for (n = 0; n < 12; n++) {
		bed_init(&b, 16 * TMEM_MIB);
		t = tmem_train_create(&b.space, TMEM_SAMPLES_MOST, LEVEL);
		assert_non_null(t);
		while (tmem_train_count(t) < n) {
			page_fill(tmem_train_slot(t), TMEM_SAMPLE_BYTES,
				  CONTENT_TEXT, tmem_train_count(t));
			tmem_train_take(t);
		}
		tmem_train_close(t);
		assert_null(tmem_train_slot(t));
		if (train(t)) {
			(void)tmem_train_bytes(t, &len);
			assert_int_equal(len, 0);
		}
		tmem_train_destroy(t);
		bed_finish(&b);
	}
}

static void nothing_to_learn(void **state)
{
	struct tmem_train *t;
	struct bed b;
	uint32_t len;

	(void)state;
	bed_init(&b, 16 * TMEM_MIB);
	/* No string is in two pages. */
	t = sample(&b, CONTENT_RANDOM, TMEM_SAMPLES_MOST, 0);
	if (train(t)) {
		(void)tmem_train_bytes(t, &len);
		assert_int_equal(len, 0);
	}
	tmem_train_destroy(t);
	/* All strings are in all pages; and there is one string. */
	t = sample(&b, CONTENT_TEXT, TMEM_SAMPLES_MOST, 1);
	(void)train(t);
	tmem_train_destroy(t);
	t = sample(&b, CONTENT_ZERO, TMEM_SAMPLES_MOST, 1);
	(void)train(t);
	tmem_train_destroy(t);
	bed_finish(&b);
}

static void memory_that_is_not_there(void **state)
{
	struct bed b;

	(void)state;
	/* Not to be charged for. */
	bed_init(&b, 256 * TMEM_KIB);
	assert_null(tmem_train_create(&b.space, TMEM_SAMPLES_MOST, LEVEL));
	bed_finish(&b);
	/* Not to be had. */
	bed_init(&b, 16 * TMEM_MIB);
	tmem_fault_set(TMEM_FAULT_ALLOC, 1);
	assert_null(tmem_train_create(&b.space, TMEM_SAMPLES_MOST, LEVEL));
	tmem_fault_set(TMEM_FAULT_ALLOC, 0);
	tmem_train_destroy(NULL);
	tmem_train_discard(NULL);
	bed_finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_get_smaller),
		cmocka_unit_test(the_least_sample),
		cmocka_unit_test(a_sample_cut_short),
		cmocka_unit_test(nothing_to_learn),
		cmocka_unit_test(memory_that_is_not_there),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
