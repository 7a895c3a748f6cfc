/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-tmemd-arbiter.c - the arbiter over a ledger, with no daemon around it: each
 * verdict is carried out, and must have been right.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arbiter.h"
#include "config.h"
#include "fill.h"
#include "ledger.h"
#include "policies.h"
#include "rng.h"
#include "unit.h"

#define MIB (1ull << 20)
#define SEGMENT (256ull << 10)
#define BUDGET (64 * MIB)
#define NAMES 6u

#define ROUNDS 60
#define STEPS 1500

/** struct scene - domains whose settings the test may change as it goes. */
struct scene {
	struct tmemd_config config;
	struct tmemd_domain sections[NAMES];
	struct tmemd_ledger l;
	struct tmemd_arbiter r;
	struct tmemd_account *a[NAMES]; /* NULL: it has no session */
};

static const char *const names[NAMES] = { "a", "b", "c", "d", "e", "f" };

static void scene_init(struct scene *s, const struct tmemd_policy *policy)
{
	unsigned i;

	memset(s, 0, sizeof(*s));
	s->config.budget_bytes = BUDGET;
	s->config.default_cap_bytes = BUDGET;
	s->config.domains = s->sections;
	s->config.domain_count = NAMES;
	for (i = 0; i < NAMES; i++) {
		s->sections[i] =
			(struct tmemd_domain){ .uid = TMEMD_UID_ANY,
					       .cap_bytes = BUDGET,
					       .persistent_bytes = 8 * MIB,
					       .weight = 100 };
		strcpy(s->sections[i].name, names[i]);
	}
	tmemd_ledger_init(&s->l);
	s->l.budget_bytes = BUDGET;
	s->r.policy = policy;
	assert_int_equal(tmemd_arbiter_room(&s->r, NAMES), 0);
}

static uint64_t held(const struct tmemd_account *a)
{
	return tmemd_lent_sum(a->lent_bytes);
}

static void come(struct scene *s, unsigned n)
{
	assert_int_equal(
		tmemd_ledger_join(&s->l, &s->config, names[n], 0, &s->a[n]), 0);
}

static void go(struct scene *s, unsigned n)
{
	unsigned cls;

	for (cls = 0; cls < TMEM_WIRE_CLASSES; cls++)
		tmemd_ledger_charge(&s->l, s->a[n], cls,
				    -(int64_t)s->a[n]->lent_bytes[cls]);
	tmemd_ledger_leave(&s->l, s->a[n]);
	s->a[n] = NULL;
}

static void scene_finish(struct scene *s)
{
	unsigned n;

	for (n = 0; n < NAMES; n++)
		if (s->a[n])
			go(s, n);
	assert_int_equal(tmemd_lent_sum(s->l.lent_bytes), 0);
	tmemd_arbiter_finish(&s->r);
	tmemd_ledger_finish(&s->l);
}

/* ---- Carrying verdicts out ----------------------------------------------- */

static int64_t over(const struct tmemd_account *a)
{
	return (int64_t)held(a) - (int64_t)a->entitled_bytes;
}

/* It has what can be taken, and nobody is more over than it. */
static void check_most_over(const struct scene *s, const struct tmemd_account *v)
{
	unsigned n;

	assert_non_null(v);
	assert_true(v->lent_bytes[TMEM_WIRE_EPHEMERAL] >= SEGMENT);
	for (n = 0; n < NAMES; n++)
		if (s->a[n] && s->a[n]->lent_bytes[TMEM_WIRE_EPHEMERAL])
			assert_true(over(s->a[n]) <= over(v));
}

static void check_taken(const struct scene *s, const struct tmemd_account *asker,
			const struct tmemd_account *victim, uint32_t cls)
{
	/* A promise may take the place of the asker's own cache. */
	if (victim == asker && cls != TMEM_WIRE_EPHEMERAL) {
		assert_true(victim->lent_bytes[TMEM_WIRE_EPHEMERAL] >= SEGMENT);
		return;
	}
	check_most_over(s, victim);
	assert_true(over(victim) > 0);
	/* Nobody's cache pays for more than another's entitlement. */
	if (cls == TMEM_WIRE_EPHEMERAL)
		assert_true(held(asker) + SEGMENT <= asker->entitled_bytes);
}

