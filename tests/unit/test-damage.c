/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-damage.c - T17, semantics 8: a packed page whose bytes were changed behind
 * the store's back is never handed out as if it were whole.
 *
 * Bits are flipped in the segments that hold persistent pages. Raw pages are
 * plain RAM and may come back changed; every other page is what was put, or the
 * get says -EIO, or, where the entry's head was hit, it is not found.
 */
#include <errno.h>
#include <string.h>

#include "content.h"
#include "lease.h"
#include "leftover.h"
#include "lines.h"
#include "revocable.h"
#include "rng.h"
#include "unit.h"

#define MIB ((uint64_t)1 << 20)
#define PAGE 4096u
#define PAGES 1500u
#define FLIPS 400u

struct scene {
	struct revocable store;
	struct lines lines;
	int pool;
};

static void scene_init(struct scene *s)
{
	struct revocable_opts opts = {
		.limit_bytes = 8 * MIB,
		.log = lines_take,
		.log_ctx = &s->lines,
	};
	struct tmem_pool_opts pool_opts = {
		.size = sizeof(pool_opts),
		.flags = TMEM_POOL_PERSISTENT,
	};
	uint8_t page[PAGE];
	uint64_t i;

	lines_init(&s->lines);
	assert_int_equal(revocable_open(&opts, &s->store), 0);
	s->pool = tmem_pool_create(s->store.t, &pool_opts);
	assert_true(s->pool >= 0);
	for (i = 0; i < PAGES; i++) {
		struct tmem_key key = tmem_key(i % 3, i);

		page_fill(page, PAGE, CONTENT_TEXT, i);
		assert_int_equal(tmem_put(s->store.t, s->pool, &key, page), 1);
	}
	/* Let it pack what it will. */
	assert_int_equal(tmem_shrink(s->store.t, UINT64_MAX, NULL), 0);
	while (tmem_age(s->store.t, 100000) == 1)
		;
}

static void scene_finish(struct scene *s)
{
	tmem_close(s->store.t);
	lines_finish(&s->lines);
}

static uint64_t pages_raw(struct scene *s)
{
	struct tmem_stats stats = { .size = sizeof(stats) };

	assert_int_equal(tmem_stats(s->store.t, &stats), 0);
	return stats.pages_raw;
}

static void flip_a_bit(struct scene *s, struct rng *rng)
{
	struct tmem_lease *lease = lease_revoking_lease(s->store.source);
	uint32_t n;
	uint8_t *p;

	do {
		n = (uint32_t)rng_below(rng, lease->segments_max);
	} while (lease_revoking_class(s->store.source, n) !=
		 TMEM_CLASS_PERSISTENT);
	p = tmem_lease_segment(lease, n) + rng_below(rng, lease->segment_size);
	*p ^= (uint8_t)(1u << rng_below(rng, 8));
}

/* What became of the pages. */
struct outcome {
	uint64_t right, wrong, missing, damaged;
};

static struct outcome get_all(struct scene *s)
{
	struct outcome sum = { 0, 0, 0, 0 };
	uint8_t page[PAGE];
	uint64_t i;

	for (i = 0; i < PAGES; i++) {
		struct tmem_key key = tmem_key(i % 3, i);
		int ret = tmem_get(s->store.t, s->pool, &key, page);

		assert_true(ret == 1 || ret == 0 || ret == -EIO);
		sum.missing += ret == 0;
		sum.damaged += ret == -EIO;
		if (ret != 1)
			continue;
		if (page_equal(page, PAGE, CONTENT_TEXT, i))
			sum.right++;
		else
			sum.wrong++;
	}
	return sum;
}

static void damage_is_seen(void **state)
{
	struct rng rng = { .state = rng_seed("TMEM_DAMAGE_SEED") };
	struct outcome first, again;
	struct scene s;
	unsigned i;

	(void)state;
	scene_init(&s);
	assert_true(pages_raw(&s) < PAGES / 4);
	first = get_all(&s);
	assert_int_equal(first.right, PAGES);
	for (i = 0; i < FLIPS; i++)
		flip_a_bit(&s, &rng);
	first = get_all(&s);
	print_message("%u right, %u damaged, %u missing, %u wrong\n",
		      (unsigned)first.right, (unsigned)first.damaged,
		      (unsigned)first.missing, (unsigned)first.wrong);
	assert_true(first.damaged > 0);
	assert_true(first.wrong <= pages_raw(&s));
	/* A damaged page stays until it is flushed or put over. */
	again = get_all(&s);
	assert_int_equal(again.damaged, first.damaged);
	assert_int_equal(again.right, first.right);
	scene_finish(&s);
}

/* Flushing what is damaged, and putting over it, mend it. */
static void damage_is_mended(void **state)
{
	struct rng rng = { .state = rng_seed("TMEM_DAMAGE_SEED") };
	uint8_t page[PAGE], got[PAGE];
	struct scene s;
	uint64_t i;
	int ret;

	(void)state;
	scene_init(&s);
	for (i = 0; i < FLIPS; i++)
		flip_a_bit(&s, &rng);
	for (i = 0; i < PAGES; i++) {
		struct tmem_key key = tmem_key(i % 3, i);

		if (tmem_get(s.store.t, s.pool, &key, got) != -EIO)
			continue;
		if (i % 2) {
			assert_int_equal(
				tmem_flush_page(s.store.t, s.pool, &key), 1);
			assert_int_equal(tmem_get(s.store.t, s.pool, &key, got),
					 0);
		}
		page_fill(page, PAGE, CONTENT_TEXT, PAGES + i);
		ret = tmem_put(s.store.t, s.pool, &key, page);
		assert_in_range(ret, 0, 1);
		assert_int_equal(tmem_get(s.store.t, s.pool, &key, got), ret);
		if (ret)
			assert_memory_equal(got, page, PAGE);
	}
	scene_finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damage_is_seen),
		cmocka_unit_test(damage_is_mended),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
