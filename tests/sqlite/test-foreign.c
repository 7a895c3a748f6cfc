/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-foreign.c - what is done to a database file behind SQLite's back: another
 * copied over it that has the same counter and the same length, another put in its
 * place, its end cut off, its inode's number given to another, changed twice within a
 * tick of its filesystem's clock, an error on reading it.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <tmem/sqlite.h>

#include "peer.h"

enum {
	ROWS = 2000
};

static const char sum[] = "SELECT sum(unicode(b)) FROM t NOT INDEXED";

/* The same history but for the letter: the same counter, the same length. */
static void make(const char *path, const char *journal, char letter)
{
	sqlite3 *db = peer_open(path, NULL);

	peer_exec(db,
		  "PRAGMA journal_mode=%s; CREATE TABLE t(a INTEGER PRIMARY "
		  "KEY, b); WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT "
		  "x+1 FROM c WHERE x<%d) INSERT INTO t SELECT x, "
		  "printf('%%.*c', 100, '%c') FROM c",
		  journal, ROWS, letter);
	peer_close(db);
}

/* Written in place: the inode stays. */
static void copy_over(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CLOEXEC);
	char buf[65536];
	ssize_t n;

	if (in < 0 || out < 0)
		peer_fail("copy");
	while ((n = read(in, buf, sizeof(buf))) > 0) {
		if (write(out, buf, (size_t)n) != n)
			peer_fail("copy");
	}
	(void)close(in);
	(void)close(out);
}

static void expect(sqlite3 *db, char letter, const char *what)
{
	int64_t got;

	(void)sqlite3_db_release_memory(db);
	got = peer_number(db, sum);
	if (got != (int64_t)ROWS * letter)
		peer_fail("%s: not what the file holds", what);
}

/* Pages are in the store, or the rest proves nothing. */
static void expect_hits(sqlite3 *db, char letter, const char *what)
{
	int64_t before = peer_count(db, "hits");

	expect(db, letter, what);
	if (peer_count(db, "hits") == before)
		peer_fail("%s: no hits", what);
}

static void copied_over(const struct peer_dir *d, const char *other)
{
	sqlite3 *db = peer_open(d->path, PEER_STORE);

	expect(db, 'a', "first");
	expect_hits(db, 'a', "again");
	copy_over(other, d->path);
	expect(db, 'b', "copied over");
	expect_hits(db, 'b', "copied over, again");
	peer_close(db);
}

/* While nobody has it open, in either mode. */
static void copied_over_closed(const struct peer_dir *d, const char *other)
{
	sqlite3 *db = peer_open(d->path, PEER_STORE);

	expect(db, 'a', "first");
	peer_close(db);
	copy_over(other, d->path);
	db = peer_open(d->path, PEER_STORE);
	expect(db, 'b', "copied over while closed");
	peer_close(db);
}

/* The open connection keeps the old inode, a new one has the new. */
static void renamed_over(const struct peer_dir *d, const char *other)
{
	sqlite3 *old = peer_open(d->path, PEER_STORE), *db;

	expect(old, 'a', "first");
	if (rename(other, d->path) < 0)
		peer_fail("rename");
	db = peer_open(d->path, PEER_STORE);
	expect(db, 'b', "renamed over");
	expect(old, 'a', "renamed away");
	expect_hits(db, 'b', "renamed over, again");
	peer_close(old);
	peer_close(db);
}

/* A filesystem gives the number again at once. */
static void same_number(const struct peer_dir *d, const char *other)
{
	sqlite3 *db = peer_open(d->path, PEER_STORE);

	expect(db, 'a', "first");
	peer_close(db);
	peer_wipe(d);
	make(d->path, "delete", 'b');
	db = peer_open(d->path, PEER_STORE);
	expect(db, 'b', "made anew");
	peer_close(db);
	(void)other;
}

