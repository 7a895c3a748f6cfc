/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-shed.c - tells the kernel's page cache to let go of what the store has
 * (POSIX_FADV_DONTNEED).
 *
 * That takes a descriptor that is open for reading, and a process that closes one
 * loses its POSIX locks on the file, SQLite's among them. So a thread does it that
 * has a table of descriptors of its own: locks belong to a table. It opens the file by
 * the O_PATH descriptor in everybody else's table, under /proc.
 *
 *	reads --a piece each--> waiting --BATCH--> thread: open, advise each, close
 */
#include "sqlite-shed.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	/* Enough that opening the file is nothing beside them. */
	BATCH = 64,
	OWN_FDS_FROM = 3 /* what others write errors to may be shared */
};

enum {
	STATE_NONE,
	STATE_AT_WORK,
	STATE_FAILED
};

void sqlite_shed_init(struct sqlite_shed *s)
{
	memset(s, 0, sizeof(*s));
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->some, NULL);
}

/* The number may name another file by now. Advice about that one is not ours. */
static int open_piece(const struct sqlite_shed_piece *piece)
{
	char path[64];
	struct stat st;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", piece->fd);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_dev == piece->dev &&
	    st.st_ino == piece->ino)
		return fd;
	(void)close(fd);
	return -1;
}

static int compare(const void *a, const void *b)
{
	const struct sqlite_shed_piece *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return (x->offset > y->offset) - (x->offset < y->offset);
}

static int is_same_file(const struct sqlite_shed_piece *a,
			const struct sqlite_shed_piece *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

/* The kernel lets go of whole folios, which may be many pages of what was read in
 * order: so neighbours are told of together. */
static void shed(struct sqlite_shed_piece *pieces, unsigned count)
{
	unsigned i = 0;

	qsort(pieces, count, sizeof(*pieces), compare);
	while (i < count) {
		const struct sqlite_shed_piece *first = &pieces[i];
		int fd = open_piece(first);

		while (i < count && is_same_file(&pieces[i], first)) {
			uint64_t from = pieces[i].offset, to = from;

			for (; i < count && is_same_file(&pieces[i], first) &&
			       pieces[i].offset <= to;
			     i++)
				to = pieces[i].offset + pieces[i].bytes;
			if (fd >= 0)
				(void)posix_fadvise(fd, (off_t)from,
						    (off_t)(to - from),
						    POSIX_FADV_DONTNEED);
		}
		if (fd >= 0)
			(void)close(fd);
	}
}

static void *work(void *arg)
{
	struct sqlite_shed_piece pieces[SQLITE_SHED_MAX];
	struct sqlite_shed *s = arg;
	unsigned count;

	if (close_range(OWN_FDS_FROM, ~0u, CLOSE_RANGE_UNSHARE) < 0) {
		(void)pthread_mutex_lock(&s->lock);
		s->state = STATE_FAILED;
		(void)pthread_mutex_unlock(&s->lock);
		return NULL;
	}
	for (;;) {
		(void)pthread_mutex_lock(&s->lock);
		while (s->count < BATCH)
			(void)pthread_cond_wait(&s->some, &s->lock);
		count = s->count;
		memcpy(pieces, s->waiting, count * sizeof(*pieces));
		s->count = 0;
		(void)pthread_mutex_unlock(&s->lock);
		shed(pieces, count);
	}
	return NULL;
}

static int start(struct sqlite_shed *s)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, work, s))
		return STATE_FAILED;
	(void)pthread_detach(thread);
	return STATE_AT_WORK;
}

void sqlite_shed_add(struct sqlite_shed *s,
		     const struct sqlite_shed_piece *piece)
{
	(void)pthread_mutex_lock(&s->lock);
	if (s->state == STATE_NONE)
		s->state = start(s);
	if (s->state == STATE_AT_WORK && s->count < SQLITE_SHED_MAX) {
		s->waiting[s->count++] = *piece;
		if (s->count == BATCH)
			(void)pthread_cond_signal(&s->some);
	}
	(void)pthread_mutex_unlock(&s->lock);
}
