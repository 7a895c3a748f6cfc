/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-swap-lost.c - what serves a swap, or sets it up, dies. In use, no byte is
 * wrong. What cannot be read any more is an error (SIGBUS), never zeros, and the
 * swap can still be taken down. Of one that was not ready, nothing is left.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

#include "stage.h"
#include "unit.h"

#define PATIENCE_MS 40000

static uint64_t looked(struct toucher_answer a)
{
	assert_int_equal(a.wrong, 0);
	return a.lost;
}

/* The lease is the client's as long as it lives: nothing is lost. */
static void daemon_dies(void **state)
{
	struct stage *g = *state;

	stage_start(g, STAGE_ROOMY);
	assert_int_equal(looked(toucher_write(&g->t, PATIENCE_MS)), 0);
	toucher_tell_mix(&g->t, 1000);
	daemon_kill(&g->d);
	assert_int_equal(looked(toucher_answer(&g->t, PATIENCE_MS)), 0);
	assert_int_equal(looked(toucher_check(&g->t, PATIENCE_MS)), 0);
	daemon_start(&g->d);
	assert_int_equal(looked(toucher_mix(&g->t, 500, PATIENCE_MS)), 0);
	assert_int_equal(looked(toucher_check(&g->t, PATIENCE_MS)), 0);
}

/* The server has the index: with it, what was swapped is lost, and said to be. */
static void server_dies(void **state)
{
	struct stage *g = *state;
	struct toucher_answer a;

	stage_start(g, STAGE_ROOMY);
	assert_int_equal(looked(toucher_write(&g->t, PATIENCE_MS)), 0);
	/* What cannot be written any more stays in memory: make room for it. */
	assert_false(memlimit_set(&g->m, 2 * STAGE_TOUCHED));
	assert_false(kill(g->s.server, SIGKILL));
	a = toucher_check(&g->t, PATIENCE_MS);
	assert_int_equal(a.wrong, 0);
	assert_true(a.lost > 0);
	assert_true(a.right > 0);
	toucher_end(&g->t);
	assert_int_equal(swap_off(&g->s, PATIENCE_MS), 0);
}

/* Whoever takes it down does not see that it is in use: all comes home. */
static void list_is_hidden(void **state)
{
	struct stage *g = *state;
	char device[sizeof(g->s.device)];

	stage_start(g, STAGE_ROOMY);
	strcpy(device, g->s.device);
	assert_int_equal(looked(toucher_write(&g->t, PATIENCE_MS)), 0);
	assert_true(swap_used(&g->s) > STAGE_MIB);
	assert_false(memlimit_set(&g->m, 2 * STAGE_TOUCHED));
	assert_int_equal(swap_off_unseen(&g->s, PATIENCE_MS), 0);
	assert_int_equal(swapoff(device), -1); /* it was done */
	assert_int_equal(looked(toucher_check(&g->t, PATIENCE_MS)), 0);
	assert_false(swap_left(&g->s));
}

/* All the while that it takes, but not for ever. */
#define STOPS 200u

/* Stopped at a terminal, say: it goes on where it was. */
static void taking_down_is_stopped(void **state)
{
	struct stage *g = *state;

	stage_start(g, STAGE_ROOMY);
	assert_int_equal(looked(toucher_write(&g->t, PATIENCE_MS)), 0);
	assert_false(memlimit_set(&g->m, 2 * STAGE_TOUCHED));
	assert_int_equal(swap_off_stopped(&g->s, STOPS, PATIENCE_MS), 0);
	assert_int_equal(looked(toucher_check(&g->t, PATIENCE_MS)), 0);
}

/* From before it has done anything to after it has done all. */
static const unsigned cut_ms[] = { 3, 15, 30, 60, 90, 150 };

#define CUTS (sizeof(cut_ms) / sizeof(cut_ms[0]))

static const char *const cut_args[] = { "64M", "--store", "embedded", NULL };

/* Interrupted: it undoes what it did, or has done all of it. */
static void setup_is_interrupted(void **state)
{
	struct stage *g = *state;
	size_t i;

	for (i = 0; i < CUTS; i++) {
		int code = swap_on_cut(&g->s, cut_args, SIGTERM, cut_ms[i]);

		if (!code)
			assert_int_equal(swap_off(&g->s, PATIENCE_MS), 0);
		assert_int_equal(access(g->s.record, F_OK), -1);
		assert_false(swap_left(&g->s));
	}
}

/* The longest way, with two processes to be ended. */
static const char *const long_args[] = { "64M",	 "--store", "embedded",
					 "--by", "fuse",    NULL };

/* Killed: swapoff does. */
static void setup_is_killed(void **state)
{
	struct stage *g = *state;
	size_t i;

	for (i = 0; i < CUTS; i++) {
		(void)swap_on_cut(&g->s, long_args, SIGKILL, cut_ms[i]);
		if (!access(g->s.record, F_OK))
			assert_int_equal(swap_off(&g->s, PATIENCE_MS), 0);
		assert_int_equal(access(g->s.record, F_OK), -1);
		assert_false(swap_left(&g->s));
	}
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, stage_set_up, stage_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(daemon_dies),	    TEST(server_dies),
		TEST(list_is_hidden),	    TEST(taking_down_is_stopped),
		TEST(setup_is_interrupted), TEST(setup_is_killed),
	};

	swap_need();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
