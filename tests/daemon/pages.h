/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pages.h - many pages put and looked for again, in a session of a daemon's.
 */
#ifndef TESTS_DAEMON_PAGES_H
#define TESTS_DAEMON_PAGES_H

#include <tmem/tmem.h>

/* For pages that all have room: an end to what hangs, and no measure of how fast a
 * daemon lends. */
#define PAGES_PATIENCE_MS 30000u

/** pages_pool() - one more pool; persistent, or ephemeral and kept by gets. */
int pages_pool(struct tmem *t, int persistent);

/** pages_put() - pages first to first + count - 1 that do not compress; put
 * again while the store refuses, @patience_ms at most. Return: how many are in. */
unsigned pages_put(struct tmem *t, int pool, unsigned first, unsigned count,
		   unsigned patience_ms);

/** pages_get() - Return: how many are there; -1: one was not what was put. */
int pages_get(struct tmem *t, int pool, unsigned first, unsigned count);

#endif
