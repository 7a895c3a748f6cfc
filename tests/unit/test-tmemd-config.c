/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-tmemd-config.c - which word wins, what is refused and how that is told,
 * and reading again.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "config.h"
#include "fault.h"
#include "leftover.h"
#include "lines.h"
#include "unit.h"

#define MIB (1ull << 20)

#define ARGS_MAX 8

struct place {
	char dir[64];
	char path[128];
	char option[160]; /* --config=PATH */
	struct lines lines;
	struct tmem_logger logger;
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	strcpy(p->dir, "/tmp/tmemd-config.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->path, sizeof(p->path), "%s/tmemd.conf", p->dir);
	(void)snprintf(p->option, sizeof(p->option), "--config=%s", p->path);
	lines_init(&p->lines);
	p->logger = (struct tmem_logger){ lines_take, &p->lines };
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	lines_finish(&p->lines);
	(void)unlink(p->path);
	(void)rmdir(p->path);
	(void)rmdir(p->dir);
	free(p);
	return 0;
}

static void write_bytes(const struct place *p, const char *text, size_t len)
{
	FILE *f = fopen(p->path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void write_file(const struct place *p, const char *text)
{
	write_bytes(p, text, strlen(text));
}

/* With the options up to a NULL. */
static int create(struct place *p, struct tmemd_config **ret,
		  const char *const *options)
{
	char *argv[ARGS_MAX + 2] = { (char *)"tmemd" };
	int argc = 1;

	lines_clear(&p->lines);
	while (*options && argc <= ARGS_MAX)
		argv[argc++] = (char *)*options++;
	return tmemd_config_create(argc, argv, "1.2.3", &p->logger, ret);
}

#define OPTIONS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* What the file alone comes to. */
static struct tmemd_config *create_file(struct place *p, const char *text)
{
	struct tmemd_config *c = NULL;

	write_file(p, text);
	if (create(p, &c, OPTIONS(p->option)))
		fail_msg("refused: %s", p->lines.text);
	assert_int_equal(lines_count(&p->lines), 0);
	return c;
}

/* ---- What is taken ------------------------------------------------------ */

static void defaults(void **state)
{
	struct place *p = *state;
	struct tmemd_config *c = create_file(p, "");
	struct sysinfo info;
	uint64_t ram;

	assert_int_equal(sysinfo(&info), 0);
	ram = (uint64_t)info.totalram * info.mem_unit;
	assert_string_equal(c->config, p->path);
	assert_string_equal(c->socket, "/run/tmem/tmemd.sock");
	assert_true(c->budget_bytes == ram * 25 / 100);
	assert_true(c->default_cap_bytes == c->budget_bytes);
	assert_true(c->default_persistent_bytes == c->budget_bytes / 10);
	assert_int_equal(c->log_level, TMEM_LOG_INFO);
	assert_string_equal(c->group.name, "tmem");
	assert_int_equal(c->max_sessions, 1000);
	assert_int_equal(c->sandbox, 1);
	assert_int_equal(c->domain_count, 0);
	tmemd_config_destroy(c);
}

static void each_key(void **state)
{
	struct tmemd_config *c = create_file(*state,
					     "# a comment\n"
					     "socket = /tmp/a b.sock\n"
					     "budget=1G\n"
					     "  default-cap = 512M ; comment\n"
					     "\tdefault-persistent = 0\r\n"
					     "max-sessions: 7\n"
					     "group = 12345\n"
					     "log-level = debug\n"
					     "\n"
					     "sandbox = no");

	assert_string_equal(c->socket, "/tmp/a b.sock");
	assert_true(c->budget_bytes == 1024 * MIB);
	assert_true(c->default_cap_bytes == 512 * MIB);
	assert_true(c->default_persistent_bytes == 0);
	assert_int_equal(c->max_sessions, 7);
	assert_int_equal(c->group.known, 1);
	assert_int_equal(c->group.gid, 12345);
	assert_int_equal(c->log_level, TMEM_LOG_DEBUG);
	assert_int_equal(c->sandbox, 0);
	tmemd_config_destroy(c);
}

static void option_over_file_over_default(void **state)
{
	struct place *p = *state;
	struct tmemd_config *c = NULL;

	write_file(p, "budget = 64M\nmax-sessions = 5\n");
	assert_int_equal(create(p, &c,
				OPTIONS(p->option, "--budget", "128M",
					"--log-level=error")),
			 0);
	assert_true(c->budget_bytes == 128 * MIB);
	assert_int_equal(c->max_sessions, 5);
	assert_int_equal(c->log_level, TMEM_LOG_ERR);
	assert_int_equal(c->sandbox, 1);
	tmemd_config_destroy(c);
}

static void groups_by_name(void **state)
{
	const struct group *own = getgrgid(getgid());
	char text[64];
	struct tmemd_config *c;

	if (!own)
		return;
	(void)snprintf(text, sizeof(text), "group = %s\n", own->gr_name);
	c = create_file(*state, text);
	assert_int_equal(c->group.known, 1);
	assert_int_equal(c->group.gid, getgid());
	tmemd_config_destroy(c);
}

static void domains(void **state)
{
	struct tmemd_config *c = create_file(*state,
					     "budget = 1000M\n"
					     "default-cap = 20%\n"
					     "default-persistent = 5%\n"
					     "[domain web]\n"
					     "  uid = 33\n"
					     "  cap = 50%\n"
					     "  persistent = 100M\n"
					     "[ domain  two words ] # comment\n"
					     "[domain small]\n"
					     "cap = 1M\n");
	struct tmemd_domain d;

	assert_int_equal(c->domain_count, 3);
	assert_int_equal(tmemd_config_domain(c, "web", &d), 1);
	assert_int_equal(d.uid, 33);
	assert_true(d.cap_bytes == 500 * MIB);
	assert_true(d.persistent_bytes == 100 * MIB);
	assert_int_equal(tmemd_config_domain(c, "two words", &d), 1);
	assert_int_equal(d.uid, TMEMD_UID_ANY);
	assert_true(d.cap_bytes == 200 * MIB);
	assert_true(d.persistent_bytes == 50 * MIB);
	/* A quota beyond the cap is the cap. */
	assert_int_equal(tmemd_config_domain(c, "small", &d), 1);
	assert_true(d.cap_bytes == MIB && d.persistent_bytes == MIB);
	/* One that the file does not know. */
	assert_int_equal(tmemd_config_domain(c, "other", &d), 0);
	assert_string_equal(d.name, "other");
	assert_int_equal(d.uid, TMEMD_UID_ANY);
	assert_true(d.cap_bytes == 200 * MIB);
	assert_int_equal(tmemd_config_domain(c, "no\n", &d), -EINVAL);
	tmemd_config_destroy(c);
}

static void many_domains(void **state)
{
	size_t room = 32 * (TMEMD_DOMAINS_MAX + 1), len = 0;
	char *text = test_malloc(room);
	struct tmemd_config *c;
	struct tmemd_domain d;
	unsigned i;

	for (i = 0; i < TMEMD_DOMAINS_MAX; i++)
		len += (size_t)snprintf(text + len, room - len,
					"[domain d%u]\nuid=%u\n", i, i);
	c = create_file(*state, text);
	assert_int_equal(c->domain_count, TMEMD_DOMAINS_MAX);
	assert_int_equal(tmemd_config_domain(c, "d1000", &d), 1);
	assert_int_equal(d.uid, 1000);
	tmemd_config_destroy(c);
	(void)snprintf(text + len, room - len, "[domain one-more]\n");
	write_file(*state, text);
	assert_int_equal(create(*state, &c,
				OPTIONS(((struct place *)*state)->option)),
			 -EINVAL);
	assert_true(lines_say(&((struct place *)*state)->lines,
			      "more than 1024 domains"));
	test_free(text);
}

static void names(void **state)
{
	char longest[TMEMD_DOMAIN_MAX + 1];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[TMEMD_DOMAIN_MAX] = '\0';
	assert_int_equal(tmemd_domain_name_ok(longest), 0);
	longest[TMEMD_DOMAIN_MAX - 1] = '\0';
	assert_int_equal(tmemd_domain_name_ok(longest), 1);
	assert_int_equal(tmemd_domain_name_ok("Web Content"), 1);
	assert_int_equal(tmemd_domain_name_ok(""), 0);
	assert_int_equal(tmemd_domain_name_ok(" a"), 0);
	assert_int_equal(tmemd_domain_name_ok("a "), 0);
	assert_int_equal(tmemd_domain_name_ok("a]"), 0);
	assert_int_equal(tmemd_domain_name_ok("a\tb"), 0);
	assert_int_equal(tmemd_domain_name_ok("caf\xc3\xa9"), 0);
}

/* A file that nobody asked for need not be there. */
static void no_file(void **state)
{
	struct place *p = *state;
	struct tmemd_config *c = NULL;

	if (!access("/etc/tmem/tmemd.conf", F_OK))
		return;
	assert_int_equal(create(p, &c, OPTIONS("--budget=32M")), 0);
	assert_string_equal(c->config, "/etc/tmem/tmemd.conf");
	tmemd_config_destroy(c);
	assert_int_equal(create(p, &c, OPTIONS("--config=/dev/null")), 0);
	tmemd_config_destroy(c);
}

/* ---- What is refused ---------------------------------------------------- */

/* One line, that begins with the place and says this. */
static void expect(struct place *p, const char *text, size_t len, unsigned line,
		   const char *say)
{
	struct tmemd_config *c = NULL;
	char want[256];

	write_bytes(p, text, len);
	if (create(p, &c, OPTIONS(p->option)) != -EINVAL)
		fail_msg("taken: %s", text);
	assert_null(c);
	(void)snprintf(want, sizeof(want), "%s:%u: ", p->path, line);
	if (lines_count(&p->lines) != 1 ||
	    strncmp(p->lines.text, want, strlen(want)) != 0 ||
	    !lines_say(&p->lines, say))
		fail_msg("\"%s\": want %s%s, got %s", text, want, say,
			 p->lines.text);
}

static void bad_files(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *say;
	} cases[] = {
		{ "\nbuget = 1G\n", 2, "buget: no such key; there are socket," },
		{ "[domain a]\nuids = 1\n", 2,
		  "uids: no such key; there are uid, cap, persistent" },
		{ "budget = 1Q\n", 1, "budget = 1Q: want bytes, with K" },
		{ "budget = 1G # half\n", 1, "budget = 1G # half: want" },
		{ "budget = -1\n", 1, "from 16M to 1T" },
		{ "budget = 15M\n", 1, "from 16M" },
		{ "budget = 2T\n", 1, "to 1T" },
		{ "budget = 99999999999999999999\n", 1, "want bytes" },
		{ "budget = 0%\n", 1, "or a share of the RAM" },
		{ "budget = 101%\n", 1, "or a share of the RAM" },
		{ "budget = %\n", 1, "or a share of the RAM" },
		{ "budget = 1.5G\n", 1, "want bytes" },
		{ "budget =\n", 1, "want bytes" },
		{ "default-cap = 1023K\n", 1, "from 1M" },
		{ "max-sessions = 0\n", 1, "want a number from 1 to 100000" },
		{ "max-sessions = 1K\n", 1, "want a number" },
		{ "log-level = loud\n", 1,
		  "want error, warning, info or debug" },
		{ "sandbox = maybe\n", 1, "want yes or no" },
		{ "policy = fair\n", 1,
		  "want greedy, static, weighted or utility" },
		{ "policy =\n", 1, "want greedy" },
		{ "floor = -1\n", 1, "to 1T" },
		{ "frozen = 1\n", 1, "want yes or no" },
		{ "weight = 1\n", 1, "move it below a [domain NAME]" },
		{ "[domain a]\nweight = 0\n", 2,
		  "want a number from 1 to 10000" },
		{ "[domain a]\nweight = 10001\n", 2, "from 1 to 10000" },
		{ "[domain a]\nweight = 18446744073709551617\n", 2,
		  "from 1 to 10000" },
		{ "budget = 64M\n[domain a]\ncap = 8M\nmin = 9M\n", 2,
		  "[domain a] min is 9M, and the cap is 8M; want a min of at "
		  "most the cap" },
		{ "budget = 64M\ndefault-cap = 8M\n[domain a]\nmin = 9M\n", 3,
		  "[domain a] min is 9M, and the cap is 8M" },
		{ "budget = 64M\n[domain a]\nmin = 60M\n\n[domain b]\n"
		  "min = 5M\n",
		  5,
		  "[domain b] with its min, all minimums are 65M, and the "
		  "budget is 64M; want smaller minimums or a larger budget" },
		{ "budget = 64M\n[domain a]\nmin = 70M\ncap = 80M\n", 2,
		  "all minimums are 70M, and the budget is 64M; want" },
		{ "socket =\n", 1, "want a path of 1 to 107 characters" },
		{ "socket = /xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		  "x\n",
		  1, "want a path of 1 to 107 characters" },
		{ "group = no-such-group-here\n", 1, "create it by groupadd" },
		{ "group = xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n", 1,
		  "want a group" },
		{ "config = /tmp/x\n", 1, "only on the command line" },
		{ "budget = 1G\n\nbudget = 1G\n", 3, "given in line 1 already" },
		{ "[domain a]\ncap = 1M\ncap = 2M\n", 3, "given in line 2" },
		{ "[domain a]\n[domain b]\n[domain a]\n", 3,
		  "there is one in line 1" },
		{ "[domain a]\nbudget = 1G\n", 2, "move it above the first" },
		{ "uid = 1\n", 1, "move it below a [domain NAME]" },
		{ "[domain a]\nuid = 4294967295\n", 2,
		  "want a number from 0 to 4294967294" },
		{ "[domain a]\nuid = root\n", 2, "want a number" },
		{ "[domain a]\ncap = 0\n", 2, "from 1M" },
		{ "[domain]\n", 1, "want [domain NAME]" },
		{ "[domain  ]\n", 1, "want [domain NAME]" },
		{ "[domains a]\n", 1, "want [domain NAME]" },
		{ "[tmemd]\n", 1, "want [domain NAME]" },
		{ "[domain a\n", 1, "no ] behind [" },
		{ "[domain a] uid = 1\n", 1, "text behind ]" },
		{ "[domain caf\xc3\xa9]\n", 1, "printable ASCII" },
		{ "[domain xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		  "xxxxxxxxxxx]\n",
		  1, "1 to 63 printable" },
		{ "budget\n", 1, "want KEY = VALUE" },
		{ "# fine\nfine = no\x1b\n", 2, "a control character" },
		/* Shares are worked out at the end, and still have a line. */
		{ "\nbudget = 64M\ndefault-cap = 1%\n", 3,
		  "default-cap: 1% of the budget is 655.3K; the least is 1M" },
		{ "budget = 64M\n[domain a]\ncap = 1%\n", 2,
		  "[domain a] cap: 1% of the budget is 655.3K" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(*state, cases[i].text, strlen(cases[i].text),
		       cases[i].line, cases[i].say);
}

static void odd_bytes(void **state)
{
	char text[512];
	size_t len;

	expect(*state, "a\0b", 3, 1, "a control character");
	memset(text, 'x', sizeof(text));
	expect(*state, text, sizeof(text), 1, "line too long");
	/* Cut into two, the second part would be a key of its own. */
	len = (size_t)snprintf(text, sizeof(text), "#%*s\n", 250, "");
	memcpy(text + 200, "budget = 1G", 11);
	expect(*state, text, len, 1, "line too long");
}

static void too_large(void **state)
{
	size_t len = 2 * MIB;
	char *text = test_malloc(len);

	memset(text, '\n', len);
	expect(*state, text, len, MIB + 1, "too large");
	test_free(text);
}

/* Editors of other systems write one. */
static void byte_order_mark(void **state)
{
	struct tmemd_config *c =
		create_file(*state, "\xef\xbb\xbf[domain a]\nuid = 5\n");

	assert_int_equal(c->domain_count, 1);
	tmemd_config_destroy(c);
}

static void expect_options(struct place *p, const char *const *options,
			   const char *say)
{
	struct tmemd_config *c = NULL;

	assert_int_equal(create(p, &c, options), -EINVAL);
	assert_null(c);
	if (lines_count(&p->lines) != 1 || !lines_say(&p->lines, say))
		fail_msg("want %s, got %s", say, p->lines.text);
}

static void bad_options(void **state)
{
	struct place *p = *state;

	write_file(p, "budget = 64M\n");
	expect_options(p, OPTIONS("--budget=1Q"), "--budget=1Q: want bytes");
	expect_options(p, OPTIONS("--budget"),
		       "--budget: a value must follow; see tmemd --help");
	expect_options(p, OPTIONS("--buget=1G"), "--buget=1G: no such option");
	expect_options(p, OPTIONS("-x"), "-x: no such option");
	expect_options(p, OPTIONS("--help=1"), "no value may follow");
	expect_options(p, OPTIONS("--uid=1"), "--uid=1: no such option");
	expect_options(p, OPTIONS("start"), "start: only options, please");
	expect_options(p, OPTIONS("--budget=1G", "--budget=2G"),
		       "--budget=2G: given twice");
	expect_options(p, OPTIONS("--group=no-such-group-here", p->option),
		       "group no-such-group-here: there is none");
	/* A bad file is told, though the option overrides it. */
	write_file(p, "budget = 1Q\n");
	expect_options(p, OPTIONS("--budget=1G", p->option), ":1: budget = 1Q");
}

static void bad_paths(void **state)
{
	struct place *p = *state;
	char path[TMEMD_PATH_MAX + 16];

	expect_options(p, OPTIONS(p->option),
		       "No such file or directory; "
		       "create it");
	assert_int_equal(mkdir(p->path, 0700), 0);
	expect_options(p, OPTIONS(p->option), "not a file; want a file");
	assert_int_equal(rmdir(p->path), 0);
	/* Whoever opened it would wait for a writer. */
	assert_int_equal(mkfifo(p->path, 0600), 0);
	expect_options(p, OPTIONS(p->option), "not a file");
	(void)snprintf(path, sizeof(path), "--config=%0*d", TMEMD_PATH_MAX, 0);
	expect_options(p, OPTIONS(path), "want a path of 1 to 255 characters");
}

/* As root nothing is unreadable: another user tries. */
static void unreadable_file(void **state)
{
	struct place *p = *state;
	int status = 0;
	pid_t pid;

	write_file(p, "");
	assert_int_equal(chmod(p->path, 0), 0);
	assert_int_equal(chmod(p->dir, 0755), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct tmemd_config *c = NULL;

		if (!getuid() && setuid(65534))
			_exit(2);
		_exit(create(p, &c, OPTIONS(p->option)) != -EINVAL ||
		      lines_count(&p->lines) != 1 ||
		      !lines_say(&p->lines, "Permission denied; see that"));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- Reading again ------------------------------------------------------ */

static void reread(void **state)
{
	struct place *p = *state;
	struct tmemd_config *old = NULL, *c = NULL;
	struct tmemd_domain d;

	write_file(p, "budget = 64M\nmax-sessions = 5\n[domain a]\nuid = 1\n");
	assert_int_equal(
		create(p, &old, OPTIONS(p->option, "--log-level=debug")), 0);
	write_file(p, "budget = 32M\nlog-level = error\n[domain a]\nuid = 2\n");
	assert_int_equal(tmemd_config_reread(old, &p->logger, &c), 0);
	assert_int_equal(lines_count(&p->lines), 0);
	assert_true(c->budget_bytes == 32 * MIB);
	assert_int_equal(c->max_sessions, 1000);
	assert_int_equal(c->log_level, TMEM_LOG_DEBUG); /* was an option */
	assert_int_equal(tmemd_config_domain(c, "a", &d), 1);
	assert_int_equal(d.uid, 2);
	tmemd_config_destroy(old);
	/* Again, from the new one. */
	old = c;
	write_file(p, "budget = 48M\n");
	assert_int_equal(tmemd_config_reread(old, &p->logger, &c), 0);
	assert_true(c->budget_bytes == 48 * MIB);
	assert_int_equal(c->log_level, TMEM_LOG_DEBUG);
	tmemd_config_destroy(c);
	tmemd_config_destroy(old);
}

static void bad_reread(void **state)
{
	struct place *p = *state;
	struct tmemd_config *old = create_file(p, "budget = 64M\n"), *c = NULL;

	write_file(p, "budget = 32M\nmax-sessions = none\n");
	assert_int_equal(tmemd_config_reread(old, &p->logger, &c), -EINVAL);
	assert_null(c);
	assert_int_equal(lines_count(&p->lines), 1);
	assert_true(lines_say(&p->lines, ":2: max-sessions = none: want"));
	assert_true(old->budget_bytes == 64 * MIB);
	lines_clear(&p->lines);
	assert_int_equal(unlink(p->path), 0);
	assert_int_equal(tmemd_config_reread(old, &p->logger, &c), -EINVAL);
	assert_true(lines_say(&p->lines, "No such file"));
	tmemd_config_destroy(old);
}

/* A socket cannot be moved, nor a name be looked up from inside a sandbox. */
static void what_takes_a_restart(void **state)
{
	struct place *p = *state;
	struct tmemd_config *old, *c = NULL;

	old = create_file(p, "socket = /a\ngroup = 7\nsandbox = no\n");
	write_file(p, "socket = /b\nmax-sessions = 3\n"
		      "group = no-such-group-here\nsandbox = yes\n");
	assert_int_equal(tmemd_config_reread(old, &p->logger, &c), 0);
	assert_int_equal(lines_count(&p->lines), 3);
	assert_true(lines_say(&p->lines, ":1: socket: takes a restart"));
	assert_true(lines_say(&p->lines, ":3: group: takes a restart"));
	assert_true(lines_say(&p->lines, ":4: sandbox: takes a restart"));
	assert_string_equal(c->socket, "/a");
	assert_int_equal(c->group.known, 1);
	assert_int_equal(c->group.gid, 7);
	assert_int_equal(c->sandbox, 0);
	assert_int_equal(c->max_sessions, 3);
	tmemd_config_destroy(c);
	tmemd_config_destroy(old);
}

static void no_memory(void **state)
{
	struct place *p = *state;
	struct tmemd_config *old = NULL, *c = NULL;
	unsigned long n;
	int err = -ENOMEM;

	write_file(p, "[domain a]\n[domain b]\n[domain c]\n[domain d]\n"
		      "[domain e]\n[domain f]\n[domain g]\n[domain h]\n"
		      "[domain i]\n");
	for (n = 1; err; n++) {
		tmem_fault_set(TMEM_FAULT_ALLOC, n);
		err = create(p, &old, OPTIONS(p->option));
		assert_true(!err || err == -ENOMEM);
		assert_true(!err || !old);
	}
	assert_true(n > 4);
	err = -ENOMEM;
	for (n = 1; err; n++) {
		tmem_fault_set(TMEM_FAULT_ALLOC, n);
		err = tmemd_config_reread(old, &p->logger, &c);
		assert_true(!err || (err == -ENOMEM && !c));
	}
	tmem_fault_set(TMEM_FAULT_ALLOC, 0);
	assert_int_equal(c->domain_count, 9);
	tmemd_config_destroy(c);
	tmemd_config_destroy(old);
}

/* ---- Help --------------------------------------------------------------- */

/* What standard output gets. */
static char *answer(struct place *p, const char *option, int *ret)
{
	struct tmemd_config *c = NULL;
	int before = dup(STDOUT_FILENO), fd;
	char *text = test_calloc(1, 8192);

	(void)fflush(stdout);
	fd = open(p->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(before >= 0 && fd >= 0);
	assert_true(dup2(fd, STDOUT_FILENO) >= 0);
	*ret = create(p, &c, OPTIONS(option));
	(void)fflush(stdout);
	assert_true(dup2(before, STDOUT_FILENO) >= 0);
	(void)close(before);
	assert_true(pread(fd, text, 8191, 0) > 0);
	(void)close(fd);
	assert_null(c);
	assert_int_equal(lines_count(&p->lines), 0);
	return text;
}

static void help(void **state)
{
	size_t i;
	char *text;
	int ret;

	text = answer(*state, "--help", &ret);
	assert_int_equal(ret, 1);
	for (i = 0; i < tmemd_options_count; i++) {
		const struct tmemd_option *o = &tmemd_options[i];
		char want[64];

		(void)snprintf(want, sizeof(want),
			       o->scope == TMEMD_SCOPE_DOMAIN ? "%s = %s"
							      : "--%s=%s",
			       o->name, o->arg);
		if (!strstr(text, want))
			fail_msg("no %s in the help", want);
	}
	test_free(text);
	text = answer(*state, "-V", &ret);
	assert_int_equal(ret, 1);
	assert_string_equal(text, "tmemd 1.2.3\n");
	test_free(text);
}

/* What an operator asks before sending SIGHUP. */
static void check(void **state)
{
	struct place *p = *state;
	struct tmemd_config *c = NULL;
	char *text;
	int ret;

	write_file(p, "budget = 1Q\n");
	assert_int_equal(create(p, &c, OPTIONS(p->option, "--check")), -EINVAL);
	assert_int_equal(lines_count(&p->lines), 1);
	text = answer(p, "--check", &ret);
	assert_int_equal(ret, 1);
	assert_string_equal(text, "/etc/tmem/tmemd.conf: fine\n");
	test_free(text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(defaults),
		TEST(each_key),
		TEST(option_over_file_over_default),
		TEST(groups_by_name),
		TEST(domains),
		TEST(many_domains),
		TEST(names),
		TEST(no_file),
		TEST(bad_files),
		TEST(odd_bytes),
		TEST(too_large),
		TEST(byte_order_mark),
		TEST(bad_options),
		TEST(bad_paths),
		TEST(unreadable_file),
		TEST(reread),
		TEST(bad_reread),
		TEST(what_takes_a_restart),
		TEST(no_memory),
		TEST(help),
		TEST(check),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
