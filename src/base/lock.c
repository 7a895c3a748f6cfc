/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lock.c - mutexes that spin a little before they sleep, and the rank checker.
 *
 * Adaptive: what is held here is held for tens to hundreds of nanoseconds, and
 * waking a sleeper costs microseconds.
 */
#include "lock.h"

#include "assertion.h"

void tmem_lock_init(struct tmem_lock *lock, enum tmem_lock_rank rank)
{
	pthread_mutexattr_t attr;

	(void)pthread_mutexattr_init(&attr);
	(void)pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ADAPTIVE_NP);
	(void)pthread_mutex_init(&lock->mutex, &attr);
	(void)pthread_mutexattr_destroy(&attr);
#ifdef TMEM_DEBUG
	lock->rank = rank;
#else
	(void)rank;
#endif
}

void tmem_lock_finish(struct tmem_lock *lock)
{
	(void)pthread_mutex_destroy(&lock->mutex);
}

#ifdef TMEM_DEBUG
_Static_assert(TMEM_RANKS <= 32, "ranks fit a word");

static _Thread_local uint32_t held; /* a bit per rank this thread holds */

static void note_taken(const struct tmem_lock *lock, int may_invert)
{
	TMEM_ASSERT(!(held & (1u << lock->rank)));
	if (!may_invert)
		TMEM_ASSERT(held < (1u << lock->rank));
	held |= 1u << lock->rank;
}

void tmem_lock_acquire(struct tmem_lock *lock)
{
	TMEM_ASSERT(held < (1u << lock->rank));
	(void)pthread_mutex_lock(&lock->mutex);
	note_taken(lock, 0);
}

int tmem_lock_try(struct tmem_lock *lock)
{
	if (pthread_mutex_trylock(&lock->mutex))
		return 0;
	note_taken(lock, 1); /* a try cannot deadlock */
	return 1;
}

void tmem_lock_release(struct tmem_lock *lock)
{
	TMEM_ASSERT(held & (1u << lock->rank));
	held &= ~(1u << lock->rank);
	(void)pthread_mutex_unlock(&lock->mutex);
}

void tmem_lock_acquire_peer(struct tmem_lock *lock)
{
	TMEM_ASSERT(held < 2u << lock->rank);
	(void)pthread_mutex_lock(&lock->mutex);
	held |= 1u << lock->rank;
}

void tmem_lock_release_peer(struct tmem_lock *lock)
{
	held &= ~(1u << lock->rank);
	(void)pthread_mutex_unlock(&lock->mutex);
}

int tmem_lock_held(enum tmem_lock_rank rank)
{
	return !!(held & (1u << rank));
}
#endif
