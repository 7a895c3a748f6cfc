/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * giveback.h - the thread that brings pages home when the daemon wants memory.
 *
 * Whoever tells of it may not wait, and bringing pages home is disk I/O: so the
 * wish is noted, and the thread obeys. What was asked for meanwhile adds to it.
 */
#ifndef TMEM_NBDKIT_GIVEBACK_H
#define TMEM_NBDKIT_GIVEBACK_H

#include <pthread.h>
#include <stdint.h>

#include "volume.h"

/** struct giveback - of all disks. */
struct giveback {
	struct tmem *session;	/* (c) */
	struct volume *volumes; /* (c) with a home */
	unsigned volume_count;	/* (c) */
	pthread_t thread;	/* (c) */
	int started;		/* (c) */
	pthread_mutex_t lock;
	pthread_cond_t change;
	uint64_t wanted_bytes; /* (l) lock */
	int stop;	       /* (l) */
};

/** giveback_init() - so that giveback_want() may be called. */
void giveback_init(struct giveback *g);

/** giveback_start() - obey from now on. Return: 0, -ENOMEM. */
int giveback_start(struct giveback *g, struct tmem *session,
		   struct volume *volumes, unsigned count);

/** giveback_want() - @ctx: a giveback. So many bytes are wanted; does not wait. */
void giveback_want(void *ctx, uint64_t bytes);

/** giveback_stop() - the thread ends after the page it is at, if there is one. */
void giveback_stop(struct giveback *g);

#endif
