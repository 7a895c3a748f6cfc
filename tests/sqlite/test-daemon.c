/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-daemon.c - databases whose store is a lease of a real tmemd: refused, frozen,
 * revoked, killed in the middle, back again. SQLite never sees any of it: dumps are
 * what the default VFS gives, all through.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon.h"
#include "machine.h"
#include "peer.h"
#include "rng.h"
#include "unit.h"

#define MIB (1ull << 20)
#define ROWS 22000 /* of 1 KiB that does not compress: 30 MiB */

static struct daemon d;
static struct peer_dir dir;
static struct rng rng;

static sqlite3 *open_db(void)
{
	char store[200];
	sqlite3 *db;

	(void)snprintf(store, sizeof(store), "%s&tmem_admit=all", d.where);
	db = peer_open(dir.path, store);
	return db;
}

static int begin(void **state)
{
	sqlite3 *db;

	(void)state;
	daemon_init(&d);
	peer_dir_init(&dir);
	db = peer_open(dir.path, NULL);
	peer_exec(db,
		  "CREATE TABLE t(a INTEGER PRIMARY KEY, b); WITH RECURSIVE "
		  "c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<%d) "
		  "INSERT INTO t SELECT x, randomblob(1024) FROM c",
		  ROWS);
	peer_close(db);
	return 0;
}

/* A session that has seen a daemon die belongs to that one's socket: each part has
 * a daemon, and so a store, of its own. */
static int end(void **state)
{
	(void)state;
	if (d.pid)
		daemon_stop(&d);
	daemon_finish(&d);
	peer_dir_finish(&dir);
	return 0;
}

/* Some of everything, and then all of it read. */
static void work(sqlite3 *db, const char *when)
{
	for (int i = 0; i < 20; i++) {
		peer_exec(db, "UPDATE t SET b=randomblob(%u) WHERE a=%u",
			  900 + (unsigned)rng_below(&rng, 200),
			  (unsigned)rng_below(&rng, ROWS));
		(void)peer_number(db,
				  "SELECT sum(length(b)) FROM t WHERE a%7=0");
	}
	peer_same(db, dir.path, when);
}

static int64_t grown(sqlite3 *db, const char *name, const char *when)
{
	int64_t before = peer_count(db, name);

	work(db, when);
	return peer_count(db, name) - before;
}

static void revoked(void **state)
{
	uint64_t until = machine_now_ns() + 2 * DAEMON_PATIENCE_NS;
	sqlite3 *db;

	(void)state;
	daemon_configure(&d, "budget = 64M\n");
	daemon_start(&d);
	db = open_db();
	work(db, "leased");
	assert_true(grown(db, "hits", "leased, again") > 0);
	/* What a daemon that gets no turn has not lent yet is put the next time. */
	while (daemon_lent(&d) <= 20 * MIB) {
		assert_true(machine_now_ns() < until);
		work(db, "leased, and again");
	}
	daemon_reload(&d, "budget = 16M\n", "configuration read");
	assert_true(daemon_lent(&d) <= 16 * MIB);
	work(db, "revoked");
	daemon_reload(&d, "budget = 64M\n", "configuration read");
	work(db, "lent again");
	assert_true(grown(db, "hits", "lent again, again") > 0);
	peer_close(db);
}

static void frozen(void **state)
{
	uint64_t until = machine_now_ns() + DAEMON_PATIENCE_NS;
	sqlite3 *db;

	(void)state;
	daemon_configure(&d, "budget = 64M\n");
	daemon_start(&d);
	db = open_db();
	work(db, "leased");
	daemon_reload(&d, "budget = 64M\nfrozen = yes\n", "configuration read");
	/* The client hears of it at its own pace. */
	while (!grown(db, "refused", "frozen"))
		assert_true(machine_now_ns() < until);
	assert_true(grown(db, "hits", "frozen, again") > 0);
	peer_close(db);
}

/* It has never lent anything. */
static void refused(void **state)
{
	sqlite3 *db;

	(void)state;
	daemon_configure(&d, "budget = 64M\nfrozen = yes\n");
	daemon_start(&d);
	db = open_db();
	assert_true(grown(db, "refused", "refused") > 0);
	assert_int_equal(peer_count(db, "stored"), 0);
	peer_close(db);
}

static void killed(void **state)
{
	sqlite3 *db;

	(void)state;
	daemon_configure(&d, "budget = 64M\n");
	daemon_start(&d);
	db = open_db();
	work(db, "leased");
	peer_exec(db, "BEGIN IMMEDIATE; UPDATE t SET b=zeroblob(1024) WHERE "
		      "a%%9=0");
	daemon_kill(&d);
	peer_exec(db, "UPDATE t SET b=zeroblob(1000) WHERE a%%9=1; COMMIT");
	work(db, "killed");
	peer_close(db);
	db = open_db();
	work(db, "killed, opened again");
	daemon_start(&d);
	work(db, "back");
	work(db, "back, again");
	peer_close(db);
}

/* The whole machine is slow, but nobody waits for a daemon that does not answer. */
static void stopped(void **state)
{
	sqlite3 *db;

	(void)state;
	daemon_configure(&d, "budget = 64M\n");
	daemon_start(&d);
	db = open_db();
	work(db, "leased");
	daemon_signal(&d, SIGSTOP);
	work(db, "stopped");
	daemon_signal(&d, SIGCONT);
	work(db, "goes on");
	peer_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(revoked, begin, end),
		cmocka_unit_test_setup_teardown(frozen, begin, end),
		cmocka_unit_test_setup_teardown(refused, begin, end),
		cmocka_unit_test_setup_teardown(killed, begin, end),
		cmocka_unit_test_setup_teardown(stopped, begin, end),
	};

	if (!daemon_exists()) {
		(void)puts("no tmemd");
		return 77;
	}
	rng.state = rng_seed("TMEM_TEST_SEED");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
