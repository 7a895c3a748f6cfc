/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-contract-open.c - tmem_open(): what `where` and the options may say, what
 * they may not, and that a wrong one says so in one line and opens nothing.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "leftover.h"
#include "machine.h"
#include "opened.h"
#include "unit.h"
#include <tmem/tmem.h>

#define MIB ((uint64_t)1 << 20)

static struct tmem *const untouched = (struct tmem *)0x5a5a5a50;

/* Opens what must not open; says what the log got. */
static void refused(const char *where, const struct tmem_open_opts *opts,
		    int errno_wanted, struct lines *lines)
{
	struct tmem_open_opts mine = { .size = sizeof(mine) };
	struct tmem *t = untouched;
	int err;

	if (opts)
		mine = *opts;
	mine.log = lines_take;
	mine.log_ctx = lines;
	lines_clear(lines);
	err = tmem_open(where, &mine, &t);
	if (err != -errno_wanted)
		print_error("%s: %d\n", where, err);
	assert_int_equal(err, -errno_wanted);
	assert_ptr_equal(t, untouched);
	assert_int_equal(lines->broken, 0);
}

/* One clear line, no more. */
static void refused_loudly(const char *where, const struct tmem_open_opts *opts)
{
	struct lines lines;

	lines_init(&lines);
	refused(where, opts, EINVAL, &lines);
	if (lines.count != 1)
		print_error("%s: said %u lines\n%s", where, lines.count,
			    lines.text);
	assert_int_equal(lines.count, 1);
	lines_finish(&lines);
}

static void where_says_the_limit(void **state)
{
	static const struct {
		const char *where;
		uint64_t limit;
	} good[] = {
		{ "embedded:size=8M", 8 * MIB },
		{ "embedded:size=8192K", 8 * MIB },
		{ "embedded:size=8388608", 8 * MIB },
		{ "embedded:size=1G", 1024 * MIB },
		{ "embedded:size=1M", MIB },
		{ "embedded:size=8M,pages=4k", 8 * MIB },
		{ "embedded:pages=4k,size=8M,agers=0", 8 * MIB },
		{ "embedded:size=1G,pages=huge", 1024 * MIB },
		{ "embedded:size=8M,codec=lz4", 8 * MIB },
		{ "embedded:size=4M,codec=zstd", 4 * MIB },
		{ "embedded:codec=zstd,size=8M,level=9,raw=0,share=1", 8 * MIB },
		{ "embedded:size=64M,level=1,raw=100,share=100", 64 * MIB },
	};
	struct opened o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct tmem_open_opts opts = { .size = sizeof(opts) };

		opened_init_opts(&o, good[i].where, &opts);
		assert_int_equal(opened_stats(&o).limit_bytes, good[i].limit);
		opened_close(&o);
	}
}

static void options_say_the_limit(void **state)
{
	struct tmem_open_opts opts = {
		.size = sizeof(opts),
		.limit_bytes = 8 * MIB,
	};
	struct opened o;

	(void)state;
	opened_init_opts(&o, "embedded:", &opts);
	assert_int_equal(opened_stats(&o).limit_bytes, 8 * MIB);
	opened_finish(&o);
}

static void no_limit_is_a_quarter_of_what_is_available(void **state)
{
	uint64_t before = machine_mem_available();
	struct tmem *t = NULL;
	struct tmem_stats s = { .size = sizeof(s) };

	(void)state;
	assert_int_equal(tmem_open("embedded:", NULL, &t), 0);
	assert_int_equal(tmem_stats(t, &s), 0);
	/* Others take and free memory meanwhile. */
	assert_in_range(s.limit_bytes, before / 8, before / 2);
	tmem_close(t);
}

