/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-victims.c - the page cache of the static library: the store gets what leaves
 * it and nothing else; pages that were changed, and changed back, are not put; what
 * SQLite calls malformed is no longer cached; the error log goes on to its owner.
 *
 * Whole workloads with this page cache are the other tests, run again with
 * TMEM_TEST_VICTIMS=1.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tmem/sqlite.h>

#include "peer.h"

enum {
	ROWS = 3000,
	PAGES_LEAST = 100, /* that many rows take more */
	REST_US = 100000
};

static int lines;

/* One for each part: what it has is that part's. */
static char store[80];

static void new_store(void)
{
	static unsigned number;

	(void)snprintf(store, sizeof(store), "embedded:size=%uM&tmem_admit=all",
		       8 + number++);
}

static void take_line(void *ctx, int code, const char *line)
{
	(void)code;
	(void)line;
	++*(int *)ctx;
}

static void make(const struct peer_dir *d, const char *journal)
{
	sqlite3 *db = peer_open(d->path, NULL);

	peer_exec(db,
		  "PRAGMA journal_mode=%s; CREATE TABLE t(a INTEGER PRIMARY "
		  "KEY, b); WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT "
		  "x+1 FROM c WHERE x<%d) INSERT INTO t SELECT x, "
		  "printf('%%.*c', 200, 'x') FROM c",
		  journal, ROWS);
	peer_close(db);
	/* Of a file this young with a log this new nothing is known. */
	(void)usleep(REST_US);
}

static int64_t scan(sqlite3 *db)
{
	return peer_number(db, "SELECT sum(unicode(b)) FROM t NOT INDEXED");
}

/* A page is in one cache or in the other. */
static void exclusive(const struct peer_dir *d)
{
	sqlite3 *db = peer_open(d->path, store);
	int64_t in_store, stored, hits;

	peer_exec(db, "PRAGMA cache_size=%d", 10000);
	(void)scan(db);
	if (peer_count(db, "stored") || peer_count(db, "store_pages"))
		peer_fail("pages are put while SQLite has them");
	if (peer_count(db, "misses") < PAGES_LEAST)
		peer_fail("%lld pages: too few",
			  (long long)peer_count(db, "misses"));
	/* They leave, in a transaction that says that they are true. */
	peer_exec(db, "BEGIN");
	(void)peer_number(db, "SELECT b='' FROM t WHERE a=1");
	peer_exec(db, "PRAGMA shrink_memory");
	stored = peer_count(db, "stored");
	in_store = peer_count(db, "store_pages");
	if (stored < PAGES_LEAST || in_store != stored)
		peer_fail("%lld pages are put, %lld in the store",
			  (long long)stored, (long long)in_store);
	(void)scan(db);
	hits = peer_count(db, "hits");
	if (hits < PAGES_LEAST)
		peer_fail("%lld hits", (long long)hits);
	if (peer_count(db, "store_pages") > in_store - hits + 1)
		peer_fail("what was got is still there");
	peer_exec(db, "COMMIT");
	/* No lock, no truth. */
	stored = peer_count(db, "stored");
	(void)sqlite3_db_release_memory(db);
	if (peer_count(db, "stored") != stored)
		peer_fail("put outside of a transaction");
	peer_close(db);
}

/*
 * A page as it was, as it became, and as it was again: the one that reads the state
 * in between must not get the last one, whose bytes are those of the first.
 * @held: the page is in use by a cursor all the time.
 */
static void there_and_back(const struct peer_dir *d, int held)
{
	sqlite3 *db = peer_open(d->path, store), *between;
	sqlite3_stmt *cursor = NULL;

	peer_exec(db, "PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=10000");
	(void)scan(db);
	if (held && (sqlite3_prepare_v2(db, "SELECT a, b FROM t WHERE a>=1500",
					-1, &cursor, NULL) != SQLITE_OK ||
		     sqlite3_step(cursor) != SQLITE_ROW))
		peer_fail("cursor: %s", sqlite3_errmsg(db));
	peer_exec(db, "UPDATE t SET b=printf('%%.*c', 200, 'y') WHERE a=1500");
	(void)sqlite3_reset(cursor);
	peer_exec(db, "PRAGMA wal_checkpoint(PASSIVE)");
	between = peer_open(d->path, store);
	peer_exec(between, "BEGIN");
	(void)peer_number(between, "SELECT b='' FROM t WHERE a=1");
	peer_exec(db, "UPDATE t SET b=printf('%%.*c', 200, 'x') WHERE a=1500");
	peer_exec(db, "BEGIN");
	(void)peer_number(db, "SELECT b='' FROM t WHERE a=1");
	peer_exec(db, "PRAGMA shrink_memory; COMMIT");
	if (!peer_number(between, "SELECT unicode(b)=unicode('y') FROM t "
				  "WHERE a=1500"))
		peer_fail("a page of another moment, held %d", held);
	peer_exec(between, "COMMIT");
	(void)sqlite3_finalize(cursor);
	peer_same(db, d->path, "there and back");
	peer_close(between);
	peer_close(db);
}

/* Every page that is not the log's is offered, one's own commits or not. */
static void survive_a_commit(const struct peer_dir *d)
{
	sqlite3 *db = peer_open(d->path, store);
	int64_t stored;

	/* The first commit to a log that was empty makes it another. */
	peer_exec(db,
		  "PRAGMA cache_size=10000; UPDATE t SET b=b||'z' WHERE a=7");
	(void)scan(db);
	peer_exec(db, "UPDATE t SET b=b||'z' WHERE a=7");
	peer_exec(db, "BEGIN");
	(void)peer_number(db, "SELECT b='' FROM t WHERE a=1");
	stored = peer_count(db, "stored");
	peer_exec(db, "PRAGMA shrink_memory; COMMIT");
	if (peer_count(db, "stored") - stored < PAGES_LEAST)
		peer_fail("a commit of one page cost all others their place");
	peer_close(db);
}

