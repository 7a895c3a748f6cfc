/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-mixed.c - what test-states.c keeps fixed, changed under way by everybody at one
 * database: journal modes, locking modes, page sizes, mapped memory; savepoints and
 * statements taken back after pages were spilled; processes killed at any moment while
 * connections of "tmem" and of others stay open, so that anyone may find the journal;
 * readers that keep a snapshot over all of it. After each step, what every connection
 * of "tmem" sees is what the default VFS sees.
 *
 * Workers are other processes, told by a socket what SQL to run: one that has never
 * heard of "tmem", and one with a store of its own. Whoever finds the database locked
 * does without its step.
 *
 *	TMEM_TEST_SECONDS=600 TMEM_TEST_SEED=7 sqlite-mixed
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"
#include "peer.h"
#include "rng.h"

enum {
	OWN = 2,     /* connections of this process, by "tmem" */
	WORKERS = 2, /* processes: the default VFS, "tmem" */
	ACTORS = OWN + WORKERS,
	ROWS = 1200,
	SQL_MAX = 1000,
	BUSY_MS = 100,
	LIFE_US_MAX = 15000,
	STEPS_OF_A_SNAPSHOT = 6
};

#define RUN_NS (3ull * 1000000000)
#define RUN_MOST_NS (60ull * 1000000000)
#define STORE PEER_STORE_LARGE /* pages may become ones of 64 KiB */

struct worker {
	pid_t pid; /* 0: none */
	int fd;
};

struct work {
	struct peer_dir dir;
	struct rng rng;
	sqlite3 *own[OWN];
	struct worker workers[WORKERS];
	char *held; /* own[1]'s snapshot, dumped when it was taken; NULL: none */
	size_t held_bytes;
	unsigned held_steps;
	int64_t hits; /* of the file, so far */
	unsigned done, locked, killed, snapshots;
	char last[SQL_MAX + 16];
};

static unsigned roll(struct work *w, unsigned below)
{
	return (unsigned)rng_below(&w->rng, below);
}

/* ---- Workers ------------------------------------------------------------ */

static sqlite3 *open_one(const char *path, const char *store)
{
	sqlite3 *db = peer_open(path, store);

	(void)sqlite3_busy_timeout(db, BUSY_MS);
	return db;
}

static int is_locked(int rc)
{
	return rc == SQLITE_BUSY || rc == SQLITE_LOCKED;
}

/* Return: 1; 0 it is locked. In neither case a transaction is left open. */
static int run_sql(sqlite3 *db, const char *sql)
{
	int rc = peer_try(db, sql);

	/* A statement that was meant to fail. */
	if (rc == SQLITE_CONSTRAINT)
		rc = peer_try(db, strstr(sql, "/*then*/"));
	if (rc != SQLITE_OK && !is_locked(rc))
		peer_fail("%s: %s, %d", sql, sqlite3_errmsg(db),
			  sqlite3_extended_errcode(db));
	if (!sqlite3_get_autocommit(db) && !strstr(sql, "/*stay*/"))
		peer_exec(db, "ROLLBACK");
	return rc == SQLITE_OK;
}

/* argv: the socket, path, store or nothing. */
static int worker(char **argv)
{
	int fd = (int)strtol(argv[1], NULL, 10);
	char sql[SQL_MAX], done;
	sqlite3 *db;

	peer_register();
	db = open_one(argv[2], argv[3]);
	while (recv(fd, sql, sizeof(sql), 0) > 0) {
		done = (char)run_sql(db, sql);
		if (send(fd, &done, 1, 0) != 1)
			return 1;
	}
	peer_close(db);
	return 0;
}

