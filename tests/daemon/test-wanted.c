/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-wanted.c - a session with more persistent pages than it may have any longer is
 * asked for them until it has given enough, and no more then.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "leftover.h"
#include "machine.h"
#include "pages.h"
#include "unit.h"

#define MIB (1ull << 20)
#define PAGES 6144u /* 24 MiB */
#define ROOMY "budget = 64M\ndefault-persistent = 32M\n"
#define TIGHT "budget = 16M\ndefault-persistent = 16M\n"

/* The third time is three seconds after the first. */
#define IGNORED 2

/* Longer than to the time after that. */
#define QUIET_US 5000000

static struct daemon d;

/** struct asked - what was wanted, as it is told. */
struct asked {
	_Atomic unsigned times;
	_Atomic uint64_t bytes; /* the last time */
};

static int set_up(void **state)
{
	(void)state;
	daemon_init(&d);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	daemon_finish(&d);
	return 0;
}

static void wanted(void *ctx, uint64_t bytes)
{
	struct asked *a = ctx;

	atomic_store(&a->bytes, bytes);
	atomic_fetch_add(&a->times, 1);
}

static struct tmem *open_asked(struct asked *a)
{
	struct tmem_open_opts opts = {
		.size = sizeof(opts),
		.agers = TMEM_NO_AGERS,
		.domain = "promises",
		.wanted = wanted,
		.wanted_ctx = a,
	};
	struct tmem *t;

	assert_int_equal(tmem_open(d.where, &opts, &t), 0);
	return t;
}

static void until_asked(struct asked *a, unsigned times)
{
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;

	while (atomic_load(&a->times) < times) {
		assert_true(machine_now_ns() < end);
		(void)usleep(10000);
	}
}

/* Whoever lists asks for reports, and a session answers after it has obeyed all that
 * came before. */
static void until_it_has_heard_all(void)
{
	const uint64_t from = machine_now_ns();
	struct tmem_wire_domain line;
	uint64_t asked;

	do {
		asked = machine_now_ns();
		assert_true(asked - from < DAEMON_PATIENCE_NS);
		assert_int_equal(daemon_domain(&d, "promises", &line), 1);
	} while (!line.reported || asked - line.report_age_ns <= from);
}

static int is_within(const struct tmem_wire_status_reply *s, void *ctx)
{
	uint64_t lent = 0;
	unsigned i;

	(void)ctx;
	for (i = 0; i < TMEM_WIRE_CLASSES; i++)
		lent += s->lent_bytes[i];
	return lent <= s->budget_bytes;
}

static void until_it_is_given(void **state)
{
	struct asked a = { 0 };
	unsigned times;
	struct tmem *t;
	int pool;

	(void)state;
	daemon_configure(&d, ROOMY);
	daemon_start(&d);
	t = open_asked(&a);
	pool = pages_pool(t, 1);
	assert_int_equal(pages_put(t, pool, 0, PAGES, PAGES_PATIENCE_MS), PAGES);
	assert_int_equal(atomic_load(&a.times), 0);
	daemon_reload(&d, TIGHT, "configuration read");
	until_asked(&a, IGNORED + 1);
	assert_true(atomic_load(&a.bytes) >= 8 * MIB);
	/* Nobody took what was promised. */
	assert_int_equal(pages_get(t, pool, 0, PAGES), PAGES);
	assert_false(tmem_pool_destroy(t, pool));
	assert_false(tmem_shrink(t, UINT64_MAX, NULL));
	daemon_until(&d, is_within, NULL);
	/* It may have been asked once more just before. */
	until_it_has_heard_all();
	times = atomic_load(&a.times);
	(void)usleep(QUIET_US);
	assert_int_equal(atomic_load(&a.times), times);
	tmem_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(until_it_is_given, set_up,
						tear_down),
		cmocka_unit_test(leftover_none),
	};

	if (!daemon_exists())
		return 77;
	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
