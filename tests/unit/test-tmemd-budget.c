/* SPDX-License-Identifier: BSD-2-Clause */
/* test-tmemd-budget.c - the budget, as a made-up host's need comes and goes. */
#include <string.h>

#include "budget.h"
#include "unit.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define MS 1000000ull
#define SEC (1000 * MS)

#define MAXIMUM (4 * GIB)
#define FLOOR (1 * GIB)

/** struct scene - a host, and a daemon that lends and takes at once. */
struct scene {
	struct tmemd_budget b;
	struct tmemd_host_view v;
	uint64_t lent;
	uint64_t now;
};

static void begin(struct scene *s, uint64_t available)
{
	memset(s, 0, sizeof(*s));
	s->now = 100 * SEC;
	s->v.available_bytes = available;
	tmemd_budget_configure(&s->b, MAXIMUM, FLOOR, available, 0, s->now);
}

/* Lent memory is not available, and comes back at once. */
static void lend(struct scene *s, uint64_t bytes)
{
	s->v.available_bytes -= bytes;
	s->lent += bytes;
}

static int look(struct scene *s, uint64_t after_ns, int stalled)
{
	int changed;
	struct tmemd_host_view v = s->v;

	s->now += after_ns;
	/* As the daemon does. */
	if (!tmemd_budget_asks_scanned(&s->b, v.available_bytes, stalled,
				       s->now))
		v.scanned = TMEMD_HOST_UNKNOWN;
	changed = tmemd_budget_look(&s->b, &v, s->lent, stalled, s->now);
	if (s->lent > s->b.now_bytes) {
		if (s->v.available_bytes != TMEMD_HOST_UNKNOWN)
			s->v.available_bytes += s->lent - s->b.now_bytes;
		s->lent = s->b.now_bytes;
	}
	return changed;
}

static void test_starts_at_what_there_is(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, 16 * GIB);
	assert_true(s.b.now_bytes == MAXIMUM);
	begin(&s, 3 * GIB);
	assert_true(s.b.now_bytes == 2 * GIB - tmemd_budget_slack(&s.b));
	begin(&s, FLOOR / 2);
	assert_true(s.b.now_bytes == 0);
}

static void test_lending_changes_nothing(void **state)
{
	struct scene s;
	int i;

	(void)state;
	begin(&s, 3 * GIB);
	lend(&s, s.b.now_bytes);
	for (i = 0; i < 100; i++)
		assert_int_equal(look(&s, SEC, 0), 0);
	assert_int_equal(s.b.reason, TMEM_WIRE_BUDGET_SETTINGS);
}

static void test_floor_shrinks_at_once(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, 8 * GIB);
	lend(&s, 4 * GIB);
	s.v.available_bytes = FLOOR - 100 * MIB;
	assert_int_equal(look(&s, 20 * MS, 0), 1);
	assert_int_equal(s.b.reason, TMEM_WIRE_BUDGET_FLOOR);
	/* What was short, and the slack. */
	assert_true(s.lent == 4 * GIB - 100 * MIB - tmemd_budget_slack(&s.b));
	assert_true(s.v.available_bytes == FLOOR + tmemd_budget_slack(&s.b));
	assert_int_equal(s.b.shrunk, 1);
}

/* Neither down nor up within the slack. */
static void test_hysteresis(void **state)
{
	uint64_t slack;
	struct scene s;
	int i;

	(void)state;
	begin(&s, 8 * GIB);
	slack = tmemd_budget_slack(&s.b);
	lend(&s, 4 * GIB);
	s.v.available_bytes = FLOOR - MIB;
	(void)look(&s, 20 * MS, 0);
	for (i = 0; i < 1000; i++) {
		s.v.available_bytes = FLOOR + (i % 2 ? slack : MIB);
		assert_int_equal(look(&s, 100 * MS, 0), 0);
	}
	assert_int_equal(s.b.shrunk, 1);
	assert_int_equal(s.b.grown, 0);
}

