/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cover.h - files of /proc as another kernel has them, for a daemon under test.
 *
 *	cover_begin(&c);
 *	cover_put("/proc/meminfo", file);
 *	daemon_start(&d);		sees the file; it may be written later
 *	cover_end(&c);			the test sees /proc again
 *
 * In a mount namespace, which whoever is started meanwhile stays in.
 */
#ifndef TESTS_LIB_COVER_H
#define TESTS_LIB_COVER_H

struct cover {
	int mounts; /* the namespace of before */
	int root;   /* of before, and the folder */
	int cwd;
};

/** cover_begin() - Return: 0; -EOPNOTSUPP this machine or user cannot. */
int cover_begin(struct cover *c);

/** cover_put() - lay a file over a file, or a directory over a directory. Return:
 * 0, negative errno. */
int cover_put(const char *path, const char *with);

/** cover_end() - back to what there really is. Return: 0, negative errno. */
int cover_end(struct cover *c);

#endif
