/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * where.c - "embedded:size=256M,pages=huge,agers=1" and "unix:PATH".
 */
#include "where.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tmem/tmem.h>

#include "bounds.h"
#include "dense.h"
#include "parse.h"

/* Longer than any sensible string of keys. */
#define KEYS_MAX 256

static int complain(const struct tmem_logger *l, const char *key,
		    const char *value, const char *want)
{
	tmem_logger_say(l, TMEM_LOG_ERR, "%s=%s: %s", key, value, want);
	return -EINVAL;
}

static int parse_size(const struct tmem_logger *l, const char *value,
		      struct tmem_where *w)
{
	uint64_t size;

	if (w->size)
		return complain(l, "size", value, "given twice");
	if (tmem_parse_size(value, &size))
		return complain(l, "size", value,
				"want bytes, with K, M, G or T, as in 256M");
	if (size < TMEM_LIMIT_MIN || size > TMEM_LIMIT_MAX)
		return complain(l, "size", value,
				"the least is 1M, the most 1T");
	w->size = size;
	return 0;
}

static int parse_pages(const struct tmem_logger *l, const char *value,
		       struct tmem_where *w)
{
	if (w->pages != TMEM_PAGES_DEFAULT)
		return complain(l, "pages", value, "given twice");
	if (!strcmp(value, "4k"))
		w->pages = TMEM_PAGES_4K;
	else if (!strcmp(value, "huge"))
		w->pages = TMEM_PAGES_HUGE;
	else
		return complain(l, "pages", value, "want 4k or huge");
	return 0;
}

static int parse_agers(const struct tmem_logger *l, const char *value,
		       struct tmem_where *w)
{
	uint64_t n;

	if (w->agers_said)
		return complain(l, "agers", value, "given twice");
	if (tmem_parse_uint(value, TMEM_AGERS_MAX, &n))
		return complain(l, "agers", value, "want 0 to 64 threads");
	w->agers_said = 1;
	w->agers = (uint32_t)n;
	return 0;
}

static int parse_codec(const struct tmem_logger *l, const char *value,
		       struct tmem_where *w)
{
	if (w->codec != TMEM_CODEC_DEFAULT)
		return complain(l, "codec", value, "given twice");
	if (!strcmp(value, "lz4"))
		w->codec = TMEM_CODEC_LZ4;
	else if (!strcmp(value, "zstd"))
		w->codec = TMEM_CODEC_ZSTD;
	else
		return complain(l, "codec", value, "want lz4 or zstd");
	return 0;
}

static int parse_level(const struct tmem_logger *l, const char *value,
		       struct tmem_where *w)
{
	uint64_t n;

	if (w->level)
		return complain(l, "level", value, "given twice");
	if (tmem_parse_uint(value, TMEM_DENSE_LEVEL_MAX, &n) ||
	    n < TMEM_DENSE_LEVEL_MIN)
		return complain(l, "level", value, "want 1 to 9, zstd's");
	w->level = (uint32_t)n;
	return 0;
}

static int parse_share(const struct tmem_logger *l, const char *value,
		       struct tmem_where *w)
{
	uint64_t n;

	if (w->share_pct)
		return complain(l, "share", value, "given twice");
	if (tmem_parse_uint(value, 100, &n) || !n)
		return complain(l, "share", value,
				"want 1 to 100 percent of a core");
	w->share_pct = (uint32_t)n;
	return 0;
}

static int parse_raw(const struct tmem_logger *l, const char *value,
		     struct tmem_where *w)
{
	uint64_t n;

	if (w->raw_said)
		return complain(l, "raw", value, "given twice");
	if (tmem_parse_uint(value, 100, &n))
		return complain(l, "raw", value,
				"want 0 to 100 percent of the size");
	w->raw_said = 1;
	w->raw_pct = (uint32_t)n;
	return 0;
}

static const struct {
	const char *key;
	int (*parse)(const struct tmem_logger *l, const char *value,
		     struct tmem_where *w);
} keys[] = {
	{ "size", parse_size },	  { "pages", parse_pages },
	{ "agers", parse_agers }, { "codec", parse_codec },
	{ "level", parse_level }, { "share", parse_share },
	{ "raw", parse_raw },
};

static int parse_key(const struct tmem_logger *l, char *item,
		     struct tmem_where *w)
{
	char *value = strchr(item, '=');
	size_t i;

	if (value)
		*value++ = '\0';
	for (i = 0; value && i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(item, keys[i].key))
			return keys[i].parse(l, value, w);
	tmem_logger_say(l, TMEM_LOG_ERR,
			"embedded: unknown key '%s'; there are size=, pages=, "
			"agers=, codec=, level=, share= and raw=",
			item);
	return -EINVAL;
}

static int parse_unix(const struct tmem_logger *l, const char *path,
		      struct tmem_where *w)
{
	w->kind = TMEM_WHERE_UNIX;
	w->path = path;
	if (*path == '/')
		return 0;
	tmem_logger_say(l, TMEM_LOG_ERR,
			"unix:%s: want the whole path of a socket", path);
	return -EINVAL;
}

static int parse_embedded(const struct tmem_logger *l, const char *list,
			  struct tmem_where *w)
{
	char copy[KEYS_MAX], *rest = copy, *item;
	int err = 0;

	if (strlen(list) >= sizeof(copy)) {
		tmem_logger_say(l, TMEM_LOG_ERR,
				"embedded: more than %d characters of keys",
				KEYS_MAX - 1);
		return -EINVAL;
	}
	strcpy(copy, list);
	while (!err && *copy && (item = strsep(&rest, ",")))
		err = parse_key(l, item, w);
	return err;
}

int tmem_where_parse(const char *where, const struct tmem_logger *logger,
		     struct tmem_where *ret)
{
	struct tmem_where w = { .kind = TMEM_WHERE_EMBEDDED };
	int err = 0;

	if (!strncmp(where, "embedded:", strlen("embedded:"))) {
		err = parse_embedded(logger, where + strlen("embedded:"), &w);
	} else if (!strncmp(where, "unix:", strlen("unix:"))) {
		err = parse_unix(logger, where + strlen("unix:"), &w);
	} else {
		tmem_logger_say(logger, TMEM_LOG_ERR,
				"no store '%s'; want embedded:KEY=VALUE,... or "
				"unix:PATH",
				where);
		err = -EINVAL;
	}
	if (!err)
		*ret = w;
	return err;
}
