/* SPDX-License-Identifier: BSD-2-Clause */
/* test-lock.c - locks exclude, and the rank checker aborts where it must. */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lock.h"
#include "unit.h"

#define THREADS 4
#define ROUNDS 20000

static struct tmem_lock lower, upper, upper_too;

static int setup(void **state)
{
	(void)state;
	tmem_lock_init(&lower, TMEM_RANK_SHARD);
	tmem_lock_init(&upper, TMEM_RANK_LOG);
	tmem_lock_init(&upper_too, TMEM_RANK_LOG);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tmem_lock_finish(&lower);
	tmem_lock_finish(&upper);
	tmem_lock_finish(&upper_too);
	return 0;
}

/* Does a child that does this die of SIGABRT? */
static int aborts(void (*deed)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		struct rlimit none = { 0, 0 };

		/* No core file, and no word about an expected end. */
		(void)setrlimit(RLIMIT_CORE, &none);
		(void)signal(SIGABRT, SIG_DFL);
		(void)close(STDERR_FILENO);
		deed();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void in_order(void)
{
	tmem_lock_acquire(&lower);
	tmem_lock_acquire(&upper);
	tmem_lock_release(&lower);
	tmem_lock_release(&upper);
	tmem_lock_acquire(&lower);
	tmem_lock_release(&lower);
}

static void inverted(void)
{
	tmem_lock_acquire(&upper);
	tmem_lock_acquire(&lower);
}

static void same_rank(void)
{
	tmem_lock_acquire(&upper);
	tmem_lock_acquire(&upper_too);
}

static void same_rank_tried(void)
{
	tmem_lock_acquire(&upper);
	(void)tmem_lock_try(&upper_too);
}

static void not_held(void)
{
	tmem_lock_release(&upper);
}

/* A try cannot deadlock, so it may come out of order. */
static void inverted_try(void)
{
	tmem_lock_acquire(&upper);
	if (!tmem_lock_try(&lower))
		abort();
	tmem_lock_release(&lower);
	tmem_lock_release(&upper);
}

static void ranks_are_checked(void **state)
{
	(void)state;
	assert_false(aborts(in_order));
	assert_false(aborts(inverted_try));
	assert_true(aborts(inverted));
	assert_true(aborts(same_rank));
	assert_true(aborts(same_rank_tried));
	assert_true(aborts(not_held));
}

static void held_is_known(void **state)
{
	(void)state;
	assert_false(tmem_lock_held(TMEM_RANK_LOG));
	tmem_lock_acquire(&upper);
	assert_true(tmem_lock_held(TMEM_RANK_LOG));
	assert_false(tmem_lock_held(TMEM_RANK_SHARD));
	tmem_lock_release(&upper);
	assert_false(tmem_lock_held(TMEM_RANK_LOG));
}

static uint64_t guarded;

static void *count(void *arg)
{
	unsigned n;

	(void)arg;
	for (n = 0; n < ROUNDS; n++) {
		if (n % 2 || !tmem_lock_try(&lower))
			tmem_lock_acquire(&lower);
		guarded++;
		tmem_lock_release(&lower);
	}
	return NULL;
}

static void excludes(void **state)
{
	pthread_t threads[THREADS];
	unsigned n;

	(void)state;
	guarded = 0;
	for (n = 0; n < THREADS; n++)
		assert_int_equal(pthread_create(&threads[n], NULL, count, NULL),
				 0);
	for (n = 0; n < THREADS; n++)
		assert_int_equal(pthread_join(threads[n], NULL), 0);
	assert_true(guarded == (uint64_t)THREADS * ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ranks_are_checked, setup,
						teardown),
		cmocka_unit_test_setup_teardown(held_is_known, setup, teardown),
		cmocka_unit_test_setup_teardown(excludes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
