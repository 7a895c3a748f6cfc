/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-faults.c - opening and using a leased session while the nth allocation,
 * thread or segment fails, for every n: an error and nothing left, here or there.
 */
#include <errno.h>
#include <signal.h>

#include "daemon.h"
#include "fault.h"
#include "leftover.h"
#include "machine.h"
#include "pages.h"
#include "unit.h"

static struct daemon d;

static int group_init(void **state)
{
	if (leftover_note(state))
		return -1;
	daemon_init(&d);
	daemon_start(&d);
	return 0;
}

static void the_end(void **state)
{
	daemon_finish(&d);
	leftover_none(state);
}

static int is_empty(const struct tmem_wire_status_reply *s, void *ctx)
{
	(void)ctx;
	return !s->sessions && !s->domains && !s->lent_bytes[0] &&
	       !s->lent_bytes[1] && !s->lent_bytes[2];
}

static void opening(enum tmem_fault_kind kind)
{
	struct tmem_open_opts opts = { .size = sizeof(opts),
				       .limit_bytes = 4 << 20,
				       .domain = "faulty" };
	struct tmem *t;
	unsigned long n;
	int err;

	for (n = 1;; n++) {
		tmem_fault_set(kind, n);
		t = NULL;
		err = tmem_open(d.where, &opts, &t);
		tmem_fault_set(kind, 0);
		if (!err)
			break;
		assert_true(err == -ENOMEM || err == -ENOSPC);
		assert_null(t);
	}
	assert_true(n > 1);
	tmem_close(t);
	daemon_until(&d, is_empty, NULL);
}

static void no_memory(void **state)
{
	(void)state;
	opening(TMEM_FAULT_ALLOC);
}

static void no_thread(void **state)
{
	(void)state;
	opening(TMEM_FAULT_THREAD);
}

/* Each time that one is asked for: pages are refused, none is wrong. */
static void no_segment(void **state)
{
	struct tmem *t = daemon_open(&d, "faulty", 4 << 20);
	int kept = pages_pool(t, 1), cached = pages_pool(t, 0);
	unsigned long n;

	(void)state;
	for (n = 1; n < 20; n++) {
		tmem_fault_every(TMEM_FAULT_SEGMENT, n);
		(void)pages_put(t, kept, 0, 400, 0);
		(void)pages_put(t, cached, 0, 400, 0);
		tmem_fault_every(TMEM_FAULT_SEGMENT, 0);
		assert_true(pages_get(t, kept, 0, 400) >= 0);
		assert_true(pages_get(t, cached, 0, 400) >= 0);
		assert_int_equal(tmem_check(t), 0);
		assert_int_equal(tmem_shrink(t, 4 << 20, NULL), 0);
	}
	tmem_close(t);
	daemon_until(&d, is_empty, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_memory),
		cmocka_unit_test(no_thread),
		cmocka_unit_test(no_segment),
		cmocka_unit_test(the_end),
	};

	if (!daemon_exists())
		return 77;
	return cmocka_run_group_tests(tests, group_init, NULL);
}
