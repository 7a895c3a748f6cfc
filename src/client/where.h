/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * where.h - the string that says which store a session is of.
 */
#ifndef TMEM_CLIENT_WHERE_H
#define TMEM_CLIENT_WHERE_H

#include <stddef.h>
#include <stdint.h>

#include "logger.h"

enum tmem_where_kind {
	TMEM_WHERE_EMBEDDED,
	TMEM_WHERE_UNIX
};

enum tmem_where_pages {
	TMEM_PAGES_DEFAULT, /* huge from TMEM_HUGE_FROM on */
	TMEM_PAGES_4K,
	TMEM_PAGES_HUGE
};

enum tmem_where_codec {
	TMEM_CODEC_DEFAULT, /* zstd from TMEM_DENSE_FROM on */
	TMEM_CODEC_LZ4,	    /* pages are packed, never dense */
	TMEM_CODEC_ZSTD
};

struct tmem_where {
	enum tmem_where_kind kind;
	const char *path; /* unix: of the socket, in the string parsed */
	uint64_t size;	  /* bytes; 0: not said */
	enum tmem_where_pages pages;
	int agers_said;
	uint32_t agers; /* if said */
	enum tmem_where_codec codec;
	uint32_t level;	    /* of zstd; 0: not said */
	uint32_t share_pct; /* of a core; 0: not said */
	int raw_said;
	uint32_t raw_pct; /* if said */
};

/**
 * tmem_where_parse() - take a `where` string apart.
 * @logger: is told in one line what is wrong with it.
 *
 * Return: 0, -EINVAL.
 */
int tmem_where_parse(const char *where, const struct tmem_logger *logger,
		     struct tmem_where *ret);

#endif
