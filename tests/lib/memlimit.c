/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memlimit.c - a cgroup with a memory limit, of whichever version has the
 * controller.
 *
 *	ROOT/memory/tmem-test-PID/memory.limit_in_bytes		version 1
 *	ROOT/tmem-test-PID/memory.max				version 2
 *
 * A version 2 controller is there for children only once their parent's
 * cgroup.subtree_control says so.
 */
#include "memlimit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ROOT "/sys/fs/cgroup"

/* What a version calls things; [0] is none. */
static const struct {
	const char *below; /* the root */
	const char *limit;
	const char *usage;
	const char *swap; /* "0": none */
} versions[] = {
	{ NULL, NULL, NULL, NULL },
	{ "/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
	  "memory.swappiness" },
	{ "", "memory.max", "memory.current", "memory.swap.max" },
};

#define VERSION_MAX 2

static int write_text(const char *dir, const char *file, const char *text)
{
	const size_t len = strlen(text);
	char path[320];
	int fd, err = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len)
		err = -errno;
	(void)close(fd);
	return err;
}

static int write_number(const struct memlimit *m, const char *file, uint64_t n)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	return write_text(m->dir, file, text);
}

static int make(struct memlimit *m, const char *root, uint64_t limit_bytes)
{
	char parent[sizeof(m->dir) - 32];

	(void)snprintf(parent, sizeof(parent), "%s%s", root,
		       versions[m->version].below);
	(void)snprintf(m->dir, sizeof(m->dir), "%s/tmem-test-%d", parent,
		       (int)getpid());
	/* On already, or refused: the limit's file tells. */
	if (m->version == 2)
		(void)write_text(parent, "cgroup.subtree_control", "+memory");
	/* A killed test of this number may have left one. */
	if (mkdir(m->dir, 0755) && errno != EEXIST)
		return -errno;
	if (!write_number(m, versions[m->version].limit, limit_bytes))
		return 0;
	(void)rmdir(m->dir);
	return -EOPNOTSUPP;
}

int memlimit_init_at(struct memlimit *m, const char *root, uint64_t limit_bytes)
{
	for (m->version = 1; m->version <= VERSION_MAX; m->version++)
		if (!make(m, root, limit_bytes))
			return 0;
	return -EOPNOTSUPP;
}

int memlimit_init(struct memlimit *m, uint64_t limit_bytes)
{
	return memlimit_init_at(m, ROOT, limit_bytes);
}

int memlimit_set(const struct memlimit *m, uint64_t limit_bytes)
{
	return write_number(m, versions[m->version].limit, limit_bytes);
}

void memlimit_forbid_swap(const struct memlimit *m)
{
	(void)write_number(m, versions[m->version].swap, 0);
}

int memlimit_enter(const struct memlimit *m, pid_t pid)
{
	return write_number(m, "cgroup.procs", (uint64_t)pid);
}

uint64_t memlimit_usage(const struct memlimit *m)
{
	char path[320], text[32] = "";
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", m->dir,
		       versions[m->version].usage);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (!fgets(text, sizeof(text), f))
		text[0] = 0;
	(void)fclose(f);
	return strtoull(text, NULL, 10);
}

void memlimit_finish(struct memlimit *m)
{
	const struct timespec nap = { .tv_nsec = 10000000 };
	int tries;

	/* The kernel takes a moment to notice that it is empty. */
	for (tries = 0; rmdir(m->dir) && errno == EBUSY && tries < 100; tries++)
		(void)nanosleep(&nap, NULL);
}