static void check_lent(const struct scene *s, const struct tmemd_account *a,
		       uint32_t cls)
{
	assert_true(held(a) <= a->cap_bytes);
	assert_true(!s->r.policy->strict || held(a) <= a->entitled_bytes);
	assert_true(tmemd_lent_sum(s->l.lent_bytes) <= s->l.budget_bytes);
	assert_true(!a->frozen || cls == TMEM_WIRE_METADATA);
	if (cls == TMEM_WIRE_PERSISTENT)
		assert_true(a->lent_bytes[cls] <= a->persistent_bytes);
}

/* One segment asked for. Return: 1 lent. */
static int ask(struct scene *s, unsigned n, uint32_t cls)
{
	struct tmemd_account *victim;
	enum tmemd_verdict v;

	s->a[n]->asked_bytes = SEGMENT;
	tmemd_arbiter_divide(&s->r, &s->l);
	while ((v = tmemd_arbiter_judge(&s->r, &s->l, s->a[n], cls, SEGMENT,
					&victim)) == TMEMD_TAKE) {
		check_taken(s, s->a[n], victim, cls);
		tmemd_ledger_charge(&s->l, victim, TMEM_WIRE_EPHEMERAL,
				    -(int64_t)SEGMENT);
	}
	if (v == TMEMD_LEND) {
		tmemd_ledger_charge(&s->l, s->a[n], cls, SEGMENT);
		check_lent(s, s->a[n], cls);
		s->a[n]->asked_bytes = 0;
	}
	return v == TMEMD_LEND;
}

/* What is too much is taken: until nobody has any that could be. */
static void trim(struct scene *s)
{
	struct tmemd_account *v;
	uint64_t most;

	tmemd_arbiter_divide(&s->r, &s->l);
	while ((v = tmemd_arbiter_excess(&s->r, &s->l))) {
		most = v->cap_bytes;
		if (s->r.policy->strict && v->entitled_bytes < most)
			most = v->entitled_bytes;
		if (held(v) <= most) {
			assert_true(tmemd_lent_sum(s->l.lent_bytes) >
				    s->l.budget_bytes);
			check_most_over(s, v);
		}
		tmemd_ledger_charge(&s->l, v, TMEM_WIRE_EPHEMERAL,
				    -(int64_t)SEGMENT);
	}
}

/* ---- Beat lines ---------------------------------------------------------- */

static void weights_settle(void **state)
{
	struct scene s;
	unsigned i;

	(void)state;
	scene_init(&s, &tmemd_policy_weighted);
	s.sections[1].weight = 300;
	come(&s, 0);
	for (i = 0; i < 256; i++)
		(void)ask(&s, 0, TMEM_WIRE_EPHEMERAL);
	assert_int_equal(held(s.a[0]), BUDGET);
	come(&s, 1);
	for (i = 0; i < 512; i++)
		(void)ask(&s, i % 2, TMEM_WIRE_EPHEMERAL);
	assert_int_equal(held(s.a[0]), BUDGET / 4);
	assert_int_equal(held(s.a[1]), BUDGET / 4 * 3);
	/* Another weight holds for the next ask. */
	s.sections[1].weight = 100;
	tmemd_ledger_configure(&s.l, &s.config);
	for (i = 0; i < 512; i++)
		(void)ask(&s, i % 2, TMEM_WIRE_EPHEMERAL);
	assert_int_equal(held(s.a[0]), BUDGET / 2);
	/* And the dead weigh nothing. */
	go(&s, 1);
	for (i = 0; i < 256; i++)
		(void)ask(&s, 0, TMEM_WIRE_EPHEMERAL);
	assert_int_equal(held(s.a[0]), BUDGET);
	scene_finish(&s);
}

/* Who came first has more: a policy that is broken. */
static void divide_by_age(struct tmemd_claimant *c, size_t n, uint64_t budget)
{
	size_t i;

	tmemd_fill_lows(c, n, budget);
	for (i = 0; i < n; i++) {
		c[i].high = c[i].cap;
		c[i].part = 100 * (n - i) * (n - i);
	}
	(void)tmemd_fill(c, n, budget);
}

static const struct tmemd_policy by_age = { .name = "by age",
					    .divide = divide_by_age };

/* Two that flood have it all; then comes one that always wants more. Return: how
 * far it is below its part by weight, at worst, %. */
