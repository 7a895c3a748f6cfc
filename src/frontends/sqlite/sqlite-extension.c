/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-extension.c - how the VFS comes into a process: as a loadable extension,
 * or linked in (TMEM_SQLITE_STATIC).
 *
 * tmem-sqlite(3) is the manual. In short:
 *
 *	.load ./tmem-sqlite
 *	.open "file:app.db?vfs=tmem&tmem_store=embedded:size=256M"
 *	PRAGMA tmem_stats;
 *
 * Reads of database pages ask a store first, and what is read from the file is
 * put there. Everything else, locks, journals, logs, syncs, is the default VFS's
 * own, so that durability and what other processes see is what it always was.
 *
 *	sqlite-vfs.c	opens files			sqlite-stats.c	SQL shows it
 *	sqlite-file.c	reads, writes, locks of one
 *	sqlite-view.c	what its locks let one believe
 *	sqlite-node.c	the file, for all connections	sqlite-pages.c	SQLite's page
 *	sqlite-token.c	its state				cache, linked in
 *	sqlite-admit.c	whether it is worth it		sqlite-report.c	SQLite's log,
 *	sqlite-sane.c	whether it is a page			linked in
 *	sqlite-store.c	sessions with tmem
 */
#include <tmem/tmem.h>

#ifdef TMEM_SQLITE_STATIC
#include <tmem/sqlite.h>

#include <sqlite3.h>
#include <stdlib.h>
#else
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1
#endif

#include "sqlite-pages.h"
#include "sqlite-report.h"
#include "sqlite-stats.h"
#include "sqlite-vfs.h"

/* For each connection made from now on. */
static int on_connection(sqlite3 *db, char **error,
			 const struct sqlite3_api_routines *api)
{
	(void)error;
	(void)api;
	return sqlite_stats_register(db);
}

#ifdef TMEM_SQLITE_STATIC
int tmem_sqlite_register(void)
{
	int rc = sqlite3_initialize();

	if (rc == SQLITE_OK)
		rc = sqlite_vfs_register(NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_auto_extension((void (*)(void))on_connection);
	return rc;
}

/* Structs that begin with `size`: see tmem.h. */
static int is_known(const struct tmem_sqlite_opts *given)
{
	const unsigned char *bytes = (const unsigned char *)given;

	if (given->size < sizeof(*given))
		return 0;
	for (size_t i = sizeof(*given); i < given->size; i++) {
		if (bytes[i])
			return 0;
	}
	return 1;
}

/* Caches and the error log can be had only before SQLite is used. */
int tmem_sqlite_config(const struct tmem_sqlite_opts *given)
{
	struct tmem_sqlite_opts opts = { .size = sizeof(opts) };
	struct sqlite_report *report;
	int rc;

	if (given && !is_known(given))
		return SQLITE_MISUSE;
	if (given)
		opts = *given;
	report = sqlite_report_create(opts.log, opts.log_ctx);
	if (!report)
		return SQLITE_NOMEM;
	rc = sqlite3_config(SQLITE_CONFIG_PCACHE2, sqlite_pages_methods());
	if (rc != SQLITE_OK) {
		free(report);
		return rc;
	}
	rc = sqlite3_config(SQLITE_CONFIG_LOG, sqlite_report_line, report);
	if (rc == SQLITE_OK)
		rc = sqlite3_initialize();
	if (rc == SQLITE_OK)
		rc = sqlite_vfs_register(report);
	if (rc == SQLITE_OK)
		rc = sqlite3_auto_extension((void (*)(void))on_connection);
	return rc;
}

int sqlite3_tmem_config(void)
{
	return tmem_sqlite_config(NULL);
}
#else
TMEM_API int sqlite3_extension_init(sqlite3 *db, char **error,
				    const sqlite3_api_routines *api);

/* The VFS outlives the connection that loaded it, so the code must, too. */
int sqlite3_extension_init(sqlite3 *db, char **error,
			   const sqlite3_api_routines *api)
{
	int rc;

	SQLITE_EXTENSION_INIT2(api);
	rc = sqlite_vfs_register(NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_auto_extension((void (*)(void))on_connection);
	if (rc == SQLITE_OK)
		rc = sqlite_stats_register(db);
	if (rc != SQLITE_OK) {
		*error = sqlite3_mprintf("tmem: %s", sqlite3_errstr(rc));
		return rc;
	}
	return SQLITE_OK_LOAD_PERMANENTLY;
}
#endif
