/* SPDX-License-Identifier: BSD-2-Clause */
/* test-parse.c - sizes and numbers: what is taken, what is not, and why. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "parse.h"
#include "unit.h"

#define UNTOUCHED 0x5ca1ab1eull

struct size_case {
	const char *text;
	int err;
	uint64_t value;
};

static const struct size_case size_cases[] = {
	{ "0", 0, 0 },
	{ "007", 0, 7 },
	{ "4096", 0, 4096 },
	{ "1k", 0, 1024 },
	{ "1K", 0, 1024 },
	{ "256M", 0, 256ull << 20 },
	{ "3g", 0, 3ull << 30 },
	{ "2T", 0, 2ull << 40 },
	{ "18446744073709551615", 0, UINT64_MAX },
	{ "16777215T", 0, 16777215ull << 40 },
	{ "18446744073709551616", -ERANGE, 0 },
	{ "99999999999999999999999999", -ERANGE, 0 },
	{ "99999999999999999999999999k", -ERANGE, 0 },
	{ "16777216T", -ERANGE, 0 },
	{ "18014398509481984K", -ERANGE, 0 },
	{ "", -EINVAL, 0 },
	{ "K", -EINVAL, 0 },
	{ "-1", -EINVAL, 0 },
	{ "+1", -EINVAL, 0 },
	{ " 1", -EINVAL, 0 },
	{ "1 ", -EINVAL, 0 },
	{ "1 K", -EINVAL, 0 },
	{ "1KB", -EINVAL, 0 },
	{ "1KK", -EINVAL, 0 },
	{ "1P", -EINVAL, 0 },
	{ "1.5G", -EINVAL, 0 },
	{ "0x10", -EINVAL, 0 },
	{ "99999999999999999999999999x", -EINVAL, 0 },
};

static void sizes(void **state)
{
	size_t n;

	(void)state;
	for (n = 0; n < sizeof(size_cases) / sizeof(size_cases[0]); n++) {
		const struct size_case *c = &size_cases[n];
		uint64_t got = UNTOUCHED;
		int err = tmem_parse_size(c->text, &got);

		if (err != c->err)
			fail_msg("\"%s\": %d, not %d", c->text, err, c->err);
		assert_true(got == (err ? UNTOUCHED : c->value));
	}
}

static void uints(void **state)
{
	uint64_t got = UNTOUCHED;

	(void)state;
	assert_int_equal(tmem_parse_uint("64", 64, &got), 0);
	assert_true(got == 64);
	got = UNTOUCHED;
	assert_int_equal(tmem_parse_uint("65", 64, &got), -ERANGE);
	assert_int_equal(tmem_parse_uint("99999999999999999999", UINT64_MAX,
					 &got),
			 -ERANGE);
	assert_int_equal(tmem_parse_uint("1k", UINT64_MAX, &got), -EINVAL);
	assert_int_equal(tmem_parse_uint("", UINT64_MAX, &got), -EINVAL);
	assert_int_equal(tmem_parse_uint("-0", UINT64_MAX, &got), -EINVAL);
	assert_true(got == UNTOUCHED);
	assert_int_equal(
		tmem_parse_uint("18446744073709551615", UINT64_MAX, &got), 0);
	assert_true(got == UINT64_MAX);
}

static void expect_text(uint64_t bytes, const char *text)
{
	char buf[TMEM_FORMAT_SIZE_MAX];

	assert_int_equal(tmem_format_size(bytes, buf, sizeof(buf)),
			 strlen(text));
	assert_string_equal(buf, text);
}

static void formats(void **state)
{
	char small[3];

	(void)state;
	expect_text(0, "0");
	expect_text(1023, "1023");
	expect_text(1024, "1K");
	expect_text(1536, "1.5K");
	expect_text(256ull << 20, "256M");
	expect_text((1ull << 30) + (1ull << 29), "1.5G");
	expect_text((1ull << 30) - 1, "1023.9M");
	expect_text(5ull << 50, "5120T");
	expect_text(UINT64_MAX, "16777215.9T");
	assert_int_equal(tmem_format_size(256ull << 20, small, sizeof(small)),
			 4);
	assert_string_equal(small, "25");
}

static void whole_sizes_survive(void **state)
{
	char buf[TMEM_FORMAT_SIZE_MAX];
	uint64_t bytes, back;

	(void)state;
	for (bytes = 1; bytes; bytes <<= 1) {
		(void)tmem_format_size(bytes, buf, sizeof(buf));
		assert_int_equal(tmem_parse_size(buf, &back), 0);
		assert_true(back == bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(uints),
		cmocka_unit_test(formats),
		cmocka_unit_test(whole_sizes_survive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
