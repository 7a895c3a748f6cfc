/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-report.c - SQLite's error log: of a database that SQLite calls malformed
 * nothing is kept.
 *
 * The log is the only place where SQLite says so before the statement's end. It
 * does not say which database, but is written while its transaction is under way:
 * every file that has one is given up until its last connection is closed. That may
 * be a few too many; each costs time, no more.
 *
 * Called in the middle of SQLite: nothing of SQLite's is called here.
 */
#include "sqlite-report.h"

#include <stdlib.h>

#include "sqlite-link.h"
#include "sqlite-node.h"

#define PRIMARY_CODE 0xff /* extended codes have the rest of the bits */

struct sqlite_report *sqlite_report_create(void (*next)(void *ctx, int code,
							const char *line),
					   void *next_ctx)
{
	struct sqlite_report *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->next = next;
	r->next_ctx = next_ctx;
	return r;
}

void sqlite_report_line(void *ctx, int code, const char *line)
{
	struct sqlite_report *r = ctx;
	int primary = code & PRIMARY_CODE;
	struct sqlite_stores *stores;
	struct sqlite_store *store;

	if (r->next)
		r->next(r->next_ctx, code, line);
	if (primary != SQLITE_CORRUPT && primary != SQLITE_NOTADB)
		return;
	stores = atomic_load(&r->stores);
	if (!stores)
		return;
	(void)pthread_mutex_lock(&stores->lock);
	LIST_FOREACH(store, &stores->list, link)
		sqlite_nodes_doubt(store);
	(void)pthread_mutex_unlock(&stores->lock);
}
