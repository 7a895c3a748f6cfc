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
	struct tmem *session;	       /* (c) NULL: could not be opened */
	struct tmem_precache *pools[SQLITE_STORE_POOLS]; /* (c) */
	_Atomic uint64_t next; /* (a) number of the next life of a file */

	pthread_mutex_t nodes_lock;
	struct sqlite_nodes nodes; /* (n) nodes_lock; least used first */
	unsigned idle;		   /* (n) nodes that no connection uses */

	pthread_mutex_t line_lock;
	char line[SQLITE_STORE_LINE_MAX]; /* (l) line_lock: last complaint */
};

/** struct sqlite_stores - all of them. */
struct sqlite_stores {
	pthread_mutex_t lock;
	struct sqlite_store_list list; /* (s) */
};

void sqlite_stores_init(struct sqlite_stores *s);

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

/** sqlite_store_pool() - where pages of @page_size, 512 to 65536, are kept. */
struct tmem_precache *sqlite_store_pool(struct sqlite_store *store,
					uint32_t page_size);

#endif
