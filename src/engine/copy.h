/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copy.h - moving a page into the store past the caches.
 *
 * A put's page is not read again soon: stores that bypass the cache halve the
 * cost of a cold put and leave the caller's working set alone.
 */
#ifndef TMEM_ENGINE_COPY_H
#define TMEM_ENGINE_COPY_H

#include <stddef.h>

/**
 * tmem_copy_fn - copies `len` bytes, a multiple of 64, to a 64-byte aligned
 * place; any source alignment. Not ordered with later stores until
 * tmem_copy_fence().
 */
typedef void (*tmem_copy_fn)(void *to, const void *from, size_t len);

/** tmem_copy_pick() - the best one for this processor. */
tmem_copy_fn tmem_copy_pick(void);

/** tmem_copy_fence() - all copied bytes are visible before what follows. */
void tmem_copy_fence(void);

#endif
