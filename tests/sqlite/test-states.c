/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-states.c - one database, worked on at random by connections of the VFS
 * "tmem", by connections of the default VFS and by other processes; after every
 * step all that a connection of "tmem" sees is what the file holds.
 *
 * Connections of the default VFS are foreign: the shim sees nothing of theirs.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer.h"
#include "rng.h"

enum {
	TMEMS = 2,
	STEPS = 60,
	STEPS_VICTIMS = 15,
	STEPS_LONG = 2000,
	ROWS = 1500
};

struct setting {
	const char *journal;
	int page_size;
	int vacuum; /* auto_vacuum: none, full, incremental */
	int mmap;   /* bytes */
};

static const struct setting settings[] = {
	{ "delete", 4096, 0, 0 },	{ "wal", 4096, 0, 0 },
	{ "truncate", 1024, 1, 0 },	{ "persist", 8192, 2, 0 },
	{ "memory", 512, 0, 0 },	{ "off", 4096, 1, 0 },
	{ "wal", 512, 1, 0 },		{ "wal", 65536, 0, 0 },
	{ "delete", 65536, 0, 0 },	{ "wal", 16384, 2, 0 },
	{ "delete", 4096, 0, 1 << 20 }, { "wal", 4096, 0, 1 << 20 },
	{ "delete", 2048, 1, 0 },	{ "persist", 32768, 0, 0 },
};

struct work {
	const struct setting *set;
	struct peer_dir dir;
	struct rng rng;
	sqlite3 *tmem[TMEMS]; /* kept open, for the most part */
	sqlite3 *plain;	      /* the foreigner; NULL: closed */
	int64_t hits;	      /* of connections closed */
	char last[200];
};

static unsigned roll(struct work *w, unsigned below)
{
	return (unsigned)rng_below(&w->rng, below);
}

static int is_wal(const struct work *w)
{
	return strcmp(w->set->journal, "wal") == 0;
}

static const char *store_of(const struct work *w)
{
	return w->set->page_size < 65536 ? PEER_STORE : PEER_STORE_LARGE;
}

static sqlite3 *open_one(struct work *w, int tmem)
{
	sqlite3 *db = peer_open(w->dir.path, tmem ? store_of(w) : NULL);

	peer_exec(db, "PRAGMA journal_mode=%s", w->set->journal);
	if (w->set->mmap)
		peer_exec(db, "PRAGMA mmap_size=%d", w->set->mmap);
	return db;
}

/* Whoever works: mostly a tmem connection, often a foreigner. */
static sqlite3 *somebody(struct work *w)
{
	unsigned who = roll(w, 5);

	if (who < 3)
		return w->tmem[who % TMEMS];
	if (!w->plain)
		w->plain = open_one(w, 0);
	return w->plain;
}

/* ---- Steps -------------------------------------------------------------- */

static void change_rows(struct work *w, sqlite3 *db, const char *end)
{
	unsigned from = roll(w, ROWS), many = 1 + roll(w, 200);

	peer_exec(db, "BEGIN IMMEDIATE");
	switch (roll(w, 4)) {
	case 0:
		peer_exec(db,
			  "UPDATE t SET b=hex(randomblob(%u)) WHERE a "
			  "BETWEEN %u AND %u",
			  1 + roll(w, 300), from, from + many);
		break;
	case 1:
		peer_exec(db, "DELETE FROM t WHERE a BETWEEN %u AND %u", from,
			  from + many);
		break;
	case 2:
		peer_exec(db,
			  "WITH RECURSIVE c(x) AS (SELECT %u UNION ALL SELECT "
			  "x+1 FROM c WHERE x<%u) INSERT OR REPLACE INTO t "
			  "SELECT x, hex(randomblob(%u)) FROM c",
			  from, from + many, 1 + roll(w, 300));
		break;
	default:
		peer_exec(db, "UPDATE t SET b='%u' WHERE a%%%u=0", from,
			  2 + roll(w, 50));
		break;
	}
	peer_exec(db, "%s", end);
}

static void checkpoint(struct work *w, sqlite3 *db)
{
	static const char *const modes[] = { "PASSIVE", "FULL", "RESTART",
					     "TRUNCATE" };

	if (is_wal(w))
		peer_exec(db, "PRAGMA wal_checkpoint(%s)", modes[roll(w, 4)]);
	else
		peer_exec(db, "PRAGMA incremental_vacuum(%u)", roll(w, 50));
}

