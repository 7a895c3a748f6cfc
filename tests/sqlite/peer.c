/* SPDX-License-Identifier: BSD-2-Clause */
/* peer.c - databases under test: opened, worked on, compared. */
#include "peer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <tmem/sqlite.h>

/* As long as a machine that is busy with something else may take. */
enum {
	BUSY_MS = 60000
};

#define SHM "/dev/shm"

/* Several times what one takes, for those beside it. */
#define SCRATCH_BYTES (512ull << 20)

void peer_fail(const char *format, ...)
{
	va_list args;

	(void)fprintf(stderr, "FAILED: ");
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fprintf(stderr, "\n");
	exit(1);
}

void peer_register(void)
{
	int rc = peer_victims() ? sqlite3_tmem_config() : tmem_sqlite_register();

	if (rc != SQLITE_OK)
		peer_fail("the VFS does not register: %s", sqlite3_errstr(rc));
}

int peer_victims(void)
{
	const char *victims = getenv("TMEM_TEST_VICTIMS");

	return victims && strcmp(victims, "1") == 0;
}

/* In memory, where there is room for the largest test: nothing here is about a disk,
 * and journals made and removed would wait for whoever else writes to it. */
static const char *scratch(void)
{
	const char *tmp = getenv("TMPDIR");
	struct statvfs fs;

	if (tmp)
		return tmp;
	if (statvfs(SHM, &fs) == 0 && access(SHM, W_OK) == 0 &&
	    fs.f_bavail * fs.f_frsize >= SCRATCH_BYTES)
		return SHM;
	return "/tmp";
}

void peer_dir_init(struct peer_dir *d)
{
	(void)snprintf(d->dir, sizeof(d->dir), "%s/tmem-sqlite-XXXXXX",
		       scratch());
	if (!mkdtemp(d->dir))
		peer_fail("mkdtemp %s", d->dir);
	(void)snprintf(d->path, sizeof(d->path), "%s/app.db", d->dir);
	peer_register();
}

void peer_wipe(const struct peer_dir *d)
{
	static const char *const tails[] = { "", "-journal", "-wal", "-shm",
					     ".copy" };
	char path[200];

	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", d->path, tails[i]);
		(void)unlink(path);
	}
}

void peer_dir_finish(struct peer_dir *d)
{
	peer_wipe(d);
	if (rmdir(d->dir) < 0)
		peer_fail("files are left in %s", d->dir);
}

sqlite3 *peer_open(const char *path, const char *store)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
			  SQLITE_OPEN_URI;
	char uri[400];
	sqlite3 *db;

	if (store)
		(void)snprintf(uri, sizeof(uri),
			       "file:%s?vfs=tmem&tmem_store=%s", path, store);
	else
		(void)snprintf(uri, sizeof(uri), "file:%s", path);
	if (sqlite3_open_v2(uri, &db, flags, NULL) != SQLITE_OK)
		peer_fail("%s: %s", uri, sqlite3_errmsg(db));
	(void)sqlite3_busy_timeout(db, BUSY_MS);
	peer_exec(db, "PRAGMA cache_size=10; PRAGMA synchronous=OFF;");
	return db;
}

void peer_close(sqlite3 *db)
{
	if (sqlite3_close(db) != SQLITE_OK)
		peer_fail("close: %s", sqlite3_errmsg(db));
}

int peer_try(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

void peer_exec(sqlite3 *db, const char *format, ...)
{
	va_list args;
	char *sql;

	va_start(args, format);
	sql = sqlite3_vmprintf(format, args);
	va_end(args);
	if (!sql || peer_try(db, sql) != SQLITE_OK)
		peer_fail("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_free(sql);
}

int64_t peer_number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt;
	int64_t number;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK ||
	    sqlite3_step(stmt) != SQLITE_ROW)
		peer_fail("%s: %s", sql, sqlite3_errmsg(db));
	number = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	return number;
}

int64_t peer_count(sqlite3 *db, const char *name)
{
	char sql[200];

	(void)snprintf(sql, sizeof(sql),
		       "SELECT value FROM tmem_stats WHERE \"schema\"='main' "
		       "AND name='%s'",
		       name);
	return peer_number(db, sql);
}

/* ---- Comparing ---------------------------------------------------------- */

struct text {
	char *bytes;
	size_t used, room;
};

static void append(struct text *t, const char *bytes)
{
	size_t len = strlen(bytes) + 1; /* and a separator */

	if (t->used + len > t->room) {
		t->room = (t->used + len) * 2;
		t->bytes = realloc(t->bytes, t->room);
		if (!t->bytes)
			peer_fail("no memory for a dump");
	}
	memcpy(t->bytes + t->used, bytes, len);
	t->used += len;
}

static void append_rows(sqlite3 *db, const char *sql, struct text *t)
{
	sqlite3_stmt *stmt;
	int rc;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		peer_fail("dump: %s: %s", sql, sqlite3_errmsg(db));
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(stmt); i++) {
			const char *cell =
				(const char *)sqlite3_column_text(stmt, i);

			append(t, cell ? cell : "NULL");
		}
	}
	if (rc != SQLITE_DONE)
		peer_fail("dump: %s: %s", sql, sqlite3_errmsg(db));
	(void)sqlite3_finalize(stmt);
}

/* Every page is read: tables in their own order, and each index by the check. */
char *peer_dump(sqlite3 *db, size_t *ret_bytes)
{
	struct text t = { .bytes = NULL }, names = { .bytes = NULL };
	char sql[300];

	(void)sqlite3_db_release_memory(db);
	peer_exec(db, "BEGIN");
	append_rows(db,
		    "SELECT type, name, tbl_name, sql FROM sqlite_schema "
		    "ORDER BY name",
		    &t);
	append_rows(db,
		    "SELECT name FROM sqlite_schema WHERE type='table' "
		    "ORDER BY name",
		    &names);
	for (size_t at = 0; at < names.used;
	     at += strlen(names.bytes + at) + 1) {
		(void)snprintf(sql, sizeof(sql),
			       "SELECT * FROM \"%s\" NOT INDEXED",
			       names.bytes + at);
		append_rows(db, sql, &t);
	}
	append_rows(db, "PRAGMA integrity_check", &t);
	peer_exec(db, "COMMIT");
	free(names.bytes);
	*ret_bytes = t.used;
	return t.bytes;
}

void peer_same(sqlite3 *db, const char *path, const char *what)
{
	sqlite3 *plain = peer_open(path, NULL);
	size_t seen_bytes, true_bytes;
	char *seen = peer_dump(db, &seen_bytes);
	char *truth = peer_dump(plain, &true_bytes);

	if (seen_bytes != true_bytes || memcmp(seen, truth, seen_bytes) != 0)
		peer_fail("%s: dumps differ: %zu bytes by tmem, %zu without",
			  what, seen_bytes, true_bytes);
	if (seen_bytes < 3 || memcmp(seen + seen_bytes - 3, "ok", 3) != 0)
		peer_fail("%s: integrity_check", what);
	free(seen);
	free(truth);
	peer_close(plain);
}

void peer_shell(const char *path, const char *sql)
{
	char command[400];
	FILE *shell;

	(void)snprintf(command, sizeof(command),
		       "sqlite3 -bail -init /dev/null '%s' >/dev/null", path);
	shell = popen(command, "we");
	if (!shell)
		peer_fail("no sqlite3 shell");
	(void)fprintf(shell, ".timeout %d\n%s\n", BUSY_MS, sql);
	if (pclose(shell) != 0)
		peer_fail("sqlite3 shell: %s", sql);
}