static void cut_off(const struct peer_dir *d, const char *other)
{
	sqlite3 *db = peer_open(d->path, PEER_STORE);
	sqlite3_stmt *stmt;
	int rc;

	(void)other;
	expect(db, 'a', "first");
	if (truncate(d->path, 5 * 4096) < 0)
		peer_fail("truncate");
	(void)sqlite3_db_release_memory(db);
	if (sqlite3_prepare_v2(db, sum, -1, &stmt, NULL) != SQLITE_OK)
		peer_fail("prepare: %s", sqlite3_errmsg(db));
	rc = sqlite3_step(stmt);
	(void)sqlite3_finalize(stmt);
	if (rc != SQLITE_CORRUPT)
		peer_fail("cut off: %s", sqlite3_errstr(rc));
	peer_close(db);
}

/* What no page of a database looks like is not kept: noise, a hole. */
static void damaged(const struct peer_dir *d, const char *other)
{
	static const unsigned char fillings[] = { 0xa5, 0 };
	char bytes[4096];

	(void)other;
	for (size_t i = 0; i < sizeof(fillings); i++) {
		sqlite3 *db;
		int fd = open(d->path, O_WRONLY | O_CLOEXEC), rc;

		memset(bytes, fillings[i], sizeof(bytes));
		if (fd < 0 || pwrite(fd, bytes, sizeof(bytes), 30 * 4096) !=
				      (ssize_t)sizeof(bytes))
			peer_fail("damage");
		(void)close(fd);
		db = peer_open(d->path, PEER_STORE);
		rc = peer_try(db, sum);
		if (rc != SQLITE_CORRUPT)
			peer_fail("damaged: %s", sqlite3_errstr(rc));
		if (peer_count(db, "skipped") != (int64_t)i + 1)
			peer_fail("%02x: %lld pages of no kind", fillings[i],
				  (long long)peer_count(db, "skipped"));
		peer_close(db);
	}
}

/* ---- A clock of whole seconds ------------------------------------------- */

/* For this process alone, and gone with it. Return: 1; 0 not on this machine. */
static int mount_coarse(const char *image, const char *at)
{
	char command[1000];

	if (geteuid() || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return 0;
	(void)snprintf(
		command, sizeof(command),
		"exec >/dev/null 2>&1; truncate -s 16M '%s' && mkfs.ext4 -q "
		"-I 128 '%s' && mount -o loop '%s' '%s'",
		image, image, image, at);
	return system(command) == 0;
}

static void until_ms(long ms)
{
	struct timespec now, rest = { .tv_nsec = 1000000 };

	do {
		(void)nanosleep(&rest, NULL);
		(void)clock_gettime(CLOCK_REALTIME, &now);
	} while (now.tv_nsec / 1000000 < ms ||
		 now.tv_nsec / 1000000 >= ms + 100);
}

/*
 * A log that is new and empty has only the file's times to go by. All of this is
 * within one second, but on a machine that is very busy. With somebody else there,
 * the last connection of ours leaves the log, and what is cached, as they are.
 */
static void in_one_second(const char *path)
{
	sqlite3 *db, *foreign;

	until_ms(0);
	make(path, "wal", 'a');
	until_ms(250);
	foreign = peer_open(path, NULL);
	(void)peer_number(foreign, sum);
	db = peer_open(path, PEER_STORE);
	expect(db, 'a', "in one second, first");
	peer_close(db);
	peer_exec(foreign, "UPDATE t SET b=printf('%%.*c', 100, 'b')");
	peer_close(foreign);
	db = peer_open(path, PEER_STORE);
	expect(db, 'b', "in one second");
	peer_close(db);
}

static void coarse_clock(const struct peer_dir *d)
{
	char image[200], at[200], path[240];

	(void)snprintf(image, sizeof(image), "%s/image", d->dir);
	(void)snprintf(at, sizeof(at), "%s/coarse", d->dir);
	(void)snprintf(path, sizeof(path), "%s/app.db", at);
	if (mkdir(at, 0700) < 0)
		peer_fail("mkdir %s", at);
	if (mount_coarse(image, at)) {
		in_one_second(path);
		(void)umount2(at, MNT_DETACH);
	} else {
		(void)puts("no filesystem with a coarse clock here");
	}
	(void)unlink(image);
	(void)rmdir(at);
}

static void run(const struct peer_dir *d, const char *journal,
		void (*scenario)(const struct peer_dir *, const char *))
{
	char other[200];

	(void)snprintf(other, sizeof(other), "%s.copy", d->path);
	make(d->path, journal, 'a');
	make(other, journal, 'b');
	scenario(d, other);
	peer_wipe(d);
}

/* ---- Errors of the disk ------------------------------------------------- */

/* A VFS below ours whose reads of databases fail on demand. */
struct failing {
	sqlite3_vfs base;
	sqlite3_vfs *real;
	sqlite3_io_methods methods;
	const sqlite3_io_methods *real_methods;
	int fail;
};

static struct failing *failing(void)
{
	return sqlite3_vfs_find("failing")->pAppData;
}

static int failing_read(sqlite3_file *file, void *page, int bytes,
			sqlite3_int64 offset)
{
	struct failing *f = failing();

	if (f->fail && bytes == 4096)
		return SQLITE_IOERR_READ;
	return f->real_methods->xRead(file, page, bytes, offset);
}

static int failing_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file,
			int flags, int *ret_flags)
{
	struct failing *f = vfs->pAppData;
	int rc = f->real->xOpen(f->real, name, file, flags, ret_flags);

	if (rc == SQLITE_OK && flags & SQLITE_OPEN_MAIN_DB) {
		f->real_methods = file->pMethods;
		f->methods = *file->pMethods;
		f->methods.xRead = failing_read;
		file->pMethods = &f->methods;
	}
	return rc;
}

