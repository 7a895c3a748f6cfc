/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-zram.c - adding a zram device, writing pages to it, taking it away.
 *
 * A device that is there already may be somebody's swap: a new one is added by
 * /sys/class/zram-control. Its node is in /dev where devtmpfs or udev makes one,
 * else in /tmp for as long as it is open.
 *
 * A child adds it, tells which it is, and takes it away when this process closes the
 * socket to it, or ends: so it goes however this one ends, and whenever.
 */
#include "bench-zram.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "clock.h"

#define CONTROL "/sys/class/zram-control/"
#define PATH_BYTES 64
#define TEXT_BYTES 256

/* Ten seconds: a process that was killed may have writes under way. */
#define REMOVE_TRIES 1000u

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err = -errno;
	(void)close(fd);
	return err;
}

static int read_text(const char *path, char *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, TEXT_BYTES - 1);
	if (n < 0)
		n = -errno;
	else
		text[n] = '\0';
	(void)close(fd);
	return n < 0 ? (int)n : 0;
}

static int set(const struct bench_zram *z, const char *name, const char *text)
{
	char path[PATH_BYTES];

	(void)snprintf(path, sizeof(path), "/sys/block/zram%d/%s", z->id, name);
	return write_text(path, text);
}

/* Until nobody has it open: what ends closes its descriptors in their order. */
static void remove_device(const struct bench_zram *z)
{
	const struct timespec nap = { .tv_nsec = 10000000 };
	unsigned tries = REMOVE_TRIES;
	char text[TEXT_BYTES];

	while (set(z, "reset", "1") == -EBUSY && tries--)
		(void)nanosleep(&nap, NULL);
	(void)snprintf(text, sizeof(text), "%d", z->id);
	while (write_text(CONTROL "hot_remove", text) == -EBUSY && tries--)
		(void)nanosleep(&nap, NULL);
}

/* The child's: out of reach of what a terminal sends. It tells the number of the device,
 * or a negative errno. */
static void keep(struct bench_zram *z, int socket)
{
	char text[TEXT_BYTES], byte;
	int err;

	(void)setsid();
	err = read_text(CONTROL "hot_add", text);
	z->id = err ? err : atoi(text);
	(void)send(socket, &z->id, sizeof(z->id), MSG_NOSIGNAL);
	while (read(socket, &byte, 1) < 0 && errno == EINTR)
		;
	if (!err)
		remove_device(z);
	_exit(0);
}

/* Return: 0, negative errno: there is neither keeper nor device. */
static int start_keeper(struct bench_zram *z)
{
	int ends[2], said = -EIO;
	ssize_t n;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	z->keeper = fork();
	if (!z->keeper) {
		(void)close(ends[1]);
		keep(z, ends[0]);
	}
	(void)close(ends[0]);
	if (z->keeper < 0) {
		said = -EAGAIN;
	} else {
		do {
			n = read(ends[1], &said, sizeof(said));
		} while (n < 0 && errno == EINTR);
		if (n != sizeof(said))
			said = -EIO;
	}
	if (said >= 0) {
		z->id = said;
		z->guard = ends[1];
		return 0;
	}
	(void)close(ends[1]);
	if (z->keeper > 0)
		(void)waitpid(z->keeper, NULL, 0);
	return said;
}

int bench_zram_open(struct bench_zram *z, char *why)
{
	int err;

	z->id = -1;
	z->page = aligned_alloc(TMEM_PAGE_SIZE, TMEM_PAGE_SIZE);
	err = z->page ? start_keeper(z) : -ENOMEM;
	if (err)
		(void)snprintf(why, BENCH_ZRAM_WHY_MAX, CONTROL "hot_add: %s%s",
			       strerror(-err),
			       err == -EACCES ? " (be root)" : "");
	return err;
}

void bench_zram_close(struct bench_zram *z)
{
	if (z->id >= 0) {
		(void)close(z->guard);
		(void)waitpid(z->keeper, NULL, 0);
	}
	free(z->page);
	z->id = -1;
	z->page = NULL;
}

/* A file descriptor of the device, for direct writes. */
static int open_node(const struct bench_zram *z)
{
	unsigned int major, minor;
	char path[PATH_BYTES], text[TEXT_BYTES];
	int fd, err;

	(void)snprintf(path, sizeof(path), "/dev/zram%d", z->id);
	fd = open(path, O_WRONLY | O_DIRECT | O_CLOEXEC);
	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	(void)snprintf(path, sizeof(path), "/sys/block/zram%d/dev", z->id);
	err = read_text(path, text);
	if (err)
		return err;
	if (sscanf(text, "%u:%u", &major, &minor) != 2)
		return -EIO;
	(void)snprintf(path, sizeof(path), "/tmp/tmem-bench-zram%d", z->id);
	if (mknod(path, S_IFBLK | 0600, makedev(major, minor)))
		return -errno;
	fd = open(path, O_WRONLY | O_DIRECT | O_CLOEXEC);
	err = fd < 0 ? -errno : fd;
	(void)unlink(path);
	return err;
}

static int prepare(struct bench_zram *z, const char *codec, uint64_t bytes)
{
	char text[TEXT_BYTES];
	int err = set(z, "reset", "1");

	if (!err)
		err = set(z, "comp_algorithm", codec);
	(void)snprintf(text, sizeof(text), "%" PRIu64, bytes);
	return err ? err : set(z, "disksize", text);
}

static int write_all(struct bench_zram *z, int fd, const uint8_t *pages,
		     uint64_t count, unsigned rounds,
		     struct bench_zram_cost *ret)
{
	uint64_t from, cpu, i, all = count * rounds;
	int err = 0;

	from = tmem_clock_ns();
	cpu = tmem_clock_thread_ns();
	for (i = 0; i < all && !err; i++) {
		/* Where pages are aligned anyway, they go as they are. */
		const void *page = pages + i % count * TMEM_PAGE_SIZE;

		if ((uintptr_t)page % TMEM_PAGE_SIZE)
			page = memcpy(z->page, page, TMEM_PAGE_SIZE);
		if (pwrite(fd, page, TMEM_PAGE_SIZE,
			   (off_t)(i * TMEM_PAGE_SIZE)) != TMEM_PAGE_SIZE)
			err = errno ? -errno : -EIO;
	}
	ret->cpu_ns = (double)(tmem_clock_thread_ns() - cpu) / (double)all;
	ret->ns = (double)(tmem_clock_ns() - from) / (double)all;
	return err;
}

/* The third figure of mm_stat is mem_used_total, bytes. */
static int read_used(const struct bench_zram *z, uint64_t count,
		     struct bench_zram_cost *ret)
{
	char path[PATH_BYTES], text[TEXT_BYTES];
	uint64_t used;
	int err;

	(void)snprintf(path, sizeof(path), "/sys/block/zram%d/mm_stat", z->id);
	err = read_text(path, text);
	if (err)
		return err;
	if (sscanf(text, "%*u %*u %" SCNu64, &used) != 1)
		return -EIO;
	ret->bytes = (double)used / (double)count;
	return 0;
}

int bench_zram_write(struct bench_zram *z, const char *codec,
		     const uint8_t *pages, uint64_t count, unsigned rounds,
		     struct bench_zram_cost *ret)
{
	int fd, err = prepare(z, codec, count * rounds * TMEM_PAGE_SIZE);

	if (err)
		return err;
	fd = open_node(z);
	if (fd < 0)
		return fd;
	err = write_all(z, fd, pages, count, rounds, ret);
	(void)close(fd);
	return err ? err : read_used(z, count * rounds, ret);
}
