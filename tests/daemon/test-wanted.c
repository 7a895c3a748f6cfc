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

static const char *const domains[] = { "one", "two", "three" };

#define SHARERS (sizeof(domains) / sizeof(domains[0]))

/* Longer than to the time after that. */
#define QUIET_US 5000000

static struct daemon d;

/** struct asked - what was wanted, as it is told. */
struct asked {
	_Atomic unsigned times;
	_Atomic uint64_t bytes; /* the last time */
	_Atomic uint64_t first; /* the first time */
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

	if (!atomic_load(&a->times))
		atomic_store(&a->first, bytes);
	atomic_store(&a->bytes, bytes);
	atomic_fetch_add(&a->times, 1);
}

static struct tmem *open_asked(struct asked *a, const char *domain)
{
	struct tmem_open_opts opts = {
		.size = sizeof(opts),
		.agers = TMEM_NO_AGERS,
		.domain = domain,
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
	t = open_asked(&a, "promises");
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

static int note_lent(const struct tmem_wire_status_reply *s, void *ctx)
{
	uint64_t *lent = ctx;
	unsigned i;

	*lent = 0;
	for (i = 0; i < TMEM_WIRE_CLASSES; i++)
		*lent += s->lent_bytes[i];
	return 1;
}

/* What is lacking is lacking once: each is asked for its share, not for all of it. */
static void of_each_its_share(void **state)
{
	struct asked a[SHARERS] = { 0 };
	uint64_t lent, sum = 0;
	struct tmem *t[SHARERS];
	unsigned i;

	(void)state;
	daemon_configure(&d, ROOMY);
	daemon_start(&d);
	for (i = 0; i < SHARERS; i++) {
		t[i] = open_asked(&a[i], domains[i]);
		assert_int_equal(pages_put(t[i], pages_pool(t[i], 1), 0,
					   PAGES / SHARERS, 10000),
				 PAGES / SHARERS);
	}
	daemon_until(&d, note_lent, &lent);
	daemon_reload(&d, TIGHT, "configuration read");
	for (i = 0; i < SHARERS; i++) {
		until_asked(&a[i], 1);
		print_message("asked for %llu KiB\n",
			      (unsigned long long)atomic_load(&a[i].first) >>
				      10);
		sum += atomic_load(&a[i].first);
	}
	lent -= 16 * MIB;
	print_message("%llu KiB are lacking\n", (unsigned long long)lent >> 10);
	assert_true(sum <= lent + lent / 2);
	for (i = 0; i < SHARERS; i++)
		tmem_close(t[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(until_it_is_given, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(of_each_its_share, set_up,
						tear_down),
		cmocka_unit_test(leftover_none),
	};

	if (!daemon_exists())
		return 77;
	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
