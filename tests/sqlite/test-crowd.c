/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-crowd.c - processes and threads at one database at once: each transaction
 * moves amounts between rows all over the file, so that what a reader adds up is
 * always the same, unless one of its pages is of another moment.
 *
 * Processes with "tmem", with the default VFS; threads that share a store; every
 * one of them writes, reads and checkpoints.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"
#include "peer.h"
#include "rng.h"

enum {
	ROWS = 3000,
	EACH = 1000,
	THREADS = 3,
	PROCESSES = 3, /* the last one has the default VFS */
	BUSY_MS = 60000
};

#define RUN_NS (4ull * 1000000000)
#define RUN_VICTIMS_NS (2ull * 1000000000)
#define RUN_LONG_NS (120ull * 1000000000)

#define NO_HITS 3 /* an exit code */

struct member {
	const char *path, *journal;
	const char *store; /* NULL: the default VFS */
	uint64_t seed, until_ns;
	int64_t hits, sums;
};

/* BUSY is an answer: in rollback mode two readers that want to write. */
static void transact(sqlite3 *db, struct rng *rng)
{
	sqlite3_stmt *stmt;

	if (peer_try(db, "BEGIN IMMEDIATE") != SQLITE_OK)
		return;
	if (sqlite3_prepare_v2(db,
			       "UPDATE t SET n=n+?2, pad=randomblob(?3) WHERE "
			       "a=?1",
			       -1, &stmt, NULL) != SQLITE_OK)
		peer_fail("prepare: %s", sqlite3_errmsg(db));
	for (int i = 0; i < 20; i++) {
		int by = i % 2 ? -7 : 7;

		(void)sqlite3_bind_int(stmt, 1, (int)rng_below(rng, ROWS));
		(void)sqlite3_bind_int(stmt, 2, by);
		(void)sqlite3_bind_int(stmt, 3, 40 + (int)rng_below(rng, 80));
		if (sqlite3_step(stmt) != SQLITE_DONE)
			peer_fail("update: %s", sqlite3_errmsg(db));
		(void)sqlite3_reset(stmt);
	}
	(void)sqlite3_finalize(stmt);
	if (rng_below(rng, 8) == 0 || peer_try(db, "COMMIT") != SQLITE_OK)
		(void)peer_try(db, "ROLLBACK");
}

/* Rows and the index are on different pages; both have the sum. */
static void add_up(sqlite3 *db, struct member *m)
{
	int64_t sum, by_index;

	peer_exec(db, "BEGIN");
	sum = peer_number(db, "SELECT sum(n) FROM t NOT INDEXED");
	by_index = peer_number(db, "SELECT sum(n) FROM t INDEXED BY i");
	peer_exec(db, "COMMIT");
	if (sum != (int64_t)ROWS * EACH || by_index != sum)
		peer_fail("%s, %s: the sum is %lld, by index %lld", m->journal,
			  m->store ? "tmem" : "default", (long long)sum,
			  (long long)by_index);
	m->sums++;
}

static void *work(void *arg)
{
	static const char *const checkpoints[] = {
		"PRAGMA wal_checkpoint(PASSIVE)",
		"PRAGMA wal_checkpoint(FULL)",
		"PRAGMA wal_checkpoint(RESTART)",
		"PRAGMA wal_checkpoint(TRUNCATE)",
	};
	struct member *m = arg;
	struct rng rng = { m->seed };
	sqlite3 *db = peer_open(m->path, m->store);

	peer_exec(db, "PRAGMA wal_autocheckpoint=200");
	do {
		unsigned what = (unsigned)rng_below(&rng, 100);

		if (what < 60) {
			add_up(db, m);
		} else if (what < 95) {
			transact(db, &rng);
		} else if (what < 98) {
			(void)peer_try(db, checkpoints[rng_below(&rng, 4)]);
		} else {
			m->hits += m->store ? peer_count(db, "hits") : 0;
			peer_close(db);
			db = peer_open(m->path, m->store);
		}
	} while (machine_now_ns() < m->until_ns);
	m->hits += m->store ? peer_count(db, "hits") : 0;
	peer_close(db);
	return NULL;
}

