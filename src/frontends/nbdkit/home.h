/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * home.h - the file or block device that takes the pages a store refuses.
 *
 * Page i of disk d lies at (d * pages + i) * 4096. What was in it before is never
 * read: which of its pages are in use is known to the disks alone, as long as
 * this process lives. Read and written directly where that works, so that a page
 * that was written is there: a page cache would take memory to get rid of memory,
 * and may lose what it could not write back.
 */
#ifndef TMEM_NBDKIT_HOME_H
#define TMEM_NBDKIT_HOME_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

enum {
	HOME_PAGE = 4096,
	HOME_LINE_MAX = 512 /* bytes of a complaint */
};

/** struct home - of all disks. */
struct home {
	int fd;			   /* (c) -1: there is none */
	int direct;		   /* (c) past the page cache */
	_Atomic uint32_t dirty;	   /* (a) written since the last sync */
	pthread_mutex_t lock;	   /* of who syncs; taken before any page's */
	_Atomic uint32_t failures; /* (a) syncs that failed; lock to write */
};

/**
 * home_open() - take a file, so that no other process that asks has it.
 * @path: a regular file of @bytes or more, or none yet: it is made, sparse; or a
 *	block device of as much that nothing uses.
 * @line: out: why not, in words for the user.
 *
 * Return: 0; negative errno.
 */
int home_open(struct home *h, const char *path, uint64_t bytes,
	      char line[HOME_LINE_MAX]);
void home_close(struct home *h);

/**
 * home_read(), home_write() - whole pages.
 * @page: number of the first, in the file.
 *
 * Return: 0; negative errno, and what was to be written may be there in part.
 */
int home_read(struct home *h, uint64_t page, unsigned count, void *bytes);
int home_write(struct home *h, uint64_t page, unsigned count, const void *bytes);

/** home_discard() - pages are not needed; advice. */
void home_discard(struct home *h, uint64_t page, unsigned count);

/** home_sync() - what was written is on the medium. Return: 0; negative errno, and
 * nobody knows what any page holds that was written until now. */
int home_sync(struct home *h);

#endif