static void hire(struct work *w, int i)
{
	char name[] = "test-mixed", number[16];
	char store[] = STORE;
	char *argv[5] = { name, number, w->dir.path, i ? store : NULL, NULL };
	struct worker *worker = &w->workers[i];
	int fds[2];

	/* Else a worker hired later keeps this one from seeing its end. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) < 0 ||
	    fcntl(fds[0], F_SETFD, FD_CLOEXEC) < 0)
		peer_fail("socketpair");
	(void)snprintf(number, sizeof(number), "%d", fds[1]);
	worker->pid = fork();
	if (worker->pid < 0)
		peer_fail("fork");
	if (!worker->pid) {
		(void)close(fds[0]);
		(void)execv("/proc/self/exe", argv);
		_exit(1);
	}
	(void)close(fds[1]);
	worker->fd = fds[0];
}

static void tell(struct work *w, int i, const char *sql)
{
	if (!w->workers[i].pid)
		hire(w, i);
	if (send(w->workers[i].fd, sql, strlen(sql) + 1, MSG_NOSIGNAL) < 0)
		peer_fail("a worker is gone");
}

/* Return: run_sql()'s. */
static int answer(struct work *w, int i)
{
	char done;

	if (recv(w->workers[i].fd, &done, 1, 0) != 1)
		peer_fail("a worker failed: %s", w->last);
	return done;
}

/* @sig: 0: it ends in order. */
static void dismiss(struct work *w, int i, int sig)
{
	struct worker *worker = &w->workers[i];
	int status;

	if (!worker->pid)
		return;
	if (sig)
		(void)kill(worker->pid, sig);
	(void)close(worker->fd);
	(void)waitpid(worker->pid, &status, 0);
	if (!sig && status)
		peer_fail("a worker failed: %s", w->last);
	worker->pid = 0;
}

/* ---- Actors ------------------------------------------------------------- */

static void open_own(struct work *w)
{
	for (int i = 0; i < OWN; i++) {
		if (!w->own[i])
			w->own[i] = open_one(w->dir.path, STORE);
	}
}

static void close_own(struct work *w, int i)
{
	if (!w->own[i])
		return;
	w->hits = peer_count(w->own[i], "hits");
	peer_close(w->own[i]);
	w->own[i] = NULL;
}

static int is_held(const struct work *w, int actor)
{
	return actor == 1 && w->held;
}

/* Any but one that keeps a snapshot, or is closed. */
static int somebody(struct work *w)
{
	int actor;

	do {
		actor = (int)roll(w, ACTORS);
	} while (is_held(w, actor) || (actor < OWN && !w->own[actor]));
	return actor;
}

static int act(struct work *w, int actor, const char *sql)
{
	int done;

	(void)snprintf(w->last, sizeof(w->last), "%d: %s", actor, sql);
	if (actor < OWN) {
		done = run_sql(w->own[actor], sql);
	} else {
		tell(w, actor - OWN, sql);
		done = answer(w, actor - OWN);
	}
	w->done += (unsigned)done;
	w->locked += (unsigned)!done;
	return done;
}

/* ---- Steps -------------------------------------------------------------- */

/* Changes of many pages: more than the page cache of ten holds. */
static void some_change(struct work *w, char *ret, size_t room)
{
	unsigned from = roll(w, ROWS), many = 1 + roll(w, 400);

	switch (roll(w, 5)) {
	case 0:
		(void)snprintf(ret, room,
			       "UPDATE t SET b=hex(randomblob(%u)) WHERE a "
			       "BETWEEN %u AND %u;",
			       1 + roll(w, 300), from, from + many);
		break;
	case 1:
		(void)snprintf(ret, room,
			       "DELETE FROM t WHERE a BETWEEN %u AND %u;", from,
			       from + many / 2);
		break;
	case 2:
		(void)snprintf(ret, room,
			       "WITH RECURSIVE c(x) AS (SELECT %u UNION ALL "
			       "SELECT x+1 FROM c WHERE x<%u) INSERT OR "
			       "REPLACE INTO t SELECT x, hex(randomblob(%u)) "
			       "FROM c;",
			       from, from + many, 1 + roll(w, 300));
		break;
	case 3:
		(void)snprintf(ret, room,
			       "DROP TABLE IF EXISTS u; CREATE TABLE u AS SELECT "
			       "* FROM t WHERE a%%%u=0;",
			       1 + roll(w, 5));
		break;
	default:
		(void)snprintf(ret, room, "UPDATE t SET b='%u' WHERE a%%%u=0;",
			       roll(w, 1000), 2 + roll(w, 50));
		break;
	}
}

/* A transaction, parts of which are taken back. */
static void change(struct work *w)
{
	static const char *const ends[] = { "COMMIT", "COMMIT", "COMMIT",
					    "ROLLBACK" };
	char one[300], two[300], three[300], sql[SQL_MAX];

	some_change(w, one, sizeof(one));
	some_change(w, two, sizeof(two));
	some_change(w, three, sizeof(three));
	switch (roll(w, 4)) {
	case 0:
		(void)snprintf(sql, sizeof(sql),
			       "BEGIN; %s SAVEPOINT a; %s SAVEPOINT b; %s "
			       "ROLLBACK TO %s; SELECT sum(length(b)) FROM t; "
			       "%s",
			       one, two, three, roll(w, 2) ? "a" : "b",
			       ends[roll(w, 4)]);
		break;
	case 1: /* a statement that fails at its last row */
		(void)snprintf(sql, sizeof(sql),
			       "INSERT OR IGNORE INTO t VALUES(%d, 'last'); "
			       "BEGIN; %s UPDATE t SET b=hex(b), a=CASE a WHEN "
			       "%d THEN %d ELSE a END WHERE a>=%u; /*then*/ %s "
			       "SELECT sum(length(b)) FROM t; %s",
			       ROWS, one, ROWS, -1, roll(w, ROWS), two,
			       ends[roll(w, 4)]);
		break;
	default:
		(void)snprintf(
			sql, sizeof(sql),
			"BEGIN %s; %s SELECT sum(length(b)) FROM t; %s %s",
			roll(w, 2) ? "IMMEDIATE" : "", one, two,
			ends[roll(w, 4)]);
		break;
	}
	(void)act(w, somebody(w), sql);
}

static void checkpoint(struct work *w)
{
	static const char *const modes[] = { "PASSIVE", "FULL", "RESTART",
					     "TRUNCATE" };
	char sql[80];

	(void)snprintf(sql, sizeof(sql), "PRAGMA wal_checkpoint(%s)",
		       modes[roll(w, 4)]);
	(void)act(w, somebody(w), sql);
}

/* All others are closed, or the mode cannot be changed; now and then they are not. */
static int alone(struct work *w)
{
	int actor = somebody(w);

	if (w->held || !roll(w, 4))
		return actor;
	for (int i = 0; i < OWN; i++) {
		if (i != actor)
			close_own(w, i);
	}
	for (int i = 0; i < WORKERS; i++) {
		if (i != actor - OWN)
			dismiss(w, i, 0);
	}
	return actor;
}

static void change_journal(struct work *w)
{
	/* Without a journal on a disk there is no way back from a crash. */
	static const char *const modes[] = { "DELETE", "WAL", "TRUNCATE", "WAL",
					     "PERSIST" };
	char sql[80];

	(void)snprintf(sql, sizeof(sql), "PRAGMA journal_mode=%s",
		       modes[roll(w, 5)]);
	(void)act(w, alone(w), sql);
	open_own(w);
}

/* The log's index may be in private memory then, or not. */
static void be_exclusive(struct work *w)
{
	int actor = alone(w);
	char one[300], sql[SQL_MAX];

	some_change(w, one, sizeof(one));
	(void)snprintf(sql, sizeof(sql),
		       "%s PRAGMA locking_mode=EXCLUSIVE; %s SELECT "
		       "sum(length(b)) FROM t; %s SELECT sum(length(b)) FROM t",
		       roll(w, 2) ? "SELECT sum(length(b)) FROM t;" : "", one,
		       roll(w, 2) ? "PRAGMA wal_checkpoint;"
				  : "PRAGMA journal_mode=DELETE;");
	(void)act(w, actor, sql);
	/* Leaves at the next read, but for a log in private memory. */
	(void)act(w, actor,
		  "PRAGMA locking_mode=NORMAL; SELECT count(*) FROM t");
	if (actor < OWN)
		close_own(w, actor);
	else
		dismiss(w, actor - OWN, 0);
	open_own(w);
}

static void vacuum(struct work *w)
{
	char sql[120];

	(void)snprintf(sql, sizeof(sql),
		       "PRAGMA page_size=%d; PRAGMA auto_vacuum=%u; VACUUM",
		       512 << roll(w, 8), roll(w, 3));
	(void)act(w, somebody(w), sql);
}

static void map(struct work *w)
{
	char sql[80];

	(void)snprintf(sql, sizeof(sql), "PRAGMA mmap_size=%u",
		       roll(w, 3) ? 0 : 100000 * roll(w, 20));
	(void)act(w, somebody(w), sql);
}

/* In the middle of a transaction that has spilled, or wherever it is by now. */
static void crash(struct work *w)
{
	struct timespec life = { .tv_nsec = roll(w, LIFE_US_MAX) * 1000 };
	char one[300], two[300], sql[SQL_MAX];
	int i = (int)roll(w, WORKERS);

	some_change(w, one, sizeof(one));
	some_change(w, two, sizeof(two));
	if (!w->workers[i].pid)
		hire(w, i);
	(void)snprintf(sql, sizeof(sql),
		       "PRAGMA journal_mode; BEGIN; %s %s /*stay*/ %s %s", one,
		       two, roll(w, 2) ? "COMMIT;" : "",
		       roll(w, 2) ? "PRAGMA wal_checkpoint;" : "");
	(void)snprintf(w->last, sizeof(w->last), "killed: %s", sql);
	tell(w, i, sql);
	if (roll(w, 2))
		(void)answer(w, i);
	else
		(void)nanosleep(&life, NULL);
	dismiss(w, i, SIGKILL);
	w->killed++;
}

static void reopen(struct work *w)
{
	int actor = somebody(w);

	if (actor < OWN)
		close_own(w, actor);
	else
		dismiss(w, actor - OWN, 0);
	if (roll(w, 2))
		change(w);
	open_own(w);
}

/* ---- Snapshots ---------------------------------------------------------- */

static char *dump_in_transaction(sqlite3 *db, size_t *ret_bytes)
{
	static const char sql[] = "SELECT count(*), sum(a*length(b)), "
				  "sum(a*unicode(b)), max(b) FROM t NOT INDEXED";
	sqlite3_stmt *stmt;
	char *text;

	(void)sqlite3_db_release_memory(db);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK ||
	    sqlite3_step(stmt) != SQLITE_ROW)
		peer_fail("snapshot: %s", sqlite3_errmsg(db));
	text = sqlite3_mprintf("%lld %lld %lld %s",
			       sqlite3_column_int64(stmt, 0),
			       sqlite3_column_int64(stmt, 1),
			       sqlite3_column_int64(stmt, 2),
			       sqlite3_column_text(stmt, 3));
	(void)sqlite3_finalize(stmt);
	*ret_bytes = strlen(text);
	return text;
}