static void test_grows_slowly_after_quiet(void **state)
{
	uint64_t low, before;
	struct scene s;
	int i, grown = 0;

	(void)state;
	begin(&s, 8 * GIB);
	lend(&s, 4 * GIB);
	s.v.available_bytes = 0;
	(void)look(&s, 20 * MS, 0);
	low = s.b.now_bytes;
	assert_true(low < 3 * GIB);
	s.v.available_bytes += 8 * GIB;
	for (i = 0; i < 49; i++)
		assert_int_equal(look(&s, 100 * MS, 0), 0);
	for (i = 0; i < 400; i++) {
		before = s.b.now_bytes;
		grown += look(&s, 100 * MS, 0);
		assert_true(s.b.now_bytes - before <= MAXIMUM / 300);
	}
	assert_true(grown > 50);
	assert_int_equal(s.b.reason, TMEM_WIRE_BUDGET_QUIET);
	assert_true(s.b.now_bytes == MAXIMUM);
}

/* A cgroup thrashes within its own limit: the host has plenty. */
static void test_foreign_stalls_do_nothing(void **state)
{
	struct scene s;
	int i;

	(void)state;
	begin(&s, 8 * GIB);
	lend(&s, 4 * GIB);
	for (i = 0; i < 60; i++)
		assert_int_equal(look(&s, SEC, 1), 0);
	assert_true(s.b.now_bytes == MAXIMUM);
	assert_int_equal(s.b.stalls, 60);
	assert_int_equal(s.b.stalls_foreign, 60);
}

static void test_stall_near_the_floor_counts(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, 8 * GIB);
	lend(&s, 4 * GIB);
	s.v.available_bytes = FLOOR + MIB;
	assert_int_equal(look(&s, SEC, 1), 1);
	assert_int_equal(s.b.reason, TMEM_WIRE_BUDGET_STALL);
	assert_true(s.lent == 4 * GIB / 8 * 7);
	assert_int_equal(s.b.stalls_foreign, 0);
}

static void test_stall_with_global_reclaim_counts(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, 8 * GIB);
	lend(&s, 4 * GIB);
	s.v.scanned = 100; /* a stray wakeup */
	assert_int_equal(look(&s, SEC, 1), 0);
	s.v.scanned += 1000000;
	assert_int_equal(look(&s, SEC, 1), 1);
	assert_int_equal(s.b.reason, TMEM_WIRE_BUDGET_STALL);
	/* And no longer than reclaim goes on. */
	(void)look(&s, SEC, 0);
	(void)look(&s, SEC, 0);
	assert_int_equal(look(&s, SEC, 1), 0);
	assert_int_equal(s.b.stalls_foreign, 2);
}

static void test_reclaim_without_stalls_does_nothing(void **state)
{
	struct scene s;
	int i;

	(void)state;
	begin(&s, 8 * GIB);
	lend(&s, 4 * GIB);
	for (i = 0; i < 60; i++) {
		s.v.scanned += 1000000;
		assert_int_equal(look(&s, SEC, 0), 0);
	}
}

static void test_stalls_never_go_below_nothing(void **state)
{
	struct scene s;
	int i;

	(void)state;
	begin(&s, 8 * GIB);
	lend(&s, 1 * GIB);
	for (i = 0; i < 100; i++) {
		s.v.scanned += 1000000;
		(void)look(&s, SEC, 1);
	}
	assert_true(s.b.now_bytes == 0 && s.lent == 0);
}

static void test_unknown_available(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, TMEMD_HOST_UNKNOWN);
	assert_true(s.b.now_bytes == MAXIMUM);
	s.lent = GIB;
	assert_int_equal(look(&s, SEC, 0), 0);
	assert_int_equal(look(&s, SEC, 1), 0);
	s.v.scanned += 1000000;
	assert_int_equal(look(&s, SEC, 1), 1);
	assert_int_equal(look(&s, 10 * SEC, 0), 1);
	assert_int_equal(s.b.reason, TMEM_WIRE_BUDGET_QUIET);
}

