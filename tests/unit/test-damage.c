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
#include "entry.h"
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
#define MARKED 0x5ca1ab1e0ddba11ull /* index of a page of its own */

struct scene {
	struct revocable store;
	struct lines lines;
	int pool;
};

static void scene_init_pool(struct scene *s, int dense, uint32_t flags)
{
	struct revocable_opts opts = {
		.limit_bytes = 8 * MIB,
		.dense = dense,
		.log = lines_take,
		.log_ctx = &s->lines,
	};
	struct tmem_pool_opts pool_opts = {
		.size = sizeof(pool_opts),
		.flags = flags,
	};
	const struct tmem_key marked = tmem_key(1, MARKED);
	uint8_t page[PAGE];
	uint64_t i;

	lines_init(&s->lines);
	assert_int_equal(revocable_open(&opts, &s->store), 0);
	s->pool = tmem_pool_create(s->store.t, &pool_opts);
	assert_true(s->pool >= 0);
	page_fill(page, PAGE, CONTENT_TEXT, MARKED);
	assert_int_equal(tmem_put(s->store.t, s->pool, &marked, page), 1);
	for (i = 0; i < PAGES; i++) {
		struct tmem_key key = tmem_key(i % 3, i);

		page_fill(page, PAGE, CONTENT_TEXT, i);
		assert_int_equal(tmem_put(s->store.t, s->pool, &key, page), 1);
	}
	/* Let it make dense, or pack, what it will. */
	while (tmem_age(s->store.t, 100000) == 1)
		;
	if (!(flags & TMEM_POOL_PERSISTENT))
		return;
	assert_int_equal(tmem_shrink(s->store.t, UINT64_MAX, NULL), 0);
	while (tmem_age(s->store.t, 100000) == 1)
		;
}

