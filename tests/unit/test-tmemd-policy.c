/* SPDX-License-Identifier: BSD-2-Clause */
/* test-tmemd-policy.c - policies as functions over a table of domains. */
#include <stdlib.h>
#include <string.h>

#include "fill.h"
#include "policies.h"
#include "rng.h"
#include "unit.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)

/* Rounding leaves less than this undivided. */
#define CRUMBS 4096

#define ROUNDS 2000
#define DOMAINS 12

/* One that wants more than it can get. */
static struct tmemd_claimant hungry(uint32_t weight)
{
	return (struct tmemd_claimant){ .cap = 8 * GIB,
					.demand = 8 * GIB,
					.held = 64 * MIB,
					.weight = weight };
}

static void expect_near(uint64_t is, uint64_t wanted)
{
	assert_in_range(is, wanted > CRUMBS ? wanted - CRUMBS : 0, wanted);
}

static void test_weights_divide(void **state)
{
	struct tmemd_claimant c[] = { hungry(100), hungry(300) };

	(void)state;
	tmemd_policy_weighted.divide(c, 2, GIB);
	expect_near(c[0].entitled, GIB / 4);
	expect_near(c[1].entitled, GIB / 4 * 3);
}

/* The heavier is entitled to more; the original had it the other way round. */
static void test_weights_are_not_inverted(void **state)
{
	const struct tmemd_policy *const *p;

	(void)state;
	for (p = tmemd_policies; *p; p++) {
		struct tmemd_claimant c[] = { hungry(1), hungry(10000) };

		(*p)->divide(c, 2, GIB);
		assert_true(c[0].entitled <= c[1].entitled);
	}
}

static void test_what_one_leaves_others_share_by_weight(void **state)
{
	struct tmemd_claimant c[] = { hungry(100), hungry(300), hungry(400) };

	(void)state;
	c[2].demand = 128 * MIB;
	tmemd_policy_weighted.divide(c, 3, GIB + 128 * MIB);
	assert_true(c[2].entitled == 128 * MIB);
	expect_near(c[0].entitled, GIB / 4);
	expect_near(c[1].entitled, GIB / 4 * 3);
}

static void test_caps_bind(void **state)
{
	const struct tmemd_policy *const *p;

	(void)state;
	for (p = tmemd_policies; *p; p++) {
		struct tmemd_claimant c[] = { hungry(10000), hungry(1) };

		c[0].cap = 100 * MIB;
		(*p)->divide(c, 2, GIB);
		assert_true(c[0].entitled <= 100 * MIB);
		if (*p != &tmemd_policy_greedy)
			expect_near(c[1].entitled, GIB - 100 * MIB);
	}
}

static void test_minimums_come_before_weights(void **state)
{
	const struct tmemd_policy *const *p;

	(void)state;
	for (p = tmemd_policies; *p; p++) {
		struct tmemd_claimant c[] = { hungry(1), hungry(10000) };

		c[0].min = 512 * MIB;
		(*p)->divide(c, 2, GIB);
		assert_true(c[0].entitled >= 512 * MIB);
	}
}

static void test_a_minimum_is_only_what_is_wanted(void **state)
{
	struct tmemd_claimant c[] = { hungry(100), hungry(100) };

	(void)state;
	c[0].min = 512 * MIB;
	c[0].demand = c[0].held = 10 * MIB;
	tmemd_policy_weighted.divide(c, 2, GIB);
	assert_true(c[0].entitled == 10 * MIB);
	expect_near(c[1].entitled, GIB - 10 * MIB);
}

/* The host took what they were promised: they share the loss. */
static void test_minimums_shrink_together(void **state)
{
	struct tmemd_claimant c[] = { hungry(100), hungry(100), hungry(100) };

	(void)state;
	c[0].min = 400 * MIB;
	c[1].min = 200 * MIB;
	c[2].fixed = 100 * MIB;
	tmemd_policy_weighted.divide(c, 3, 400 * MIB);
	assert_true(c[2].entitled == 100 * MIB);
	assert_true(c[0].entitled == 200 * MIB);
	assert_true(c[1].entitled == 100 * MIB);
}