static void failing_register(struct failing *f)
{
	(void)sqlite3_initialize();
	f->real = sqlite3_vfs_find(NULL);
	f->base = *f->real;
	f->base.pNext = NULL;
	f->base.zName = "failing";
	f->base.pAppData = f;
	f->base.xOpen = failing_open;
	if (sqlite3_vfs_register(&f->base, 1) != SQLITE_OK)
		peer_fail("the failing VFS does not register");
}

static void errors_pass(const struct peer_dir *d, struct failing *f)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;
	int64_t stored;
	int rc;

	make(d->path, "delete", 'a');
	db = peer_open(d->path, PEER_STORE);
	(void)peer_number(db, "SELECT count(*) FROM t WHERE a=1");
	stored = peer_count(db, "stored");
	f->fail = 1;
	if (sqlite3_prepare_v2(db, sum, -1, &stmt, NULL) != SQLITE_OK)
		peer_fail("prepare: %s", sqlite3_errmsg(db));
	rc = sqlite3_step(stmt);
	if (rc != SQLITE_IOERR ||
	    sqlite3_extended_errcode(db) != SQLITE_IOERR_READ)
		peer_fail("an error became %s", sqlite3_errstr(rc));
	(void)sqlite3_finalize(stmt);
	f->fail = 0;
	if (peer_count(db, "stored") != stored)
		peer_fail("a page that was not read is stored");
	expect(db, 'a', "after the error");
	peer_close(db);
	peer_wipe(d);
}

int main(void)
{
	static struct failing f;
	struct peer_dir d;

	/* Below "tmem": registered before it, and after the page cache is set. */
	if (!peer_victims())
		failing_register(&f);
	peer_dir_init(&d);
	if (!peer_victims())
		errors_pass(&d, &f);
	run(&d, "delete", copied_over);
	run(&d, "delete", copied_over_closed);
	run(&d, "wal", copied_over_closed);
	run(&d, "delete", renamed_over);
	run(&d, "delete", same_number);
	run(&d, "delete", cut_off);
	if (!peer_victims())
		coarse_clock(&d);
	if (!peer_victims()) /* there it is the log that tells */
		run(&d, "delete", damaged);
	peer_dir_finish(&d);
	(void)puts("each was noticed");
	return 0;
}
