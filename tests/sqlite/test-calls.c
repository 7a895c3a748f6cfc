/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-calls.c - the VFS called as a pager may call it, and SQLite's hardly does: a
 * file cut and made longer again, written under no lock, an atomic batch taken back.
 * After each the file's own bytes are what a read gives.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer.h"

enum {
	PAGE = 4096,
	PAGES = 40,
	FIRST = 3 /* of the pages that are looked at */
};

/* A file of the VFS, as a pager has it. */
struct pager {
	sqlite3_vfs *vfs;
	sqlite3_file *file;
	char *name; /* with parameters, as sqlite3_create_filename() makes it */
};

static void make(const struct peer_dir *d)
{
	sqlite3 *db = peer_open(d->path, NULL);

	peer_exec(
		db,
		"PRAGMA page_size=%d; CREATE TABLE t(a INTEGER PRIMARY KEY, b); "
		"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c "
		"WHERE x<%d) INSERT INTO t SELECT x, hex(randomblob(100)) FROM c",
		PAGE, PAGES * 25);
	peer_close(db);
}

static void begin(struct pager *p, const struct peer_dir *d)
{
	const char *params[] = { "tmem_store", "embedded:size=4M", "tmem_admit",
				 "all" };
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_MAIN_DB;

	make(d);
	p->vfs = sqlite3_vfs_find("tmem");
	p->file = calloc(1, (size_t)p->vfs->szOsFile);
	p->name = (char *)sqlite3_create_filename(d->path, "", "", 2, params);
	if (!p->file || !p->name ||
	    p->vfs->xOpen(p->vfs, p->name, p->file, flags, &flags) != SQLITE_OK)
		peer_fail("open %s", d->path);
}

static void end(struct pager *p, const struct peer_dir *d)
{
	(void)p->file->pMethods->xUnlock(p->file, SQLITE_LOCK_NONE);
	(void)p->file->pMethods->xClose(p->file);
	sqlite3_free_filename(p->name);
	free(p->file);
	peer_wipe(d);
}

static void lock(struct pager *p, int level)
{
	for (int i = SQLITE_LOCK_SHARED; i <= level; i++) {
		if (i != SQLITE_LOCK_PENDING &&
		    p->file->pMethods->xLock(p->file, i) != SQLITE_OK)
			peer_fail("lock %d", i);
	}
}

static void unlock(struct pager *p)
{
	if (p->file->pMethods->xUnlock(p->file, SQLITE_LOCK_NONE) != SQLITE_OK)
		peer_fail("unlock");
}

static void read_page(struct pager *p, int page, void *ret)
{
	int rc = p->file->pMethods->xRead(p->file, ret, PAGE,
					  (sqlite3_int64)page * PAGE);

	if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ)
		peer_fail("read: %s", sqlite3_errstr(rc));
}

/* Of this process's connections to the file; the store is the file's own. */
static long figure(struct pager *p, const char *name)
{
	char *words[4] = { NULL, (char *)"tmem_stats", NULL, NULL }, *at;
	char key[32];
	long n = -1;

	if (p->file->pMethods->xFileControl(p->file, SQLITE_FCNTL_PRAGMA,
					    words) != SQLITE_OK)
		peer_fail("no figures");
	(void)snprintf(key, sizeof(key), "\n%s=", name);
	at = strstr(words[0], key);
	if (at)
		n = strtol(at + strlen(key), NULL, 10);
	sqlite3_free(words[0]);
	return n;
}

/* All pages are in the store when it returns. */
static void fill(struct pager *p)
{
	uint8_t page[PAGE];
	long hits;

	for (int i = FIRST; i < PAGES; i++)
		read_page(p, i, page);
	hits = figure(p, "hits");
	for (int i = FIRST; i < PAGES; i++)
		read_page(p, i, page);
	if (figure(p, "hits") - hits != PAGES - FIRST)
		peer_fail("the store was of no use: %ld hits",
			  figure(p, "hits") - hits);
}

/* Every page by the VFS, and by the file. */
static void compare(struct pager *p, const struct peer_dir *d, const char *what)
{
	FILE *file = fopen(d->path, "re");
	uint8_t got[PAGE], want[PAGE];

	if (!file)
		peer_fail("open %s", d->path);
	for (int i = FIRST; i < PAGES; i++) {
		memset(want, 0, sizeof(want));
		if (fseek(file, (long)i * PAGE, SEEK_SET))
			peer_fail("seek");
		(void)!fread(want, 1, sizeof(want), file);
		read_page(p, i, got);
		if (memcmp(got, want, sizeof(got)) != 0)
			peer_fail("%s: page %d is stale", what, i);
	}
	(void)fclose(file);
}

static void truncate_to(struct pager *p, int pages)
{
	if (p->file->pMethods->xTruncate(p->file, (sqlite3_int64)pages *
							  PAGE) != SQLITE_OK)
		peer_fail("truncate");
}

