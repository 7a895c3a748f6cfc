/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session.h - a session over any segment source, which is where tmem_open() ends.
 */
#ifndef TMEM_CLIENT_SESSION_H
#define TMEM_CLIENT_SESSION_H

#include <stddef.h>
#include <stdint.h>

struct tmem;
struct tmem_lease;
struct tmem_logger;
struct tmem_open_opts;

/** struct tmem_session_plan - what `where` and the options come to. */
struct tmem_session_plan {
	uint64_t limit_bytes;	/* bytes, everything included */
	uint64_t limit_pages;	/* 0: none */
	uint64_t reserve_bytes; /* to have memory for ahead; 0: none */
	uint32_t agers;		/* threads */
	uint32_t share_pct; /* of a core, for all of them; 0: all they need */
	int dense_level;    /* of zstd; 0: no page is made dense */
	uint32_t raw_pct;   /* of the limit that may be raw before that */
	int pages;	    /* enum tmem_where_pages */
	int leased;	    /* the source is a daemon's: it needs a keeper */
};

/**
 * tmem_session_create() - a session whose store lives on a given source.
 * @lease: the source; the session owns it from the call on, also on failure.
 * @plan: limits and threads.
 * @opts: for domain and log; may be NULL.
 * @ret: out.
 *
 * Return: 0, -EINVAL the limit is too small for the source's segments, -ENOMEM.
 */
int tmem_session_create(struct tmem_lease *lease,
			const struct tmem_session_plan *plan,
			const struct tmem_open_opts *opts, struct tmem **ret);

/** tmem_session_complain() - a line of what is wrong. Return: @err. */
int tmem_session_complain(const struct tmem_logger *l, int err,
			  const char *line);

/**
 * tmem_struct_check() - a caller's struct that may be of another release.
 * @size: what it says it has, bytes.
 * @first: what the first release's had.
 * @known: what this one's has.
 *
 * Return: 0, -EINVAL too little, -E2BIG there is something in what is not known.
 */
int tmem_struct_check(const void *p, size_t size, size_t first, size_t known);

#endif
