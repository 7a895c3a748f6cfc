/* SPDX-License-Identifier: BSD-2-Clause */
/* home.c - pages in a file or on a block device: opened, read, written. */
#include "home.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Pages of one transfer that must be moved to an aligned place first. */
#define BOUNCE_PAGES 32

/* ---- Opening -------------------------------------------------------------- */

static int complain(char *line, int err, const char *path, const char *what)
{
	(void)snprintf(line, HOME_LINE_MAX, "backing=%s: %s", path,
		       what ? what : strerror(-err));
	return err;
}

/* A block device may be opened for writing and still be for reading only. */
static int is_read_only(int fd, const struct stat *st)
{
	int read_only = 0;

	return S_ISBLK(st->st_mode) && !ioctl(fd, BLKROGET, &read_only) &&
	       read_only;
}

/* Return: its bytes through @ret; negative errno. */
static int measure(int fd, const struct stat *st, uint64_t *ret)
{
	if (S_ISREG(st->st_mode))
		*ret = (uint64_t)st->st_size;
	else if (ioctl(fd, BLKGETSIZE64, ret))
		return -errno;
	return 0;
}

/* The first page, past the page cache: some filesystems cannot. */
static int reads_directly(int fd)
{
	uint8_t page[HOME_PAGE] __attribute__((aligned(HOME_PAGE)));

	return pread(fd, page, sizeof(page), 0) == (ssize_t)sizeof(page);
}

static int go_direct(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_DIRECT))
		return 0;
	if (reads_directly(fd))
		return 1;
	(void)fcntl(fd, F_SETFL, flags);
	return 0;
}

static int take(struct home *h, const char *path, uint64_t bytes, int made,
		char *line)
{
	char text[128];
	struct stat st;
	uint64_t has;
	int err;

	if (fstat(h->fd, &st))
		return complain(line, -errno, path, NULL);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return complain(line, -EINVAL, path,
				"want a file or a block device");
	if (is_read_only(h->fd, &st))
		return complain(line, -EROFS, path, "it is read-only");
	if (flock(h->fd, LOCK_EX | LOCK_NB))
		return complain(line, -errno, path,
				errno == EWOULDBLOCK ? "it is in use" : NULL);
	if (made && ftruncate(h->fd, (off_t)bytes))
		return complain(line, -errno, path, NULL);
	if (made)
		has = bytes;
	else if ((err = measure(h->fd, &st, &has)))
		return complain(line, err, path, NULL);
	if (has < bytes) {
		(void)snprintf(text, sizeof(text),
			       "it has %" PRIu64 " bytes, and %" PRIu64
			       " are needed",
			       has, bytes);
		return complain(line, -EFBIG, path, text);
	}
	h->direct = go_direct(h->fd);
	return 0;
}

int home_open(struct home *h, const char *path, uint64_t bytes,
	      char line[HOME_LINE_MAX])
{
	/* O_EXCL without O_CREAT: a block device that is mounted says EBUSY. */
	int made = 0, err;

	memset(h, 0, sizeof(*h));
	(void)pthread_mutex_init(&h->lock, NULL);
	h->fd = open(path, O_RDWR | O_EXCL | O_CLOEXEC);
	if (h->fd < 0 && errno == ENOENT) {
		h->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		made = h->fd >= 0;
	}
	if (h->fd < 0)
		return complain(line, -errno, path,
				errno == EBUSY ? "it is in use" : NULL);
	err = take(h, path, bytes, made, line);
	if (err) {
		home_close(h);
		if (made)
			(void)unlink(path);
	}
	return err;
}

void home_close(struct home *h)
{
	if (h->fd >= 0)
		(void)close(h->fd);
	h->fd = -1;
}

/* ---- Pages ---------------------------------------------------------------- */

static int read_all(int fd, uint8_t *to, size_t bytes, off_t at)
{
	while (bytes) {
		ssize_t n = pread(fd, to, bytes, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) /* 0: it became shorter */
			return n ? -errno : -EIO;
		to += n;
		at += n;
		bytes -= (size_t)n;
	}
	return 0;
}

static int write_all(int fd, const uint8_t *from, size_t bytes, off_t at)
{
	while (bytes) {
		ssize_t n = pwrite(fd, from, bytes, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -ENOSPC;
		from += n;
		at += n;
		bytes -= (size_t)n;
	}
	return 0;
}

static int must_bounce(const struct home *h, const void *bytes)
{
	return h->direct && (uintptr_t)bytes % HOME_PAGE;
}

/* Apart from their callers, whose stack is then small. */
static __attribute__((noinline)) int
bounce_read(const struct home *h, uint8_t *to, size_t bytes, off_t at)
{
	uint8_t room[BOUNCE_PAGES * HOME_PAGE]
		__attribute__((aligned(HOME_PAGE)));
	int err = 0;

	while (bytes && !err) {
		size_t n = bytes < sizeof(room) ? bytes : sizeof(room);

		err = read_all(h->fd, room, n, at);
		if (!err)
			memcpy(to, room, n);
		to += n;
		at += (off_t)n;
		bytes -= n;
	}
	return err;
}

static __attribute__((noinline)) int
bounce_write(const struct home *h, const uint8_t *from, size_t bytes, off_t at)
{
	uint8_t room[BOUNCE_PAGES * HOME_PAGE]
		__attribute__((aligned(HOME_PAGE)));
	int err = 0;

	while (bytes && !err) {
		size_t n = bytes < sizeof(room) ? bytes : sizeof(room);

		memcpy(room, from, n);
		err = write_all(h->fd, room, n, at);
		from += n;
		at += (off_t)n;
		bytes -= n;
	}
	return err;
}

int home_read(struct home *h, uint64_t page, unsigned count, void *bytes)
{
	size_t n = (size_t)count * HOME_PAGE;
	off_t at = (off_t)(page * HOME_PAGE);

	return must_bounce(h, bytes) ? bounce_read(h, bytes, n, at)
				     : read_all(h->fd, bytes, n, at);
}

int home_write(struct home *h, uint64_t page, unsigned count, const void *bytes)
{
	size_t n = (size_t)count * HOME_PAGE;
	off_t at = (off_t)(page * HOME_PAGE);
	int err = must_bounce(h, bytes) ? bounce_write(h, bytes, n, at)
					: write_all(h->fd, bytes, n, at);

	/* Not before: a sync that comes meanwhile may miss it. */
	atomic_store(&h->dirty, 1);
	return err;
}

void home_discard(struct home *h, uint64_t page, unsigned count)
{
	(void)fallocate(h->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			(off_t)(page * HOME_PAGE), (off_t)count * HOME_PAGE);
}

int home_sync(struct home *h)
{
	int err;

	if (!atomic_exchange(&h->dirty, 0))
		return 0;
	do {
		err = fdatasync(h->fd) ? -errno : 0;
	} while (err == -EINTR);
	return err;
}
