/* SPDX-License-Identifier: BSD-2-Clause */
/* parse.c - numbers as people write them. */
#include "parse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Each is 1024 times the one before; no suffix is plain bytes. */
static const char units[] = "KMGT";

#define UNIT_BITS 10u

/* Digits from `s` on; `end` is set to what follows them, also on -ERANGE. */
static int parse_digits(const char *s, uint64_t *ret, const char **end)
{
	uint64_t value = 0;
	int err = 0;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*s - '0'), &value))
			err = -ERANGE;
	}
	*end = s;
	*ret = value;
	return err;
}

/* How far a suffix shifts; -EINVAL: it is none. */
static int unit_shift(char c)
{
	const char *u;

	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	u = c ? strchr(units, c) : NULL;
	return u ? (int)((unsigned)(u - units + 1) * UNIT_BITS) : -EINVAL;
}

int tmem_parse_size(const char *s, uint64_t *ret)
{
	const char *end = s;
	uint64_t value = 0;
	int shift = 0;
	int err = parse_digits(s, &value, &end);

	if (err == -EINVAL)
		return err;
	if (*end) {
		shift = unit_shift(*end);
		if (shift < 0 || end[1])
			return -EINVAL;
	}
	if (err)
		return err;
	if (value > UINT64_MAX >> shift)
		return -ERANGE;
	*ret = value << shift;
	return 0;
}

int tmem_parse_uint(const char *s, uint64_t max, uint64_t *ret)
{
	const char *end = s;
	uint64_t value = 0;
	int err = parse_digits(s, &value, &end);

	if (err == -EINVAL || *end)
		return -EINVAL;
	if (err || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

size_t tmem_format_size(uint64_t bytes, char *buf, size_t len)
{
	unsigned unit = 0;
	uint64_t whole, rest, tenths;
	int n;

	while (unit < sizeof(units) - 1 && bytes >> ((unit + 1) * UNIT_BITS))
		unit++;
	whole = bytes >> (unit * UNIT_BITS);
	rest = bytes - (whole << (unit * UNIT_BITS));
	tenths = (rest * 10) >> (unit * UNIT_BITS);
	if (!unit)
		n = snprintf(buf, len, "%llu", (unsigned long long)whole);
	else if (!tenths)
		n = snprintf(buf, len, "%llu%c", (unsigned long long)whole,
			     units[unit - 1]);
	else
		n = snprintf(buf, len, "%llu.%llu%c", (unsigned long long)whole,
			     (unsigned long long)tenths, units[unit - 1]);
	return n > 0 ? (size_t)n : 0;
}
