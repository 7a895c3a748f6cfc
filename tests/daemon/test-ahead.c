/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-ahead.c - a session asks for as much ahead as it has use for: puts that are
 * refused while nothing comes do not raise that.
 */
#include <signal.h>
#include <stdio.h>

#include "daemon.h"
#include "leftover.h"
#include "machine.h"
#include "pages.h"
#include "unit.h"

#define MIB (1ull << 20)

/* Of a daemon that is stopped; far more than there is in stock. */
#define PAGES 8192u

/* A session begins with 8 MiB in stock, and that may double twice. A quarter of its
 * limit would be 64 MiB. */
#define AHEAD_MOST (40 * MIB)

static struct daemon d;

static int set_up(void **state)
{
	(void)state;
	daemon_init(&d);
	daemon_configure(&d, "budget = 256M\nfloor = 0\n");
	daemon_start(&d);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	daemon_stop(&d);
	daemon_finish(&d);
	return 0;
}

/* Most that was lent until the stock has fallen back, a second later. */
static uint64_t most_lent(void)
{
	uint64_t end = machine_now_ns() + 700 * 1000000ull, most = 0, lent;

	while (machine_now_ns() < end) {
		lent = daemon_status(&d).lent_bytes[TMEM_WIRE_EPHEMERAL];
		most = lent > most ? lent : most;
	}
	return most;
}

static void no_more_than_comes(void **state)
{
	struct tmem *t;
	unsigned kept;
	uint64_t most;
	int pool;

	(void)state;
	t = daemon_open(&d, "cache", 0);
	pool = pages_pool(t, 0);
	daemon_signal(&d, SIGSTOP);
	kept = pages_put(t, pool, 0, PAGES, 0);
	daemon_signal(&d, SIGCONT);
	assert_true(kept < PAGES);
	most = most_lent();
	(void)printf("%u of %u pages kept; at most %llu MiB lent\n", kept,
		     PAGES, (unsigned long long)(most / MIB));
	assert_true(most >= kept * 4096ull && most <= AHEAD_MOST);
	tmem_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_more_than_comes, set_up,
						tear_down),
		cmocka_unit_test(leftover_none),
	};

	if (!daemon_exists())
		return 77;
	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