static void test_settings_hold_at_once(void **state)
{
	struct scene s;

	(void)state;
	begin(&s, 16 * GIB);
	tmemd_budget_configure(&s.b, GIB, FLOOR, s.v.available_bytes, 0, s.now);
	assert_true(s.b.now_bytes == GIB);
	tmemd_budget_configure(&s.b, MAXIMUM, FLOOR, s.v.available_bytes, 0,
			       s.now);
	assert_true(s.b.now_bytes == MAXIMUM);
	tmemd_budget_configure(&s.b, MAXIMUM, 16 * GIB, s.v.available_bytes, 0,
			       s.now);
	assert_true(s.b.now_bytes == 0);
	assert_int_equal(s.b.reason, TMEM_WIRE_BUDGET_SETTINGS);
}

static void test_looks_as_often_as_needed(void **state)
{
	struct scene s;
	int i;

	(void)state;
	begin(&s, 64 * GIB);
	lend(&s, 1 * GIB);
	(void)look(&s, SEC, 0);
	(void)look(&s, SEC, 0);
	assert_true(s.b.interval_ns == SEC);
	s.v.available_bytes = FLOOR + 256 * MIB;
	(void)look(&s, SEC, 0);
	assert_true(s.b.interval_ns <= 40 * MS);
	for (i = 0; i < 10; i++)
		(void)look(&s, SEC, 0);
	assert_true(s.b.interval_ns == 100 * MS);
}

/* Another takes so many bytes a second, from 2 GiB above the floor on. Return: the
 * deepest below it. */
static uint64_t deepest(struct scene *s, uint64_t bps, uint64_t bytes)
{
	uint64_t taken, least = UINT64_MAX;

	begin(s, 8 * GIB);
	lend(s, 4 * GIB);
	s->v.available_bytes = FLOOR + 2 * GIB;
	s->b.sum_bytes = s->v.available_bytes + s->lent;
	while (bytes) {
		taken = bps / 1000 * (s->b.interval_ns / MS);
		taken = taken < bytes ? taken : bytes;
		bytes -= taken;
		s->v.available_bytes -= taken;
		if (s->v.available_bytes < least)
			least = s->v.available_bytes;
		(void)look(s, s->b.interval_ns, 0);
	}
	return least < FLOOR ? FLOOR - least : 0;
}

/* However fast it is taken, the floor is missed by no more than the slack; and
 * slowly taken it costs few looks. */
static void test_looks_in_time_at_any_speed(void **state)
{
	static const uint64_t speeds[] = { 10 * MIB, 100 * MIB, 500 * MIB,
					   1 * GIB,  2 * GIB,	5 * GIB,
					   8 * GIB };
	struct scene s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++)
		assert_true(deepest(&s, speeds[i], 4 * GIB) <=
			    tmemd_budget_slack(&s.b));
	/* At the floor from the first look on. */
	(void)deepest(&s, 10 * MIB, 3 * GIB);
	assert_true(s.b.interval_ns == 100 * MS);
	(void)deepest(&s, 5 * GIB, 3 * GIB);
	assert_true(s.b.interval_ns <= 10 * MS);
}

/* What is lent goes down for another, what is taken back comes up: neither is
 * somebody's speed. */
static void test_lending_has_no_speed(void **state)
{
	struct scene s;
	int i;

	(void)state;
	begin(&s, 3 * GIB);
	for (i = 0; i < 10; i++) {
		lend(&s, s.b.now_bytes / 10);
		(void)look(&s, 10 * MS, 0);
	}
	assert_int_equal(s.b.speed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starts_at_what_there_is),
		cmocka_unit_test(test_lending_changes_nothing),
		cmocka_unit_test(test_floor_shrinks_at_once),
		cmocka_unit_test(test_hysteresis),
		cmocka_unit_test(test_grows_slowly_after_quiet),
		cmocka_unit_test(test_foreign_stalls_do_nothing),
		cmocka_unit_test(test_stall_near_the_floor_counts),
		cmocka_unit_test(test_stall_with_global_reclaim_counts),
		cmocka_unit_test(test_reclaim_without_stalls_does_nothing),
		cmocka_unit_test(test_stalls_never_go_below_nothing),
		cmocka_unit_test(test_unknown_available),
		cmocka_unit_test(test_settings_hold_at_once),
		cmocka_unit_test(test_looks_as_often_as_needed),
		cmocka_unit_test(test_looks_in_time_at_any_speed),
		cmocka_unit_test(test_lending_has_no_speed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
