/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fusefile.h - a disk as a file of this host, by FUSE, with no other process between.
 *
 *	loop device -> kernel -> /dev/fuse -> these threads -> volume
 *
 * It is a file system of one file, mounted over a file that is there.
 */
#ifndef TMEM_NBDKIT_FUSEFILE_H
#define TMEM_NBDKIT_FUSEFILE_H

#include <pthread.h>

#include "volume.h"

/** FUSEFILE_THREADS - requests at work at a time: more than one processor has use
 * for only where pages come from a backing. */
#define FUSEFILE_THREADS 4u

#define FUSEFILE_LINE_MAX 256u

struct fusefile {
	const char *path; /* NULL: none */
	int fd;		  /* /dev/fuse */
	struct volume *volume;
	pthread_t threads[FUSEFILE_THREADS];
	unsigned count;
};

/** fusefile_check() - before there is anything to be served: can it be mounted?
 * Return: 0; negative errno, told in @line. */
int fusefile_check(const char *path, char line[FUSEFILE_LINE_MAX]);

/**
 * fusefile_start() - mount it, and serve it.
 * @path: of a file; kept.
 * @line: out, on failure: what is wrong.
 *
 * Return: 0, negative errno.
 */
int fusefile_start(struct fusefile *f, const char *path, struct volume *v,
		   char line[FUSEFILE_LINE_MAX]);

/** fusefile_stop() - one that was not started is fine. */
void fusefile_stop(struct fusefile *f);

#endif
