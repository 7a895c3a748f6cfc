/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-shed.h - tells the kernel's page cache to let go of what the store has.
 */
#ifndef TMEM_SQLITE_SHED_H
#define TMEM_SQLITE_SHED_H

#include <pthread.h>
#include <stdint.h>

/** SQLITE_SHED_MAX - pieces that may be waiting; more are left to the kernel. */
#define SQLITE_SHED_MAX 256

/**
 * struct sqlite_shed_piece - a part of a file.
 * @fd: any descriptor of the process, O_PATH will do; may be closed meanwhile.
 * @dev, @ino: what it was of.
 */
struct sqlite_shed_piece {
	int fd;
	uint32_t bytes;
	uint64_t dev, ino;
	uint64_t offset;
};

/** struct sqlite_shed - a thread that does it; lives as long as the process. */
struct sqlite_shed {
	pthread_mutex_t lock;
	pthread_cond_t some;
	int state;	/* (l) none, at work, or it could not be had */
	unsigned count; /* (l) */
	struct sqlite_shed_piece waiting[SQLITE_SHED_MAX]; /* (l) */
};

void sqlite_shed_init(struct sqlite_shed *s);

/** sqlite_shed_add() - soon; starts the thread if there is none. */
void sqlite_shed_add(struct sqlite_shed *s,
		     const struct sqlite_shed_piece *piece);

#endif
