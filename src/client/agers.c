/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agers.c - ager threads: asleep until kicked, away for a while when work that
 * they cannot do remains.
 */
#include "agers.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "fault.h"
#include "store.h"

/* What an ager does between two looks at `stop`: short enough that closing a
 * session does not wait. */
#define SLICE_US 2000

/* A store that is full of what nobody can clean wants work for ever. */
#define AWAY_NS (10 * 1000 * 1000)

static void wait_kicked(struct tmem_agers *a)
{
	atomic_fetch_add(&a->asleep, 1);
	/* Asked again after saying so: what came before is seen here, and
	 * what comes after sees a sleeper to kick. */
	if (!tmem_store_wants_age(a->store))
		(void)pthread_cond_wait(&a->wake, &a->mutex);
	atomic_fetch_sub(&a->asleep, 1);
}

static void wait_away(struct tmem_agers *a)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += AWAY_NS;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	(void)pthread_cond_timedwait(&a->wake, &a->mutex, &until);
}

static void *ager_main(void *arg)
{
	struct tmem_agers *a = arg;
	int more;

	(void)pthread_setname_np(pthread_self(), "tmem-ager");
	(void)pthread_mutex_lock(&a->mutex);
	while (!a->stop) {
		(void)pthread_mutex_unlock(&a->mutex);
		more = tmem_store_age(a->store, SLICE_US);
		(void)pthread_mutex_lock(&a->mutex);
		if (a->stop || more)
			continue;
		if (tmem_store_wants_age(a->store))
			wait_away(a);
		else
			wait_kicked(a);
	}
	(void)pthread_mutex_unlock(&a->mutex);
	return NULL;
}

void tmem_agers_wake(struct tmem_agers *a)
{
	(void)pthread_mutex_lock(&a->mutex);
	(void)pthread_cond_signal(&a->wake);
	(void)pthread_mutex_unlock(&a->mutex);
}

int tmem_agers_start(struct tmem_agers *a, struct tmem_store *store,
		     uint32_t count)
{
	pthread_condattr_t attr;
	sigset_t all, old;
	int err = 0;

	a->store = store;
	(void)pthread_mutex_init(&a->mutex, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&a->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	while (a->count < count && !err) {
		if (tmem_fault(TMEM_FAULT_THREAD) ||
		    pthread_create(&a->threads[a->count], NULL, ager_main, a))
			err = -ENOMEM;
		else
			a->count++;
	}
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		tmem_agers_stop(a);
	return err;
}

void tmem_agers_stop(struct tmem_agers *a)
{
	uint32_t i;

	if (!a->store)
		return;
	(void)pthread_mutex_lock(&a->mutex);
	a->stop = 1;
	(void)pthread_cond_broadcast(&a->wake);
	(void)pthread_mutex_unlock(&a->mutex);
	for (i = 0; i < a->count; i++)
		(void)pthread_join(a->threads[i], NULL);
	(void)pthread_cond_destroy(&a->wake);
	(void)pthread_mutex_destroy(&a->mutex);
	a->store = NULL;
	a->count = 0;
}
