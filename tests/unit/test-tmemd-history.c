/* SPDX-License-Identifier: BSD-2-Clause */
/* test-tmemd-history.c - samples: kept for an hour, told in parts, and whose they
 * are when domains come, go and are more than there are places. */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "history.h"
#include "unit.h"

#define MIB (1ull << 20)
#define STEP_NS TMEMD_HISTORY_NS
#define START_NS (1000 * STEP_NS)

static struct tmemd_config config;
static struct tmemd_ledger ledger;
static struct tmemd_history history;
static uint64_t now_ns;

static int setup(void **state)
{
	(void)state;
	memset(&config, 0, sizeof(config));
	config.budget_bytes = 1024 * MIB;
	config.default_cap_bytes = 1024 * MIB;
	tmemd_ledger_init(&ledger);
	ledger.budget_bytes = config.budget_bytes;
	now_ns = START_NS;
	return tmemd_history_init(&history);
}

static int teardown(void **state)
{
	(void)state;
	tmemd_history_finish(&history);
	tmemd_ledger_finish(&ledger);
	return 0;
}

static struct tmemd_account *join(const char *name, uint64_t lent_bytes)
{
	struct tmemd_account *a = NULL;

	assert_int_equal(tmemd_ledger_join(&ledger, &config, name, 0, &a), 0);
	tmemd_ledger_charge(&ledger, a, TMEM_WIRE_EPHEMERAL,
			    (int64_t)lent_bytes);
	return a;
}

static void leave(struct tmemd_account *a)
{
	tmemd_ledger_charge(&ledger, a, TMEM_WIRE_EPHEMERAL,
			    -(int64_t)a->lent_bytes[TMEM_WIRE_EPHEMERAL]);
	tmemd_ledger_leave(&ledger, a);
}

static void take(void)
{
	const struct tmem_wire_sample whole = { .available_bytes = 7 * MIB,
						.waiting_us = 11,
						.revoked = 13 };

	tmemd_history_take(&history, &ledger, &whole, now_ns);
	now_ns += STEP_NS;
}

static void read_from(uint32_t place, uint64_t from,
		      struct tmem_wire_history_reply *r)
{
	const struct tmem_wire_history verb = { .place = place, .from = from };

	tmemd_history_read(&history, &verb, now_ns, r);
}

/* The place of a domain; 0: it has none. */
static uint32_t place_of(const char *name)
{
	struct tmem_wire_history_reply r;
	uint32_t place;

	for (place = 1; place <= TMEMD_HISTORY_PLACES; place++) {
		read_from(place, 0, &r);
		if (!strcmp(r.name, name))
			return place;
	}
	return 0;
}

static void test_empty(void **state)
{
	struct tmem_wire_history_reply r;

	(void)state;
	read_from(0, 0, &r);
	assert_int_equal(r.count, 0);
	assert_int_equal(r.end, 0);
	assert_int_equal(r.places, TMEMD_HISTORY_PLACES);
	read_from(TMEMD_HISTORY_PLACES + 1, 0, &r);
	assert_int_equal(r.count, 0);
	read_from(UINT32_MAX, UINT64_MAX, &r);
	assert_int_equal(r.count, 0);
}

static void test_whole(void **state)
{
	struct tmem_wire_history_reply r;
	struct tmemd_account *a = join("a", 3 * MIB);
	const struct tmem_wire_figures none = { 0 }, some = {
		.gets = 10, .hits = 4, .raw_bytes = 5 * MIB
	};

	(void)state;
	take();
	tmemd_ledger_follow(&ledger, a, &none, &some, 1);
	take();
	leave(a);
	take();
	read_from(0, 0, &r);
	assert_int_equal(r.count, 3);
	assert_int_equal(r.samples[0].age_ns, 3 * STEP_NS);
	assert_int_equal(r.samples[2].age_ns, STEP_NS);
	assert_int_equal(r.samples[0].lent_bytes[TMEM_WIRE_EPHEMERAL], 3 * MIB);
	assert_int_equal(r.samples[0].may_bytes, 1024 * MIB);
	assert_int_equal(r.samples[0].available_bytes, 7 * MIB);
	assert_int_equal(r.samples[0].waiting_us, 11);
	assert_int_equal(r.samples[0].revoked, 13);
	assert_int_equal(r.samples[0].gets, 0);
	assert_int_equal(r.samples[1].gets, 10);
	assert_int_equal(r.samples[1].hits, 4);
	assert_int_equal(r.samples[1].raw_bytes, 5 * MIB);
	/* What a domain did is not undone when it goes. */
	assert_int_equal(r.samples[2].gets, 10);
	assert_int_equal(r.samples[2].lent_bytes[TMEM_WIRE_EPHEMERAL], 0);
}

