/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-tmemd-change.c - settings changed while the daemon runs: all of them or
 * none, with the meaning that they have in the file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "config.h"
#include "fault.h"
#include "leftover.h"
#include "lines.h"
#include "policies.h"
#include "unit.h"

#define MIB (1ull << 20)

/* "KEY=VALUE" texts, each with its end. */
#define PAIRS(text) (text "\0"), sizeof(text "\0") - 1

struct ground {
	struct lines lines;
	struct tmem_logger logger;
	struct tmemd_config *config;
};

static void begin(struct ground *g, const char *text)
{
	char path[] = "/tmp/tmemd-change.XXXXXX", option[64];
	char *argv[] = { (char *)"tmemd", option, NULL };
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	(void)snprintf(option, sizeof(option), "--config=%s", path);
	lines_init(&g->lines);
	g->logger = (struct tmem_logger){ lines_take, &g->lines };
	g->config = NULL;
	assert_int_equal(
		tmemd_config_create(2, argv, "1", &g->logger, &g->config), 0);
	(void)unlink(path);
}

static void end(struct ground *g)
{
	tmemd_config_destroy(g->config);
	lines_finish(&g->lines);
}

static void change(struct ground *g, const char *domain, const char *pairs,
		   size_t len)
{
	struct tmemd_config *c = NULL;

	if (tmemd_config_change(g->config, domain, pairs, len, &g->logger, &c))
		fail_msg("refused: %s", g->lines.text);
	tmemd_config_destroy(g->config);
	g->config = c;
}

/* One line says why, and what was there stays. */
static void refuse(struct ground *g, const char *domain, const char *pairs,
		   size_t len, const char *why)
{
	struct tmemd_config *c = NULL;

	lines_clear(&g->lines);
	assert_int_equal(tmemd_config_change(g->config, domain, pairs, len,
					     &g->logger, &c),
			 -EINVAL);
	assert_null(c);
	assert_int_equal(lines_count(&g->lines), 1);
	if (!lines_say(&g->lines, why))
		fail_msg("not like \"%s\": %s", why, g->lines.text);
}

static struct tmemd_domain domain_of(const struct ground *g, const char *name)
{
	struct tmemd_domain d;

	assert_true(tmemd_config_domain(g->config, name, &d) >= 0);
	return d;
}

/* Old tools let one attribute overwrite the others: Xen's set wrote back what it
 * had read, and only the last of several was told. */
static void each_by_itself(void **state)
{
	struct ground g;
	struct tmemd_domain d;

	(void)state;
	begin(&g, "budget=1G\n[domain a]\nuid=7\nweight=5\ncap=512M\n"
		  "persistent=100M\nmin=10M\n");
	change(&g, "a", PAIRS("weight=6"));
	d = domain_of(&g, "a");
	assert_int_equal(d.weight, 6);
	assert_int_equal(d.uid, 7);
	assert_true(d.cap_bytes == 512 * MIB && d.min_bytes == 10 * MIB);
	assert_true(d.persistent_bytes == 100 * MIB);
	change(&g, "a", PAIRS("cap=50%\0min=0\0frozen=yes"));
	d = domain_of(&g, "a");
	assert_true(d.cap_bytes == 512 * MIB && !d.min_bytes && d.frozen);
	assert_int_equal(d.weight, 6);
	end(&g);
}

static void all_or_none(void **state)
{
	struct ground g;

	(void)state;
	begin(&g, "budget=1G\n[domain a]\ncap=512M\n[domain b]\nmin=900M\n");
	refuse(&g, "a", PAIRS("weight=6\0cap=1Q"), "cap=1Q: want bytes");
	refuse(&g, "a", PAIRS("weight=6\0min=513M"), "the cap is 512M");
	refuse(&g, "a", PAIRS("weight=6\0min=200M"), "all minimums are");
	refuse(&g, "a", PAIRS("weight=6\0weight=7"), "given twice");
	refuse(&g, "a", PAIRS("weight=0"), "want a number from 1");
	refuse(&g, "a", PAIRS("budget=1G"), "leave out the domain");
	refuse(&g, "a", PAIRS("uid=7"), "tmemd.conf");
	refuse(&g, "a", PAIRS("nonsense=7"), "no such key");
	refuse(&g, "a", PAIRS("weight"), "want KEY=VALUE");
	refuse(&g, "a", PAIRS("=7"), "want KEY=VALUE");
	refuse(&g, "a",
	       PAIRS("a-key-that-is-longer-than-any-there-is-or-will-be=7"),
	       "want KEY=VALUE");
	refuse(&g, NULL, PAIRS("weight=7"), "name one");
	refuse(&g, NULL, PAIRS("socket=/x"), "takes a restart");
	refuse(&g, NULL, PAIRS("watch-group=0"), "takes a restart");
	refuse(&g, NULL, PAIRS("config=/x"), "no such key");
	refuse(&g, NULL, PAIRS("budget=800M"),
	       "min is 900M, and the cap is 800M");
	refuse(&g, NULL, PAIRS("policy=best"), "want greedy, static");
	assert_int_equal(domain_of(&g, "a").weight, 100);
	assert_true(g.config->budget_bytes == 1024 * MIB);
	end(&g);
}

