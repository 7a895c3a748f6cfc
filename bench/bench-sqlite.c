/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-sqlite.c - point reads of a database by the VFS "tmem" and by the default
 * one, in turn, each in a process of its own, some in a memory cgroup of their own.
 *
 *	disk_bound	process and page cache have a quarter of the database; the
 *			store has all of it on top, from the host's idle RAM
 *	equal_ram	the same amount for both: default VFS with page cache, tmem
 *			with page cache and store in it
 *	victims		the same memory for both, SQLite's page cache having much
 *			of it: the store gets what leaves that, or what is read
 *	cached		everything fits: page cache here, store there
 *	miss		everything misses: the store is of the least size and the
 *			database far larger; on the disk, and in the page cache
 *
 * An embedded store is part of its process, so that its cgroup gets the store's
 * size on top where the host is to pay; one that is leased (--store) is not.
 *
 * Prints JSON. Speedups are tmem's reads per second divided by the default's,
 * costs the other way about: ratios are made within a round, and the median is told.
 * Where everything fits, both sides take turns of 10 ms in one process.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>
#include <tmem/sqlite.h>

#include "memlimit.h"

#define MIB ((uint64_t)1 << 20)
#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000ull

enum {
	DATABASE_MIB = 64,
	ROUNDS = 3,
	SLICES = 101, /* of a comparison whose sides are close */
	SLICE_MS = 10,
	ROUND_MS = 700,
	WARM_CACHED_MS = 300, /* until the VFS knows that it is not needed */
	WARM_MS = 2000,	      /* most pages of a database have been asked for */
	SETTLE_MS = 300,      /* the ager packs what warming up brought */
	ROW_BYTES = 400,      /* rows of logs and of records: words, numbers */
	DISK_READS = 400,
	PATH_ROOM = 300
};

/* What SQLite, this program and libc need beside pages, measured as the memory
 * of a run whose database is empty, rounded up. */
#define PROCESS_BYTES (6 * MIB)

struct bench {
	char dir[PATH_ROOM - 100], db[PATH_ROOM - 80];
	const char *store; /* --store, or NULL: embedded */
	const char *only;  /* --only, a key; NULL: all */
	const char *uri;   /* --uri, more of it, from & on */
	int noise;	   /* --rows noise: they do not compress */
	uint64_t db_bytes;
	int64_t rows;
	int limits; /* 0: no memory cgroup to be had */
	struct memlimit limit;
};

/* ---- One process -------------------------------------------------------- */

/* What a process is to do, and what it found. */
struct job {
	const char *where;    /* tmem_store; NULL: the default VFS */
	uint64_t limit_bytes; /* its cgroup's; 0: in none */
	uint64_t cache_bytes; /* SQLite's page cache; 0: its default */
	int victims;	      /* which gives the store what it gives up */
	unsigned warm_ms;     /* of the same reads, before the clock starts */
};

struct outcome {
	double reads_per_s;
	int64_t hits, misses;
	int failed;
};

struct turns {
	double cost, plain, tmem; /* a ratio, and reads a second */
	int64_t hits, misses;
};

static const struct job by_default = { .where = NULL };

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
	(void)fprintf(stderr, "bench sqlite: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void check(sqlite3 *db, int rc)
{
	if (rc == SQLITE_OK)
		return;
	(void)fprintf(stderr, "bench sqlite: %s\n", sqlite3_errmsg(db));
	exit(1);
}

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt;
	int64_t n = 0;

	check(db, sqlite3_prepare_v2(db, sql, -1, &stmt, NULL));
	if (sqlite3_step(stmt) == SQLITE_ROW)
		n = sqlite3_column_int64(stmt, 0);
	check(db, sqlite3_finalize(stmt));
	return n;
}

/* splitmix64 */
static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *of, int count)
{
	qsort(of, (size_t)count, sizeof(*of), ascending);
	return of[count / 2];
}