static void unknown_where_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"foo",
		"foo:",
		"embeded:size=8M",
		"Embedded:size=8M",
		"embedded:sise=8M",
		"embedded:size",
		"embedded:bogus=1",
		"embedded:size=8M,bogus=1",
		"embedded:size=8M bogus=1",
		"embedded:8M",
		"embedded:=8M",
		"embedded:pages=2m",
		"embedded:pages=",
		"embedded:pages=4096",
		"embedded:size=8M,pages=hugely",
		"embedded:size=8M,codec=",
		"embedded:size=8M,codec=zstd9",
		"embedded:size=8M,codec=lz4,codec=lz4",
		"embedded:size=3M,codec=zstd",
		"embedded:size=8M,level=0",
		"embedded:size=8M,level=10",
		"embedded:size=8M,level=-1",
		"embedded:size=8M,level=1,level=1",
		"embedded:size=8M,codec=lz4,level=1",
		"embedded:size=8M,raw=101",
		"embedded:size=8M,raw=",
		"embedded:size=8M,raw=5%",
		"embedded:size=8M,raw=5,raw=5",
		"embedded:size=8M,share=0",
		"embedded:size=8M,share=101",
		"embedded:size=8M,share=x",
		"embedded:size=8M,share=5,share=5",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused_loudly(bad[i], NULL);
}

static void bad_sizes_are_refused(void **state)
{
	static const char *const bad[] = {
		"embedded:size=",
		"embedded:size=0",
		"embedded:size=0M",
		"embedded:size=junk",
		"embedded:size=M",
		"embedded:size=8X",
		"embedded:size=8MM",
		"embedded:size=8M8",
		"embedded:size=8.5M",
		"embedded:size=-1",
		"embedded:size=-8M",
		"embedded:size=+8M",
		"embedded:size= 8M",
		"embedded:size=0x800000",
		"embedded:size=1",
		"embedded:size=4096",
		"embedded:size=18446744073709551615",
		"embedded:size=18446744073709551616",
		"embedded:size=18446744073717940224", /* 2^64 + 8M */
		"embedded:size=16777216T",	      /* 2^64 */
		"embedded:size=16777217T",
		"embedded:size=99999999999999999999999999M",
	};
	struct tmem_open_opts opts = { .size = sizeof(opts) };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused_loudly(bad[i], NULL);
	opts.limit_bytes = 1;
	refused_loudly("embedded:", &opts);
	opts.limit_bytes = UINT64_MAX;
	refused_loudly("embedded:", &opts);
}

static void too_small_says_the_least(void **state)
{
	static const char *const small[] = {
		"embedded:size=1",
		"embedded:size=64K",
		"embedded:size=1048575",
	};
	struct lines lines;
	size_t i;

	(void)state;
	lines_init(&lines);
	for (i = 0; i < sizeof(small) / sizeof(small[0]); i++) {
		refused(small[i], NULL, EINVAL, &lines);
		if (!lines_say(&lines, "1M") && !lines_say(&lines, "1 MiB") &&
		    !lines_say(&lines, "1048576"))
			fail_msg("%s: does not say the least: %s", small[i],
				 lines.text);
	}
	lines_finish(&lines);
}

static void nothing_is_given_twice(void **state)
{
	struct tmem_open_opts limit = {
		.size = sizeof(limit),
		.limit_bytes = 8 * MIB,
	};
	struct tmem_open_opts agers = { .size = sizeof(agers), .agers = 1 };
	struct tmem_open_opts none = {
		.size = sizeof(none),
		.agers = TMEM_NO_AGERS,
	};

	(void)state;
	refused_loudly("embedded:size=8M", &limit);
	refused_loudly("embedded:size=16M", &limit);
	refused_loudly("embedded:size=8M,size=8M", NULL);
	refused_loudly("embedded:size=8M,agers=1", &agers);
	refused_loudly("embedded:size=8M,agers=1", &none);
	refused_loudly("embedded:size=8M,agers=1,agers=1", NULL);
}

static void bad_agers_are_refused(void **state)
{
	struct tmem_open_opts opts = {
		.size = sizeof(opts),
		.agers = TMEM_AGERS_MAX + 1,
	};

	(void)state;
	refused_loudly("embedded:size=8M", &opts);
	opts.agers = TMEM_NO_AGERS - 1;
	refused_loudly("embedded:size=8M", &opts);
	refused_loudly("embedded:size=8M,agers=", NULL);
	refused_loudly("embedded:size=8M,agers=x", NULL);
	refused_loudly("embedded:size=8M,agers=-1", NULL);
	refused_loudly("embedded:size=8M,agers=1K", NULL);
	refused_loudly("embedded:size=8M,agers=65", NULL);
	refused_loudly("embedded:size=8M,agers=4294967296", NULL);
	refused_loudly("embedded:size=8M,agers=18446744073709551617", NULL);
}