static void scene_init(struct scene *s, int dense)
{
	scene_init_pool(s, dense, TMEM_POOL_PERSISTENT);
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

static uint64_t pages_dense(struct scene *s)
{
	struct tmem_stats stats = { .size = sizeof(stats) };

	assert_int_equal(tmem_stats(s->store.t, &stats), 0);
	return stats.pages_dense;
}

static void see_damage(int dense)
{
	struct rng rng = { .state = rng_seed("TMEM_DAMAGE_SEED") };
	struct outcome first, again;
	struct scene s;
	unsigned i;

	scene_init(&s, dense);
	assert_true(pages_raw(&s) < PAGES / 4);
	assert_true(dense ? pages_dense(&s) > PAGES / 2 : !pages_dense(&s));
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

static void damage_is_seen(void **state)
{
	(void)state;
	see_damage(0);
}

static void damage_of_dense_pages_is_seen(void **state)
{
	(void)state;
	see_damage(1);
}

/* Flushing what is damaged, and putting over it, mend it. */
static void mend_damage(int dense)
{
	struct rng rng = { .state = rng_seed("TMEM_DAMAGE_SEED") };
	uint8_t page[PAGE], got[PAGE];
	struct scene s;
	uint64_t i;
	int ret;

	scene_init(&s, dense);
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

static void damage_is_mended(void **state)
{
	(void)state;
	mend_damage(0);
	mend_damage(1);
}

/*
 * The entry of the marked page: known by its index, which no other has; and of
 * what copies of its header are about, by what a changed payload does to a get.
 */
static uint8_t *find_entry(struct scene *s, uint32_t form)
{
	struct tmem_lease *lease = lease_revoking_lease(s->store.source);
	struct tmem_key key = tmem_key(1, MARKED);
	const uint64_t index = MARKED;
	uint8_t got[PAGE], *base, *p;
	struct tmem_entry e;
	uint32_t n;
	int ret;

	for (n = 0; n < lease->segments_max; n++) {
		if (lease_revoking_class(s->store.source, n) !=
		    TMEM_CLASS_PERSISTENT)
			continue;
		base = tmem_lease_segment(lease, n);
		for (p = base;; p += TMEM_UNIT) {
			p = memmem(p, (size_t)(base + lease->segment_size - p),
				   &index, sizeof(index));
			if (!p)
				break;
			memcpy(&e, p, sizeof(e));
			if (TMEM_ENTRY_FORM(e.info) != form)
				continue;
			p[TMEM_LOG_HEAD] ^= 1;
			ret = tmem_get(s->store.t, s->pool, &key, got);
			p[TMEM_LOG_HEAD] ^= 1;
			if (ret == -EIO)
				return p;
		}
	}
	return NULL;
}

/* Every bit of one entry, one after the other: header, check and payload. */
static void flip_every_bit(int dense)
{
	struct tmem_key key = tmem_key(1, MARKED);
	uint8_t page[PAGE], got[PAGE], *entry;
	struct tmem_entry e;
	struct scene s;
	uint32_t bit;
	int ret;

	scene_init(&s, dense);
	entry = find_entry(&s, dense ? TMEM_FORM_DENSE : TMEM_FORM_PACKED);
	assert_non_null(entry);
	memcpy(&e, entry, sizeof(e));
	page_fill(page, PAGE, CONTENT_TEXT, MARKED);
	for (bit = 0; bit < (TMEM_LOG_HEAD + TMEM_ENTRY_LEN(e.info)) * 8;
	     bit++) {
		entry[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ret = tmem_get(s.store.t, s.pool, &key, got);
		entry[bit / 8] ^= (uint8_t)(1u << bit % 8);
		/* Marks for the cleaner and the number of the object say
		 * nothing about the page; with another index it is another. */
		if (ret == 1)
			assert_memory_equal(got, page, PAGE);
		if (bit >= sizeof(e) * 8)
			assert_int_equal(ret, -EIO);
		else
			assert_true(ret == 1 || ret == 0 || ret == -EIO);
	}
	assert_int_equal(tmem_get(s.store.t, s.pool, &key, got), 1);
	assert_memory_equal(got, page, PAGE);
	scene_finish(&s);
}

/* A damaged ephemeral page, dense here, is none, and stays so. */
static void ephemeral_damage_is_a_miss(void **state)
{
	struct tmem_key key = tmem_key(1, MARKED);
	const uint64_t index = MARKED;
	uint8_t got[PAGE], *base, *p;
	struct tmem_lease *lease;
	struct scene s;
	unsigned found = 0;
	uint32_t n;

	(void)state;
	scene_init_pool(&s, 1, TMEM_POOL_KEEP);
	lease = lease_revoking_lease(s.store.source);
	for (n = 0; n < lease->segments_max; n++) {
		if (lease_revoking_class(s.store.source, n) !=
		    TMEM_CLASS_EPHEMERAL)
			continue;
		base = tmem_lease_segment(lease, n);
		for (p = base;
		     (p = memmem(p, (size_t)(base + lease->segment_size - p),
				 &index, sizeof(index)));
		     p += TMEM_UNIT) {
			p[TMEM_LOG_HEAD] ^= 1;
			found++;
		}
	}
	assert_true(found > 0);
	assert_int_equal(tmem_get(s.store.t, s.pool, &key, got), 0);
	assert_int_equal(tmem_get(s.store.t, s.pool, &key, got), 0);
	assert_int_equal(tmem_flush_page(s.store.t, s.pool, &key), 0);
	assert_int_equal(tmem_check(s.store.t), 0);
	scene_finish(&s);
}

static void every_bit_of_an_entry(void **state)
{
	(void)state;
	flip_every_bit(0);
	flip_every_bit(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damage_is_seen),
		cmocka_unit_test(damage_of_dense_pages_is_seen),
		cmocka_unit_test(damage_is_mended),
		cmocka_unit_test(every_bit_of_an_entry),
		cmocka_unit_test(ephemeral_damage_is_a_miss),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
