/* SPDX-License-Identifier: BSD-2-Clause */
/* test-tmemd-logline.c - the form of a line, and a reader that stands still. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "leftover.h"
#include "logger.h"
#include "logline.h"
#include "unit.h"

struct pipe_log {
	int fds[2];
	struct tmemd_log log;
	char text[2 * TMEMD_LINE_MAX];
};

static int set_up(void **state)
{
	static struct pipe_log p;

	memset(&p, 0, sizeof(p));
	assert_int_equal(pipe2(p.fds, O_CLOEXEC), 0);
	p.log.fd = p.fds[1];
	p.log.level = TMEM_LOG_INFO;
	*state = &p;
	return 0;
}

static int tear_down(void **state)
{
	struct pipe_log *p = *state;

	(void)close(p->fds[0]);
	(void)close(p->fds[1]);
	return 0;
}

/* What was said since the last time, at most. */
static const char *heard(struct pipe_log *p)
{
	ssize_t n;

	(void)fcntl(p->fds[0], F_SETFL, O_NONBLOCK);
	n = read(p->fds[0], p->text, sizeof(p->text) - 1);
	p->text[n > 0 ? n : 0] = '\0';
	return p->text;
}

static void keys_and_values(void **state)
{
	struct pipe_log *p = *state;

	tmemd_log_say(&p->log, TMEM_LOG_INFO, "session opened",
		      TMEMD_FIELDS(TMEMD_TEXT("domain", "web"),
				   TMEMD_UINT("pid", 4711),
				   TMEMD_SIZE("cap", 3ull << 29)));
	assert_string_equal(heard(p),
			    "<6>session opened domain=web pid=4711 cap=1.5G\n");
	tmemd_log_say(&p->log, TMEM_LOG_ERR, "draining", NULL, 0);
	assert_string_equal(heard(p), "<3>draining\n");
	tmemd_log_say(&p->log, TMEM_LOG_WARNING, "no memory",
		      TMEMD_FIELDS(TMEMD_ERROR("error", -ENOMEM)));
	assert_string_equal(heard(p),
			    "<4>no memory error=\"Cannot allocate memory\"\n");
}

/* A name comes from a client. */
static void quoting(void **state)
{
	static const struct {
		const char *value;
		const char *written;
	} cases[] = {
		{ "plain-1.2/3:4", "plain-1.2/3:4" },
		{ "", "\"\"" },
		{ "two words", "\"two words\"" },
		{ "a=b", "\"a=b\"" },
		{ "say \"so\"", "\"say \\\"so\\\"\"" },
		{ "back\\slash", "\"back\\\\slash\"" },
		{ "x\n<0>forged", "\"x\\x0a<0>forged\"" },
		{ "\x1b[2J", "\"\\x1b[2J\"" },
		{ "\xc3\xa9", "\"\\xc3\\xa9\"" },
		{ "\x7f", "\"\\x7f\"" },
	};
	struct pipe_log *p = *state;
	char want[128];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(want, sizeof(want), "<6>m k=%s\n",
			       cases[i].written);
		tmemd_log_say(&p->log, TMEM_LOG_INFO, "m",
			      TMEMD_FIELDS(TMEMD_TEXT("k", cases[i].value)));
		assert_string_equal(heard(p), want);
	}
}

static void missing_text(void **state)
{
	struct pipe_log *p = *state;

	tmemd_log_say(&p->log, TMEM_LOG_INFO, "m",
		      TMEMD_FIELDS(TMEMD_TEXT("k", NULL),
				   TMEMD_ERROR("e", -100000)));
	assert_string_equal(heard(p), "<6>m k=? e=?\n");
}

static void levels(void **state)
{
	struct pipe_log *p = *state;

	tmemd_log_say(&p->log, TMEM_LOG_DEBUG, "unheard", NULL, 0);
	tmemd_log_line(&p->log, TMEM_LOG_DEBUG, "unheard");
	assert_string_equal(heard(p), "");
	p->log.level = TMEM_LOG_DEBUG;
	tmemd_log_say(&p->log, TMEM_LOG_DEBUG, "heard", NULL, 0);
	assert_string_equal(heard(p), "<7>heard\n");
}

/* What the library's callbacks say passes through as it is, but cannot steer. */
static void ready_lines(void **state)
{
	struct pipe_log *p = *state;
	const struct tmem_logger logger = { tmemd_log_line, &p->log };

	tmem_logger_say(&logger, TMEM_LOG_ERR, "%s:%d: \x1bso = \"%s\"", "f", 3,
			"it\nis");
	assert_string_equal(heard(p), "<3>f:3:  so = \"it is\"\n");
}

static void long_lines_are_cut(void **state)
{
	struct pipe_log *p = *state;
	char value[2 * TMEMD_LINE_MAX];
	size_t len;

	memset(value, '"', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	tmemd_log_say(&p->log, TMEM_LOG_INFO, "m",
		      TMEMD_FIELDS(TMEMD_TEXT("k", value)));
	len = strlen(heard(p));
	assert_int_equal(len, TMEMD_LINE_MAX);
	assert_int_equal(p->text[len - 1], '\n');
}

/* The test would hang here if a line waited. */
static void nobody_reads(void **state)
{
	struct pipe_log *p = *state;
	char *all;
	ssize_t n;

	while (!p->log.lost)
		tmemd_log_say(&p->log, TMEM_LOG_INFO, "line", NULL, 0);
	tmemd_log_say(&p->log, TMEM_LOG_INFO, "line", NULL, 0);
	assert_int_equal(p->log.lost, 2);
	all = test_malloc(1 << 20);
	n = read(p->fds[0], all, 1 << 20);
	assert_true(n > 0 && all[n - 1] == '\n');
	test_free(all);
	tmemd_log_say(&p->log, TMEM_LOG_INFO, "again", NULL, 0);
	assert_string_equal(
		heard(p),
		"<4>log lines lost: nobody read them lines=2\n<6>again\n");
	assert_int_equal(p->log.lost, 0);
}

/* No SIGPIPE either. */
static void reader_gone(void **state)
{
	struct pipe_log *p = *state;
	struct tmemd_log none = { .fd = -1, .level = TMEM_LOG_INFO };
	int pair[2];

	(void)close(p->fds[0]);
	tmemd_log_say(&p->log, TMEM_LOG_INFO, "line", NULL, 0);
	assert_int_equal(p->log.lost, 1);
	p->fds[0] = -1;
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	(void)close(pair[0]);
	none.fd = pair[1];
	tmemd_log_say(&none, TMEM_LOG_INFO, "line", NULL, 0);
	assert_int_equal(none.lost, 1);
	(void)close(pair[1]);
	none.fd = -1;
	tmemd_log_say(&none, TMEM_LOG_INFO, "line", NULL, 0);
	assert_int_equal(none.lost, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keys_and_values),
		TEST(quoting),
		TEST(missing_text),
		TEST(levels),
		TEST(ready_lines),
		TEST(long_lines_are_cut),
		TEST(nobody_reads),
		TEST(reader_gone),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