/* What a session counted before the daemon was there, and what is over. */
static void test_flow(void **state)
{
	const struct tmem_wire_figures none = { 0 },
				       before = { .puts = 1000,
						  .used_bytes = MIB },
				       after = { .puts = 1001,
						 .used_bytes = 2 * MIB };
	struct tmemd_account *a = join("a", 0);

	(void)state;
	tmemd_ledger_follow(&ledger, a, &none, &before, 0);
	assert_int_equal(a->flow.puts, 0);
	assert_int_equal(a->flow.used_bytes, MIB);
	tmemd_ledger_follow(&ledger, a, &before, &after, 1);
	assert_int_equal(a->flow.puts, 1);
	assert_int_equal(a->flow.used_bytes, 2 * MIB);
	tmemd_ledger_follow(&ledger, a, &after, &none, 0);
	assert_int_equal(a->flow.puts, 1);
	assert_int_equal(a->flow.used_bytes, 0);
	assert_int_equal(ledger.flow.puts, 1);
	assert_int_equal(ledger.flow.used_bytes, 0);
}

/* More than the ring holds, read in messages: each sample once, in order. */
static void test_ring(void **state)
{
	const uint64_t taken = 2 * TMEMD_HISTORY_SAMPLES + 7;
	struct tmem_wire_history_reply r;
	struct tmemd_account *a = join("a", 0);
	uint64_t i, from, seen = 0;

	(void)state;
	for (i = 0; i < taken; i++) {
		a->revoked = i;
		take();
	}
	for (from = 0; from < taken; from = r.from + r.count) {
		read_from(1, from, &r);
		assert_string_equal(r.name, "a");
		assert_int_equal(r.end, taken);
		assert_true(r.count > 0);
		for (i = 0; i < r.count; i++) {
			assert_int_equal(r.samples[i].revoked, r.from + i);
			assert_int_equal(r.samples[i].age_ns,
					 (taken - r.from - i) * STEP_NS);
			seen++;
		}
	}
	assert_int_equal(seen, TMEMD_HISTORY_SAMPLES);
	assert_int_equal(from, taken);
	read_from(1, taken, &r);
	assert_int_equal(r.count, 0);
}

static void test_gone_and_back(void **state)
{
	struct tmem_wire_history_reply r;
	struct tmemd_account *a = join("a", MIB), *b = join("b", MIB);
	uint32_t place;

	(void)state;
	take();
	place = place_of("a");
	leave(a);
	take();
	a = join("a", 2 * MIB);
	take();
	assert_int_equal(place_of("a"), place);
	assert_int_not_equal(place_of("b"), place);
	read_from(place, 0, &r);
	assert_int_equal(r.count, 3);
	assert_int_equal(r.samples[0].lent_bytes[TMEM_WIRE_EPHEMERAL], MIB);
	assert_true(r.samples[1].age_ns == UINT64_MAX);
	assert_int_equal(r.samples[2].lent_bytes[TMEM_WIRE_EPHEMERAL], 2 * MIB);
	leave(a);
	leave(b);
}

static void test_crowd(void **state)
{
	struct tmemd_account *a[TMEMD_HISTORY_PLACES], *large, *alike;
	struct tmem_wire_history_reply r;
	char name[16];
	uint32_t i, place;

	(void)state;
	for (i = 0; i < TMEMD_HISTORY_PLACES; i++) {
		(void)snprintf(name, sizeof(name), "d%u", i);
		a[i] = join(name, (10 + i) * MIB);
	}
	take();
	/* One that is no larger than twice the least is left out; a larger one
	 * takes that one's place, and finds no samples there. */
	alike = join("alike", 20 * MIB);
	take();
	assert_int_equal(place_of("alike"), 0);
	read_from(0, 0, &r);
	assert_int_equal(r.left_out, 1);
	place = place_of("d0");
	large = join("large", 100 * MIB);
	take();
	assert_int_equal(place_of("large"), place);
	assert_int_equal(place_of("d0"), 0);
	read_from(place, 0, &r);
	assert_true(r.samples[0].age_ns == UINT64_MAX);
	assert_true(r.samples[1].age_ns == UINT64_MAX);
	assert_int_equal(r.samples[2].lent_bytes[TMEM_WIRE_EPHEMERAL],
			 100 * MIB);
	assert_int_equal(r.left_out, 2);
	/* Who is gone makes room, the longest first. */
	place = place_of("d5");
	leave(a[5]);
	take();
	assert_int_equal(place_of("d5"), 0);
	assert_int_equal(place_of("d0") + place_of("alike"), place);
	for (i = 0; i < TMEMD_HISTORY_PLACES; i++)
		if (i != 5)
			leave(a[i]);
	leave(large);
	leave(alike);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ring, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gone_and_back, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_crowd, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
