/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-kv.c - blobs by number, as programs do that use a database in place of files:
 * the same gets, puts and deletes by the default VFS and by "tmem", side by side,
 * and the databases compared. Also by hand, for the times:
 *
 *	sqlite-kv [COUNT [BYTES [JOURNAL [STORE]]]]
 *
 * COUNT blobs of BYTES on the average (5000, 3000), a JOURNAL mode (wal).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "peer.h"
#include "rng.h"

enum {
	GETS = 4, /* of each blob, on the average */
	CHANGES_PER_COMMIT = 16
};

struct setting {
	unsigned count, bytes;
	const char *journal, *store;
	uint64_t seed;
};

struct outcome {
	double put_s, get_s, change_s;
	uint64_t sum; /* of what was got */
	char *dump;
	size_t dump_bytes;
	int64_t hits;
};

static double since(uint64_t begun_ns)
{
	return (double)(machine_now_ns() - begun_ns) / 1e9;
}

/* From half of the average to one and a half; half of it compresses. */
static void bind_blob(sqlite3_stmt *stmt, int at, unsigned bytes,
		      struct rng *rng)
{
	size_t size = bytes / 2 + rng_below(rng, bytes);
	uint8_t *blob = malloc(size ? size : 1);

	if (!blob)
		peer_fail("no memory");
	memset(blob, (int)rng_below(rng, 256), size);
	for (size_t i = 0; i + 8 <= size / 2; i += 8) {
		uint64_t word = rng_next(rng);

		memcpy(blob + i, &word, sizeof(word));
	}
	(void)sqlite3_bind_blob(stmt, at, blob, (int)size, free);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		peer_fail("%s: %s", sql, sqlite3_errmsg(db));
	return stmt;
}

static void done(sqlite3 *db, sqlite3_stmt *stmt)
{
	if (sqlite3_step(stmt) != SQLITE_DONE)
		peer_fail("step: %s", sqlite3_errmsg(db));
	(void)sqlite3_reset(stmt);
}

static void put_all(sqlite3 *db, const struct setting *set, struct rng *rng)
{
	sqlite3_stmt *stmt;

	peer_exec(db, "CREATE TABLE kv(k INTEGER PRIMARY KEY, v BLOB); BEGIN");
	stmt = prepare(db, "INSERT INTO kv VALUES(?1, ?2)");
	for (unsigned i = 0; i < set->count; i++) {
		(void)sqlite3_bind_int64(stmt, 1, i);
		bind_blob(stmt, 2, set->bytes, rng);
		done(db, stmt);
	}
	(void)sqlite3_finalize(stmt);
	peer_exec(db, "COMMIT");
}

static void get_some(sqlite3 *db, const struct setting *set, struct rng *rng,
		     struct outcome *o)
{
	sqlite3_stmt *stmt = prepare(db, "SELECT v FROM kv WHERE k=?1");

	for (unsigned i = 0; i < set->count * GETS; i++) {
		const uint8_t *blob;
		int bytes;

		(void)sqlite3_bind_int64(stmt, 1,
					 (int64_t)rng_below(rng, set->count));
		if (sqlite3_step(stmt) == SQLITE_ROW) {
			blob = sqlite3_column_blob(stmt, 0);
			bytes = sqlite3_column_bytes(stmt, 0);
			for (int at = 0; at < bytes; at += 64)
				o->sum = o->sum * 31 + blob[at];
		}
		if (sqlite3_reset(stmt) != SQLITE_OK)
			peer_fail("get: %s", sqlite3_errmsg(db));
	}
	(void)sqlite3_finalize(stmt);
}

static void change_some(sqlite3 *db, const struct setting *set, struct rng *rng)
{
	sqlite3_stmt *put = prepare(db, "REPLACE INTO kv VALUES(?1, ?2)");
	sqlite3_stmt *delete = prepare(db, "DELETE FROM kv WHERE k=?1");

	for (unsigned i = 0; i < set->count / 4; i++) {
		sqlite3_stmt *stmt = rng_below(rng, 4) ? put : delete;

		if (i % CHANGES_PER_COMMIT == 0)
			peer_exec(db, "BEGIN IMMEDIATE");
		(void)sqlite3_bind_int64(stmt, 1,
					 (int64_t)rng_below(rng, set->count));
		if (stmt == put)
			bind_blob(stmt, 2, set->bytes, rng);
		done(db, stmt);
		if ((i + 1) % CHANGES_PER_COMMIT == 0)
			peer_exec(db, "COMMIT");
	}
	if (!sqlite3_get_autocommit(db))
		peer_exec(db, "COMMIT");
	(void)sqlite3_finalize(put);
	(void)sqlite3_finalize(delete);
}

static struct outcome run(const struct peer_dir *d, const struct setting *set,
			  const char *store)
{
	struct outcome o = { .sum = 0 };
	struct rng rng = { set->seed };
	sqlite3 *db = peer_open(d->path, store);
	uint64_t begun;

	peer_exec(db, "PRAGMA journal_mode=%s", set->journal);
	begun = machine_now_ns();
	put_all(db, set, &rng);
	o.put_s = since(begun);
	for (int i = 0; i < 2; i++) {
		begun = machine_now_ns();
		get_some(db, set, &rng, &o);
		o.get_s += since(begun);
		begun = machine_now_ns();
		change_some(db, set, &rng);
		o.change_s += since(begun);
	}
	o.dump = peer_dump(db, &o.dump_bytes);
	if (store) {
		o.hits = peer_count(db, "hits");
		peer_same(db, d->path, "kv");
	}
	peer_close(db);
	peer_wipe(d);
	return o;
}

static void print(const char *what, const struct outcome *o)
{
	(void)printf("%-8s put %.3f s, get %.3f s, change %.3f s, %lld hits\n",
		     what, o->put_s, o->get_s, o->change_s, (long long)o->hits);
}

int main(int argc, char **argv)
{
	struct setting set = {
		.count = argc > 1 ? (unsigned)atoi(argv[1]) : 5000,
		.bytes = argc > 2 ? (unsigned)atoi(argv[2]) : 3000,
		.journal = argc > 3 ? argv[3] : "wal",
		.store = argc > 4 ? argv[4] : "embedded:size=4M&tmem_admit=all",
	};
	struct outcome plain, tmem;
	struct peer_dir d;

	if (!set.count || !set.bytes) {
		(void)fprintf(stderr, "usage: sqlite-kv [COUNT [BYTES [JOURNAL "
				      "[STORE]]]]\n");
		return 2;
	}
	set.seed = rng_seed("TMEM_TEST_SEED");
	peer_dir_init(&d);
	plain = run(&d, &set, NULL);
	print("default", &plain);
	tmem = run(&d, &set, set.store);
	print("tmem", &tmem);
	peer_dir_finish(&d);
	if (plain.sum != tmem.sum || plain.dump_bytes != tmem.dump_bytes ||
	    memcmp(plain.dump, tmem.dump, plain.dump_bytes) != 0)
		peer_fail("not the same blobs");
	if (argc == 1 && !tmem.hits)
		peer_fail("the store was of no use");
	free(plain.dump);
	free(tmem.dump);
	return 0;
}