static void compare_snapshot(struct work *w)
{
	size_t bytes;
	char *now = dump_in_transaction(w->own[1], &bytes);

	if (bytes != w->held_bytes || memcmp(now, w->held, bytes) != 0)
		peer_fail("a snapshot changed: %s", w->last);
	sqlite3_free(now);
	if (++w->held_steps < STEPS_OF_A_SNAPSHOT)
		return;
	peer_exec(w->own[1], "COMMIT");
	sqlite3_free(w->held);
	w->held = NULL;
	w->held_steps = 0;
	w->snapshots++;
}

static void snapshot(struct work *w)
{
	/* With another journal a reader keeps all others from finding it. */
	if (w->held || peer_number(w->own[1], "SELECT journal_mode='wal' FROM "
					      "pragma_journal_mode") != 1)
		return;
	peer_exec(w->own[1], "BEGIN");
	w->held = dump_in_transaction(w->own[1], &w->held_bytes);
}

/* ---- A run -------------------------------------------------------------- */

static void step(struct work *w)
{
	unsigned what = roll(w, 100);

	if (what < 45)
		change(w);
	else if (what < 57)
		checkpoint(w);
	else if (what < 65)
		change_journal(w);
	else if (what < 70)
		be_exclusive(w);
	else if (what < 75)
		vacuum(w);
	else if (what < 79)
		map(w);
	else if (what < 90)
		crash(w);
	else if (what < 95)
		snapshot(w);
	else
		reopen(w);
}

