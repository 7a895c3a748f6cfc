/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * margin.c - how much more the daemon's own cgroup can bear.
 *
 * Usage counts the page cache of files as well, which goes when it must: it is
 * taken off. What is lent is no such cache, though the kernel books it beside.
 */
#include "margin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Kept free: the daemon's own heap, tables of a few thousand leases, and what is
 * lent between two looks. */
#define MARGIN_BYTES (64ull << 20)

#define TEXT_MAX 8192u
#define PATH_BYTES 1024u

/* The files of one kind of cgroup. */
struct kind {
	const char *controller; /* in /proc/self/cgroup; "": the second version */
	const char *root;
	const char *limit, *usage;
	const char *cache[2]; /* lines of memory.stat */
};

static const struct kind kinds[] = {
	{ "",
	  "/sys/fs/cgroup",
	  "memory.max",
	  "memory.current",
	  { "inactive_file ", "active_file " } },
	{ "memory",
	  "/sys/fs/cgroup/memory",
	  "memory.limit_in_bytes",
	  "memory.usage_in_bytes",
	  { "total_inactive_file ", "total_active_file " } },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Where this process is: the text after "N:controller:". */
static int find_path(const char *controller, char *path)
{
	char line[PATH_BYTES + 64], *name, *where;
	FILE *f = fopen("/proc/self/cgroup", "re");
	int found = 0;

	if (!f)
		return 0;
	while (!found && fgets(line, sizeof(line), f)) {
		name = strchr(line, ':');
		where = name ? strchr(name + 1, ':') : NULL;
		if (!where)
			continue;
		*where++ = 0;
		where[strcspn(where, "\n")] = 0;
		if (strcmp(name + 1, controller) || strlen(where) >= PATH_BYTES)
			continue;
		strcpy(path, where);
		found = 1;
	}
	(void)fclose(f);
	return found;
}

static int open_file(const struct kind *k, const char *path, const char *name)
{
	char full[2 * PATH_BYTES];

	(void)snprintf(full, sizeof(full), "%s%s/%s", k->root, path, name);
	return open(full, O_RDONLY | O_CLOEXEC);
}

void tmemd_margin_init(struct tmemd_margin *m)
{
	char path[PATH_BYTES];
	size_t i;

	m->limit_fd = m->usage_fd = m->stat_fd = -1;
	m->kind = 0;
	for (i = 0; i < KINDS; i++) {
		if (!find_path(kinds[i].controller, path))
			continue;
		m->kind = i;
		m->limit_fd = open_file(&kinds[i], path, kinds[i].limit);
		m->usage_fd = open_file(&kinds[i], path, kinds[i].usage);
		m->stat_fd = open_file(&kinds[i], path, "memory.stat");
		if (m->limit_fd >= 0 && m->usage_fd >= 0 && m->stat_fd >= 0)
			return;
		tmemd_margin_finish(m);
	}
}

static void close_file(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

void tmemd_margin_finish(struct tmemd_margin *m)
{
	close_file(&m->limit_fd);
	close_file(&m->usage_fd);
	close_file(&m->stat_fd);
}

static int read_text(int fd, char *text)
{
	ssize_t n = pread(fd, text, TEXT_MAX - 1, 0);

	if (n <= 0)
		return -EIO;
	text[n] = 0;
	return 0;
}

/* The number behind a name at the start of a line. */
static uint64_t figure(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	/* "active_file" is the end of other names. */
	while (at && at != text && at[-1] != '\n')
		at = strstr(at + 1, name);
	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static uint64_t cache_bytes(const struct tmemd_margin *m, const char *stat)
{
	const struct kind *k = &kinds[m->kind];

	return figure(stat, k->cache[0]) + figure(stat, k->cache[1]);
}

uint64_t tmemd_margin_bytes(const struct tmemd_margin *m)
{
	char text[TEXT_MAX];
	uint64_t limit, usage, cache;

	if (m->limit_fd < 0 || read_text(m->limit_fd, text) ||
	    !strncmp(text, "max", 3))
		return UINT64_MAX;
	limit = strtoull(text, NULL, 10);
	if (read_text(m->usage_fd, text))
		return UINT64_MAX;
	usage = strtoull(text, NULL, 10);
	cache = read_text(m->stat_fd, text) ? 0 : cache_bytes(m, text);
	usage = usage > cache ? usage - cache : 0;
	if (limit <= usage || limit - usage <= MARGIN_BYTES)
		return 0;
	return limit - usage - MARGIN_BYTES;
}
