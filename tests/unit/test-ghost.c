/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-ghost.c - marks of pages that left: found while they are recent, gone when
 * as many others have left since, rarely mistaken, forgotten on demand, and kept
 * while the history gets longer.
 */
#include <string.h>

#include "bounds.h"
#include "ghost.h"
#include "lease.h"
#include "rng.h"
#include "unit.h"

#define PAGES 5000u

struct bed {
	struct tmem_lease *lease;
	struct tmem_space space;
	struct tmem_ghost ghost;
	struct rng rng;
};

static void bed_init(struct bed *b)
{
	struct tmem_lease_opts opts = {
		.bytes_max = 8 * TMEM_MIB,
		.segment_size = 64 * TMEM_KIB,
	};

	memset(b, 0, sizeof(*b));
	assert_int_equal(tmem_lease_embedded_create(&opts, &b->lease), 0);
	assert_int_equal(tmem_space_init(&b->space, b->lease, 8 * TMEM_MIB), 0);
	b->rng.state = rng_seed("TMEM_GHOST_SEED");
}

static void bed_finish(struct bed *b)
{
	tmem_ghost_finish(&b->ghost);
	tmem_space_finish(&b->space, 0);
	b->lease->ops->destroy(b->lease, 0);
}

static uint32_t found(struct bed *b, const uint32_t *hashes, uint32_t count,
		      enum tmem_left how)
{
	uint32_t i, n = 0;

	for (i = 0; i < count; i++)
		n += tmem_ghost_find(&b->ghost, &b->space, hashes[i], 0) == how;
	return n;
}

static void remembers_and_forgets(void **state)
{
	static uint32_t first[PAGES / 4], others[4 * PAGES];
	struct bed b;
	uint32_t i;

	(void)state;
	bed_init(&b);
	for (i = 0; i < PAGES / 4; i++) {
		first[i] = (uint32_t)rng_next(&b.rng);
		tmem_ghost_add(&b.ghost, &b.space, first[i], TMEM_LEFT_EVICTED,
			       PAGES);
	}
	assert_in_range(found(&b, first, PAGES / 4, TMEM_LEFT_EVICTED),
			PAGES / 4 * 99 / 100, PAGES / 4);
	assert_in_range(found(&b, first, PAGES / 4, TMEM_LEFT_TAKEN), 0,
			PAGES / 100);
	for (i = 0; i < 4 * PAGES; i++) {
		others[i] = (uint32_t)rng_next(&b.rng);
		/* Strangers: one in five hundred is taken for another. */
		if (i < PAGES / 4)
			continue;
		tmem_ghost_add(&b.ghost, &b.space, others[i], TMEM_LEFT_TAKEN,
			       PAGES);
	}
	assert_in_range(found(&b, first, PAGES / 4, TMEM_LEFT_EVICTED), 0,
			PAGES / 4 / 50);
	assert_in_range(found(&b, others, PAGES / 4, TMEM_LEFT_TAKEN), 0,
			PAGES / 4 / 50);
	bed_finish(&b);
}

static void forgets_on_demand(void **state)
{
	struct bed b;

	(void)state;
	bed_init(&b);
	tmem_ghost_add(&b.ghost, &b.space, 77, TMEM_LEFT_EVICTED, PAGES);
	assert_int_equal(tmem_ghost_find(&b.ghost, &b.space, 77, 0),
			 TMEM_LEFT_EVICTED);
	assert_int_equal(tmem_ghost_find(&b.ghost, &b.space, 77, 1),
			 TMEM_LEFT_EVICTED);
	assert_int_equal(tmem_ghost_find(&b.ghost, &b.space, 77, 0),
			 TMEM_LEFT_NOT);
	bed_finish(&b);
}

/* As a store that fills up: each page that comes makes the history longer. */
static void keeps_marks_as_it_grows(void **state)
{
	static uint32_t hashes[PAGES];
	struct bed b;
	uint32_t i;

	(void)state;
	bed_init(&b);
	for (i = 0; i < PAGES; i++) {
		hashes[i] = (uint32_t)rng_next(&b.rng);
		tmem_ghost_add(&b.ghost, &b.space, hashes[i], TMEM_LEFT_TAKEN,
			       2 * (i + 1));
	}
	assert_in_range(found(&b, hashes, PAGES, TMEM_LEFT_TAKEN),
			PAGES * 3 / 4, PAGES);
	assert_true(tmem_ghost_check(&b.ghost, &b.space, TMEM_LEFT_TAKEN));
	assert_false(tmem_ghost_check(&b.ghost, &b.space, TMEM_LEFT_EVICTED));
	bed_finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remembers_and_forgets),
		cmocka_unit_test(forgets_on_demand),
		cmocka_unit_test(keeps_marks_as_it_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
