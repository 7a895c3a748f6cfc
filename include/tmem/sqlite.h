/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tmem/sqlite.h - the SQLite VFS "tmem", linked in: libtmem-sqlite.a, libtmem.a,
 * libsqlite3.
 *
 * Stability: everything in this header is stable.
 *
 *	tmem_sqlite_register();
 *	sqlite3_open_v2("file:app.db?vfs=tmem&tmem_store=embedded:size=256M", &db,
 *			SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, NULL);
 *
 * The loadable extension tmem-sqlite.so does the same when it is loaded. Before a
 * program's first use of SQLite there is more to be had:
 *
 *	sqlite3_tmem_config();
 */
#ifndef TMEM_SQLITE_H
#define TMEM_SQLITE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * tmem_sqlite_register() - registers the VFS "tmem", not as the default.
 *
 * New connections get the table tmem_stats.
 *
 * Context: initialises SQLite; any thread; again is harmless.
 * Return: SQLITE_OK or another of SQLite's codes.
 * Since: 0.1
 */
int tmem_sqlite_register(void);

/**
 * struct tmem_sqlite_opts - for tmem_sqlite_config().
 * @size: sizeof(struct tmem_sqlite_opts).
 * @log: the program's own error log, as for SQLITE_CONFIG_LOG: gets every line.
 *	NULL: nobody does.
 * @log_ctx: its first argument.
 */
struct tmem_sqlite_opts {
	size_t size;
	void (*log)(void *ctx, int code, const char *line);
	void *log_ctx;
};

/**
 * tmem_sqlite_config() - tmem_sqlite_register(), a page cache, and the error log.
 * @opts: NULL: defaults.
 *
 * The page cache (SQLITE_CONFIG_PCACHE2) of all of the process's connections becomes
 * one whose clean pages go to the store when it gives them up, instead of when they
 * are read: a page is in SQLite's cache or in the store, not in both. Databases of
 * other VFSs have the page cache, and no store.
 *
 * The error log (SQLITE_CONFIG_LOG) is listened to: when SQLite finds a database
 * malformed, nothing more of it is cached. It takes the place of one that was set
 * before, so hand that in.
 *
 * Context: once, before anything else of SQLite's is called, but sqlite3_config().
 * Return: SQLITE_OK; SQLITE_MISUSE SQLite is in use already, or @opts is of another
 *	release, and nothing has changed; SQLITE_NOMEM.
 * Since: 0.1
 */
int tmem_sqlite_config(const struct tmem_sqlite_opts *opts);

/** sqlite3_tmem_config() - tmem_sqlite_config(NULL), under a name like SQLite's own. */
int sqlite3_tmem_config(void);

#ifdef __cplusplus
}
#endif

#endif /* TMEM_SQLITE_H */