static void test_what_is_fixed_stays(void **state)
{
	const struct tmemd_policy *const *p;

	(void)state;
	for (p = tmemd_policies; *p; p++) {
		struct tmemd_claimant c[] = { hungry(1), hungry(10000) };

		c[0].fixed = c[0].held = 900 * MIB;
		(*p)->divide(c, 2, GIB);
		assert_true(c[0].entitled >= 900 * MIB);
		assert_true(c[1].entitled <= GIB - 900 * MIB);
		(*p)->divide(c, 2, 16 * MIB);
		assert_true(c[0].entitled == 900 * MIB);
		assert_true(c[1].entitled == 0);
	}
}

static void test_greedy_entitles_nobody(void **state)
{
	struct tmemd_claimant c[] = { hungry(100), hungry(300) };

	(void)state;
	c[0].held = 900 * MIB;
	tmemd_policy_greedy.divide(c, 2, GIB);
	assert_true(c[0].entitled == 0 && c[1].entitled == 0);
}

static void test_static_keeps_parts_of_the_idle(void **state)
{
	struct tmemd_claimant c[] = { hungry(100), hungry(100) };

	(void)state;
	c[0].demand = c[0].held = MIB;
	tmemd_policy_static.divide(c, 2, GIB);
	expect_near(c[0].entitled, GIB / 2);
	expect_near(c[1].entitled, GIB / 2);
	assert_true(tmemd_policy_static.strict);
}

static void test_utility_without_news_is_weighted(void **state)
{
	struct tmemd_claimant c[] = { hungry(100), hungry(300) };

	(void)state;
	c[1].ghost_rate = TMEMD_GHOST_UNIT; /* one a second: noise */
	tmemd_policy_utility.divide(c, 2, GIB);
	expect_near(c[0].entitled, GIB / 4);
	expect_near(c[1].entitled, GIB / 4 * 3);
}

static void test_utility_shifts_a_quarter(void **state)
{
	struct tmemd_claimant c[] = { hungry(100), hungry(100), hungry(100),
				      hungry(100) };

	(void)state;
	c[0].ghost_rate = 5000 * TMEMD_GHOST_UNIT;
	c[1].ghost_rate = 5000 * TMEMD_GHOST_UNIT;
	c[2].ghost_rate = 5000 * TMEMD_GHOST_UNIT;
	tmemd_policy_utility.divide(c, 4, GIB);
	/* The one that scans loses a quarter, the others get it. */
	expect_near(c[3].entitled, GIB / 4 / 4 * 3);
	expect_near(c[0].entitled, (GIB - GIB / 16 * 3) / 3);
	expect_near(c[2].entitled, (GIB - GIB / 16 * 3) / 3);
}

/* Lies are worth a quarter, and cost each other domain a quarter at most. */
static void test_utility_bounds_liars(void **state)
{
	struct tmemd_claimant c[] = { hungry(100), hungry(100), hungry(100) };

	(void)state;
	c[0].ghost_rate = 1ull << 50;
	c[1].ghost_rate = 100 * TMEMD_GHOST_UNIT;
	tmemd_policy_utility.divide(c, 3, 3 * GIB);
	assert_true(c[0].entitled <= GIB + GIB / 4);
	assert_true(c[1].entitled >= GIB - GIB / 4);
	assert_true(c[2].entitled >= GIB - GIB / 4);
}

/* Less than three quarters of its part is nobody's to shift: or who has just come,
 * and has no ghost hits yet, would never get what it asks for. */
static void test_utility_spares_who_has_little(void **state)
{
	struct tmemd_claimant c[] = { hungry(100), hungry(100), hungry(100) };

	(void)state;
	c[0].ghost_rate = 1ull << 40;
	c[2].held = 10 * MIB;
	c[2].demand = 11 * MIB;
	tmemd_policy_utility.divide(c, 3, 3 * GIB);
	assert_true(c[2].entitled == 11 * MIB);
	/* Who wants more pays with the others for what the liar gains. */
	c[2].demand = c[2].cap;
	tmemd_policy_utility.divide(c, 3, 3 * GIB);
	expect_near(c[2].entitled, GIB - GIB / 8);
}

static void test_nobody_and_nothing(void **state)
{
	const struct tmemd_policy *const *p;
	struct tmemd_claimant c = hungry(100);

	(void)state;
	for (p = tmemd_policies; *p; p++) {
		(*p)->divide(&c, 0, GIB);
		(*p)->divide(&c, 1, 0);
		assert_true(c.entitled == 0);
	}
}

