/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-settings.c - settings of a daemon: those that make no sense are refused in
 * one line that says what to do, at start and while it runs, and the old ones
 * stand; those that make sense hold at once.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon.h"
#include "leftover.h"
#include "machine.h"
#include "pages.h"
#include "unit.h"

#define MIB (1ull << 20)
#define GOOD                                                                   \
	"budget = 64M\nfloor = 16M\npolicy = weighted\n"                       \
	"[domain a]\nweight = 300\ncap = 48M\nmin = 8M\n"

/* What is wrong, and what is said of it; the line of the file is in it. */
static const struct {
	const char *text;
	const char *say;
} cases[] = {
	{ "budget = 64M\n[domain a]\nmin = 40M\n[domain b]\nmin = 25M\n",
	  "conf:4: [domain b] with its min, all minimums are 65M, and the budget "
	  "is 64M; want smaller minimums or a larger budget" },
	{ "[domain a]\nmin = 60%\n[domain b]\nmin = 60%\n",
	  "want smaller minimums or a larger budget" },
	{ "budget = 64M\n[domain a]\nmin = 9M\ncap = 8M\n",
	  "conf:2: [domain a] min is 9M, and the cap is 8M; want a min of at "
	  "most the cap" },
	{ "budget = 64M\ndefault-cap = 4M\n[domain a]\nmin = 5M\n",
	  "want a min of at most the cap" },
	{ "[domain a]\nweight = 0\n",
	  "conf:2: weight = 0: want a number from 1" },
	{ "[domain a]\nweight = -1\n", "want a number from 1 to 10000" },
	{ "[domain a]\nweight = 10001\n", "want a number from 1 to 10000" },
	{ "[domain a]\nweight = 4294967297\n", "want a number from 1 to 10000" },
	{ "[domain a]\nweight = 18446744073709551617\n",
	  "want a number from 1 to 10000" },
	{ "[domain a]\nweight = 1.5\n", "want a number from 1 to 10000" },
	{ "policy = fair\n",
	  "conf:1: policy = fair: want greedy, static, weighted or utility" },
	{ "policy = Weighted\n", "want greedy, static, weighted or utility" },
	{ "budget = -64M\n", "conf:1: budget = -64M: want bytes, with K, M" },
	{ "budget = 64MM\n", "want bytes, with K, M, G or T, from 16M to 1T" },
	{ "budget = 64 megs\n", "want bytes" },
	{ "budget = 0\n", "from 16M" },
	{ "floor = 16X\n", "conf:1: floor = 16X: want bytes" },
	{ "floor = 18446744073709551616\n", "want bytes" },
	{ "[domain a]\nmin = -1\n", "conf:2: min = -1: want bytes" },
	{ "[domain a]\nmin = 1e9\n", "want bytes" },
	{ "[domain a]\ncap = 99999999999999999999G\n", "want bytes" },
	{ "[domain a]\nmin = 101%\n", "want bytes" },
	{ "frozen = maybe\n", "conf:1: frozen = maybe: want yes or no" },
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

static struct daemon d;

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

/* Lines of its log; the last one is told. */
static unsigned lines_said(char *last, size_t size)
{
	FILE *f = fopen(d.log, "re");
	unsigned n = 0;

	assert_non_null(f);
	while (fgets(last, (int)size, f))
		n++;
	(void)fclose(f);
	return n;
}

static void expect_one_line(const char *text, const char *say)
{
	char line[2048] = "";

	if (lines_said(line, sizeof(line)) != 1 || !strstr(line, say))
		fail_msg("\"%s\": want %s, got %s", text, say, line);
}

static void refused_at_start(void **state)
{
	int status;
	size_t i;

	(void)state;
	for (i = 0; i < CASES; i++) {
		(void)unlink(d.log);
		daemon_configure(&d, cases[i].text);
		daemon_run(&d);
		status = daemon_wait(&d);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 2);
		expect_one_line(cases[i].text, cases[i].say);
		assert_int_equal(access(d.socket, F_OK), -1);
	}
}

static struct tmem_wire_domain domain_of(const char *name)
{
	struct tmem_wire_domain e;

	assert_true(daemon_domain(&d, name, &e));
	return e;
}

