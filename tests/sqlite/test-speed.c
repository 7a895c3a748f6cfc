/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-speed.c - a bit of everything that SQL does, a section each: by the default VFS
 * and by "tmem", timed side by side, what each section answers and the databases
 * compared. Also by hand:
 *
 *	sqlite-speed [SIZE [JOURNAL [STORE]]]
 *
 * SIZE 10 makes tables of 2000 rows; a JOURNAL mode (delete).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "peer.h"

/* %d is the number of rows. What randomness there is, is arithmetic: both sides have
 * the same. */
static const struct section {
	const char *name;
	const char *sql;
} sections[] = {
	{ "insert in order",
	  "CREATE TABLE o(a INTEGER PRIMARY KEY, b INT, c TEXT); WITH RECURSIVE "
	  "n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n WHERE x<%d) INSERT INTO "
	  "o SELECT x, (x*48271)%%65537, printf('row %%d of %%x', x, x*69621) "
	  "FROM n" },
	{ "insert out of order",
	  "CREATE TABLE r(a INT, b INT, c TEXT, PRIMARY KEY(a, b)) WITHOUT ROWID; "
	  "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n WHERE "
	  "x<%d) INSERT INTO r SELECT (x*16807)%%32749, x, printf('%%.*c', "
	  "x%%200, 'r') FROM n" },
	{ "one commit a row",
	  "CREATE TABLE s(a INTEGER PRIMARY KEY, b); INSERT INTO s VALUES(1, 'a'); "
	  "INSERT INTO s VALUES(2, 'b'); INSERT INTO s VALUES(3, %d); DELETE FROM "
	  "s WHERE a=2; UPDATE s SET b=b||'c'" },
	{ "ranges without an index",
	  "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n WHERE "
	  "x<15) SELECT sum((SELECT count(*)+sum(b) FROM o WHERE b BETWEEN x*90 "
	  "AND x*90+%d)) FROM n" },
	{ "text without an index",
	  "SELECT count(*)+%d FROM o WHERE c LIKE '%%%%7 of%%%%a'" },
	{ "make indexes",
	  "CREATE INDEX ob ON o(b); CREATE INDEX oc ON o(c, b); CREATE INDEX rb "
	  "ON r(b); SELECT %d" },
	{ "ranges by index",
	  "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n WHERE "
	  "x<%d/4) SELECT sum((SELECT count(*)+sum(a) FROM o WHERE b BETWEEN x*90 "
	  "AND x*90+100)) FROM n" },
	{ "points",
	  "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n WHERE "
	  "x<%d) SELECT sum((SELECT length(c)+b FROM o WHERE a=(x*7919)%%1999)) "
	  "FROM n" },
	{ "change by number", "UPDATE o SET b=b*2+1 WHERE a%%3=0 AND a<%d" },
	{ "change by index",
	  "UPDATE o SET c=c||' changed' WHERE b BETWEEN 1000 AND 20000+%d" },
	{ "join",
	  "SELECT count(*)+sum(o.b)+%d FROM o JOIN r ON r.b=o.a WHERE o.b%%5=1" },
	{ "sort", "SELECT sum(k*b) FROM (SELECT row_number() OVER (ORDER BY "
		  "substr(c, 5), a) AS k, b FROM o WHERE a<=%d)" },
	{ "copy", "CREATE TABLE t AS SELECT * FROM o WHERE a<=%d ORDER BY b; "
		  "CREATE INDEX tb ON t(b); SELECT count(*) FROM t" },
	{ "take back", "BEGIN; UPDATE t SET b=b+1; DELETE FROM o WHERE a<%d/2; "
		       "ROLLBACK; SELECT sum(b) FROM t" },
	{ "delete by index", "DELETE FROM o WHERE b BETWEEN 5000 AND 30000+%d" },
	{ "delete out of order", "DELETE FROM r WHERE b%%7<3 AND b<%d" },
	{ "insert again",
	  "INSERT OR REPLACE INTO o SELECT rowid*2, b, c||'!' FROM "
	  "t WHERE rowid<=%d" },
	{ "drop", "DROP TABLE t; SELECT %d" },
	{ "make small", "VACUUM; SELECT %d" },
	{ "analyze", "ANALYZE; SELECT count(*)+%d FROM sqlite_stat1" },
	{ "all of it", "SELECT count(*)+sum(b)+sum(length(c)) FROM (SELECT b, c "
		       "FROM o UNION ALL SELECT b, c FROM r) WHERE b<>%d" },
};

enum {
	SECTIONS = sizeof(sections) / sizeof(sections[0]),
	ROWS_PER_SIZE = 200
};

struct outcome {
	double seconds[SECTIONS];
	char *answers[SECTIONS];
	char *dump;
	size_t dump_bytes;
	int64_t hits;
};

static int take_answer(void *ctx, int columns, char **cells, char **names)
{
	char **answer = ctx;

	(void)columns;
	(void)names;
	free(*answer);
	*answer = strdup(cells[0] ? cells[0] : "NULL");
	return 0;
}

static void run(const struct peer_dir *d, int size, const char *journal,
		const char *store, struct outcome *o)
{
	sqlite3 *db = peer_open(d->path, store);

	peer_exec(db, "PRAGMA journal_mode=%s", journal);
	for (int i = 0; i < SECTIONS; i++) {
		char *sql =
			sqlite3_mprintf(sections[i].sql, size * ROWS_PER_SIZE);
		uint64_t begun = machine_now_ns();

		if (sqlite3_exec(db, sql, take_answer, &o->answers[i], NULL) !=
		    SQLITE_OK)
			peer_fail("%s: %s", sections[i].name,
				  sqlite3_errmsg(db));
		o->seconds[i] = (double)(machine_now_ns() - begun) / 1e9;
		sqlite3_free(sql);
	}
	o->dump = peer_dump(db, &o->dump_bytes);
	if (store) {
		o->hits = peer_count(db, "hits");
		peer_same(db, d->path, "speed");
	}
	peer_close(db);
	peer_wipe(d);
}

static int same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

int main(int argc, char **argv)
{
	int size = argc > 1 ? atoi(argv[1]) : 60;
	const char *journal = argc > 2 ? argv[2] : "delete";
	const char *store = argc > 3 ? argv[3] : PEER_STORE;
	static struct outcome plain, tmem;
	struct peer_dir d;

	if (size < 1) {
		(void)fprintf(stderr,
			      "usage: sqlite-speed [SIZE [JOURNAL [STORE]]]\n");
		return 2;
	}
	peer_dir_init(&d);
	run(&d, size, journal, NULL, &plain);
	run(&d, size, journal, store, &tmem);
	peer_dir_finish(&d);
	(void)printf("%-26s %10s %10s\n", "seconds", "default", "tmem");
	for (int i = 0; i < SECTIONS; i++) {
		(void)printf("%-26s %10.4f %10.4f\n", sections[i].name,
			     plain.seconds[i], tmem.seconds[i]);
		if (!same(plain.answers[i], tmem.answers[i]))
			peer_fail("%s: %s, %s", sections[i].name,
				  plain.answers[i], tmem.answers[i]);
		free(plain.answers[i]);
		free(tmem.answers[i]);
	}
	(void)printf("%lld hits\n", (long long)tmem.hits);
	if (plain.dump_bytes != tmem.dump_bytes ||
	    memcmp(plain.dump, tmem.dump, plain.dump_bytes) != 0)
		peer_fail("not the same database");
	if (argc == 1 && !tmem.hits)
		peer_fail("the store was of no use");
	free(plain.dump);
	free(tmem.dump);
	return 0;
}
