/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * margin.c - how much more the daemon's own cgroup can bear.
 *
 * Usage counts the page cache of files as well, which goes when it must: it is
 * taken off. What is lent is no such cache, though the kernel books it beside.
 */
#include "margin.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel-text.h"

/* Kept free: the daemon's own heap, tables of a few thousand leases, and what is
 * lent between two looks. */
#define MARGIN_BYTES (64ull << 20)

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

void tmemd_margin_finish(struct tmemd_margin *m)
{
	tmemd_text_close(&m->limit_fd);
	tmemd_text_close(&m->usage_fd);
	tmemd_text_close(&m->stat_fd);
}

static uint64_t cache_bytes(const struct tmemd_margin *m, const char *stat)
{
	const struct kind *k = &kinds[m->kind];

	return tmemd_text_number(stat, k->cache[0], 0) +
	       tmemd_text_number(stat, k->cache[1], 0);
}

uint64_t tmemd_margin_bytes(const struct tmemd_margin *m)
{
	char text[TMEMD_TEXT_MAX];
	uint64_t limit, usage, cache;

	if (!tmemd_text_read(m->limit_fd, text, sizeof(text), 0) ||
	    !strncmp(text, "max", 3))
		return UINT64_MAX;
	limit = strtoull(text, NULL, 10);
	if (!tmemd_text_read(m->usage_fd, text, sizeof(text), 0))
		return UINT64_MAX;
	usage = strtoull(text, NULL, 10);
	(void)tmemd_text_read(m->stat_fd, text, sizeof(text), 0);
	cache = cache_bytes(m, text);
	usage = usage > cache ? usage - cache : 0;
	if (limit <= usage || limit - usage <= MARGIN_BYTES)
		return 0;
	return limit - usage - MARGIN_BYTES;
}
