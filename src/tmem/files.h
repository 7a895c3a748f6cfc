/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files.h - the regular files below a directory, in a seeded order.
 */
#ifndef TMEM_COMMAND_FILES_H
#define TMEM_COMMAND_FILES_H

#include <stddef.h>
#include <stdint.h>

struct progress;

/** FILES_SKIPPED_NAMED - how many of the skipped files are told by name. */
#define FILES_SKIPPED_NAMED 3

/** struct file_state - what tells one state of a file from another. */
struct file_state {
	uint64_t dev;
	uint64_t ino;
	uint64_t size; /* bytes */
	uint64_t mtime_ns;
	uint64_t ctime_ns;
};

/** struct file - a file, and which part of it takes part. */
struct file {
	char *path;
	uint64_t order;		 /* sorts the files; made of name and seed */
	struct file_state state; /* when its pages were hashed */
	uint64_t start;		 /* first of its pages that takes part */
	uint32_t first;		 /* that page's number in the data set */
	uint32_t pages;		 /* how many do */
	uint8_t linked;		 /* has more than one name */
	uint8_t plain;		 /* O_DIRECT was refused */
	uint8_t changed;	 /* no longer what was hashed */
};

/** struct skipped - what could not be read, and why. */
struct skipped {
	uint64_t count;
	char *path[FILES_SKIPPED_NAMED];
	int err[FILES_SKIPPED_NAMED]; /* errno */
};

/** struct files - what a walk found, sorted by order. */
struct files {
	struct file *file;
	size_t count, room;
	size_t most; /* files kept; more would never be used */
	struct skipped skipped;
	int cut; /* time was up before all was seen */
};

/** struct walk - what to walk and how. */
struct walk {
	const char *dir;
	uint64_t seed;
	size_t files_max;     /* files kept, those first in order */
	uint64_t deadline_ns; /* of tmem_clock_ns() */
	struct progress *progress;
};

/**
 * files_walk() - find the regular files that are not empty.
 * @fs: out: freed by files_finish(), also on failure.
 *
 * Follows no symbolic link but `dir` itself, stays on its file system, takes a
 * file with several names once. The order depends on the seed and on the names
 * below `dir` alone.
 *
 * Return: 0; -ENOENT, -ENOTDIR and what else opening `dir` gives; -ENOMEM.
 */
int files_walk(struct files *fs, const struct walk *walk)
	__attribute__((warn_unused_result));

void files_finish(struct files *fs);

/** files_skip() - note that a file could not be read. */
void files_skip(struct files *fs, const char *path, int err);

struct stat;

/** file_state_read() - from what stat(2) gave. */
void file_state_read(struct file_state *state, const struct stat *st);

/** file_state_equal() - 1: same file, same size, not written since. */
int file_state_equal(const struct file_state *a, const struct file_state *b);

#endif
