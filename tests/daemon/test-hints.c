/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-hints.c - of a session that must give up half of its memory, the pages that
 * were asked for stay: it tells the daemon which segments it would miss least.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "leftover.h"
#include "machine.h"
#include "pages.h"
#include "unit.h"

/* 40 MiB, the first eighth of it hot: without hints, what was lent first goes
 * first. */
#define PAGES 10240u
#define HOT (PAGES / 8)

/* Longer than a client waits between two hints. */
#define HINT_NS 2000000000ull

static struct daemon d;

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

/* Whoever lists asks for reports. Return: no later than the session made the last
 * one. */
static uint64_t reported_ns(void)
{
	const uint64_t now_ns = machine_now_ns();
	struct tmem_wire_domain line;

	assert_int_equal(daemon_domain(&d, "cache", &line), 1);
	return line.reported ? now_ns - line.report_age_ns : 0;
}

static void until_reported(uint64_t after_ns)
{
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;

	while (reported_ns() <= after_ns) {
		assert_true(machine_now_ns() < end);
		(void)usleep(20000);
	}
}

/* With a report comes a hint, unless the last one was a moment ago: at the latest
 * with one that is so much later than what it is to know of. The one after that
 * comes behind it. */
static void let_it_hint(void)
{
	until_reported(machine_now_ns() + HINT_NS);
	until_reported(machine_now_ns());
}

static int halved(const struct tmem_wire_status_reply *s, void *ctx)
{
	(void)ctx;
	return s->budget_bytes <= 24 << 20 && s->revoked;
}

static void what_is_asked_for_stays(void **state)
{
	int i, pool, hot, rest;
	struct tmem *t;

	(void)state;
	daemon_configure(&d, "budget = 64M\n");
	daemon_start(&d);
	t = daemon_open(&d, "cache", 0);
	pool = pages_pool(t, 0);
	assert_int_equal(pages_put(t, pool, 0, PAGES, PAGES_PATIENCE_MS), PAGES);
	for (i = 0; i < 3; i++)
		assert_int_equal(pages_get(t, pool, 0, HOT), HOT);
	let_it_hint();
	daemon_configure(&d, "budget = 24M\n");
	daemon_signal(&d, SIGHUP);
	daemon_until(&d, halved, NULL);
	hot = pages_get(t, pool, 0, HOT);
	rest = pages_get(t, pool, HOT, PAGES - HOT);
	assert_true(rest >= 0 && rest < (int)(PAGES - HOT) * 3 / 4);
	assert_true(hot >= (int)HOT * 9 / 10);
	tmem_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_asked_for_stays, set_up,
						tear_down),
		cmocka_unit_test(leftover_none),
	};

	if (!daemon_exists())
		return 77;
	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