static unsigned shortfall_pct(const struct tmemd_policy *policy)
{
	const uint64_t part = BUDGET / 3;
	unsigned i, pct, worst = 0;
	struct scene s;

	scene_init(&s, policy);
	come(&s, 1);
	come(&s, 2);
	for (i = 0; i < 512; i++)
		(void)ask(&s, 1 + i % 2, TMEM_WIRE_EPHEMERAL);
	come(&s, 0);
	for (i = 0; i < 3000; i++) {
		/* Whoever floods asks more often, and lies as well. */
		(void)ask(&s, i % 5 ? 1 + i % 2 : 0, TMEM_WIRE_EPHEMERAL);
		s.a[1]->ghost_rate = 1ull << 40;
		if (i < 1000 || held(s.a[0]) + SEGMENT >= part)
			continue;
		pct = (unsigned)(100 - 100 * (held(s.a[0]) + SEGMENT) / part);
		worst = pct > worst ? pct : worst;
	}
	scene_finish(&s);
	return worst;
}

static void floods_push_nobody_below(void **state)
{
	(void)state;
	assert_int_equal(shortfall_pct(&tmemd_policy_weighted), 0);
	assert_int_equal(shortfall_pct(&tmemd_policy_static), 0);
	/* A liar moves a quarter. */
	assert_in_range(shortfall_pct(&tmemd_policy_utility), 10, 25);
	/* The measure tells: nobody has a part, or another. */
	assert_in_range(shortfall_pct(&tmemd_policy_greedy), 90, 100);
	assert_in_range(shortfall_pct(&by_age), 50, 90);
}

static void caps_hold_to_the_segment(void **state)
{
	const struct tmemd_policy *const *p;
	struct scene s;
	unsigned i;

	(void)state;
	for (p = tmemd_policies; *p; p++) {
		scene_init(&s, *p);
		s.sections[0].cap_bytes = 10 * MIB + SEGMENT / 2;
		come(&s, 0);
		for (i = 0; i < 256; i++)
			(void)ask(&s, 0, i % 3);
		assert_true(held(s.a[0]) == 10 * MIB);
		/* A lower one takes at once, and exactly. */
		s.sections[0].cap_bytes = 6 * MIB;
		tmemd_ledger_configure(&s.l, &s.config);
		trim(&s);
		assert_true(held(s.a[0]) <= 6 * MIB ||
			    !s.a[0]->lent_bytes[TMEM_WIRE_EPHEMERAL]);
		scene_finish(&s);
	}
}

/* The host's need comes from who is most over, until all are as much over. */
static void the_most_over_give(void **state)
{
	struct scene s;
	unsigned i;

	(void)state;
	scene_init(&s, &tmemd_policy_weighted);
	s.sections[2].min_bytes = 20 * MIB;
	for (i = 0; i < 3; i++)
		come(&s, i);
	for (i = 0; i < 1024; i++)
		(void)ask(&s, i % 3, TMEM_WIRE_EPHEMERAL);
	assert_int_equal(tmemd_lent_sum(s.l.lent_bytes), BUDGET);
	s.l.budget_bytes = 30 * MIB;
	trim(&s);
	assert_in_range(tmemd_lent_sum(s.l.lent_bytes), 30 * MIB - SEGMENT,
			30 * MIB);
	/* Its minimum stays; the others halve the rest. */
	assert_in_range(held(s.a[2]), 20 * MIB - SEGMENT, 20 * MIB);
	assert_in_range(held(s.a[0]), 5 * MIB - SEGMENT, 5 * MIB);
	assert_in_range(held(s.a[1]), 5 * MIB - SEGMENT, 5 * MIB);
	scene_finish(&s);
}

static void the_frozen_get_nothing(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, &tmemd_policy_utility);
	s.config.frozen = 1;
	s.sections[0].frozen = 1;
	come(&s, 0);
	assert_int_equal(ask(&s, 0, TMEM_WIRE_EPHEMERAL), 0);
	assert_int_equal(ask(&s, 0, TMEM_WIRE_PERSISTENT), 0);
	/* Or no session could begin. */
	assert_int_equal(ask(&s, 0, TMEM_WIRE_METADATA), 1);
	s.sections[0].frozen = 0;
	tmemd_ledger_configure(&s.l, &s.config);
	assert_int_equal(ask(&s, 0, TMEM_WIRE_EPHEMERAL), 1);
	scene_finish(&s);
}

