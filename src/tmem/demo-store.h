/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demo-store.h - the store under test, a precache in it, and what it has to say.
 */
#ifndef TMEM_COMMAND_DEMO_STORE_H
#define TMEM_COMMAND_DEMO_STORE_H

#include <pthread.h>
#include <stdint.h>

#include "demo-options.h"

struct tmem;
struct tmem_precache;

/** DEMO_STORE_LINE_MAX - longest line of the library that is kept, bytes. */
#define DEMO_STORE_LINE_MAX 400

/** struct demo_store - a session and a precache in it. */
struct demo_store {
	struct tmem *session;
	struct tmem_precache *cache;
	pthread_mutex_t lock; /* for what the library logs */
	int opening;	      /* keep the line instead of printing it */
	char line[DEMO_STORE_LINE_MAX]; /* the last one while opening, or "" */
};

/**
 * demo_store_open() - open a store and begin a precache.
 * @o: which one.
 *
 * What the library logs later, from warnings on, goes to stderr.
 *
 * Return: 0; what tmem_open() or tmem_precache_init() returned. Then `line` says
 *	why, in words.
 */
int demo_store_open(struct demo_store *s, const struct demo_options *o)
	__attribute__((warn_unused_result));

/** demo_store_close() - also after a failure, or of a zeroed one. */
void demo_store_close(struct demo_store *s);

#endif