/* A process: threads of its own, one of them by the default VFS. It exits with 0,
 * or NO_HITS. */
static void process(struct member base)
{
	struct member members[THREADS];
	pthread_t threads[THREADS];
	int64_t hits = 0, sums = 0;

	for (int i = 0; i < THREADS; i++) {
		members[i] = base;
		members[i].seed += (uint64_t)i;
		if (i == THREADS - 1)
			members[i].store = NULL;
		if (pthread_create(&threads[i], NULL, work, &members[i]))
			peer_fail("no thread");
	}
	for (int i = 0; i < THREADS; i++) {
		(void)pthread_join(threads[i], NULL);
		hits += members[i].hits;
		sums += members[i].sums;
	}
	(void)printf("%s: %lld sums, %lld hits\n", base.journal,
		     (long long)sums, (long long)hits);
	exit(hits ? 0 : NO_HITS);
}

/* In a process of its own: a store's threads do not go along into a fork. */
static void look_back(const struct peer_dir *d, const char *journal)
{
	sqlite3 *db = peer_open(d->path, PEER_STORE);

	peer_same(db, d->path, journal);
	peer_close(db);
	exit(0);
}

static void run(const struct peer_dir *d, const char *journal, uint64_t ns,
		struct rng *rng)
{
	struct member base = {
		.path = d->path,
		.journal = journal,
		.until_ns = machine_now_ns() + ns,
	};
	sqlite3 *db = peer_open(d->path, NULL);
	pid_t child[PROCESSES];
	int status, failed = 0, useful = 0;

	peer_exec(db,
		  "PRAGMA journal_mode=%s; CREATE TABLE t(a INTEGER PRIMARY "
		  "KEY, n, pad); WITH RECURSIVE c(x) AS (SELECT 0 UNION ALL "
		  "SELECT x+1 FROM c WHERE x<%d) INSERT INTO t SELECT x, %d, "
		  "randomblob(80) FROM c; CREATE INDEX i ON t(n, pad)",
		  journal, ROWS - 1, EACH);
	peer_close(db);
	for (int i = 0; i < PROCESSES; i++) {
		base.seed = rng_next(rng);
		base.store = i < PROCESSES - 1 ? PEER_STORE : NULL;
		(void)fflush(stdout);
		child[i] = fork();
		if (child[i] < 0)
			peer_fail("fork");
		if (!child[i])
			process(base);
	}
	for (int i = 0; i < PROCESSES; i++) {
		failed |=
			waitpid(child[i], &status, 0) != child[i] ||
			!WIFEXITED(status) ||
			(WEXITSTATUS(status) && WEXITSTATUS(status) != NO_HITS);
		useful |= !status;
	}
	if (failed)
		peer_fail("%s: a process failed", journal);
	/* One that got no turn, as on a slow machine, may have none. */
	if (!useful)
		peer_fail("%s: the store was of no use", journal);
	(void)fflush(stdout);
	child[0] = fork();
	if (!child[0])
		look_back(d, journal);
	if (child[0] < 0 || waitpid(child[0], &status, 0) != child[0] || status)
		peer_fail("%s: the file", journal);
	peer_wipe(d);
}

int main(void)
{
	static const char *const journals[] = { "wal", "delete", "truncate",
						"persist" };
	const char *slow = getenv("TMEM_TEST_LONG");
	uint64_t ns = peer_victims() ? RUN_VICTIMS_NS : RUN_NS;
	struct rng rng = { rng_seed("TMEM_TEST_SEED") };
	struct peer_dir d;

	if (slow && strcmp(slow, "1") == 0)
		ns = RUN_LONG_NS;
	peer_dir_init(&d);
	for (size_t i = 0; i < sizeof(journals) / sizeof(journals[0]); i++)
		run(&d, journals[i], ns, &rng);
	peer_dir_finish(&d);
	return 0;
}
