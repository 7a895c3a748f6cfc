/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files.c - the regular files below a directory, in a seeded order.
 *
 * The order is by a hash of seed and name, so that it does not depend on how
 * the file system lists its directories, and taking files from the front is a
 * fair sample. A walk keeps at most twice as many files as can be used: when
 * there are more, those late in the order are forgotten.
 */
#include "files.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "clock.h"
#include "hash.h"
#include "progress.h"

#define ROOM_MIN 1024
#define LOOK_EVERY 256 /* entries between looks at the clock */

static uint64_t nanoseconds(struct timespec ts)
{
	return (uint64_t)ts.tv_sec * TMEM_NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

void file_state_read(struct file_state *state, const struct stat *st)
{
	state->dev = st->st_dev;
	state->ino = st->st_ino;
	state->size = (uint64_t)st->st_size;
	state->mtime_ns = nanoseconds(st->st_mtim);
	state->ctime_ns = nanoseconds(st->st_ctim);
}

int file_state_equal(const struct file_state *a, const struct file_state *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

void files_skip(struct files *fs, const char *path, int err)
{
	struct skipped *s = &fs->skipped;

	if (s->count < FILES_SKIPPED_NAMED) {
		s->path[s->count] = strdup(path);
		s->err[s->count] = err;
	}
	s->count++;
}

static int by_order(const void *va, const void *vb)
{
	const struct file *a = va, *b = vb;

	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return strcmp(a->path, b->path);
}

static int by_inode(const void *va, const void *vb)
{
	const struct file *a = va, *b = vb;

	if (a->linked != b->linked)
		return a->linked < b->linked ? -1 : 1;
	if (a->state.ino != b->state.ino)
		return a->state.ino < b->state.ino ? -1 : 1;
	return by_order(a, b);
}

/* Of a file's names keep the first in order. One file system: ino is enough. */
static void drop_links(struct files *fs)
{
	size_t i, n = 0;

	if (fs->count)
		qsort(fs->file, fs->count, sizeof(*fs->file), by_inode);
	for (i = 0; i < fs->count; i++) {
		struct file *f = &fs->file[i];

		if (n && f->linked && fs->file[n - 1].linked &&
		    fs->file[n - 1].state.ino == f->state.ino)
			free(f->path);
		else
			fs->file[n++] = *f;
	}
	fs->count = n;
}

/* Sort, and forget what is too late in the order to be used. */
static void trim(struct files *fs)
{
	drop_links(fs);
	if (fs->count)
		qsort(fs->file, fs->count, sizeof(*fs->file), by_order);
	while (fs->count > fs->most)
		free(fs->file[--fs->count].path);
}

static int make_room(struct files *fs)
{
	size_t room = fs->room ? 2 * fs->room : ROOM_MIN;
	struct file *file;

	if (fs->count >= 2 * fs->most)
		trim(fs);
	if (fs->count < fs->room)
		return 0;
	file = reallocarray(fs->file, room, sizeof(*file));
	if (!file)
		return -ENOMEM;
	fs->file = file;
	fs->room = room;
	return 0;
}

static int add(struct files *fs, const FTSENT *entry, size_t dir_len,
	       uint64_t seed)
{
	const char *name = entry->fts_path + dir_len;
	struct file *f;
	int err = make_room(fs);

	if (err)
		return err;
	f = &fs->file[fs->count];
	memset(f, 0, sizeof(*f));
	f->path = strdup(entry->fts_path);
	if (!f->path)
		return -ENOMEM;
	name += strspn(name, "/");
	f->order = tmem_hash(name, strlen(name), seed);
	f->linked = entry->fts_statp->st_nlink > 1;
	file_state_read(&f->state, entry->fts_statp);
	fs->count++;
	return 0;
}

/* One entry of the walk. */
static int look_at(struct files *fs, const struct walk *walk, FTSENT *entry,
		   dev_t dev)
{
	const struct stat *st = entry->fts_statp;

	switch (entry->fts_info) {
	case FTS_F:
		/* A file may be mounted, too. */
		if (!S_ISREG(st->st_mode) || st->st_dev != dev || !st->st_size)
			return 0;
		progress_add(walk->progress, 1);
		return add(fs, entry, strlen(walk->dir), walk->seed);
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		if (entry->fts_level == FTS_ROOTLEVEL)
			return -entry->fts_errno;
		files_skip(fs, entry->fts_path, entry->fts_errno);
		return 0;
	default:
		return 0;
	}
}

static int walk_tree(struct files *fs, const struct walk *walk, FTS *tree,
		     dev_t dev)
{
	unsigned seen = 0;
	FTSENT *entry;
	int err;

	for (;;) {
		errno = 0;
		entry = fts_read(tree);
		if (!entry)
			return -errno;
		err = look_at(fs, walk, entry, dev);
		if (err)
			return err;
		if (++seen % LOOK_EVERY == 0 &&
		    tmem_clock_ns() >= walk->deadline_ns) {
			fs->cut = 1;
			return 0;
		}
	}
}

int files_walk(struct files *fs, const struct walk *walk)
{
	char *dirs[] = { (char *)walk->dir, NULL };
	struct stat st;
	FTS *tree;
	int err;

	memset(fs, 0, sizeof(*fs));
	fs->most = walk->files_max;
	if (stat(walk->dir, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	tree = fts_open(dirs,
			FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR | FTS_XDEV,
			NULL);
	if (!tree)
		return -errno;
	err = walk_tree(fs, walk, tree, st.st_dev);
	(void)fts_close(tree);
	if (!err)
		trim(fs);
	return err;
}

void files_finish(struct files *fs)
{
	size_t i;

	for (i = 0; i < fs->count; i++)
		free(fs->file[i].path);
	free(fs->file);
	for (i = 0; i < FILES_SKIPPED_NAMED; i++)
		free(fs->skipped.path[i]);
	memset(fs, 0, sizeof(*fs));
}
