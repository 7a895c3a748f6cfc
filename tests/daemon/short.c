/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * short.c - preloaded into tmemd: makes it believe that memory is short, and
 * watches what it does before a segment is given back.
 *
 * Each wrapper counts and does what libc would. Allocation goes on to glibc's own
 * entries: nothing here may allocate, or look up a name, inside of one.
 */
/* Both names of each are stood in for. */
#undef _FILE_OFFSET_BITS

#include "short.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);

static struct short_of_memory *s;

/* The daemon has one thread. */
static unsigned turn_allocations;
static int knows;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv(SHORT_ENV);
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at = MAP_FAILED;

	if (fd >= 0)
		at = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED,
			  fd, 0);
	if (at == MAP_FAILED)
		abort();
	(void)close(fd);
	s = at;
}

static int watched(void)
{
	return s && atomic_load(&s->punches) < atomic_load(&s->watched);
}

/* ---- The machine --------------------------------------------------------- */

/* The digits after the name, from the right. */
static void say_available(char *text, size_t len, uint64_t kib)
{
	char *at = memmem(text, len, "MemAvailable:", 13), *end;

	if (!at)
		return;
	end = memmem(at, len - (size_t)(at - text), " kB", 3);
	for (at += 13; end && end-- > at; kib /= 10)
		*end = (char)(kib ? '0' + kib % 10 : ' ');
}

ssize_t pread(int fd, void *to, size_t size, off_t offset)
{
	ssize_t n = syscall(SYS_pread64, fd, to, size, offset);
	uint64_t kib;

	kib = s ? atomic_load(&s->available_kib) : SHORT_AS_IT_IS;
	if (s && n > 9 && !memcmp(to, "MemTotal:", 9)) {
		atomic_fetch_add(&s->looks, 1);
		if (kib != SHORT_AS_IT_IS)
			say_available(to, (size_t)n, kib);
		knows |= watched();
	} else if (n > 5 && kib != SHORT_AS_IT_IS && !memcmp(to, "Node ", 5)) {
		n = 0; /* nothing at hand, either */
	}
	return n;
}

ssize_t pread64(int fd, void *to, size_t size, off64_t offset)
{
	return pread(fd, to, size, offset);
}

ssize_t __pread_chk(int fd, void *to, size_t size, off_t offset, size_t room)
{
	return size <= room ? pread(fd, to, size, offset) : -1;
}

ssize_t __pread64_chk(int fd, void *to, size_t size, off64_t offset, size_t room)
{
	return __pread_chk(fd, to, size, offset, room);
}

/* ---- What it does -------------------------------------------------------- */

int epoll_wait(int fd, struct epoll_event *events, int count, int timeout)
{
	int n = (int)syscall(SYS_epoll_wait, fd, events, count, timeout);

	turn_allocations = 0;
	return n;
}

int fallocate(int fd, int mode, off_t at, off_t len)
{
	if (watched() && mode & FALLOC_FL_PUNCH_HOLE) {
		atomic_fetch_add(&s->punches, 1);
		atomic_fetch_add(&s->allocations, turn_allocations);
		turn_allocations = 0;
	}
	return (int)syscall(SYS_fallocate, fd, mode, at, len);
}

int fallocate64(int fd, int mode, off64_t at, off64_t len)
{
	return fallocate(fd, mode, at, len);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	if (knows && watched())
		atomic_fetch_add(&s->messages, 1);
	return syscall(SYS_sendmsg, fd, m, flags);
}

ssize_t write(int fd, const void *from, size_t len)
{
	if (knows && watched() && fd == STDERR_FILENO)
		atomic_fetch_add(&s->messages, 1);
	return syscall(SYS_write, fd, from, len);
}

/* ---- Allocating ---------------------------------------------------------- */

void *malloc(size_t size)
{
	turn_allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	turn_allocations++;
	return __libc_calloc(count, size);
}

void *realloc(void *p, size_t size)
{
	turn_allocations++;
	return __libc_realloc(p, size);
}

void *mmap(void *at, size_t len, int access, int flags, int fd, off_t offset)
{
	turn_allocations++;
	return (void *)syscall(SYS_mmap, at, len, access, flags, fd, offset);
}

void *mmap64(void *at, size_t len, int access, int flags, int fd, off64_t offset)
{
	return mmap(at, len, access, flags, fd, offset);
}
