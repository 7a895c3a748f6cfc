/* SPDX-License-Identifier: BSD-2-Clause */
/* test-logger.c - one line each, cut at its bound, and silence. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "logger.h"
#include "unit.h"

struct heard {
	unsigned lines;
	int level;
	char text[TMEM_LOGGER_LINE_MAX + 1];
};

static void hear(void *ctx, int level, const char *line)
{
	struct heard *heard = ctx;

	heard->lines++;
	heard->level = level;
	(void)snprintf(heard->text, sizeof(heard->text), "%s", line);
}

static void one_line(void **state)
{
	struct heard heard = { 0 };
	struct tmem_logger logger = { hear, &heard };

	(void)state;
	tmem_logger_say(&logger, 4, "pool %d of %s", 7, "somebody");
	assert_int_equal(heard.lines, 1);
	assert_int_equal(heard.level, 4);
	assert_string_equal(heard.text, "pool 7 of somebody");
}

static void long_lines_are_cut(void **state)
{
	struct heard heard = { 0 };
	struct tmem_logger logger = { hear, &heard };

	(void)state;
	tmem_logger_say(&logger, 3, "%0*d", 4096, 1);
	assert_int_equal(heard.lines, 1);
	assert_int_equal(strlen(heard.text), TMEM_LOGGER_LINE_MAX - 1);
}

static void no_line_is_forged(void **state)
{
	struct heard heard = { 0 };
	struct tmem_logger logger = { hear, &heard };

	(void)state;
	tmem_logger_say(&logger, 3, "name %s", "a\nerror: b\r");
	assert_string_equal(heard.text, "name a error: b ");
}

static void silence(void **state)
{
	struct tmem_logger logger = { NULL, NULL };

	(void)state;
	tmem_logger_say(&logger, 3, "nobody hears %d", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_line),
		cmocka_unit_test(long_lines_are_cut),
		cmocka_unit_test(no_line_is_forged),
		cmocka_unit_test(silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
