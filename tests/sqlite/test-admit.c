/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-admit.c - when the store is asked: not while the page cache answers as fast,
 * whatever the store has; again once a disk is what answers. A VFS below ours takes
 * as long as a disk when it is told to.
 */
#include <stdio.h>
#include <stdlib.h>

#include "machine.h"
#include "peer.h"
#include "rng.h"

enum {
	ROWS = 8000,
	ROUNDS = 16000, /* reads: some windows of the verdict */
	DISK_NS = 40000
};

#define STORE "embedded:size=16M"

static struct {
	sqlite3_vfs base;
	sqlite3_vfs *real;
	sqlite3_io_methods methods;
	const sqlite3_io_methods *real_methods;
	int slow;
} disk;

static int disk_read(sqlite3_file *file, void *page, int bytes,
		     sqlite3_int64 offset)
{
	uint64_t until = machine_now_ns() + DISK_NS;

	while (disk.slow && machine_now_ns() < until)
		;
	return disk.real_methods->xRead(file, page, bytes, offset);
}

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file,
		     int flags, int *ret_flags)
{
	int rc = disk.real->xOpen(disk.real, name, file, flags, ret_flags);

	(void)vfs;
	if (rc == SQLITE_OK && flags & SQLITE_OPEN_MAIN_DB) {
		disk.real_methods = file->pMethods;
		disk.methods = *file->pMethods;
		disk.methods.xRead = disk_read;
		file->pMethods = &disk.methods;
	}
	return rc;
}

static void disk_register(void)
{
	(void)sqlite3_initialize();
	disk.real = sqlite3_vfs_find(NULL);
	disk.base = *disk.real;
	disk.base.pNext = NULL;
	disk.base.zName = "disk";
	disk.base.xOpen = disk_open;
	if (sqlite3_vfs_register(&disk.base, 1) != SQLITE_OK)
		peer_fail("the VFS below does not register");
}

static void read_some(sqlite3 *db, struct rng *rng)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(db, "SELECT b FROM t WHERE a=?1", -1, &stmt,
			       NULL) != SQLITE_OK)
		peer_fail("prepare: %s", sqlite3_errmsg(db));
	for (int i = 0; i < ROUNDS; i++) {
		(void)sqlite3_bind_int64(stmt, 1, (int64_t)rng_below(rng, ROWS));
		if (sqlite3_step(stmt) != SQLITE_ROW)
			peer_fail("read: %s", sqlite3_errmsg(db));
		(void)sqlite3_reset(stmt);
	}
	(void)sqlite3_finalize(stmt);
}

/* How much a figure grows by reading. */
static int64_t grown(sqlite3 *db, struct rng *rng, const char *name)
{
	int64_t before = peer_count(db, name);

	read_some(db, rng);
	return peer_count(db, name) - before;
}

/* Verdicts rest on times, which others on the machine spoil: what holds for good
 * comes about in one of so many rounds. */
#define PATIENCE 10

static int comes_to(sqlite3 *db, struct rng *rng, const char *name,
		    int64_t least)
{
	unsigned i;

	for (i = 0; i < PATIENCE; i++)
		if (grown(db, rng, name) >= least)
			return 1;
	return 0;
}

int main(void)
{
	struct rng rng = { rng_seed("TMEM_TEST_SEED") };
	struct peer_dir d;
	sqlite3 *db;

	disk_register();
	peer_dir_init(&d);
	db = peer_open(d.path, NULL);
	peer_exec(db,
		  "CREATE TABLE t(a INTEGER PRIMARY KEY, b); WITH RECURSIVE "
		  "c(x) AS (SELECT 0 UNION ALL SELECT x+1 FROM c WHERE x<%d) "
		  "INSERT INTO t SELECT x, hex(randomblob(200)) FROM c",
		  ROWS);
	peer_close(db);

	/* A disk: everything is offered, and then comes from the store. */
	disk.slow = 1;
	db = peer_open(d.path, STORE);
	read_some(db, &rng);
	if (!comes_to(db, &rng, "hits", ROUNDS * 9 / 10))
		peer_fail("on a disk the store is of no use");
	if (peer_count(db, "idle"))
		peer_fail("on a disk the store is not asked");

	/* The page cache has it by now: what the store has too is no help. */
	disk.slow = 0;
	read_some(db, &rng);
	if (!comes_to(db, &rng, "idle", ROUNDS / 2))
		peer_fail("the store is asked for what the page cache has");
	peer_exec(db, "UPDATE t SET b='changed' WHERE a%%5=0");
	peer_same(db, d.path, "idle");

	/* And lost it. */
	disk.slow = 1;
	read_some(db, &rng);
	if (!comes_to(db, &rng, "hits", ROUNDS * 8 / 10))
		peer_fail("the store is not asked again");
	peer_same(db, d.path, "asked again");

	/* Where nothing is in the store, too, and nothing goes there. */
	peer_close(db);
	disk.slow = 0;
	db = peer_open(d.path, "embedded:size=17M");
	read_some(db, &rng);
	if (!comes_to(db, &rng, "idle", ROUNDS / 2))
		peer_fail("an empty store is asked");
	peer_close(db);
	peer_dir_finish(&d);
	(void)puts("asked when it helps");
	return 0;
}
