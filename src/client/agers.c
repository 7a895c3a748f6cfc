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

#include "clock.h"
#include "fault.h"
#include "store.h"

/* What an ager does between two looks at `stop`: short enough that closing a
 * session does not wait, long enough for any step of the work. */
#define SLICE_US 4000

/* A store that is full of what nobody can clean wants work for ever: agers look
 * again after so long, and twice as long each time that there was nothing. */
#define AWAY_NS (10 * TMEM_NS_PER_MS)
#define AWAY_NS_MOST (320 * TMEM_NS_PER_MS)

static void wait_kicked(struct tmem_agers *a)
{
	atomic_fetch_add(&a->asleep, 1);
	/* Asked again after saying so: what came before is seen here, and
	 * what comes after sees a sleeper to kick. */
	if (!tmem_store_wants_age(a->store))
		(void)pthread_cond_wait(&a->wake, &a->mutex);
	atomic_fetch_sub(&a->asleep, 1);
}

static void wait_until(struct tmem_agers *a, uint64_t until)
{
	struct timespec ts = {
		.tv_sec = (time_t)(until / TMEM_NS_PER_SEC),
		.tv_nsec = (long)(until % TMEM_NS_PER_SEC),
	};

	(void)pthread_cond_timedwait(&a->wake, &a->mutex, &ts);
}

/* After work that could have waited: as long as keeps the share, or until work
 * comes that cannot wait. */
static void pause_for(struct tmem_agers *a, uint64_t spent_ns)
{
	uint64_t left = a->share_pct ? spent_ns * 100 * a->count / a->share_pct
				     : 0;
	uint64_t until;

	left = left > spent_ns ? left - spent_ns : 0;
	if (!left)
		return;
	atomic_fetch_add(&a->pausing, 1);
	until = tmem_clock_ns() + left;
	/* Asked again after saying so, as in wait_kicked(). */
	while (!a->stop && !tmem_store_is_pressed(a->store) &&
	       tmem_clock_ns() < until)
		wait_until(a, until);
	atomic_fetch_sub(&a->pausing, 1);
}

static void *ager_main(void *arg)
{
	struct tmem_agers *a = arg;
	uint64_t spent, away = AWAY_NS;
	int more;

	(void)pthread_setname_np(pthread_self(), "tmem-ager");
	(void)pthread_mutex_lock(&a->mutex);
	while (!a->stop) {
		(void)pthread_mutex_unlock(&a->mutex);
		more = tmem_store_age_slice(a->store, SLICE_US, &spent);
		(void)pthread_mutex_lock(&a->mutex);
		if (a->stop)
			break;
		if (more) {
			away = AWAY_NS;
			pause_for(a, spent);
		} else if (tmem_store_wants_age(a->store)) {
			wait_until(a, tmem_clock_ns() + away);
			away = away < AWAY_NS_MOST ? 2 * away : away;
		} else {
			away = AWAY_NS;
			wait_kicked(a);
		}
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
		     uint32_t count, uint32_t share_pct)
{
	pthread_condattr_t attr;
	sigset_t all, old;
	int err = 0;

	a->store = store;
	a->share_pct = share_pct;
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