static void reserved_is_zero(void **state)
{
	struct tmem_open_opts opts = { .size = sizeof(opts), .reserved = 1 };

	(void)state;
	refused_loudly("embedded:size=8M", &opts);
}

/* Callers older and newer than the library. */
static void options_grow_at_the_end(void **state)
{
	struct {
		struct tmem_open_opts known;
		uint64_t later[4];
	} opts = { .known = { .size = sizeof(opts) } };
	struct tmem *t = untouched;

	(void)state;
	opts.known.agers = TMEM_NO_AGERS;
	assert_int_equal(tmem_open("embedded:size=8M", &opts.known, &t), 0);
	assert_ptr_not_equal(t, untouched);
	tmem_close(t);
	t = untouched;
	opts.later[3] = 1ull << 63;
	assert_int_equal(tmem_open("embedded:size=8M", &opts.known, &t), -E2BIG);
	opts.later[3] = 0;
	opts.later[0] = 1;
	assert_int_equal(tmem_open("embedded:size=8M", &opts.known, &t), -E2BIG);
	opts.known.size = 0;
	assert_int_equal(tmem_open("embedded:size=8M", &opts.known, &t),
			 -EINVAL);
	/* What the first release had is enough, and nothing behind it is read. */
	opts.known.size = offsetof(struct tmem_open_opts, wanted) - 1;
	assert_int_equal(tmem_open("embedded:size=8M", &opts.known, &t),
			 -EINVAL);
	opts.known.size++;
	assert_int_equal(tmem_open("embedded:size=8M", &opts.known, &t), 0);
	tmem_close(t);
	t = untouched;
	opts.known.size = 1;
	assert_int_equal(tmem_open("embedded:size=8M", &opts.known, &t),
			 -EINVAL);
	assert_ptr_equal(t, untouched);
}

/* One that is not there, in each way; tests/daemon has those that are. */
static void no_daemon_is_told(void **state)
{
	char longest[300] = "unix:/";
	struct lines lines;

	(void)state;
	memset(longest + 6, 'x', sizeof(longest) - 7);
	lines_init(&lines);
	refused("unix:/nonexistent/x", NULL, ENOENT, &lines);
	refused("unix:/dev/null", NULL, ECONNREFUSED, &lines);
	refused("unix:/dev/null/x", NULL, ENOTDIR, &lines);
	refused("unix:", NULL, EINVAL, &lines);
	refused("unix:relative", NULL, EINVAL, &lines);
	refused(longest, NULL, ENAMETOOLONG, &lines);
	lines_finish(&lines);
}

static void nowhere_to_put_the_session(void **state)
{
	(void)state;
	assert_int_equal(tmem_open("embedded:size=8M", NULL, NULL), -EINVAL);
}

static void the_environment_names_the_store(void **state)
{
	struct tmem_open_opts opts = {
		.size = sizeof(opts),
		.agers = TMEM_NO_AGERS,
	};
	struct opened o;
	struct lines lines;

	(void)state;
	assert_int_equal(setenv("TMEM_STORE", "embedded:size=8M", 1), 0);
	opened_init_opts(&o, NULL, &opts);
	assert_int_equal(opened_stats(&o).limit_bytes, 8 * MIB);
	opened_finish(&o);
	/* An explicit place wins. */
	opened_init_opts(&o, "embedded:size=4M", &opts);
	assert_int_equal(opened_stats(&o).limit_bytes, 4 * MIB);
	opened_finish(&o);
	/* Set but unusable is an error, never a silent other store. */
	lines_init(&lines);
	assert_int_equal(setenv("TMEM_STORE", "nonsense:", 1), 0);
	refused(NULL, NULL, EINVAL, &lines);
	assert_int_equal(setenv("TMEM_STORE", "embedded:size=junk", 1), 0);
	refused(NULL, NULL, EINVAL, &lines);
	assert_int_equal(setenv("TMEM_STORE", "unix:/nonexistent/x", 1), 0);
	refused(NULL, NULL, ENOENT, &lines);
	assert_int_equal(unsetenv("TMEM_STORE"), 0);
	lines_finish(&lines);
}

static void the_default_opens(void **state)
{
	struct tmem *t = NULL;

	(void)state;
	assert_int_equal(unsetenv("TMEM_STORE"), 0);
	assert_int_equal(tmem_open(NULL, NULL, &t), 0);
	assert_true(tmem_pool_create(t, NULL) >= 0);
	tmem_close(t);
}

