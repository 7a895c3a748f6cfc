/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memlimit.c - a cgroup with a memory limit, of whichever version has the
 * controller.
 */
#include "memlimit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ROOT "/sys/fs/cgroup"

/* Where a version keeps it, and how it calls the limit. */
static const struct {
	const char *root;
	const char *limit;
} versions[] = {
	{ ROOT "/memory", "memory.limit_in_bytes" },
	{ ROOT, "memory.max" },
};

#define VERSIONS (sizeof(versions) / sizeof(versions[0]))

static int write_number(const struct memlimit *m, const char *file, uint64_t n)
{
	char path[320], text[32];
	int fd, len, err = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", m->dir, file);
	len = snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, (size_t)len) != len)
		err = -errno;
	(void)close(fd);
	return err;
}

int memlimit_init(struct memlimit *m, uint64_t limit_bytes)
{
	char dir[sizeof(m->dir)];
	size_t i;

	for (i = 0; i < VERSIONS; i++) {
		(void)snprintf(dir, sizeof(dir), "%s/tmem-test-%d",
			       versions[i].root, (int)getpid());
		memcpy(m->dir, dir, sizeof(dir));
		if (mkdir(m->dir, 0755))
			continue;
		m->file = versions[i].limit;
		if (!memlimit_set(m, limit_bytes))
			return 0;
		(void)rmdir(m->dir);
	}
	return -EOPNOTSUPP;
}

int memlimit_set(const struct memlimit *m, uint64_t limit_bytes)
{
	return write_number(m, m->file, limit_bytes);
}

int memlimit_enter(const struct memlimit *m, pid_t pid)
{
	return write_number(m, "cgroup.procs", (uint64_t)pid);
}

void memlimit_finish(struct memlimit *m)
{
	const struct timespec nap = { .tv_nsec = 10000000 };
	int tries;

	/* The kernel takes a moment to notice that it is empty. */
	for (tries = 0; rmdir(m->dir) && errno == EBUSY && tries < 100; tries++)
		(void)nanosleep(&nap, NULL);
}
