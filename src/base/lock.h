/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lock.h - mutexes with ranks.
 *
 * Locks are taken in rising rank. Debug builds keep each thread's held ranks and
 * abort on an inversion, on releasing what is not held, and on taking two locks
 * of one rank.
 */
#ifndef TMEM_BASE_LOCK_H
#define TMEM_BASE_LOCK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

enum tmem_lock_rank {
	TMEM_RANK_POOLS = 1, /* pool table: create, destroy */
	TMEM_RANK_WORKER,    /* one worker's job: cleaning, sweeping */
	TMEM_RANK_SWEEP,     /* the pass over the index */
	TMEM_RANK_DENSE,     /* dictionaries in the making */
	TMEM_RANK_CODEC,     /* a codec context and its buffers */
	TMEM_RANK_SHARD,     /* a shard of the page index */
	TMEM_RANK_OBJECTS,   /* a shard of the object table */
	TMEM_RANK_HEAD,	     /* an open segment's fill */
	TMEM_RANK_LOG,	     /* segment states, queues, metadata chunks */
	TMEM_RANK_LEASE,     /* the segment source */
	TMEM_RANKS
};

struct tmem_lock {
	pthread_mutex_t mutex;
#ifdef TMEM_DEBUG
	uint32_t rank; /* (c) */
#endif
};

void tmem_lock_init(struct tmem_lock *lock, enum tmem_lock_rank rank);
void tmem_lock_finish(struct tmem_lock *lock);

#ifdef TMEM_DEBUG
void tmem_lock_acquire(struct tmem_lock *lock);
int tmem_lock_try(struct tmem_lock *lock);
void tmem_lock_release(struct tmem_lock *lock);
/** As acquire and release, but of one more lock of a rank that is held already:
 * for walkers that take all of them, in the order of the array. */
void tmem_lock_acquire_peer(struct tmem_lock *lock);
void tmem_lock_release_peer(struct tmem_lock *lock);
/** tmem_lock_held() - 1: this thread holds a lock of the rank. */
int tmem_lock_held(enum tmem_lock_rank rank);
#else
static inline void tmem_lock_acquire(struct tmem_lock *lock)
{
	(void)pthread_mutex_lock(&lock->mutex);
}

/** tmem_lock_try() - 1: taken, 0: somebody has it. */
static inline int tmem_lock_try(struct tmem_lock *lock)
{
	return !pthread_mutex_trylock(&lock->mutex);
}

static inline void tmem_lock_release(struct tmem_lock *lock)
{
	(void)pthread_mutex_unlock(&lock->mutex);
}

static inline void tmem_lock_acquire_peer(struct tmem_lock *lock)
{
	tmem_lock_acquire(lock);
}

static inline void tmem_lock_release_peer(struct tmem_lock *lock)
{
	tmem_lock_release(lock);
}
#endif

#endif
