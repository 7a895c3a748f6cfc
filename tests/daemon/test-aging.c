/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-aging.c - a store that lives in a lease ages like one of its own: raw pages have
 * their share, and while nobody asks for anything the older ones become dense.
 */
#include <string.h>
#include <unistd.h>

#include "content.h"
#include "daemon.h"
#include "leftover.h"
#include "machine.h"
#include "unit.h"

#define MIB (1ull << 20)

/* The least for which dense pages are made unasked. */
#define LIMIT (64 * MIB)

/* 52 MiB: more than raw pages may fill. */
#define PAGES 13500u

/* Fewer than must go for raw pages to have no more than their share. */
#define DENSE 300u

static struct daemon d;
static uint8_t page[TMEM_PAGE_SIZE];

static int begin(void **state)
{
	if (leftover_note(state))
		return -1;
	daemon_init(&d);
	daemon_configure(&d, "budget = 128M\ndefault-persistent = 64M\n");
	daemon_start(&d);
	return 0;
}

static int finish(void **state)
{
	daemon_finish(&d);
	leftover_none(state);
	return 0;
}

static void put(struct tmem *t, int pool, unsigned i)
{
	const uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;
	struct tmem_key key = tmem_key(1, i);

	page_fill(page, sizeof(page), CONTENT_TEXT, i);
	while (!tmem_put(t, pool, &key, page)) {
		assert_true(machine_now_ns() < end);
		(void)usleep(1000);
	}
}

static struct tmem_stats stats_of(struct tmem *t)
{
	struct tmem_stats s = { .size = sizeof(s) };

	assert_int_equal(tmem_stats(t, &s), 0);
	return s;
}

static void idle_pages_become_dense(void **state)
{
	struct tmem_open_opts opts = { .size = sizeof(opts),
				       .limit_bytes = LIMIT,
				       .domain = "aging" };
	const struct tmem_pool_opts po = { .size = sizeof(po),
					   .flags = TMEM_POOL_PERSISTENT };
	struct tmem_wire_domain line;
	struct tmem_stats s;
	uint64_t from, end;
	struct tmem *t;
	unsigned i;
	int pool;

	(void)state;
	from = machine_now_ns();
	assert_int_equal(tmem_open(d.where, &opts, &t), 0);
	pool = tmem_pool_create(t, &po);
	assert_true(pool >= 0);
	for (i = 0; i < PAGES; i++)
		put(t, pool, i);
	end = machine_now_ns() + DAEMON_PATIENCE_NS;
	while ((s = stats_of(t)).pages_dense < DENSE) {
		assert_true(machine_now_ns() < end);
		(void)usleep(10000);
	}
	/* What the daemon is told is the same. */
	assert_int_equal(daemon_domain(&d, "aging", &line), 1);
	assert_true(line.claimed.pages_dense >= DENSE);
	for (i = 0; i < PAGES; i++) {
		struct tmem_key key = tmem_key(1, i);

		assert_int_equal(tmem_get(t, pool, &key, page), 1);
		assert_true(page_equal(page, sizeof(page), CONTENT_TEXT, i));
	}
	print_message("%llu dense in %llu ms, agers %llu ms\n",
		      (unsigned long long)s.pages_dense,
		      (unsigned long long)(machine_now_ns() - from) / 1000000,
		      (unsigned long long)s.ager_ns / 1000000);
	tmem_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(idle_pages_become_dense, begin,
						finish),
	};

	if (!daemon_exists())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
