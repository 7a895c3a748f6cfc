/* SPDX-License-Identifier: BSD-2-Clause */
/* walk.c - what a daemon has lent, found out without asking it. */
#include "walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#define BLOCK 512 /* st_blocks counts these */

static void add_control(struct walk *w, const char *path)
{
	struct tmem_wire_control head;
	uint8_t *classes;
	uint32_t i;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &head, sizeof(head), 0), sizeof(head));
	assert_int_equal(head.magic, TMEM_WIRE_MAGIC);
	if (w->only && strcmp(w->only, head.domain) != 0) {
		(void)close(fd);
		return;
	}
	classes = test_malloc(head.segments_max);
	assert_int_equal(pread(fd, classes, head.segments_max,
			       TMEM_WIRE_EPOCHS_AT + 4ll * head.segments_max),
			 head.segments_max);
	for (i = 0; i < head.segments_max; i++) {
		if (!classes[i])
			continue;
		assert_in_range(classes[i], 1, TMEM_WIRE_CLASSES);
		w->lent_bytes[classes[i] - 1] += head.segment_size;
		w->segments++;
	}
	memcpy(w->domain, head.domain, sizeof(w->domain));
	w->leases++;
	test_free(classes);
	(void)close(fd);
}

static void add_data(struct walk *w, const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	w->memory_bytes += (uint64_t)st.st_blocks * BLOCK;
}

int walk_add(struct walk *w, pid_t pid)
{
	char path[320], what[64];
	unsigned before = w->leases;
	struct dirent *e;
	ssize_t n;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	assert_non_null(dir);
	while ((e = readdir(dir))) {
		(void)snprintf(path, sizeof(path), "/proc/%d/fd/%s", (int)pid,
			       e->d_name);
		n = readlink(path, what, sizeof(what) - 1);
		what[n > 0 ? n : 0] = 0;
		if (!strncmp(what, "/memfd:tmem-control", 19))
			add_control(w, path);
		else if (!strncmp(what, "/memfd:tmem-data", 16))
			add_data(w, path);
	}
	(void)closedir(dir);
	return w->leases != before;
}