static void close_takes_null(void **state)
{
	(void)state;
	tmem_close(NULL);
}

/* As many threads as asked for, deaf to signals, gone after close. */
static void agers_are_threads(void **state)
{
	const uint64_t signals = 1ull << (SIGINT - 1) | 1ull << (SIGTERM - 1) |
				 1ull << (SIGUSR1 - 1) | 1ull << (SIGALRM - 1) |
				 1ull << (SIGCHLD - 1) | 1ull << (SIGPIPE - 1);
	static const struct {
		uint32_t asked;
		unsigned got;
	} cases[] = { { TMEM_NO_AGERS, 0 }, { 0, 1 }, { 1, 1 }, { 3, 3 } };
	unsigned before = machine_threads();
	struct opened o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tmem_open_opts opts = {
			.size = sizeof(opts),
			.agers = cases[i].asked,
		};

		opened_init_opts(&o, "embedded:size=8M", &opts);
		assert_int_equal(machine_threads(), before + cases[i].got);
		if (before == 1)
			assert_true(machine_threads_blocking(signals));
		opened_finish(&o);
		leftover_none(NULL);
	}
}

static void the_domain_is_copied(void **state)
{
	char domain[] = "a domain";
	struct tmem_open_opts opts = {
		.size = sizeof(opts),
		.agers = TMEM_NO_AGERS,
		.domain = domain,
	};
	struct opened o;

	(void)state;
	opened_init_opts(&o, "embedded:size=8M", &opts);
	memset(domain, 'x', sizeof(domain));
	opened_finish(&o);
}

/* Two stores in one process share nothing. */
static void two_stores(void **state)
{
	struct tmem_key key = tmem_key(1, 2);
	uint8_t a[4096], b[4096], got[4096];
	struct opened one, two;
	int pool_one, pool_two;

	(void)state;
	page_fill(a, sizeof(a), CONTENT_RANDOM, 1);
	page_fill(b, sizeof(b), CONTENT_RANDOM, 2);
	opened_init(&one, "embedded:size=8M");
	opened_init(&two, "embedded:size=8M");
	pool_one = opened_pool(&one, TMEM_POOL_PERSISTENT, 0);
	pool_two = opened_pool(&two, TMEM_POOL_PERSISTENT, 0);
	assert_int_equal(tmem_put(one.t, pool_one, &key, a), 1);
	assert_int_equal(tmem_get(two.t, pool_two, &key, got), 0);
	assert_int_equal(tmem_put(two.t, pool_two, &key, b), 1);
	assert_int_equal(tmem_get(one.t, pool_one, &key, got), 1);
	assert_memory_equal(got, a, sizeof(a));
	assert_int_equal(tmem_freeze(one.t, 1), 0);
	key.index = 3;
	assert_int_equal(tmem_put(one.t, pool_one, &key, a), 0);
	assert_int_equal(tmem_put(two.t, pool_two, &key, a), 1);
	assert_int_equal(opened_stats(&two).refused_frozen, 0);
	opened_finish(&one);
	key.index = 2;
	assert_int_equal(tmem_get(two.t, pool_two, &key, got), 1);
	assert_memory_equal(got, b, sizeof(b));
	opened_finish(&two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_says_the_limit),
		cmocka_unit_test(options_say_the_limit),
		cmocka_unit_test(no_limit_is_a_quarter_of_what_is_available),
		cmocka_unit_test(unknown_where_is_refused),
		cmocka_unit_test(bad_sizes_are_refused),
		cmocka_unit_test(too_small_says_the_least),
		cmocka_unit_test(nothing_is_given_twice),
		cmocka_unit_test(bad_agers_are_refused),
		cmocka_unit_test(reserved_is_zero),
		cmocka_unit_test(options_grow_at_the_end),
		cmocka_unit_test(no_daemon_is_told),
		cmocka_unit_test(nowhere_to_put_the_session),
		cmocka_unit_test(the_environment_names_the_store),
		cmocka_unit_test(the_default_opens),
		cmocka_unit_test(close_takes_null),
		cmocka_unit_test(agers_are_threads),
		cmocka_unit_test(the_domain_is_copied),
		cmocka_unit_test(two_stores),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
