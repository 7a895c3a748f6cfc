/* SPDX-License-Identifier: BSD-2-Clause */
/* disk.c - pages of files, read past the kernel's page cache. */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "files.h"

/* Nothing that was put in a file's place may block us or be a way elsewhere. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK)

static int open_some_way(struct file *f)
{
	int fd;

	if (!f->plain) {
		fd = open(f->path, OPEN_FLAGS | O_DIRECT);
		if (fd >= 0 || errno != EINVAL)
			return fd >= 0 ? fd : -errno;
		f->plain = 1;
	}
	fd = open(f->path, OPEN_FLAGS);
	return fd >= 0 ? fd : -errno;
}

int disk_open(struct file *f)
{
	struct file_state now;
	struct stat st;
	int fd = open_some_way(f);

	if (fd < 0)
		return fd;
	if (fstat(fd, &st)) {
		int err = -errno;

		(void)close(fd);
		return err;
	}
	file_state_read(&now, &st);
	if (!S_ISREG(st.st_mode) || !file_state_equal(&now, &f->state)) {
		(void)close(fd);
		return -ESTALE;
	}
	if (f->plain)
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	return fd;
}

/* A refusal may come as late as the first read: take O_DIRECT back. */
static int make_plain(int fd, struct file *f)
{
	int flags = fcntl(fd, F_GETFL);

	if (f->plain || flags < 0 || fcntl(fd, F_SETFL, flags & ~O_DIRECT))
		return -EINVAL;
	f->plain = 1;
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	return 0;
}

static ssize_t read_at(int fd, struct file *f, off_t at, void *buf, size_t len)
{
	ssize_t n;

	do {
		if (f->plain)
			(void)posix_fadvise(fd, at, (off_t)len,
					    POSIX_FADV_DONTNEED);
		n = pread(fd, buf, len, at);
		if (f->plain)
			(void)posix_fadvise(fd, at, (off_t)len,
					    POSIX_FADV_DONTNEED);
	} while (n < 0 &&
		 (errno == EINTR || (errno == EINVAL && !make_plain(fd, f))));
	return n < 0 ? -errno : n;
}

int disk_pread(int fd, struct file *f, uint64_t page, size_t pages, void *buf)
{
	uint64_t at = page * TMEM_PAGE_SIZE;
	size_t len = pages * TMEM_PAGE_SIZE, want = len;
	ssize_t n;

	if (at + want > f->state.size)
		want = (size_t)(f->state.size - at);
	n = read_at(fd, f, (off_t)at, buf, len);
	if (n < 0)
		return (int)n;
	if ((size_t)n != want)
		return -ESTALE;
	memset((char *)buf + want, 0, len - want);
	return 0;
}

void disk_init(struct disk *d)
{
	memset(d, 0, sizeof(*d));
}

void disk_finish(struct disk *d)
{
	size_t i;

	for (i = 0; i < DISK_OPEN_MAX; i++) {
		if (d->slot[i].file)
			(void)close(d->slot[i].fd);
	}
	disk_init(d);
}

int disk_read(struct disk *d, struct file *f, uint64_t page, void *buf)
{
	size_t i = f->first % DISK_OPEN_MAX;
	int fd;

	if (d->slot[i].file != f) {
		fd = disk_open(f);
		if (fd == -EMFILE || fd == -ENFILE) {
			disk_finish(d);
			fd = disk_open(f);
		}
		if (fd < 0)
			return fd;
		if (d->slot[i].file)
			(void)close(d->slot[i].fd);
		d->slot[i].file = f;
		d->slot[i].fd = fd;
	}
	return disk_pread(d->slot[i].fd, f, page, 1, buf);
}

int disk_changed(const struct file *f)
{
	struct file_state now;
	struct stat st;

	if (lstat(f->path, &st))
		return 1;
	file_state_read(&now, &st);
	return !file_state_equal(&now, &f->state);
}