static uint64_t held(const char *name)
{
	struct tmem_wire_domain e = domain_of(name);

	return e.lent_bytes[0] + e.lent_bytes[1] + e.lent_bytes[2];
}

static void the_old_ones_stand(void)
{
	const struct tmem_wire_status_reply s = daemon_status(&d);
	const struct tmem_wire_domain a = domain_of("a");

	assert_true(s.maximum_bytes == 64 * MIB);
	assert_true(s.floor_bytes == 16 * MIB);
	assert_string_equal(s.policy, "weighted");
	assert_int_equal(a.weight, 300);
	assert_true(a.cap_bytes == 48 * MIB);
	assert_true(a.min_bytes == 8 * MIB);
	assert_int_equal(a.flags, 0);
}

static void refused_while_it_runs(void **state)
{
	struct tmem *t;
	size_t i;

	(void)state;
	daemon_configure(&d, GOOD);
	daemon_start(&d);
	t = daemon_open(&d, "a", 0);

	assert_in_range(pages_put(t, pages_pool(t, 0), 0, 1024,
				  PAGES_PATIENCE_MS),
			512, 1024);
	for (i = 0; i < CASES; i++) {
		daemon_reload(&d, cases[i].text, cases[i].say);
		expect_one_line(cases[i].text, cases[i].say);
		the_old_ones_stand();
	}
	assert_int_equal(domain_of("a").revoked, 0);
	/* What makes sense is taken as ever. */
	daemon_reload(&d, "budget = 32M\n", "configuration read");
	assert_true(daemon_status(&d).maximum_bytes == 32 * MIB);
	tmem_close(t);
}

/* ---- At once ------------------------------------------------------------- */

/** struct user - a session that puts new pages as long as it is told to. */
struct user {
	const char *name;
	struct tmem *t;
	int pool;
	unsigned next;
};

static void user_open(struct user *u, const char *name)
{
	u->name = name;
	u->t = daemon_open(&d, name, 0);
	u->pool = pages_pool(u->t, 0);
	u->next = 0;
}

static void user_flood(struct user *u)
{
	(void)pages_put(u->t, u->pool, u->next, 1024, 0);
	u->next += 1024;
}

/* Both flood until the first one's share of what both hold is as wanted. */
static void share_becomes(struct user u[2], double pct)
{
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;
	double one, two, share;

	do {
		assert_true(machine_now_ns() < end);
		user_flood(&u[0]);
		user_flood(&u[1]);
		one = (double)held(u[0].name);
		two = (double)held(u[1].name);
		share = 100 * one / (one + two);
	} while (share < pct - 3 || share > pct + 3 || one + two < 60.0 * MIB);
}

static void weights_hold_at_once(void **state)
{
	struct user u[2];

	(void)state;
	daemon_configure(&d, "budget = 64M\npolicy = weighted\n");
	daemon_start(&d);
	user_open(&u[0], "one");
	user_open(&u[1], "two");
	share_becomes(u, 50);
	daemon_reload(&d,
		      "budget = 64M\npolicy = weighted\n"
		      "[domain two]\nweight = 300\n",
		      "configuration read");
	share_becomes(u, 25);
	daemon_reload(&d,
		      "budget = 64M\npolicy = weighted\n"
		      "[domain one]\nweight = 300\n",
		      "configuration read");
	share_becomes(u, 75);
	tmem_close(u[0].t);
	tmem_close(u[1].t);
}

static void budgets_hold_at_once(void **state)
{
	struct user u[2];

	(void)state;
	daemon_configure(&d, "budget = 64M\npolicy = weighted\n");
	daemon_start(&d);
	user_open(&u[0], "one");
	user_open(&u[1], "two");
	share_becomes(u, 50);
	/* The answer comes after the settings: no flood, no waiting. */
	daemon_reload(&d, "budget = 24M\npolicy = weighted\n",
		      "configuration read");
	assert_in_range(daemon_lent(&d), 1, 24 * MIB);
	assert_in_range(held("one"), 11 * MIB, 13 * MIB);
	tmem_close(u[0].t);
	tmem_close(u[1].t);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(refused_at_start),		 TEST(refused_while_it_runs),
		TEST(weights_hold_at_once),	 TEST(budgets_hold_at_once),
		cmocka_unit_test(leftover_none),
	};

	if (!daemon_exists())
		return 77;
	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