/* What was said as a share goes on being one; what a section does not say follows
 * the default; a cap that hid a part of the quota gives it back. */
static void shares_move(void **state)
{
	struct ground g;

	(void)state;
	begin(&g, "budget=1G\n[domain a]\ncap=25%\n[domain b]\ncap=64M\n");
	assert_true(domain_of(&g, "b").persistent_bytes == 64 * MIB);
	change(&g, NULL, PAIRS("budget=2G\0default-persistent=50%"));
	assert_true(domain_of(&g, "a").cap_bytes == 512 * MIB);
	assert_true(domain_of(&g, "x").cap_bytes == 2048 * MIB);
	assert_true(domain_of(&g, "x").persistent_bytes == 1024 * MIB);
	change(&g, NULL, PAIRS("budget=1G"));
	assert_true(domain_of(&g, "x").persistent_bytes == 512 * MIB);
	assert_true(domain_of(&g, "b").persistent_bytes == 64 * MIB);
	change(&g, "b", PAIRS("cap=1G"));
	assert_true(domain_of(&g, "b").persistent_bytes == 512 * MIB);
	end(&g);
}

static void own_section(void **state)
{
	struct ground g;
	struct tmemd_domain d;
	unsigned i;

	(void)state;
	begin(&g, "budget=1G\n");
	change(&g, "new", PAIRS("weight=3"));
	assert_int_equal(tmemd_config_domain(g.config, "new", &d), 1);
	assert_true(d.cap_bytes == 1024 * MIB && d.uid == TMEMD_UID_ANY);
	change(&g, NULL, PAIRS("policy=greedy\0log-level=debug"));
	assert_ptr_equal(g.config->policy, &tmemd_policy_greedy);
	assert_int_equal(domain_of(&g, "new").weight, 3);
	for (i = 1; i < TMEMD_DOMAINS_MAX; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "d%u", i);
		change(&g, name, PAIRS("weight=3"));
	}
	refuse(&g, "one-more", PAIRS("weight=3"), "more than 1024");
	end(&g);
}

/* Old freezes did not hold for who came later, and destroy was a thaw. */
static void freezing(void **state)
{
	struct ground g;

	(void)state;
	begin(&g, "budget=1G\n[domain a]\n[domain b]\nfrozen=yes\n");
	change(&g, NULL, PAIRS("frozen=yes"));
	assert_int_equal(domain_of(&g, "a").frozen, 1);
	assert_int_equal(domain_of(&g, "yet to come").frozen, 1);
	refuse(&g, "a", PAIRS("frozen=no"), "every domain is frozen");
	change(&g, "a", PAIRS("frozen=yes\0weight=2"));
	change(&g, NULL, PAIRS("policy=static"));
	assert_int_equal(domain_of(&g, "b").frozen, 1);
	change(&g, NULL, PAIRS("frozen=no"));
	assert_int_equal(domain_of(&g, "a").frozen, 0);
	assert_int_equal(domain_of(&g, "b").frozen, 0);
	assert_int_equal(domain_of(&g, "yet to come").frozen, 0);
	end(&g);
}

static void no_memory(void **state)
{
	struct tmemd_config *c = NULL;
	struct ground g;
	unsigned long n;
	int err = -ENOMEM;

	(void)state;
	begin(&g, "budget=1G\n[domain a]\n[domain b]\n");
	for (n = 1; err; n++) {
		tmem_fault_set(TMEM_FAULT_ALLOC, n);
		err = tmemd_config_change(g.config, "c", PAIRS("weight=3"),
					  &g.logger, &c);
		assert_true(!err || (err == -ENOMEM && !c));
	}
	tmem_fault_set(TMEM_FAULT_ALLOC, 0);
	assert_true(n > 4);
	assert_int_equal(c->domain_count, 3);
	assert_int_equal(g.config->domain_count, 2);
	tmemd_config_destroy(c);
	end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_by_itself), cmocka_unit_test(all_or_none),
		cmocka_unit_test(shares_move),	  cmocka_unit_test(own_section),
		cmocka_unit_test(freezing),	  cmocka_unit_test(no_memory),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
