/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem.h - every allocation of the library, in one place.
 *
 * So that a test can make the nth one fail (fault.h), and so that the store can
 * account for what it holds: callers know the sizes and pass them back.
 */
#ifndef TMEM_BASE_MEM_H
#define TMEM_BASE_MEM_H

#include <stddef.h>

/** What an OS page is here; larger ones only make rounding coarser. */
#define TMEM_OS_PAGE 4096u

/** tmem_mem_alloc() - zeroed heap memory, cache-line aligned; NULL: none. */
void *tmem_mem_alloc(size_t size);

/**
 * tmem_mem_grow() - a larger copy; the new part is zeroed.
 *
 * Return: the new memory, the old freed; NULL: none, the old left as it was.
 */
void *tmem_mem_grow(void *old, size_t old_size, size_t size);

/** tmem_mem_free() - frees; NULL is fine. Poisons first in debug builds. */
void tmem_mem_free(void *p, size_t size);

/**
 * tmem_mem_map() - address space, readable, writable and zero, backed on touch.
 * @size: bytes, a multiple of TMEM_OS_PAGE.
 * @align: bytes, a power of two.
 *
 * Not inherited by fork (MADV_DONTFORK), not dumped, not counted against
 * overcommit until touched.
 *
 * Return: the memory, freed by tmem_mem_unmap(); NULL: none.
 */
void *tmem_mem_map(size_t size, size_t align);
void tmem_mem_unmap(void *p, size_t size);

/** tmem_mem_map_wipe() - one OS page that reads as zero in a forked child. */
void *tmem_mem_map_wipe(void);

#endif