/* Memory that SQLite may not have: an error, or an answer, no wrong one. */
static void without_memory(const struct peer_dir *d)
{
	sqlite3 *db = peer_open(d->path, store);
	int64_t want = scan(db);
	sqlite3_stmt *stmt;

	peer_exec(db, "PRAGMA cache_size=10000");
	(void)sqlite3_db_release_memory(db);
	(void)sqlite3_hard_heap_limit64(sqlite3_memory_used() + 100000);
	if (sqlite3_prepare_v2(db, "SELECT sum(unicode(b)) FROM t NOT INDEXED",
			       -1, &stmt, NULL) == SQLITE_OK) {
		int rc = sqlite3_step(stmt);

		if (rc == SQLITE_ROW && sqlite3_column_int64(stmt, 0) != want)
			peer_fail("wrong for want of memory");
		if (rc != SQLITE_ROW && rc != SQLITE_NOMEM)
			peer_fail("for want of memory: %s", sqlite3_errstr(rc));
		if (rc != SQLITE_ROW)
			peer_fail("the cache did not make do with less");
		(void)sqlite3_finalize(stmt);
	}
	(void)sqlite3_hard_heap_limit64(0);
	peer_same(db, d->path, "after want of memory");
	peer_close(db);
}

/* Noise in the middle of a table, as a disk may have it. */
static void damage(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	char noise[4096];

	memset(noise, 0xa5, sizeof(noise));
	if (fd < 0 || pwrite(fd, noise, sizeof(noise), 100 * 4096) !=
			      (ssize_t)sizeof(noise))
		peer_fail("damage");
	(void)close(fd);
}

static void expect_corrupt(sqlite3 *db)
{
	int rc = peer_try(db, "SELECT sum(unicode(b)) FROM t NOT INDEXED");

	if (rc != SQLITE_CORRUPT)
		peer_fail("damaged: %s", sqlite3_errstr(rc));
}

static void malformed(const struct peer_dir *d)
{
	sqlite3 *db = peer_open(d->path, store), *sound;
	int64_t stored, hits;
	char other[200];

	(void)snprintf(other, sizeof(other), "%s.copy", d->path);
	sound = peer_open(other, store);
	peer_exec(sound, "CREATE TABLE t(a INTEGER PRIMARY KEY, b)");
	(void)scan(db);
	(void)scan(db);
	damage(d->path);
	lines = 0;
	expect_corrupt(db);
	if (!lines)
		peer_fail("the log's owner has not heard of it");
	if (peer_count(db, "store_pages"))
		peer_fail("pages of a malformed database are kept");
	stored = peer_count(db, "stored");
	hits = peer_count(db, "hits");
	for (int i = 0; i < 3; i++) {
		expect_corrupt(db);
		(void)peer_number(db, "SELECT count(b) FROM t WHERE a<300");
	}
	if (peer_count(db, "stored") != stored || peer_count(db, "hits") != hits)
		peer_fail("a malformed database is cached");
	/* No other is the worse for it. */
	peer_exec(sound,
		  "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c "
		  "WHERE x<%d) INSERT INTO t SELECT x, printf('%%.*c', 200, "
		  "'x') FROM c",
		  ROWS);
	(void)scan(sound);
	(void)scan(sound);
	if (!peer_count(sound, "hits"))
		peer_fail("a sound database is not cached");
	peer_close(sound);
	peer_close(db);
	db = peer_open(d->path, store);
	(void)peer_number(db, "SELECT count(b) FROM t WHERE a<1500");
	(void)peer_number(db, "SELECT count(b) FROM t WHERE a<1500");
	if (peer_count(db, "hits") == hits)
		peer_fail("opened again, and not cached again");
	peer_close(db);
}

int main(void)
{
	static const struct {
		const char *journal;
		void (*run)(const struct peer_dir *);
	} parts[] = {
		{ "delete", exclusive },	{ "wal", exclusive },
		{ "delete", survive_a_commit }, { "wal", survive_a_commit },
		{ "delete", without_memory },	{ "delete", malformed },
	};
	struct tmem_sqlite_opts opts = {
		.size = sizeof(opts),
		.log = take_line,
		.log_ctx = &lines,
	};
	struct peer_dir d;
	int rc;

	opts.size--;
	if (tmem_sqlite_config(&opts) != SQLITE_MISUSE)
		peer_fail("options that are too short are taken");
	opts.size++;
	rc = tmem_sqlite_config(&opts);
	if (rc != SQLITE_OK)
		peer_fail("config: %s", sqlite3_errstr(rc));
	if (sqlite3_tmem_config() != SQLITE_MISUSE)
		peer_fail("a page cache is changed while it is in use");
	peer_dir_init(&d);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		new_store();
		make(&d, parts[i].journal);
		parts[i].run(&d);
		peer_wipe(&d);
	}
	for (int held = 0; held < 2; held++) {
		new_store();
		make(&d, "wal");
		there_and_back(&d, held);
		peer_wipe(&d);
	}
	peer_dir_finish(&d);
	(void)puts("victims, and nothing else");
	return 0;
}
