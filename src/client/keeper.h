/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper.h - the thread that talks to the daemon for a leased session.
 */
#ifndef TMEM_CLIENT_KEEPER_H
#define TMEM_CLIENT_KEEPER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "logger.h"

struct tmem_agers;
struct tmem_lease;
struct tmem_store;

struct tmem_keeper {
	struct tmem_lease *lease;  /* (c) a daemon's; NULL: not started */
	struct tmem_agers *agers;  /* (c) */
	struct tmem_logger logger; /* (c) */
	void (*wanted)(void *ctx, uint64_t bytes); /* (c) the user's; or NULL */
	void *wanted_ctx;			   /* (c) */
	_Atomic(struct tmem_store *) store;	   /* (a) NULL: not yet */
	_Atomic int stop;			   /* (a) */
	pthread_t thread;			   /* (c) */
	uint64_t hinted_ns; /* of the thread alone: of the last hint, 0 none; */
	uint64_t hinted_calls; /* ... and the calls before it */
};

/** tmem_keeper_start() - from now on the lease's stock is kept up. Return: 0,
 * -ENOMEM. */
int tmem_keeper_start(struct tmem_keeper *k, struct tmem_lease *lease,
		      struct tmem_agers *agers,
		      const struct tmem_logger *logger);

/** tmem_keeper_serve() - this store lives on the lease. */
void tmem_keeper_serve(struct tmem_keeper *k, struct tmem_store *store);

/** tmem_keeper_stop() - returns when the thread has ended. */
void tmem_keeper_stop(struct tmem_keeper *k);

#endif
