/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-table.c - linear hashing: every slot is found wherever growing and
 * contracting have moved it, memory comes and goes, and a step that cannot be
 * paid loses nothing.
 */
#include <errno.h>
#include <stdlib.h>

#include "bounds.h"
#include "fault.h"
#include "lease.h"
#include "rng.h"
#include "table.h"
#include "unit.h"

#define SLOTS 40000u

struct bed {
	struct tmem_lease *lease;
	struct tmem_space space;
	struct tmem_table table;
	uint32_t *hashes;
};

static void bed_init(struct bed *b, uint64_t seed)
{
	struct tmem_lease_opts opts = {
		.bytes_max = 64 * TMEM_MIB,
		.segment_size = 64 * TMEM_KIB,
	};
	struct rng rng;
	uint32_t i;

	assert_int_equal(tmem_lease_embedded_create(&opts, &b->lease), 0);
	assert_int_equal(tmem_space_init(&b->space, b->lease, 64 * TMEM_MIB), 0);
	assert_int_equal(tmem_table_init(&b->table, &b->space), 0);
	b->hashes = malloc(SLOTS * sizeof(*b->hashes));
	assert_non_null(b->hashes);
	rng.state = seed;
	for (i = 0; i < SLOTS; i++)
		b->hashes[i] = (uint32_t)rng_next(&rng);
}

static void bed_finish(struct bed *b)
{
	free(b->hashes);
	tmem_table_finish(&b->table);
	tmem_space_finish(&b->space, 0);
	b->lease->ops->destroy(b->lease, 0);
}

/* Slot i has object i + 1 and a place made of i. */
static uint64_t place_of(uint32_t i)
{
	return ((uint64_t)i << 20 | i) & ((1ull << 48) - 1);
}

static int find(const struct bed *b, uint32_t i, struct tmem_cursor *c)
{
	int more;

	for (more = tmem_table_first(&b->table, b->hashes[i], c); more;
	     more = tmem_table_next(&b->table, c))
		if (tmem_cursor_object(c) == i + 1)
			return tmem_cursor_place(c) == place_of(i);
	return 0;
}

static void fill(struct bed *b, uint32_t from, uint32_t to)
{
	uint32_t i;

	for (i = from; i < to; i++)
		assert_int_equal(tmem_table_insert(&b->table, b->hashes[i],
						   i + 1, place_of(i)),
				 0);
}

static void grows_and_contracts(void **state)
{
	struct tmem_cursor c;
	struct bed b;
	uint32_t i, buckets, chunks;

	(void)state;
	bed_init(&b, rng_seed("TMEM_TABLE_SEED"));
	fill(&b, 0, SLOTS);
	assert_int_equal(tmem_table_check(&b.table), 0);
	for (i = 0; i < SLOTS; i++)
		assert_true(find(&b, i, &c));
	buckets = b.table.buckets;
	chunks = b.table.primary.count;
	/* Four fifths of ten slots a bucket, and no more than that. */
	assert_in_range(buckets, SLOTS / 10, SLOTS / 8 + 2);

	for (i = 0; i < SLOTS; i += 2) {
		assert_true(find(&b, i, &c));
		tmem_table_remove(&b.table, &c);
		while (i % 1000 == 0 && tmem_table_contract(&b.table))
			;
	}
	for (i = 0; i < SLOTS; i++)
		assert_int_equal(find(&b, i, &c), i % 2);
	for (i = 1; i < SLOTS; i += 2) {
		assert_true(find(&b, i, &c));
		tmem_table_remove(&b.table, &c);
	}
	while (tmem_table_contract(&b.table))
		;
	assert_int_equal(tmem_table_check(&b.table), 0);
	assert_int_equal(b.table.slots, 0);
	assert_int_equal(b.table.buckets, 32);
	assert_true(b.table.primary.count < chunks);
	assert_int_equal(b.table.overflow.count, 0);
	bed_finish(&b);
}

/* All in one bucket: chains of overflow lines, taken apart again. */
static void one_bucket(void **state)
{
	struct tmem_cursor c;
	struct bed b;
	uint32_t i;

	(void)state;
	bed_init(&b, 1);
	for (i = 0; i < 300; i++)
		b.hashes[i] = 7;
	fill(&b, 0, 300);
	assert_int_equal(tmem_table_check(&b.table), 0);
	assert_true(b.table.lines_used >= 58);
	for (i = 0; i < 300; i += 3) {
		assert_true(find(&b, i, &c));
		tmem_table_remove(&b.table, &c);
		assert_int_equal(tmem_table_check(&b.table), 0);
	}
	for (i = 0; i < 300; i++)
		assert_int_equal(find(&b, i, &c), i % 3 != 0);
	bed_finish(&b);
}

/* Without memory to grow it overflows, then refuses; nothing that is in it is
 * lost, and it goes on when there is memory again. */
static void cannot_grow(void **state)
{
	struct tmem_cursor c;
	struct bed b;
	uint32_t i, stopped = SLOTS;

	(void)state;
	bed_init(&b, 2);
	tmem_fault_every(TMEM_FAULT_SEGMENT, 3);
	for (i = 0; i < SLOTS; i++)
		if (tmem_table_insert(&b.table, b.hashes[i], i + 1,
				      place_of(i))) {
			stopped = i;
			break;
		}
	tmem_fault_every(TMEM_FAULT_SEGMENT, 0);
	assert_in_range(stopped, 1000, SLOTS - 1);
	assert_int_equal(tmem_table_check(&b.table), 0);
	for (i = 0; i < stopped; i++)
		assert_true(find(&b, i, &c));
	fill(&b, stopped, SLOTS);
	for (i = 0; i < SLOTS; i++)
		assert_true(find(&b, i, &c));
	assert_int_equal(tmem_table_check(&b.table), 0);
	bed_finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_contracts),
		cmocka_unit_test(one_bucket),
		cmocka_unit_test(cannot_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
