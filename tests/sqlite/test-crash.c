/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-crash.c - processes killed amid commits and checkpoints, thousands of times in
 * the slow form: a connection of "tmem" that saw it all happen sees what the file
 * holds, and nothing committed is lost.
 *
 * The victim writes by "tmem" or by the default VFS, and says by a pipe what it has
 * committed before it dies.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "peer.h"
#include "rng.h"

enum {
	ROWS = 800,
	ROUNDS = 25,
	ROUNDS_VICTIMS = 10,
	ROUNDS_LONG = 1500,
	LIFE_US_MAX = 20000
};

/* argv: seed, path, store or nothing. */
static int victim(char **argv)
{
	struct rng rng = { strtoull(argv[1], NULL, 10) };
	sqlite3 *db;

	peer_register();
	db = peer_open(argv[2], argv[3]);

	peer_exec(db, "PRAGMA wal_autocheckpoint=50");
	for (;;) {
		int64_t done;

		peer_exec(db,
			  "BEGIN IMMEDIATE; UPDATE done SET n=n+1; "
			  "UPDATE t SET b=randomblob(%u) WHERE a%%%u=0; COMMIT",
			  50 + (unsigned)rng_below(&rng, 200),
			  2 + (unsigned)rng_below(&rng, 30));
		done = peer_number(db, "SELECT n FROM done");
		if (write(STDOUT_FILENO, &done, sizeof(done)) != sizeof(done))
			return 1;
	}
}

/* What the victim had committed at least, or 0. */
static int64_t kill_one(const char *path, const char *store, struct rng *rng)
{
	struct timespec life = {
		.tv_nsec = (long)rng_below(rng, LIFE_US_MAX) * 1000,
	};
	char name[] = "test-crash", seed[32],
	     *argv[5] = { name, seed, (char *)path, (char *)store, NULL };
	int64_t done, last = 0;
	int pipes[2];
	pid_t child;

	(void)snprintf(seed, sizeof(seed), "%llu",
		       (unsigned long long)rng_next(rng));
	if (pipe(pipes) < 0)
		peer_fail("pipe");
	child = fork();
	if (child < 0)
		peer_fail("fork");
	if (!child) {
		/* Locks of the witness are none of a new program's. */
		(void)dup2(pipes[1], STDOUT_FILENO);
		(void)close(pipes[0]);
		(void)close(pipes[1]);
		(void)execv("/proc/self/exe", argv);
		_exit(1);
	}
	(void)close(pipes[1]);
	/* Its life counts from its first commit. */
	if (read(pipes[0], &done, sizeof(done)) == sizeof(done))
		last = done;
	else
		peer_fail("the victim did not live");
	(void)nanosleep(&life, NULL);
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	while (read(pipes[0], &done, sizeof(done)) == sizeof(done))
		last = done;
	(void)close(pipes[0]);
	return last;
}

static void run(const struct peer_dir *d, const char *journal, int rounds,
		struct rng *rng)
{
	sqlite3 *db = peer_open(d->path, NULL), *witness;
	int64_t last, seen;

	peer_exec(db,
		  "PRAGMA journal_mode=%s; CREATE TABLE done(n); "
		  "INSERT INTO done VALUES(0); "
		  "CREATE TABLE t(a INTEGER PRIMARY KEY, b); WITH RECURSIVE "
		  "c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<%d) "
		  "INSERT INTO t SELECT x, randomblob(150) FROM c; "
		  "CREATE INDEX i ON t(b)",
		  journal, ROWS);
	peer_close(db);
	witness = peer_open(d->path, PEER_STORE);
	peer_exec(witness, "PRAGMA journal_mode=%s", journal);
	for (int i = 0; i < rounds; i++) {
		peer_same(witness, d->path, journal);
		last = kill_one(d->path, i % 2 ? PEER_STORE : NULL, rng);
		/* First the witness, half of the time: it rolls back. */
		if (i % 3)
			peer_same(witness, d->path, journal);
		seen = peer_number(witness, "SELECT n FROM done");
		if (seen < last || seen > last + 1)
			peer_fail("%s: %lld commits, %lld are there", journal,
				  (long long)last, (long long)seen);
	}
	peer_same(witness, d->path, journal);
	(void)printf("%s: %d killed, %lld hits\n", journal, rounds,
		     (long long)peer_count(witness, "hits"));
	if (!peer_count(witness, "hits"))
		peer_fail("%s: the store was of no use", journal);
	peer_close(witness);
	peer_wipe(d);
}

int main(int argc, char **argv)
{
	static const char *const journals[] = { "wal", "delete", "truncate",
						"persist" };
	const char *slow = getenv("TMEM_TEST_LONG");
	int rounds = peer_victims() ? ROUNDS_VICTIMS : ROUNDS;
	struct rng rng;
	struct peer_dir d;

	if (argc > 1)
		return victim(argv);
	if (slow && strcmp(slow, "1") == 0)
		rounds = (int)rng_setting("TMEM_TEST_ROUNDS", ROUNDS_LONG);
	rng.state = rng_seed("TMEM_TEST_SEED");
	peer_dir_init(&d);
	for (size_t i = 0; i < sizeof(journals) / sizeof(journals[0]); i++)
		run(&d, journals[i], rounds, &rng);
	peer_dir_finish(&d);
	return 0;
}
