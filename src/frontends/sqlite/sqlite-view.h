/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-view.h - what one connection may believe of cached pages, from the locks
 * that SQLite takes through it.
 */
#ifndef TMEM_SQLITE_VIEW_H
#define TMEM_SQLITE_VIEW_H

#include <stdint.h>

#include "sqlite-node.h"

/**
 * struct sqlite_view - of one open file; used by one thread at a time, as SQLite
 * uses the file.
 */
struct sqlite_view {
	struct sqlite_node *node; /* NULL: nothing is cached */
	sqlite3_file *file;	  /* the default VFS's */

	int active;		    /* the node knows of a transaction */
	int level;		    /* SQLITE_LOCK_* on the file */
	const volatile void *index; /* wal-index, first region, or NULL */
	unsigned shared, exclusive; /* wal-index locks held, a bit each */

	int has_counter; /* SQLite read it under this lock */
	uint8_t counter[SQLITE_TOKEN_COUNTER_BYTES];

	int belief;	    /* this transaction's: unasked, known, unknown */
	uint64_t life;	    /* if known: names the pages */
	uint32_t page_size; /* of both lives, bytes */
	uint32_t count;	    /* of pages that the file had then */

	uint64_t writes;   /* times that it began to change pages */
	unsigned sections; /* reasons for which we alone change the file */
	int begun;	   /* the node knows */
	uint64_t section_life;
};

/** sqlite_view_finish() - the file is about to be closed. */
void sqlite_view_finish(struct sqlite_view *v);

/** sqlite_view_may() - whether a read looks like one of a page, in a transaction. */
int sqlite_view_may(const struct sqlite_view *v, int bytes,
		    sqlite3_int64 offset);

/**
 * sqlite_view_page() - whether such a read may be answered from the store, and what
 * is read be put there.
 */
int sqlite_view_page(struct sqlite_view *v, int bytes);

/** sqlite_view_writing() - 1: this connection may be changing pages, in its cache. */
int sqlite_view_writing(const struct sqlite_view *v);

/** sqlite_view_holds() - 1: in a transaction for which @life's pages are true. */
int sqlite_view_holds(struct sqlite_view *v, uint64_t life);

/**
 * sqlite_view_offer() - puts page @index of the life that the view believes in, if
 * it can be one.
 *
 * Return: 1 the store took it, else 0.
 */
int sqlite_view_offer(struct sqlite_view *v, uint64_t index, const void *page);

/** sqlite_view_counter() - SQLite has read the file's change counter. */
void sqlite_view_counter(struct sqlite_view *v, const void *counter);

/** sqlite_view_write() - the file is about to be written. */
void sqlite_view_write(struct sqlite_view *v, int bytes, sqlite3_int64 offset);

/** sqlite_view_truncate() - the file is about to get another length. */
void sqlite_view_truncate(struct sqlite_view *v, sqlite3_int64 bytes);

/** sqlite_view_unsure() - the file is changed in a way we do not follow. */
void sqlite_view_unsure(struct sqlite_view *v);

/** sqlite_view_locked() - the default VFS's xLock() succeeded. */
void sqlite_view_locked(struct sqlite_view *v, int level);

/** sqlite_view_unlock() - its xUnlock() is about to be called. */
void sqlite_view_unlock(struct sqlite_view *v, int level);

/** sqlite_view_mapped() - the wal-index's first region is there; NULL: no more. */
void sqlite_view_mapped(struct sqlite_view *v, const volatile void *index);

/** sqlite_view_shm_locked() - xShmLock() took locks. */
void sqlite_view_shm_locked(struct sqlite_view *v, int first, int count,
			    int flags);

/** sqlite_view_shm_unlock() - xShmLock() is about to release locks. */
void sqlite_view_shm_unlock(struct sqlite_view *v, int first, int count);

#endif
