/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-reserve.c - what may be put while the daemon does not get to run: a reserve's
 * worth of pages at least, and more of those that can be made smaller; it is filled up
 * again; what is not to be had is refused at the beginning. And a store of one's own
 * does not wait for the kernel.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "content.h"
#include "daemon.h"
#include "leftover.h"
#include "machine.h"
#include "pages.h"
#include "unit.h"

#define MIB (1ull << 20)
#define LIMIT (96 * MIB)
#define RESERVE (32 * MIB)
#define PAGES_OF(bytes) ((unsigned)((bytes) / TMEM_PAGE_SIZE))

/* Backing all of it takes less, on a machine that is not busy. */
#define AGE_US 2000000

/* As long as a put may take that waits for nobody, on a busy machine; but such a
 * machine may stop anybody for longer now and then. */
#define SOON_NS 500000000ull
#define LATE_MAX 3

/* Between two looks whether a reserve has been filled up again. */
#define REFILL_US 300000

static struct daemon d;

static int begin(void **state)
{
	if (leftover_note(state))
		return -1;
	daemon_init(&d);
	daemon_configure(&d, "budget = 128M\ndefault-persistent = 100M\n"
			     "[domain poor]\npersistent = 16M\n");
	daemon_start(&d);
	return 0;
}

static int finish(void **state)
{
	daemon_finish(&d);
	leftover_none(state);
	return 0;
}

static char line[200];

static void hear(void *ctx, int level, const char *text)
{
	(void)ctx;
	if (level <= TMEM_LOG_ERR)
		(void)strncpy(line, text, sizeof(line) - 1);
}

static int open_with(const char *domain, uint64_t reserve, struct tmem **ret)
{
	const struct tmem_open_opts opts = {
		.size = sizeof(opts),
		.limit_bytes = LIMIT,
		.domain = domain,
		.log = hear,
		.reserve_bytes = reserve,
	};

	memset(line, 0, sizeof(line));
	return tmem_open(d.where, &opts, ret);
}

/** struct pace - of puts. */
struct pace {
	uint64_t slowest_ns;
	unsigned late; /* longer than SOON_NS */
};

/* Until one is refused. Return: how many were not. */
static unsigned put_all(struct tmem *t, int pool, unsigned max,
			enum content_kind content, struct pace *ret)
{
	uint8_t page[TMEM_PAGE_SIZE];
	uint64_t start_ns, ns;
	unsigned i;

	*ret = (struct pace){ 0 };
	for (i = 0; i < max; i++) {
		struct tmem_key key = tmem_key(content, i);

		page_fill(page, sizeof(page), content, i);
		start_ns = machine_now_ns();
		if (tmem_put(t, pool, &key, page) != 1)
			break;
		ns = machine_now_ns() - start_ns;
		if (ns > ret->slowest_ns)
			ret->slowest_ns = ns;
		ret->late += ns > SOON_NS;
	}
	return i;
}

static unsigned put_stopped(struct tmem *t, int pool, unsigned max,
			    enum content_kind content)
{
	struct pace pace;
	unsigned n;

	daemon_signal(&d, SIGSTOP);
	n = put_all(t, pool, max, content, &pace);
	daemon_signal(&d, SIGCONT);
	print_message("%u MiB while it was stopped, the slowest put %.1f ms\n",
		      n / PAGES_OF(MIB), (double)pace.slowest_ns / 1e6);
	assert_true(pace.late <= LATE_MAX);
	return n;
}

/* A reserve is filled up again by threads and a daemon that get a turn when they get
 * one: until so much can be put while the daemon is stopped. */
static void put_stopped_until(struct tmem *t, int pool, unsigned least,
			      enum content_kind content)
{
	const struct tmem_key object = tmem_key(content, 0);
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;

	while (put_stopped(t, pool, PAGES_OF(LIMIT), content) < least) {
		assert_true(machine_now_ns() < end);
		assert_true(tmem_flush_object(t, pool, &object) >= 0);
		(void)usleep(REFILL_US);
	}
}

static void puts_while_the_daemon_is_stopped(void **state)
{
	const struct tmem_key object = tmem_key(CONTENT_RANDOM, 0);
	uint8_t page[TMEM_PAGE_SIZE], want[TMEM_PAGE_SIZE];
	unsigned least, times, i;
	struct tmem *t;
	int pool;

	(void)state;
	/* Without one there is less, or the rest proves nothing. */
	assert_int_equal(open_with("plain", 0, &t), 0);
	pool = pages_pool(t, 1);
	least = put_stopped(t, pool, PAGES_OF(LIMIT), CONTENT_RANDOM);
	assert_true(least < PAGES_OF(RESERVE / 2));
	tmem_close(t);

	assert_int_equal(open_with("ahead", RESERVE, &t), 0);
	pool = pages_pool(t, 1);
	/* The rest is headers, an index, and room to clean in. */
	least = PAGES_OF(RESERVE / 4 * 3);
	/* At the beginning it is there. */
	assert_true(put_stopped(t, pool, PAGES_OF(LIMIT), CONTENT_RANDOM) >=
		    least);
	for (times = 0; times < 2; times++) {
		struct tmem_key key = object;

		for (i = 0; i < least; i++) {
			key.index = i;
			page_fill(want, sizeof(want), CONTENT_RANDOM, i);
			assert_int_equal(tmem_get(t, pool, &key, page), 1);
			assert_memory_equal(page, want, sizeof(page));
		}
		assert_true(tmem_flush_object(t, pool, &object) >= 0);
		(void)usleep(REFILL_US);
		if (!times)
			put_stopped_until(t, pool, least, CONTENT_RANDOM);
	}
	/* What can be made smaller is, instead of being refused. */
	put_stopped_until(t, pool, PAGES_OF(RESERVE + RESERVE / 2) + 1,
			  CONTENT_TEXT);
	tmem_close(t);
}