static void compare(struct work *w)
{
	/* The journal that the dead have left is anybody's to find. */
	int first = (int)roll(w, 3);

	if (first == 2)
		(void)act(w, somebody(w), "SELECT count(*) FROM t");
	for (int i = 0; i < OWN; i++) {
		int own = (first + i) % OWN;

		if (is_held(w, own))
			compare_snapshot(w);
		else
			peer_same(w->own[own], w->dir.path, w->last);
	}
}

int main(int argc, char **argv)
{
	static struct work w;
	uint64_t until;

	if (argc > 1)
		return worker(argv);
	w.rng.state = rng_seed("TMEM_TEST_SEED");
	until = machine_now_ns() +
		rng_setting("TMEM_TEST_SECONDS", RUN_NS / 1000000000) *
			1000000000;
	peer_dir_init(&w.dir);
	open_own(&w);
	peer_exec(w.own[0],
		  "CREATE TABLE t(a INTEGER PRIMARY KEY CHECK(a>=0), b); CREATE "
		  "INDEX i ON t(b); WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL "
		  "SELECT x+1 FROM c WHERE x<%d) INSERT INTO t SELECT x, "
		  "hex(randomblob(100)) FROM c",
		  ROWS);
	/* On a machine that is too slow for that, until enough was tested. */
	while (machine_now_ns() < until ||
	       ((!w.done || !w.killed) &&
		machine_now_ns() < until + RUN_MOST_NS)) {
		step(&w);
		compare(&w);
	}
	if (w.held)
		peer_exec(w.own[1], "COMMIT");
	sqlite3_free(w.held);
	for (int i = 0; i < OWN; i++)
		close_own(&w, i);
	for (int i = 0; i < WORKERS; i++)
		dismiss(&w, i, 0);
	(void)printf("%u done, %u found it locked, %u killed, %u snapshots, "
		     "%lld hits\n",
		     w.done, w.locked, w.killed, w.snapshots, (long long)w.hits);
	if (!w.hits || !w.done || !w.killed)
		peer_fail("hardly anything was tested");
	peer_dir_finish(&w.dir);
	return 0;
}
