/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-copy.h - a page written past the caches: the floor under any put.
 *
 * Not the engine's own copy on purpose: a floor that got slower together with
 * what stands on it would hide it.
 */
#ifndef TMEM_COMMAND_BENCH_COPY_H
#define TMEM_COMMAND_BENCH_COPY_H

/** bench_copy_fn - copies TMEM_PAGE_SIZE bytes, and fences. */
typedef void (*bench_copy_fn)(void *to, const void *from);

/** bench_copy_pick() - the fastest for this processor; `to` must be aligned to
 * 64 bytes. */
bench_copy_fn bench_copy_pick(void);

#endif
