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
 * The loadable extension tmem-sqlite.so does the same when it is loaded.
 */
#ifndef TMEM_SQLITE_H
#define TMEM_SQLITE_H

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

#ifdef __cplusplus
}
#endif

#endif /* TMEM_SQLITE_H */
