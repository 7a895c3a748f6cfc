/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * point-reads.c - reads random rows of a database through a store, and says how fast
 * and what the store did.
 *
 *	point-reads DATABASE TABLE [STORE [READS]]
 *
 * STORE -: the default VFS, for comparison.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>
#include <tmem/sqlite.h>

enum {
	READS = 100000,
	URI_MAX = 600
};

static int fail(sqlite3 *db, const char *what)
{
	(void)fprintf(stderr, "point-reads: %s: %s\n", what, sqlite3_errmsg(db));
	(void)sqlite3_close(db);
	return 1;
}

static int print_row(void *ctx, int columns, char **cells, char **names)
{
	(void)ctx;
	(void)columns;
	(void)names;
	(void)printf("%s\n", cells[0]);
	return 0;
}

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	const char *store = argc > 3 ? argv[3] : "embedded:size=64M";
	int reads = argc > 4 ? atoi(argv[4]) : READS;
	char uri[URI_MAX];
	double begun;
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt;
	char *sql;

	if (argc < 3) {
		(void)fprintf(stderr, "usage: point-reads DATABASE TABLE [STORE "
				      "[READS]]\n");
		return 2;
	}
	if (tmem_sqlite_register() != SQLITE_OK)
		return fail(NULL, "register");
	if (strcmp(store, "-") == 0)
		(void)snprintf(uri, sizeof(uri), "file:%s", argv[1]);
	else
		(void)snprintf(uri, sizeof(uri),
			       "file:%s?vfs=tmem&tmem_store=%s", argv[1], store);
	if (sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
			    NULL) != SQLITE_OK)
		return fail(db, argv[1]);
	sql = sqlite3_mprintf("SELECT * FROM \"%w\" WHERE rowid = "
			      "abs(random()) %% (SELECT max(rowid) FROM "
			      "\"%w\")",
			      argv[2], argv[2]);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		return fail(db, argv[2]);
	begun = now_s();
	for (int i = 0; i < reads; i++) {
		while (sqlite3_step(stmt) == SQLITE_ROW)
			;
		if (sqlite3_reset(stmt) != SQLITE_OK)
			return fail(db, argv[2]);
	}
	(void)printf("%.0f reads a second\n", reads / (now_s() - begun));
	(void)sqlite3_finalize(stmt);
	sqlite3_free(sql);
	if (sqlite3_exec(db, "PRAGMA tmem_stats", print_row, NULL, NULL) !=
	    SQLITE_OK)
		return fail(db, "tmem_stats");
	(void)sqlite3_close(db);
	return 0;
}