static void test_names(void **state)
{
	const struct tmemd_policy *const *p;

	(void)state;
	for (p = tmemd_policies; *p; p++)
		assert_ptr_equal(tmemd_policy_find((*p)->name), *p);
	assert_null(tmemd_policy_find("fair"));
	assert_null(tmemd_policy_find(""));
}

/* ---- Whatever the table -------------------------------------------------- */

static struct tmemd_claimant random_claimant(struct rng *r)
{
	struct tmemd_claimant c = {
		.cap = MIB + rng_below(r, 4 * GIB),
		.weight = (uint32_t)(1 + rng_below(r, TMEMD_WEIGHT_MAX)),
	};

	c.held = rng_below(r, c.cap + 1);
	c.fixed = rng_below(r, 3) ? 0 : rng_below(r, c.held + 1);
	c.demand = c.held + (rng_below(r, 2) ? rng_below(r, GIB) : 0);
	c.min = rng_below(r, 3) ? 0 : rng_below(r, c.cap + 1);
	c.ghost_rate = rng_below(r, 2) ? rng_below(r, 1u << 30) : 0;
	return c;
}

static uint64_t wanted(const struct tmemd_claimant *c)
{
	uint64_t most = c->demand < c->cap ? c->demand : c->cap;

	return most > c->fixed ? most : c->fixed;
}

static void check(const struct tmemd_policy *p, const struct tmemd_claimant *c,
		  size_t n, uint64_t budget)
{
	uint64_t sum = 0, fixed = 0, want = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		assert_true(c[i].entitled >= c[i].fixed);
		assert_true(c[i].entitled <= c[i].cap ||
			    c[i].entitled == c[i].fixed);
		sum += c[i].entitled;
		fixed += c[i].fixed;
		want += wanted(&c[i]);
	}
	assert_true(sum <= (fixed > budget ? fixed : budget));
	/* These two leave nothing over that somebody wants. */
	if (p == &tmemd_policy_weighted || p == &tmemd_policy_utility)
		assert_true(sum + n * CRUMBS >= (want < budget ? want : budget));
}

/* Nobody who wants more has less per weight than another beyond its minimum. */
static void check_fair(const struct tmemd_claimant *c, size_t n)
{
	size_t i, j;

	for (i = 0; i < n; i++)
		for (j = 0; j < n; j++) {
			if (c[i].entitled >= wanted(&c[i]) ||
			    c[j].entitled <= c[j].low)
				continue;
			assert_true((c[i].entitled + CRUMBS) / c[i].weight + 1 >=
				    c[j].entitled / c[j].weight);
		}
}

static void test_any_table(void **state)
{
	struct tmemd_claimant table[DOMAINS], c[DOMAINS];
	const struct tmemd_policy *const *p;
	uint64_t budget;
	struct rng r;
	size_t i, n;
	int round;

	(void)state;
	r.state = rng_seed("TMEM_POLICY_SEED");
	for (round = 0; round < ROUNDS; round++) {
		n = 1 + rng_below(&r, DOMAINS);
		budget = rng_below(&r, 16 * GIB);
		for (i = 0; i < n; i++)
			table[i] = random_claimant(&r);
		for (p = tmemd_policies; *p; p++) {
			memcpy(c, table, sizeof(c));
			(*p)->divide(c, n, budget);
			for (i = 0; i < n; i++)
				c[i].demand = table[i].demand;
			check(*p, c, n, budget);
			if (*p == &tmemd_policy_weighted)
				check_fair(c, n);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_weights_divide),
		cmocka_unit_test(test_weights_are_not_inverted),
		cmocka_unit_test(test_what_one_leaves_others_share_by_weight),
		cmocka_unit_test(test_caps_bind),
		cmocka_unit_test(test_minimums_come_before_weights),
		cmocka_unit_test(test_a_minimum_is_only_what_is_wanted),
		cmocka_unit_test(test_minimums_shrink_together),
		cmocka_unit_test(test_what_is_fixed_stays),
		cmocka_unit_test(test_greedy_entitles_nobody),
		cmocka_unit_test(test_static_keeps_parts_of_the_idle),
		cmocka_unit_test(test_utility_without_news_is_weighted),
		cmocka_unit_test(test_utility_shifts_a_quarter),
		cmocka_unit_test(test_utility_bounds_liars),
		cmocka_unit_test(test_utility_spares_who_has_little),
		cmocka_unit_test(test_nobody_and_nothing),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_any_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
