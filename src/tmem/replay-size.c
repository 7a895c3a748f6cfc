/* SPDX-License-Identifier: BSD-2-Clause */
/* replay-size.c - a cache's size: a share of a trace's pages, or bytes. */
#include "replay-size.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <tmem/tmem.h>

#include "parse.h"

#define PPM_PER_PCT 10000u
#define PPM_ALL (100 * PPM_PER_PCT)

/* Digits behind the point, "5" of 12.5 as 5000 ten-thousandths. */
static int parse_fraction(const char *s, uint32_t *ret)
{
	uint32_t unit = PPM_PER_PCT, value = 0;

	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		unit /= 10;
		if (!unit || *s < '0' || *s > '9')
			return -EINVAL;
		value += unit * (uint32_t)(*s - '0');
	}
	*ret = value;
	return 0;
}

static int parse_pct(char *s, uint32_t *ret_ppm)
{
	char *point = strchr(s, '.');
	uint32_t fraction = 0;
	uint64_t whole = 0;

	if (point) {
		*point++ = '\0';
		if (parse_fraction(point, &fraction))
			return -EINVAL;
	}
	if (tmem_parse_uint(s, 100, &whole))
		return -EINVAL;
	*ret_ppm = (uint32_t)whole * PPM_PER_PCT + fraction;
	return *ret_ppm && *ret_ppm <= PPM_ALL ? 0 : -EINVAL;
}

int replay_size_parse(struct replay_size *size, const char *s)
{
	struct replay_size parsed = { 0 };
	size_t len = strlen(s);
	char pct[REPLAY_SIZE_TEXT];
	int err;

	if (!len || len >= sizeof(parsed.text))
		return -EINVAL;
	memcpy(parsed.text, s, len + 1);
	if (s[len - 1] == '%') {
		memcpy(pct, s, len);
		pct[len - 1] = '\0';
		err = parse_pct(pct, &parsed.ppm);
	} else {
		err = tmem_parse_size(s, &parsed.bytes);
		if (!err && (parsed.bytes < TMEM_PAGE_SIZE ||
			     parsed.bytes / TMEM_PAGE_SIZE > UINT32_MAX))
			err = -EINVAL;
	}
	if (!err)
		*size = parsed;
	return err;
}

uint32_t replay_size_pages(const struct replay_size *size, uint32_t distinct)
{
	uint64_t pages = size->ppm ? (uint64_t)distinct * size->ppm / PPM_ALL
				   : size->bytes / TMEM_PAGE_SIZE;

	return pages ? (uint32_t)pages : 1;
}
