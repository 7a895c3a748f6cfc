/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-swap-lost.c - what serves a swap dies while it is in use: no byte is
 * wrong. What cannot be read any more is an error (SIGBUS), never zeros, and the
 * swap can still be taken down.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "swap.h"
#include "toucher.h"
#include "unit.h"

#define MIB (1ull << 20)
#define LIMIT (16 * MIB)
#define TOUCHED (4 * LIMIT)
#define SIZE (96 * MIB)
#define SIZE_TEXT "96M"
#define PATIENCE_MS 40000

static struct daemon d;
static struct swap s;
static struct memlimit m;
static struct toucher t;

static int set_up(void **state)
{
	const char *const args[] = { SIZE_TEXT,	  "--store", d.where,
				     "--backing", s.backing, NULL };

	(void)state;
	swap_init(&s);
	swap_make_backing(&s, SIZE);
	daemon_init(&d);
	daemon_configure(&d, "budget = 512M\ndefault-persistent = 256M\n");
	daemon_start(&d);
	assert_false(memlimit_init(&m, LIMIT));
	assert_int_equal(swap_on(&s, args), 0);
	toucher_start(&t, &m, TOUCHED);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	toucher_end(&t);
	memlimit_finish(&m);
	swap_finish(&s);
	if (d.pid)
		daemon_stop(&d);
	daemon_finish(&d);
	return 0;
}

static uint64_t looked(struct toucher_answer a)
{
	assert_int_equal(a.wrong, 0);
	return a.lost;
}

/* The lease is the client's as long as it lives: nothing is lost. */
static void daemon_dies(void **state)
{
	(void)state;
	assert_int_equal(looked(toucher_write(&t, PATIENCE_MS)), 0);
	toucher_tell_mix(&t, 1000);
	daemon_kill(&d);
	assert_int_equal(looked(toucher_answer(&t, PATIENCE_MS)), 0);
	assert_int_equal(looked(toucher_check(&t, PATIENCE_MS)), 0);
	daemon_start(&d);
	assert_int_equal(looked(toucher_mix(&t, 500, PATIENCE_MS)), 0);
	assert_int_equal(looked(toucher_check(&t, PATIENCE_MS)), 0);
}

/* The server has the index: with it, what was swapped is lost, and said to be. */
static void server_dies(void **state)
{
	struct toucher_answer a;

	(void)state;
	assert_int_equal(looked(toucher_write(&t, PATIENCE_MS)), 0);
	/* What cannot be written any more stays in memory: make room for it. */
	assert_false(memlimit_set(&m, 2 * TOUCHED));
	assert_false(kill(s.server, SIGKILL));
	a = toucher_check(&t, PATIENCE_MS);
	assert_int_equal(a.wrong, 0);
	assert_true(a.lost > 0);
	assert_true(a.right > 0);
	toucher_end(&t);
	assert_int_equal(swap_off(&s, PATIENCE_MS), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(daemon_dies),
		TEST(server_dies),
	};

	swap_need();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