static double read_points(const struct bench *b, sqlite3 *db, uint64_t seed,
			  uint64_t for_ns)
{
	uint64_t state = seed, begun = now_ns(), ns, reads = 0;
	sqlite3_stmt *stmt;

	check(db, sqlite3_prepare_v2(db, "SELECT b FROM t WHERE a=?1", -1,
				     &stmt, NULL));
	do {
		for (int i = 0; i < 16; i++) {
			(void)sqlite3_bind_int64(
				stmt, 1,
				(int64_t)(draw(&state) % (uint64_t)b->rows));
			if (sqlite3_step(stmt) != SQLITE_ROW)
				check(db, sqlite3_errcode(db));
			(void)sqlite3_reset(stmt);
		}
		reads += 16;
		ns = now_ns() - begun;
	} while (ns < for_ns);
	check(db, sqlite3_finalize(stmt));
	return (double)reads * (double)NS_PER_S / (double)ns;
}

static sqlite3 *open_db(const struct bench *b, const struct job *job)
{
	char uri[2 * PATH_ROOM], sql[64];
	sqlite3 *db;
	int rc;

	if (job->where)
		(void)snprintf(uri, sizeof(uri),
			       "file:%s?vfs=tmem&tmem_store=%s%s", b->db,
			       job->where, b->uri);
	else
		(void)snprintf(uri, sizeof(uri), "file:%s", b->db);
	if (job->victims && sqlite3_tmem_config() != SQLITE_OK)
		die("sqlite3_tmem_config");
	check(NULL, tmem_sqlite_register());
	rc = sqlite3_open_v2(uri, &db,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
				     SQLITE_OPEN_URI,
			     NULL);
	check(db, rc);
	if (job->cache_bytes) {
		(void)snprintf(sql, sizeof(sql), "PRAGMA cache_size=-%" PRIu64,
			       job->cache_bytes / 1024);
		check(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
	}
	return db;
}

static void work(const struct bench *b, const struct job *job, int to)
{
	struct outcome o = { .failed = 0 };
	sqlite3 *db;

	if (job->limit_bytes && memlimit_enter(&b->limit, getpid()))
		die(b->limit.dir);
	db = open_db(b, job);
	(void)number(db, "SELECT sum(length(b)) FROM t");
	(void)read_points(b, db, 1, (uint64_t)job->warm_ms * NS_PER_MS);
	(void)sqlite3_sleep(SETTLE_MS);
	o.reads_per_s = read_points(b, db, 2, ROUND_MS * NS_PER_MS);
	if (job->where) {
		o.hits = number(db, "SELECT value FROM tmem_stats WHERE "
				    "name='hits'");
		o.misses = number(db, "SELECT value FROM tmem_stats WHERE "
				      "name='misses'");
	}
	(void)sqlite3_close(db);
	if (write(to, &o, sizeof(o)) != sizeof(o))
		_exit(1);
	_exit(0);
}

/* A connection by either VFS in one process, in turns of some milliseconds: what else
 * the machine does meets both. */
static void work_in_turns(const struct bench *b, const struct job *job, int to)
{
	double ratio[SLICES], plain_rate[SLICES], tmem_rate[SLICES];
	sqlite3 *plain = open_db(b, &by_default);
	sqlite3 *tmem = open_db(b, job);
	struct turns t;

	(void)number(plain, "SELECT sum(length(b)) FROM t");
	(void)number(tmem, "SELECT sum(length(b)) FROM t");
	(void)read_points(b, plain, 1, WARM_CACHED_MS * NS_PER_MS);
	(void)read_points(b, tmem, 1, WARM_CACHED_MS * NS_PER_MS);
	(void)sqlite3_sleep(SETTLE_MS);
	for (int i = 0; i < SLICES; i++) {
		uint64_t seed = (uint64_t)i + 2;

		if (i % 2)
			tmem_rate[i] = read_points(b, tmem, seed,
						   SLICE_MS * NS_PER_MS);
		plain_rate[i] =
			read_points(b, plain, seed, SLICE_MS * NS_PER_MS);
		if (i % 2 == 0)
			tmem_rate[i] = read_points(b, tmem, seed,
						   SLICE_MS * NS_PER_MS);
		ratio[i] = plain_rate[i] / tmem_rate[i];
	}
	t.cost = median(ratio, SLICES);
	t.plain = median(plain_rate, SLICES);
	t.tmem = median(tmem_rate, SLICES);
	t.hits = number(tmem, "SELECT value FROM tmem_stats WHERE name='hits'");
	t.misses = number(tmem, "SELECT value FROM tmem_stats WHERE "
				"name='misses'");
	if (write(to, &t, sizeof(t)) != sizeof(t))
		_exit(1);
	_exit(sqlite3_close(plain) || sqlite3_close(tmem));
}

/* ---- The cgroup --------------------------------------------------------- */

static int find_limits(void)
{
	struct memlimit m;

	if (memlimit_init(&m, PROCESS_BYTES))
		return 0;
	memlimit_finish(&m);
	return 1;
}

/* Neither side swaps: this is about reads of a disk. */
static void limit_begin(struct bench *b, uint64_t bytes)
{
	if (memlimit_init(&b->limit, bytes))
		die("a memory limit");
	memlimit_forbid_swap(&b->limit);
}

/* ---- Rounds ------------------------------------------------------------- */

/* Pages in the page cache are charged to whoever read them first. */
static void forget_pages(const struct bench *b)
{
	int fd = open(b->db, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0 ||
	    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		die(b->db);
	(void)close(fd);
}

static struct outcome run_job(struct bench *b, const struct job *job)
{
	struct outcome o = { .failed = 1 };
	int pipes[2];
	pid_t child;

	forget_pages(b);
	if (job->limit_bytes)
		limit_begin(b, job->limit_bytes);
	if (pipe(pipes) < 0)
		die("pipe");
	(void)fflush(stdout);
	child = fork();
	if (child < 0)
		die("fork");
	if (!child)
		work(b, job, pipes[1]);
	(void)close(pipes[1]);
	if (read(pipes[0], &o, sizeof(o)) != sizeof(o))
		o.failed = 1;
	(void)close(pipes[0]);
	(void)waitpid(child, NULL, 0);
	if (job->limit_bytes)
		memlimit_finish(&b->limit);
	if (o.failed) {
		(void)fprintf(stderr, "bench sqlite: a process died\n");
		exit(1);
	}
	return o;
}

struct pair {
	const char *key;
	struct job plain, tmem;
	int cost;    /* 1: told as a cost instead of a speedup */
	double beat; /* what is asked of the figure */
};

/*
 * Both in turn, in one order and then the other; a ratio is made within a round,
 * then the median is taken.
 */
static void compare(struct bench *b, const struct pair *p)
{
	double with[ROUNDS], without[ROUNDS], ratio[ROUNDS];
	struct outcome plain, tmem = { .hits = 0 };

	if (b->only && strcmp(b->only, p->key) != 0)
		return;
	for (int i = 0; i < ROUNDS; i++) {
		if (i % 2)
			tmem = run_job(b, &p->tmem);
		plain = run_job(b, &p->plain);
		if (i % 2 == 0)
			tmem = run_job(b, &p->tmem);
		without[i] = plain.reads_per_s;
		with[i] = tmem.reads_per_s;
		ratio[i] = p->cost ? without[i] / with[i] : with[i] / without[i];
	}
	(void)printf("  \"%s\": %.3f,\n", p->key, median(ratio, ROUNDS));
	(void)printf("  \"%s_detail\": {\"default_reads_per_s\": %.0f, "
		     "\"tmem_reads_per_s\": %.0f, \"hits\": %" PRId64
		     ", \"misses\": %" PRId64
		     ", \"default_limit_mib\": %.1f, \"tmem_limit_mib\": %.1f, "
		     "\"store\": \"%s\", \"beat_line\": %.2f},\n",
		     p->key, median(without, ROUNDS), median(with, ROUNDS),
		     tmem.hits, tmem.misses,
		     (double)p->plain.limit_bytes / (double)MIB,
		     (double)p->tmem.limit_bytes / (double)MIB, p->tmem.where,
		     p->beat);
}

static void compare_in_turns(struct bench *b, const struct pair *p)
{
	struct turns t;
	int pipes[2], status;
	pid_t child;

	if (b->only && strcmp(b->only, p->key) != 0)
		return;
	forget_pages(b);
	if (pipe(pipes) < 0)
		die("pipe");
	(void)fflush(stdout);
	child = fork();
	if (child < 0)
		die("fork");
	if (!child)
		work_in_turns(b, &p->tmem, pipes[1]);
	(void)close(pipes[1]);
	if (read(pipes[0], &t, sizeof(t)) != sizeof(t) ||
	    waitpid(child, &status, 0) != child || status) {
		(void)fprintf(stderr, "bench sqlite: a process died\n");
		exit(1);
	}
	(void)close(pipes[0]);
	(void)printf("  \"%s\": %.3f,\n", p->key, t.cost);
	(void)printf("  \"%s_detail\": {\"default_reads_per_s\": %.0f, "
		     "\"tmem_reads_per_s\": %.0f, \"hits\": %" PRId64
		     ", \"misses\": %" PRId64
		     ", \"slices\": %d, \"store\": \"%s\", "
		     "\"beat_line\": %.2f},\n",
		     p->key, t.plain, t.tmem, t.hits, t.misses, SLICES,
		     p->tmem.where, p->beat);
}

static void no_figure(const char *key)
{
	(void)printf("  \"%s\": null,\n", key);
	(void)fprintf(stderr,
		      "bench sqlite: %s: no memory cgroup to be had here\n",
		      key);
}

static void compare_limited(struct bench *b)
{
	uint64_t quarter = b->db_bytes / 4 + PROCESS_BYTES;
	uint64_t equal = b->db_bytes / 2 + PROCESS_BYTES;
	struct pair p = { .beat = 3.0 };
	char where[64];

	if (!b->limits) {
		no_figure("disk_bound_speedup");
		no_figure("equal_ram_speedup");
		no_figure("miss_cost");
		return;
	}
	p.plain.limit_bytes = p.tmem.limit_bytes = quarter;
	p.plain.warm_ms = p.tmem.warm_ms = WARM_MS;
	(void)snprintf(where, sizeof(where), "embedded:size=%" PRIu64,
		       b->db_bytes);
	p.key = "disk_bound_speedup";
	p.tmem.where = b->store ? b->store : where;
	if (!b->store)
		p.tmem.limit_bytes += b->db_bytes;
	compare(b, &p);

	/* Three quarters of the memory to the store: page cache is what is left. */
	p.key = "equal_ram_speedup";
	p.beat = 1.2;
	p.plain.limit_bytes = p.tmem.limit_bytes = equal;
	(void)snprintf(where, sizeof(where), "embedded:size=%" PRIu64,
		       b->db_bytes / 2 / 4 * 3);
	p.tmem.where = where;
	compare(b, &p);

	p.key = "miss_cost";
	p.beat = 1.10;
	p.cost = 1;
	p.plain.limit_bytes = p.tmem.limit_bytes = quarter;
	p.plain.warm_ms = p.tmem.warm_ms = 0;
	p.tmem.where = "embedded:size=1M";
	compare(b, &p);
}

/*
 * What is in SQLite's cache need not be in the store: SQLite's page cache has a
 * quarter of the database, the store another, the kernel's hardly anything. Both
 * sides are "tmem".
 */
static void compare_victims(struct bench *b)
{
	struct pair p = { .key = "victims_speedup", .beat = 1.0 };
	char where[64];

	if (!b->limits) {
		no_figure(p.key);
		return;
	}
	(void)snprintf(where, sizeof(where), "embedded:size=%" PRIu64,
		       b->db_bytes / 4);
	p.tmem = (struct job){
		.where = where,
		.limit_bytes =
			b->db_bytes / 2 + b->db_bytes / 16 + PROCESS_BYTES,
		.cache_bytes = b->db_bytes / 4,
		.warm_ms = WARM_MS,
	};
	p.plain = p.tmem;
	p.tmem.victims = 1;
	compare(b, &p);
}

static void compare_cached(struct bench *b)
{
	struct pair p = { .cost = 1 };
	char where[64];

	(void)snprintf(where, sizeof(where), "embedded:size=%" PRIu64,
		       b->db_bytes * 2);
	p.key = "cached_cost";
	p.beat = 1.05;
	p.tmem.where = where;
	compare_in_turns(b, &p);
	p.key = "miss_cost_page_cache";
	p.beat = 1.10;
	p.tmem.where = "embedded:size=1M";
	compare_in_turns(b, &p);
}

/* ---- The database ------------------------------------------------------- */

static void build(struct bench *b, uint64_t bytes)
{
	int64_t rows = (int64_t)(bytes / (ROW_BYTES + 16));
	pid_t child = fork();
	int status;

	if (child < 0)
		die("fork");
	if (!child) {
		sqlite3 *db = open_db(b, &by_default);
		char *text = sqlite3_mprintf(
			"printf('{\"id\":%%d,\"time\":%%d,\"name\":"
			"\"customer %%x\",\"state\":\"delivered\",\"token\":\""
			"%%s\",\"note\":\"%%.*c\"}', x, 1700000000+x*37, "
			"x*7919, hex(randomblob(40)), %d, '-')",
			ROW_BYTES - 176);
		char *noise = sqlite3_mprintf("randomblob(%d)", ROW_BYTES);
		char *sql = sqlite3_mprintf(
			"PRAGMA synchronous=OFF; CREATE TABLE t(a INTEGER "
			"PRIMARY KEY, b); WITH RECURSIVE c(x) AS (SELECT 0 "
			"UNION ALL SELECT x+1 FROM c WHERE x<%lld) INSERT INTO "
			"t SELECT x, %s FROM c",
			(long long)rows - 1, b->noise ? noise : text);

		check(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
		_exit(sqlite3_close(db) != SQLITE_OK);
	}
	if (waitpid(child, &status, 0) != child || status)
		exit(1);
	b->rows = rows;
}

/* A read of a page that no cache has, us. */
static double disk_us(const struct bench *b)
{
	int fd = open(b->db, O_RDONLY | O_DIRECT | O_CLOEXEC);
	uint64_t state = 2, begun;
	void *page;
	double us = 0;

	if (fd < 0 || posix_memalign(&page, 4096, 4096))
		return 0;
	begun = now_ns();
	for (int i = 0; i < DISK_READS; i++) {
		if (pread(fd, page, 4096,
			  (off_t)(draw(&state) % (b->db_bytes / 4096) * 4096)) !=
		    4096)
			break;
	}
	us = (double)(now_ns() - begun) / 1000.0 / DISK_READS;
	free(page);
	(void)close(fd);
	return us;
}

static int usage(void)
{
	(void)fprintf(stderr,
		      "usage: bench sqlite [--store WHERE] "
		      "[--size MIB] [--dir DIR] [--only KEY] [--uri MORE] "
		      "[--rows words|noise]\n");
	return 2;
}

int main(int argc, char **argv)
{
	const char *dir = getenv("TMPDIR");
	struct bench b = { .uri = "" };
	unsigned long mib = DATABASE_MIB;
	struct stat st;

	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc)
			return usage();
		if (strcmp(argv[i], "--store") == 0)
			b.store = argv[i + 1];
		else if (strcmp(argv[i], "--dir") == 0)
			dir = argv[i + 1];
		else if (strcmp(argv[i], "--rows") == 0 &&
			 (strcmp(argv[i + 1], "noise") == 0 ||
			  strcmp(argv[i + 1], "words") == 0))
			b.noise = strcmp(argv[i + 1], "noise") == 0;
		else if (strcmp(argv[i], "--uri") == 0)
			b.uri = argv[i + 1];
		else if (strcmp(argv[i], "--only") == 0)
			b.only = argv[i + 1];
		else if (strcmp(argv[i], "--size") == 0)
			mib = strtoul(argv[i + 1], NULL, 10);
		else
			return usage();
	}
	if (mib < 32 || mib > 65536)
		return usage();
	(void)snprintf(b.dir, sizeof(b.dir), "%s/tmem-bench-sqlite-XXXXXX",
		       dir ? dir : "/var/tmp");
	if (!mkdtemp(b.dir))
		die(b.dir);
	(void)snprintf(b.db, sizeof(b.db), "%s/app.db", b.dir);
	build(&b, mib * MIB);
	if (stat(b.db, &st) < 0)
		die(b.db);
	b.db_bytes = (uint64_t)st.st_size;
	forget_pages(&b);
	b.limits = find_limits();
	(void)printf(
		"{\n  \"bench\": \"sqlite\",\n  \"sqlite\": \"%s\",\n"
		"  \"database_mib\": %.1f,\n  \"rows\": %" PRId64
		",\n  \"rows_of\": \"%s\",\n  \"rounds\": %d,\n  \"disk_read_us\": %.1f,\n",
		sqlite3_libversion(), (double)b.db_bytes / (double)MIB, b.rows,
		b.noise ? "noise" : "words", ROUNDS, disk_us(&b));
	compare_limited(&b);
	compare_victims(&b);
	compare_cached(&b);
	(void)printf("  \"round_ms\": %d\n}\n", ROUND_MS);
	(void)unlink(b.db);
	(void)rmdir(b.dir);
	return 0;
}
