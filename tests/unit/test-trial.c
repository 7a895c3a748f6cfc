/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-trial.c - ways of keeping pages, tried side by side: each hits what it is
 * for; the sample is thinned as a shard grows; the walker sees damage.
 */
#include <string.h>

#include "rng.h"
#include "trial.h"
#include "unit.h"

#define ROOM 100u

struct bed {
	struct tmem_trial trial;
	struct tmem_contest contest;
	struct rng rng;
};

static void bed_init(struct bed *b)
{
	memset(b, 0, sizeof(*b));
	b->contest.room = ROOM;
	b->rng.state = rng_seed("TMEM_TRIAL_SEED");
}

static void bed_check(struct bed *b)
{
	uint64_t held[TMEM_TRIAL_QUEUES] = { 0 };
	uint32_t i;

	assert_true(tmem_trial_check(&b->trial, held));
	for (i = 0; i < TMEM_TRIAL_QUEUES; i++)
		assert_int_equal(held[i], b->contest.held[i]);
}

/* A get that takes the page, and the put that brings it back. */
static void ask(struct bed *b, uint64_t page)
{
	uint32_t tag = tmem_trial_tag((page + 1) * 0x9e3779b97f4a7c15ull);

	(void)tmem_trial_get(&b->trial, &b->contest, tag);
	tmem_trial_put(&b->trial, &b->contest, tag, ROOM);
}

static void forget_wins(struct bed *b)
{
	memset(b->contest.won, 0, sizeof(b->contest.won));
}

static void loop(struct bed *b, uint64_t pages, unsigned rounds)
{
	uint64_t i;

	bed_init(b);
	for (i = 0; i < pages * rounds; i++) {
		if (i == pages * rounds / 2)
			forget_wins(b);
		ask(b, i % pages);
	}
	bed_check(b);
}

static void each_way_hits_its_loop(void **state)
{
	struct bed b;

	(void)state;
	loop(&b, ROOM * 9 / 10, 20);
	assert_int_equal(b.contest.won[TMEM_WAY_FIFO], 900);
	assert_int_equal(b.contest.won[TMEM_WAY_RETURNED], 900);
	loop(&b, ROOM * 3 / 2, 20);
	assert_int_equal(b.contest.won[TMEM_WAY_FIFO], 0);
	assert_in_range(b.contest.won[TMEM_WAY_HALF], 500, 1000);
	assert_true(b.contest.won[TMEM_WAY_HALF] >
		    b.contest.won[TMEM_WAY_RETURNED]);
	loop(&b, ROOM * 3, 20);
	assert_int_equal(b.contest.won[TMEM_WAY_FIFO], 0);
	assert_in_range(b.contest.won[TMEM_WAY_QUARTER], 450, 1050);
}

/* Pages that were taken and brought back outlive those that are seen once. */
static void returned_outlives_a_scan(void **state)
{
	uint64_t round, i, scanned = 1000000;
	struct bed b;

	(void)state;
	bed_init(&b);
	for (round = 0; round < 20; round++) {
		if (round == 10)
			forget_wins(&b);
		for (i = 0; i < 50; i++)
			ask(&b, i);
		for (i = 0; i < 60; i++)
			ask(&b, scanned++);
	}
	bed_check(&b);
	assert_int_equal(b.contest.won[TMEM_WAY_RETURNED], 500);
	assert_int_equal(b.contest.won[TMEM_WAY_FIFO], 0);
}

static void what_is_flushed_is_gone(void **state)
{
	struct bed b;

	(void)state;
	bed_init(&b);
	tmem_trial_put(&b.trial, &b.contest, 77, 1);
	tmem_trial_flush(&b.trial, &b.contest, 77);
	assert_false(tmem_trial_get(&b.trial, &b.contest, 77));
	tmem_trial_put(&b.trial, &b.contest, 77, 1);
	assert_true(tmem_trial_get(&b.trial, &b.contest, 77));
	assert_false(tmem_trial_get(&b.trial, &b.contest, 77));
	bed_check(&b);
}

static void a_growing_shard_is_sampled_less(void **state)
{
	uint32_t slots, tag;
	struct bed b;

	(void)state;
	bed_init(&b);
	b.contest.room = 0;
	for (slots = 1; slots <= 64 * TMEM_TRIAL_PAGES; slots++) {
		tag = (uint32_t)rng_next(&b.rng);
		if (tmem_trial_samples(&b.trial, tag))
			tmem_trial_put(&b.trial, &b.contest, tag, slots);
	}
	assert_int_equal(tmem_trial_thinning(&b.trial), 6);
	bed_check(&b);
	/* What is tried stands for all: one in 64, give or take five times the
	 * deviation of 128 samples. */
	assert_in_range(b.contest.held[TMEM_TRIAL_FIFO], 36 * TMEM_TRIAL_PAGES,
			92 * TMEM_TRIAL_PAGES);
	assert_in_range(b.contest.held[TMEM_TRIAL_HALF], 12 * TMEM_TRIAL_PAGES,
			52 * TMEM_TRIAL_PAGES);
}

static void the_walker_sees_damage(void **state)
{
	uint64_t held[TMEM_TRIAL_QUEUES];
	struct tmem_trial_queue *q;
	struct bed b;

	(void)state;
	loop(&b, ROOM, 3);
	q = &b.trial.held[TMEM_TRIAL_FIFO];
	q->tag[3] = q->tag[4];
	assert_false(tmem_trial_check(&b.trial, held));
	loop(&b, ROOM, 3);
	b.trial.held[TMEM_TRIAL_HALF].tag[0] |= 1u << 31;
	assert_false(tmem_trial_check(&b.trial, held));
	loop(&b, 3 * ROOM, 3);
	b.trial.evicted.tag[0] = b.trial.held[TMEM_TRIAL_PROBATION].tag[0];
	assert_false(tmem_trial_check(&b.trial, held));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_way_hits_its_loop),
		cmocka_unit_test(returned_outlives_a_scan),
		cmocka_unit_test(what_is_flushed_is_gone),
		cmocka_unit_test(a_growing_shard_is_sampled_less),
		cmocka_unit_test(the_walker_sees_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
