/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-store.h - the stores of this process and the database files that have
 * pages in them.
 */
#ifndef TMEM_SQLITE_STORE_H
#define TMEM_SQLITE_STORE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include <tmem/precache.h>

#include "sqlite-shed.h"

/** SQLITE_STORE_POOLS - page sizes of a store: 4, 8, 16, 32 and 64 KiB. */
#define SQLITE_STORE_POOLS 5

/** SQLITE_STORE_LINE_MAX - longest reason that is kept, bytes. */
#define SQLITE_STORE_LINE_MAX 200

TAILQ_HEAD(sqlite_nodes, sqlite_node);
LIST_HEAD(sqlite_store_list, sqlite_store);

/**
 * struct sqlite_store - a session; made for the first database that names it,
 * kept as long as the process: databases are closed and opened again.
 */
struct sqlite_store {
	LIST_ENTRY(sqlite_store) link; /* (s) stores' lock */
	char *where;		       /* (c) NULL: the default */
	pid_t pid;		       /* (c) a forked child makes its own */
	int victims;		       /* (c) see sqlite_stores_init() */
	struct tmem *session;	       /* (c) NULL: could not be opened */
	struct tmem_precache *pools[SQLITE_STORE_POOLS]; /* (c) */
	_Atomic uint64_t next; /* (a) number of the next life of a file */

	pthread_mutex_t nodes_lock;
	struct sqlite_nodes nodes; /* (n) nodes_lock; least used first */
	unsigned idle;		   /* (n) nodes that no connection uses */

	struct sqlite_shed shed;

	pthread_mutex_t line_lock;
	char line[SQLITE_STORE_LINE_MAX]; /* (l) line_lock: last complaint */
};

/** struct sqlite_stores - all of them. */
struct sqlite_stores {
	pthread_mutex_t lock;
	struct sqlite_store_list list; /* (s) */
	int victims;		       /* (c) */
};

/**
 * sqlite_stores_init() - none yet.
 * @victims: 1: they get the victims of the page caches above, so that a get takes
 *	the page out; 0: what is read is put, and stays.
 */
void sqlite_stores_init(struct sqlite_stores *s, int victims);

/**
 * sqlite_stores_get() - the store of that name; opened if it is the first use.
 * @where: as tmem_open() wants it.
 *
 * One that cannot be opened is kept too, without a session, and says why in its
 * `line` and to SQLite's error log: a cache that is missing only costs time.
 *
 * Return: the store; NULL for want of memory.
 */
struct sqlite_store *sqlite_stores_get(struct sqlite_stores *s,
				       const char *where);

/** sqlite_store_line() - copies the last complaint, or "". */
void sqlite_store_line(struct sqlite_store *store,
		       char ret[SQLITE_STORE_LINE_MAX]);

/**
 * sqlite_store_get(), sqlite_store_put(), sqlite_store_flush() - page @index of the
 * file that @life names, of @page_size bytes, 512 to 65536.
 *
 * Return: 1 it had it, took it, gave it up; else 0.
 */
int sqlite_store_get(struct sqlite_store *store, uint64_t life,
		     uint32_t page_size, uint64_t index, void *page);
int sqlite_store_put(struct sqlite_store *store, uint64_t life,
		     uint32_t page_size, uint64_t index, const void *page);
int sqlite_store_flush(struct sqlite_store *store, uint64_t life,
		       uint32_t page_size, uint64_t index);

/** sqlite_store_flush_all() - all pages of that life. */
void sqlite_store_flush_all(struct sqlite_store *store, uint64_t life,
			    uint32_t page_size);

#endif