static void close_all(struct work *w)
{
	for (int i = 0; i < TMEMS; i++) {
		if (!w->tmem[i])
			continue;
		w->hits += peer_count(w->tmem[i], "hits") * !i;
		peer_close(w->tmem[i]);
		w->tmem[i] = NULL;
	}
	if (w->plain)
		peer_close(w->plain);
	w->plain = NULL;
}

static void open_all(struct work *w)
{
	for (int i = 0; i < TMEMS; i++)
		w->tmem[i] = open_one(w, 1);
}

/* Only one at a time may use a database in another mode than the others. */
static void vacuum(struct work *w)
{
	static const int sizes[] = { 512,  1024,  2048,	 4096,
				     8192, 16384, 32768, 65536 };
	sqlite3 *db;

	if (is_wal(w) || roll(w, 2)) {
		peer_exec(somebody(w), "VACUUM");
		return;
	}
	db = somebody(w);
	peer_exec(db, "PRAGMA page_size=%d", sizes[roll(w, 8)]);
	peer_exec(db, "VACUUM");
}

static void copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char buf[65536];
	ssize_t n;

	if (in < 0 || out < 0)
		peer_fail("copy %s to %s", from, to);
	while ((n = read(in, buf, sizeof(buf))) > 0) {
		if (write(out, buf, (size_t)n) != n)
			peer_fail("copy to %s", to);
	}
	(void)close(in);
	(void)close(out);
}

/*
 * A backup copied over the file, as people do it with the program stopped, or, in
 * rollback mode, between two transactions: no lock is held, no counter moves on.
 */
static void restore_copy(struct work *w)
{
	char copy[200];
	int keep_open = !is_wal(w) && !w->set->mmap && roll(w, 2);

	(void)snprintf(copy, sizeof(copy), "%s.copy", w->dir.path);
	if (!keep_open)
		close_all(w);
	if (access(copy, F_OK) == 0 && roll(w, 3))
		copy_file(copy, w->dir.path);
	else
		copy_file(w->dir.path, copy);
	if (!keep_open)
		open_all(w);
	/* SQLite's own caches go by the counter. */
	for (int i = 0; i < TMEMS; i++)
		(void)sqlite3_db_release_memory(w->tmem[i]);
	if (w->plain)
		(void)sqlite3_db_release_memory(w->plain);
}

/* The backup API writes pages past SQLite's usual ways. */
static void backup_api(struct work *w)
{
	sqlite3 *from = roll(w, 2) ? peer_open(":memory:", NULL) : NULL;
	sqlite3 *to = somebody(w);
	sqlite3_backup *backup;
	int rc;

	if (from) {
		peer_exec(from,
			  "PRAGMA page_size=%lld; CREATE TABLE t(a "
			  "INTEGER PRIMARY KEY, b); CREATE INDEX i ON "
			  "t(b); WITH RECURSIVE c(x) AS (SELECT 1 UNION "
			  "ALL SELECT x+1 FROM c WHERE x<%u) INSERT INTO "
			  "t SELECT x, hex(randomblob(80)) FROM c",
			  (long long)peer_number(to, "PRAGMA page_size"),
			  200 + roll(w, ROWS));
	} else {
		from = to;
		to = peer_open(":memory:", NULL);
	}
	backup = sqlite3_backup_init(to, "main", from, "main");
	if (!backup)
		peer_fail("backup: %s", sqlite3_errmsg(to));
	do {
		rc = sqlite3_backup_step(backup, 1 + (int)roll(w, 100));
	} while (rc == SQLITE_OK);
	(void)sqlite3_backup_finish(backup);
	if (rc != SQLITE_DONE)
		peer_fail("backup: %s", sqlite3_errstr(rc));
	if (sqlite3_db_filename(to, "main") && *sqlite3_db_filename(to, "main"))
		peer_close(from);
	else
		peer_close(to);
}

/* Two databases in one transaction, one of them the other's attached. */
static void attach(struct work *w)
{
	sqlite3 *db = peer_open(":memory:", store_of(w));
	char sql[300];

	(void)snprintf(sql, sizeof(sql),
		       "ATTACH 'file:%s?vfs=tmem&tmem_store=%s' AS other",
		       w->dir.path, store_of(w));
	peer_exec(db, "%s", sql);
	peer_exec(db, "UPDATE other.t SET b='attached' WHERE a%%17=0");
	peer_close(db);
}

static void other_process(struct work *w)
{
	char sql[300];

	(void)snprintf(sql, sizeof(sql),
		       "UPDATE t SET b=hex(randomblob(40)) WHERE a%%%u=0;%s",
		       2 + roll(w, 60),
		       is_wal(w) && roll(w, 2) ? "PRAGMA wal_checkpoint;" : "");
	peer_shell(w->dir.path, sql);
}