/* What is kept for good leaves the minimums of others covered. */
static void promises_spare_minimums(void **state)
{
	struct scene s;
	unsigned i;

	(void)state;
	scene_init(&s, &tmemd_policy_greedy);
	s.sections[0].persistent_bytes = BUDGET;
	s.sections[1].min_bytes = 24 * MIB;
	come(&s, 0);
	come(&s, 1);
	for (i = 0; i < 300; i++)
		(void)ask(&s, 0, TMEM_WIRE_PERSISTENT);
	assert_int_equal(held(s.a[0]), 40 * MIB);
	for (i = 0; i < 96; i++)
		assert_int_equal(ask(&s, 1, TMEM_WIRE_EPHEMERAL), 1);
	scene_finish(&s);
}

/* One from whom nothing could be taken is not asked again in this turn. */
static void who_is_passed_over_is_no_victim(void **state)
{
	struct tmemd_account *victim;
	struct scene s;
	unsigned i;

	(void)state;
	scene_init(&s, &tmemd_policy_weighted);
	come(&s, 0);
	come(&s, 1);
	for (i = 0; i < 256; i++)
		(void)ask(&s, i % 8 != 0, TMEM_WIRE_EPHEMERAL);
	s.l.budget_bytes = 16 * MIB;
	s.a[1]->passed_over = 1;
	tmemd_arbiter_divide(&s.r, &s.l);
	assert_ptr_equal(tmemd_arbiter_excess(&s.r, &s.l), s.a[0]);
	s.a[0]->passed_over = 1;
	assert_null(tmemd_arbiter_excess(&s.r, &s.l));
	assert_int_equal(tmemd_arbiter_judge(&s.r, &s.l, s.a[0],
					     TMEM_WIRE_METADATA, SEGMENT,
					     &victim),
			 TMEMD_WAIT);
	scene_finish(&s);
}

/* ---- Whatever happens ---------------------------------------------------- */

static void change_settings(struct scene *s, struct rng *r)
{
	struct tmemd_domain *d = &s->sections[rng_below(r, NAMES)];

	d->cap_bytes = (1 + rng_below(r, 64)) * MIB;
	d->min_bytes = rng_below(r, 3) ? 0 : d->cap_bytes / 8;
	d->persistent_bytes = rng_below(r, 9) * MIB;
	d->weight = 1 + (uint32_t)rng_below(r, TMEMD_WEIGHT_MAX);
	d->frozen = !rng_below(r, 8);
	tmemd_ledger_configure(&s->l, &s->config);
}

static void check_sums(const struct scene *s)
{
	uint64_t sums[TMEM_WIRE_CLASSES] = { 0 };
	unsigned n, cls, count = 0;

	for (n = 0; n < NAMES; n++) {
		for (cls = 0; s->a[n] && cls < TMEM_WIRE_CLASSES; cls++)
			sums[cls] += s->a[n]->lent_bytes[cls];
		count += s->a[n] != NULL;
	}
	assert_memory_equal(sums, s->l.lent_bytes, sizeof(sums));
	assert_int_equal(count, s->l.count);
}

static void step(struct scene *s, struct rng *r)
{
	unsigned n = (unsigned)rng_below(r, NAMES);
	uint64_t what = rng_below(r, 100);

	if (what < 2) {
		s->l.budget_bytes = rng_below(r, BUDGET + 1);
		trim(s);
	} else if (what < 4) {
		change_settings(s, r);
		trim(s);
	} else if (!s->a[n]) {
		come(s, n);
	} else if (what < 6) {
		go(s, n);
	} else if (what < 10) {
		s->a[n]->ghost_rate = rng_below(r, 1u << 20);
	} else {
		(void)ask(s, n,
			  what < 80   ? TMEM_WIRE_EPHEMERAL
			  : what < 92 ? TMEM_WIRE_PERSISTENT
				      : TMEM_WIRE_METADATA);
	}
}

static void any_order(void **state)
{
	struct scene s;
	struct rng r;
	int round, i;

	(void)state;
	r.state = rng_seed("TMEM_ARBITER_SEED");
	for (round = 0; round < ROUNDS; round++) {
		scene_init(&s, tmemd_policies[rng_below(&r, 4)]);
		for (i = 0; i < STEPS; i++) {
			step(&s, &r);
			check_sums(&s);
		}
		scene_finish(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights_settle),
		cmocka_unit_test(floods_push_nobody_below),
		cmocka_unit_test(caps_hold_to_the_segment),
		cmocka_unit_test(the_most_over_give),
		cmocka_unit_test(the_frozen_get_nothing),
		cmocka_unit_test(promises_spare_minimums),
		cmocka_unit_test(who_is_passed_over_is_no_victim),
		cmocka_unit_test(any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
