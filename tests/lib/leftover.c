/* SPDX-License-Identifier: BSD-2-Clause */
/* leftover.c - fds, threads and children before and after. */
#include "leftover.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>

#include "machine.h"
#include "unit.h"

/* A thread that was joined may be seen for a moment still. */
#define PATIENCE_NS 2000000000ull

static unsigned fds, threads;

static void *do_nothing(void *arg)
{
	return arg;
}

int leftover_note(void **state)
{
	pthread_t first;

	(void)state;
	/* A sanitizer starts a thread of its own when it sees the first. */
	if (pthread_create(&first, NULL, do_nothing, NULL) ||
	    pthread_join(first, NULL))
		return -1;
	fds = machine_fds();
	threads = machine_threads();
	return 0;
}

void leftover_none(void **state)
{
	uint64_t end = machine_now_ns() + PATIENCE_NS;

	(void)state;
	while (machine_threads() > threads && machine_now_ns() < end)
		(void)sched_yield();
	assert_int_equal(machine_threads(), threads);
	assert_int_equal(machine_fds(), fds);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}