static void reopen(struct work *w)
{
	if (roll(w, 2)) {
		close_all(w);
		if (roll(w, 2))
			other_process(w);
		open_all(w);
	} else {
		peer_close(w->tmem[1]);
		w->tmem[1] = open_one(w, 1);
	}
}

/* A reader keeps its snapshot while others change the file. */
static void snapshot(struct work *w)
{
	static const char sum[] =
		"SELECT sum(a*length(b)+unicode(b)) FROM t NOT INDEXED";
	int64_t before, after;

	if (!is_wal(w)) {
		change_rows(w, somebody(w), "COMMIT");
		return;
	}
	peer_exec(w->tmem[0], "BEGIN");
	before = peer_number(w->tmem[0], sum);
	for (unsigned i = roll(w, 4); i > 0; i--)
		change_rows(w, w->tmem[1], "COMMIT");
	peer_exec(w->tmem[1], "PRAGMA wal_checkpoint(PASSIVE)");
	(void)sqlite3_db_release_memory(w->tmem[0]);
	after = peer_number(w->tmem[0], sum);
	peer_exec(w->tmem[0], "COMMIT");
	if (before != after)
		peer_fail("a snapshot changed");
}

static void step(struct work *w)
{
	unsigned what = roll(w, 100);

	if (what < 40)
		change_rows(w, somebody(w), "COMMIT");
	/* Without a journal there is no way back. */
	else if (what < 50)
		change_rows(w, somebody(w),
			    strcmp(w->set->journal, "off") ? "ROLLBACK"
							   : "COMMIT");
	else if (what < 65)
		checkpoint(w, somebody(w));
	else if (what < 70)
		vacuum(w);
	else if (what < 75)
		restore_copy(w);
	else if (what < 80)
		backup_api(w);
	else if (what < 84)
		attach(w);
	else if (what < 89)
		other_process(w);
	else if (what < 94)
		snapshot(w);
	else
		reopen(w);
	(void)snprintf(w->last, sizeof(w->last), "%s, %d, after %u",
		       w->set->journal, w->set->page_size, what);
}

/* The fewer pages, the seldomer one is asked for again: a few steps may not do. */
static int is_enough(struct work *w, unsigned steps, unsigned done)
{
	if (done < steps)
		return 0;
	return w->set->mmap || done >= STEPS_LONG ||
	       w->hits + peer_count(w->tmem[0], "hits") > 0;
}

static int64_t run(struct work *w, unsigned steps)
{
	sqlite3 *db;

	db = peer_open(w->dir.path, NULL);
	peer_exec(db,
		  "PRAGMA page_size=%d; PRAGMA auto_vacuum=%d; "
		  "CREATE TABLE t(a INTEGER PRIMARY KEY, b); "
		  "CREATE INDEX i ON t(b); "
		  "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM "
		  "c WHERE x<%d) INSERT INTO t SELECT x, hex(randomblob(100)) "
		  "FROM c",
		  w->set->page_size, w->set->vacuum, ROWS);
	peer_close(db);
	open_all(w);
	w->hits = 0;
	for (unsigned i = 0; !is_enough(w, steps, i); i++) {
		step(w);
		for (int k = 0; k < TMEMS; k++)
			peer_same(w->tmem[k], w->dir.path, w->last);
	}
	close_all(w);
	peer_wipe(&w->dir);
	return w->hits;
}

int main(void)
{
	const char *slow = getenv("TMEM_TEST_LONG");
	unsigned steps = peer_victims() ? STEPS_VICTIMS : STEPS;
	struct work w = { .plain = NULL };

	if (access("/usr/bin/sqlite3", X_OK) < 0) {
		(void)puts("no sqlite3 shell");
		return 77;
	}
	w.rng.state = rng_seed("TMEM_TEST_SEED");
	if (slow && strcmp(slow, "1") == 0)
		steps = STEPS_LONG;
	peer_dir_init(&w.dir);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		int64_t hits;

		w.set = &settings[i];
		hits = run(&w, steps);
		(void)printf("%s, pages of %d, mmap %d: %lld hits\n",
			     w.set->journal, w.set->page_size, w.set->mmap,
			     (long long)hits);
		/* Else all of this tested nothing. */
		if (!hits && !w.set->mmap)
			peer_fail("the store was of no use");
	}
	peer_dir_finish(&w.dir);
	return 0;
}
