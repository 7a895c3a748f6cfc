/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-pages.h - the page cache that SQLite is given, of which the store gets the
 * victims.
 */
#ifndef TMEM_SQLITE_PAGES_H
#define TMEM_SQLITE_PAGES_H

#include <stdint.h>

#include "sqlite-view.h"

struct sqlite_pages;

/** struct sqlite_claim - an open file's end of the link with its page cache. */
struct sqlite_claim {
	int wanted;		    /* (c) SQLite's page caches are ours */
	struct sqlite_pages *pages; /* NULL: not found yet */
	struct sqlite_view *view;   /* (c) what the file may believe */
};

/** sqlite_pages_methods() - for SQLITE_CONFIG_PCACHE2. */
const sqlite3_pcache_methods2 *sqlite_pages_methods(void);

/** sqlite_pages_claim() - the file is about to be read into this buffer. */
void sqlite_pages_claim(struct sqlite_claim *c, const void *buffer);

/**
 * sqlite_pages_stamp() - it has been read: to be put when it leaves the cache.
 * @life: names the pages of the state that it was read in; 0: not to be put.
 *
 * Return: 1; 0 the buffer is no page of the file's cache.
 */
int sqlite_pages_stamp(struct sqlite_claim *c, const void *buffer,
		       sqlite3_int64 offset, uint64_t life);

/** sqlite_pages_release() - the file is about to be closed. */
void sqlite_pages_release(struct sqlite_claim *c);

#endif
