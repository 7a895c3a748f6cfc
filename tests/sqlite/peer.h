/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer.h - databases under test: opened by either VFS, worked on, and compared.
 *
 * Whatever SQLite or the system refuses unexpectedly ends the program with a line.
 */
#ifndef TESTS_SQLITE_PEER_H
#define TESTS_SQLITE_PEER_H

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

/** struct peer_dir - a scratch directory with one database in it. */
struct peer_dir {
	char dir[128];
	char path[160];
};

/** peer_victims() - $TMEM_TEST_VICTIMS=1: with the page cache of the static library. */
int peer_victims(void);

/** peer_register() - the VFS, and that page cache if it is wanted. */
void peer_register(void);

/** peer_dir_init() - registers, too. */
void peer_dir_init(struct peer_dir *d);
void peer_dir_finish(struct peer_dir *d);

/** peer_wipe() - removes the database and its journals. */
void peer_wipe(const struct peer_dir *d);

/* Smaller than the databases are, so that it evicts; 64 KiB pages need more. */
#define PEER_STORE "embedded:size=1M&tmem_admit=all"
#define PEER_STORE_LARGE "embedded:size=16M&tmem_admit=all"

/**
 * peer_open() - a connection with a page cache so small that most pages are read
 * anew.
 * @store: what tmem_store says; NULL: by the default VFS.
 */
sqlite3 *peer_open(const char *path, const char *store);
void peer_close(sqlite3 *db);

/** peer_exec() - runs SQL that must succeed, its rows thrown away. */
void peer_exec(sqlite3 *db, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** peer_try() - runs SQL; gives SQLite's code. */
int peer_try(sqlite3 *db, const char *sql);

/** peer_number() - the first column of the first row. */
int64_t peer_number(sqlite3 *db, const char *sql);

/** peer_dump() - all of a database as text, for free(). NULL: busy. */
char *peer_dump(sqlite3 *db, size_t *ret_bytes);

/**
 * peer_same() - compares what @db sees with what a new connection of the default
 * VFS sees, and checks integrity.
 */
void peer_same(sqlite3 *db, const char *path, const char *what);

/** peer_count() - a figure of tmem_stats for the main database. */
int64_t peer_count(sqlite3 *db, const char *name);

/** peer_shell() - has the sqlite3 shell, another process, run SQL. */
void peer_shell(const char *path, const char *sql);

/** peer_fail() - says what went wrong and ends the program. */
void peer_fail(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));

#endif
