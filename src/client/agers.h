/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agers.h - the threads that give a store time for its background work.
 */
#ifndef TMEM_CLIENT_AGERS_H
#define TMEM_CLIENT_AGERS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include <tmem/tmem.h>

#include "store.h"

struct tmem_agers {
	struct tmem_store *store; /* (c) */
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	int stop;		  /* mutex */
	_Atomic uint32_t asleep;  /* (a) threads waiting for a kick */
	_Atomic uint32_t pausing; /* (a) threads that only urgent work wakes */
	uint32_t count;		  /* (c) running threads */
	uint32_t share_pct;	  /* (c) of a core, for all of them */
	pthread_t threads[TMEM_AGERS_MAX]; /* (c) */
};

/** A quarter of a core makes 20000 pages a second dense, which is more than most
 * stores take in, and what a busy machine does not notice. */
#define TMEM_AGERS_SHARE_PCT 25u

/**
 * tmem_agers_start() - 0; -ENOMEM, with none left running.
 * @share_pct: of a core, how much all of them may take for what can wait; what
 *	cannot is done at once. 0: no such limit.
 */
int tmem_agers_start(struct tmem_agers *a, struct tmem_store *store,
		     uint32_t count, uint32_t share_pct);

/** tmem_agers_stop() - returns when all have ended. */
void tmem_agers_stop(struct tmem_agers *a);

/** tmem_agers_wake() - the slow part of tmem_agers_kick(). */
void tmem_agers_wake(struct tmem_agers *a);

/** tmem_agers_kick() - there may be work; costs one load when none sleeps. */
static inline void tmem_agers_kick(struct tmem_agers *a)
{
	if (atomic_load_explicit(&a->asleep, memory_order_relaxed) ||
	    (atomic_load_explicit(&a->pausing, memory_order_relaxed) &&
	     tmem_store_is_pressed(a->store)))
		tmem_agers_wake(a);
}

#endif