/* A session's stock, its reserve included, is within what its user sets later. */
static void a_lower_limit_is_for_the_reserve_as_well(void **state)
{
	const struct timespec while_ns = { .tv_nsec = 10000000 };
	uint8_t page[TMEM_PAGE_SIZE];
	struct tmem_key key = tmem_key(1, 1);
	struct tmem *t;
	unsigned i;
	int pool;

	(void)state;
	page_fill(page, sizeof(page), CONTENT_RANDOM, 1);
	assert_int_equal(open_with("lowered", RESERVE, &t), 0);
	pool = pages_pool(t, 1);
	assert_int_equal(tmem_put(t, pool, &key, page), 1);
	assert_true(daemon_lent(&d) >= RESERVE);
	assert_int_equal(tmem_set_limit(t, 8 * MIB), 0);
	for (i = 0; i < 1000 && daemon_lent(&d) > 8 * MIB; i++)
		(void)nanosleep(&while_ns, NULL);
	assert_true(daemon_lent(&d) <= 8 * MIB);
	assert_int_equal(tmem_get(t, pool, &key, page), 1);
	/* And comes back with the old one. */
	assert_int_equal(tmem_set_limit(t, LIMIT), 0);
	for (i = 0; i < 1000 && daemon_lent(&d) < RESERVE; i++)
		(void)nanosleep(&while_ns, NULL);
	assert_true(daemon_lent(&d) >= RESERVE);
	tmem_close(t);
}

static long faults_so_far(void)
{
	struct rusage u;

	assert_int_equal(getrusage(RUSAGE_THREAD, &u), 0);
	return u.ru_minflt;
}

/* Minor faults of puts into a store of this process's own memory, three times so
 * many, with background work done in between. */
static long faults_of(uint64_t reserve, unsigned pages)
{
	const struct tmem_open_opts opts = {
		.size = sizeof(opts),
		.limit_bytes = LIMIT,
		.agers = TMEM_NO_AGERS,
		.reserve_bytes = reserve,
	};
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;
	struct pace pace;
	long faults = 0;
	struct tmem *t;
	unsigned i;

	assert_int_equal(tmem_open("embedded:pages=4k", &opts, &t), 0);
	for (i = 0; i < 3; i++) {
		int pool = pages_pool(t, 1);

		faults -= faults_so_far();
		assert_int_equal(put_all(t, pool, pages, CONTENT_RANDOM, &pace),
				 pages);
		faults += faults_so_far();
		while (tmem_age(t, AGE_US))
			assert_true(machine_now_ns() < end);
	}
	tmem_close(t);
	return faults;
}

static void memory_of_its_own_is_there(void **state)
{
	const unsigned pages = PAGES_OF(RESERVE / 2);
	long without = faults_of(0, pages), with = faults_of(RESERVE, pages);

	(void)state;
	print_message("%u puts: %ld faults, %ld with a reserve\n", 3 * pages,
		      without, with);
	assert_true(without >= 3 * (long)pages);
	/* A thread sanitizer's shadow of the same memory has faults of its own. */
	assert_true(with < (MACHINE_SANITIZED ? without / 2 : (long)pages / 8));
}

static void what_is_not_to_be_had(void **state)
{
	struct tmem *t = NULL;

	(void)state;
	assert_int_equal(open_with("poor", 24 * MIB, &t), -ENOSPC);
	assert_non_null(strstr(line, "reserve_bytes: the daemon does not "));
	assert_null(t); /* as after any other failure: closing it is fine */
	assert_int_equal(open_with("greedy", LIMIT / 2 + 1, &t), -EINVAL);
	assert_non_null(strstr(line, "reserve_bytes: the most is half"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(puts_while_the_daemon_is_stopped),
		cmocka_unit_test(a_lower_limit_is_for_the_reserve_as_well),
		cmocka_unit_test(memory_of_its_own_is_there),
		cmocka_unit_test(what_is_not_to_be_had),
	};

	if (!daemon_exists())
		return 77;
	return cmocka_run_group_tests(tests, begin, finish);
}
