/* SPDX-License-Identifier: BSD-2-Clause */
/* sqlite-stats.h - what the VFS has done for a database, as SQL shows it. */
#ifndef TMEM_SQLITE_STATS_H
#define TMEM_SQLITE_STATS_H

#include <sqlite3.h>

struct sqlite_file;

/**
 * sqlite_stats_text() - PRAGMA tmem_stats: a line per figure.
 *
 * Return: for sqlite3_free(); NULL for want of memory.
 */
char *sqlite_stats_text(struct sqlite_file *f);

/** sqlite_stats_register() - gives a connection the table tmem_stats. */
int sqlite_stats_register(sqlite3 *db);

#endif
