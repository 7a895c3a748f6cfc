/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * margin.c - how much more the daemon's own cgroup can bear, and those above it.
 *
 * Usage counts the page cache of files as well, which goes when it must: it is
 * taken off. What is lent is no such cache, though the kernel books it beside.
 *
 * A limit may be set at any time, at any level: limits are read at each look, the
 * rest only where there is one.
 */
#include "margin.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "kernel-text.h"
#include "logger.h"

/* Kept free: the daemon's own heap, tables of a few thousand leases, and what is
 * lent between two looks. */
#define MARGIN_BYTES (64ull << 20)

#define PATH_BYTES 1024u

/* The first version has no word for "no limit", but nearly 2^63. */
#define LIMIT_NONE (1ull << 62)

/* The files of one kind of cgroup. */
struct kind {
	const char *controller; /* in /proc/self/cgroup; "": the second version */
	const char *root;
	const char *limit, *usage;
	const char *inherits; /* "0": those below are not charged to it */
	const char *cache[2]; /* lines of memory.stat */
};

static const struct kind kinds[] = {
	{ "",
	  "/sys/fs/cgroup",
	  "memory.max",
	  "memory.current",
	  NULL,
	  { "inactive_file ", "active_file " } },
	{ "memory",
	  "/sys/fs/cgroup/memory",
	  "memory.limit_in_bytes",
	  "memory.usage_in_bytes",
	  "memory.use_hierarchy",
	  { "total_inactive_file ", "total_active_file " } },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Where this process is: the text after "N:controller:". */
static int find_path(const char *root, const char *controller, char *path)
{
	char line[PATH_BYTES + 64], *name, *where;
	FILE *f;
	int found = 0;

	(void)snprintf(line, sizeof(line), "%s/proc/self/cgroup", root);
	f = fopen(line, "re");
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

/* ---- Opening ------------------------------------------------------------- */

/** struct way - from the own cgroup to the root. */
struct way {
	const char *root;
	const struct kind *kind;
	char path[PATH_BYTES]; /* of the cgroup that is looked at; "": the root */
};

static int open_file(const struct way *w, const char *name)
{
	char full[3 * PATH_BYTES];

	(void)snprintf(full, sizeof(full), "%s%s%s/%s", w->root, w->kind->root,
		       w->path, name);
	return open(full, O_RDONLY | O_CLOEXEC);
}

static void close_level(struct tmemd_margin_level *l)
{
	tmemd_text_close(&l->limit_fd);
	tmemd_text_close(&l->usage_fd);
	tmemd_text_close(&l->stat_fd);
}

/* One without them sets no limit: the second version's root, and whatever the
 * controller is not on for. */
static void open_level(struct tmemd_margin *m, const struct way *w)
{
	struct tmemd_margin_level *l = &m->level[m->levels];

	l->limit_fd = open_file(w, w->kind->limit);
	l->usage_fd = open_file(w, w->kind->usage);
	l->stat_fd = open_file(w, "memory.stat");
	if (l->limit_fd >= 0 && l->usage_fd >= 0 && l->stat_fd >= 0)
		m->levels++;
	else
		close_level(l);
}

/* Before Linux 5.11 an ancestor of the first version may have been told not to care
 * for what is below it; then neither does any above. */
static int is_charged(const struct way *w)
{
	char text[8];
	int fd, charged;

	if (!w->kind->inherits)
		return 1;
	fd = open_file(w, w->kind->inherits);
	charged = !tmemd_text_read(fd, text, sizeof(text), 0) || text[0] != '0';
	tmemd_text_close(&fd);
	return charged;
}

/* With the controller off there are no files of its own; without this one the
 * cgroup itself is out of sight, and its limit with it. */
static int is_hidden(const struct way *w)
{
	int fd = open_file(w, "cgroup.procs"), hidden = fd < 0;

	tmemd_text_close(&fd);
	return hidden && strcmp(w->path, "/");
}

/* Return: 1, 0 there are more than there is room for. */
static int climb(struct tmemd_margin *m, struct way *w)
{
	char *end;

	if (!strcmp(w->path, "/"))
		w->path[0] = 0;
	for (;;) {
		if (m->levels == TMEMD_MARGIN_LEVELS)
			return 0;
		open_level(m, w);
		end = strrchr(w->path, '/');
		if (!end)
			return 1;
		/* A container may see its own cgroup as the root, and its whole
		 * path all the same: then those between are not there. */
		*end = 0;
		if (!is_charged(w))
			return 1;
	}
}

void tmemd_margin_init(struct tmemd_margin *m, const char *root,
		       const struct tmem_logger *logger)
{
	struct way w = { .root = root };
	int hidden = 0;

	m->levels = 0;
	for (m->kind = 0; m->kind < KINDS; m->kind++) {
		w.kind = &kinds[m->kind];
		/* From a namespace that this process is not in: nothing to see. */
		if (!find_path(root, w.kind->controller, w.path) ||
		    !strncmp(w.path, "/..", 3))
			continue;
		hidden = hidden || is_hidden(&w);
		if (!climb(m, &w))
			tmem_logger_say(logger, TMEM_LOG_WARNING,
					"the cgroup is more than %u deep: "
					"limits above that are not kept",
					TMEMD_MARGIN_LEVELS);
		if (m->levels)
			return;
	}
	if (hidden)
		tmem_logger_say(logger, TMEM_LOG_WARNING,
				"the cgroup's limit cannot be read: it is not "
				"kept, the budget is all that bounds lending");
}

void tmemd_margin_finish(struct tmemd_margin *m)
{
	while (m->levels)
		close_level(&m->level[--m->levels]);
}

/* ---- Reading ------------------------------------------------------------- */

static uint64_t level_bytes(const struct tmemd_margin_level *l,
			    const struct kind *k)
{
	char text[TMEMD_TEXT_MAX];
	uint64_t limit, usage, cache;

	if (!tmemd_text_read(l->limit_fd, text, sizeof(text), 0) ||
	    !strncmp(text, "max", 3))
		return UINT64_MAX;
	limit = strtoull(text, NULL, 10);
	if (limit >= LIMIT_NONE ||
	    !tmemd_text_read(l->usage_fd, text, sizeof(text), 0))
		return UINT64_MAX;
	usage = strtoull(text, NULL, 10);
	(void)tmemd_text_read(l->stat_fd, text, sizeof(text), 0);
	cache = tmemd_text_number(text, k->cache[0], 0) +
		tmemd_text_number(text, k->cache[1], 0);
	usage = usage > cache ? usage - cache : 0;
	if (limit <= usage || limit - usage <= MARGIN_BYTES)
		return 0;
	return limit - usage - MARGIN_BYTES;
}

uint64_t tmemd_margin_bytes(const struct tmemd_margin *m)
{
	uint64_t least = UINT64_MAX, bytes;
	unsigned i;

	for (i = 0; i < m->levels; i++) {
		bytes = level_bytes(&m->level[i], &kinds[m->kind]);
		if (bytes < least)
			least = bytes;
	}
	return least;
}