static void write_page(struct pager *p, int page, uint8_t with)
{
	uint8_t bytes[PAGE];

	memset(bytes, with, sizeof(bytes));
	if (p->file->pMethods->xWrite(p->file, bytes, PAGE,
				      (sqlite3_int64)page * PAGE) != SQLITE_OK)
		peer_fail("write");
}

/* Nothing is written where it was cut but far behind. */
static void cut_and_grown(struct pager *p, const struct peer_dir *d)
{
	lock(p, SQLITE_LOCK_SHARED);
	fill(p);
	lock(p, SQLITE_LOCK_EXCLUSIVE);
	truncate_to(p, 5);
	write_page(p, PAGES, 1);
	compare(p, d, "cut in a section");
	unlock(p);
	lock(p, SQLITE_LOCK_SHARED);
	compare(p, d, "cut in a section, next transaction");
}

static void cut_under_no_lock(struct pager *p, const struct peer_dir *d)
{
	lock(p, SQLITE_LOCK_SHARED);
	fill(p);
	truncate_to(p, 5);
	write_page(p, PAGES, 1);
	compare(p, d, "cut under SHARED");
}

static void written(struct pager *p, const struct peer_dir *d)
{
	lock(p, SQLITE_LOCK_SHARED);
	fill(p);
	lock(p, SQLITE_LOCK_EXCLUSIVE);
	write_page(p, 7, 2);
	compare(p, d, "written in a section");
	unlock(p);
	lock(p, SQLITE_LOCK_SHARED);
	compare(p, d, "written in a section, next transaction");
}

/* The cut alone: its pages are nobody's, though no write came over them. */
static void cut_alone(struct pager *p, const struct peer_dir *d)
{
	lock(p, SQLITE_LOCK_SHARED);
	fill(p);
	truncate_to(p, 5);
	compare(p, d, "cut alone, under SHARED");
}

static void written_under_no_lock(struct pager *p, const struct peer_dir *d)
{
	lock(p, SQLITE_LOCK_SHARED);
	fill(p);
	write_page(p, 7, 2);
	compare(p, d, "written under SHARED");
	unlock(p);
	lock(p, SQLITE_LOCK_SHARED);
	compare(p, d, "written under SHARED, next transaction");
}

/* Two pages and two halves by one write. */
static void written_across(struct pager *p, const struct peer_dir *d)
{
	static uint8_t bytes[3 * PAGE];

	lock(p, SQLITE_LOCK_SHARED);
	fill(p);
	lock(p, SQLITE_LOCK_EXCLUSIVE);
	memset(bytes, 3, sizeof(bytes));
	if (p->file->pMethods->xWrite(p->file, bytes, sizeof(bytes),
				      8 * PAGE + PAGE / 2) != SQLITE_OK)
		peer_fail("write");
	compare(p, d, "written across pages");
}

/*
 * A batch is written, read back, and taken back. The default VFS has batches on one
 * filesystem only, so the writes are undone by hand here, behind the VFS.
 */
static void batch_taken_back(struct pager *p, const struct peer_dir *d)
{
	uint8_t before[PAGE], page[PAGE];
	FILE *file;

	lock(p, SQLITE_LOCK_SHARED);
	fill(p);
	read_page(p, 7, before);
	lock(p, SQLITE_LOCK_EXCLUSIVE);
	/* Looks like a page, so that the store takes it. */
	memcpy(page, before, sizeof(page));
	page[PAGE - 1] ^= 1;
	if (p->file->pMethods->xWrite(p->file, page, PAGE, 7 * PAGE) !=
	    SQLITE_OK)
		peer_fail("write");
	read_page(p, 7, page);
	file = fopen(d->path, "r+e");
	if (!file || fseek(file, 7 * PAGE, SEEK_SET) ||
	    fwrite(before, 1, PAGE, file) != PAGE || fclose(file))
		peer_fail("write back");
	(void)p->file->pMethods->xFileControl(
		p->file, SQLITE_FCNTL_ROLLBACK_ATOMIC_WRITE, NULL);
	compare(p, d, "batch taken back");
	unlock(p);
	lock(p, SQLITE_LOCK_SHARED);
	compare(p, d, "batch taken back, next transaction");
}

int main(void)
{
	static void (*const scenarios[])(struct pager *,
					 const struct peer_dir *) = {
		cut_and_grown,	  cut_under_no_lock,	 cut_alone,
		written,	  written_under_no_lock, written_across,
		batch_taken_back,
	};
	struct peer_dir d;

	peer_dir_init(&d);
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		struct pager p;

		begin(&p, &d);
		scenarios[i](&p, &d);
		end(&p, &d);
	}
	peer_dir_finish(&d);
	(void)puts("each read was the file's");
	return 0;
}
