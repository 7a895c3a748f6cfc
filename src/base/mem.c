/* SPDX-License-Identifier: BSD-2-Clause */
/* mem.c - heap and address space for the library, with a place to fail. */
#include "mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fault.h"

/* One cache line: what is allocated here is shared between threads. */
#define ALIGNMENT 64u

static size_t round_up(size_t size, size_t align)
{
	return (size + align - 1) & ~(align - 1);
}

void *tmem_mem_alloc(size_t size)
{
	void *p;

	if (!size || size > SIZE_MAX - ALIGNMENT || tmem_fault(TMEM_FAULT_ALLOC))
		return NULL;
	size = round_up(size, ALIGNMENT);
	p = aligned_alloc(ALIGNMENT, size);
	if (p)
		memset(p, 0, size);
	return p;
}

void *tmem_mem_grow(void *old, size_t old_size, size_t size)
{
	void *p = tmem_mem_alloc(size);

	if (!p)
		return NULL;
	if (old)
		memcpy(p, old, old_size);
	tmem_mem_free(old, old_size);
	return p;
}

void tmem_mem_free(void *p, size_t size)
{
#ifdef TMEM_DEBUG
	if (p)
		memset(p, 0xdf, size);
#else
	(void)size;
#endif
	free(p);
}

void *tmem_mem_map(size_t size, size_t align)
{
	uint8_t *p, *aligned;
	size_t room = size + align;

	if (room < size || tmem_fault(TMEM_FAULT_ALLOC))
		return NULL;
	p = mmap(NULL, room, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	aligned = (uint8_t *)round_up((uintptr_t)p, align);
	if (aligned > p)
		(void)munmap(p, (size_t)(aligned - p));
	if (p + room > aligned + size)
		(void)munmap(aligned + size,
			     (size_t)(p + room - aligned - size));
	if (madvise(aligned, size, MADV_DONTFORK)) {
		(void)munmap(aligned, size);
		return NULL;
	}
	/* A core dump of a cache is large and says nothing: best effort. */
	(void)madvise(aligned, size, MADV_DONTDUMP);
	return aligned;
}

void tmem_mem_unmap(void *p, size_t size)
{
	if (p)
		(void)munmap(p, size);
}

void *tmem_mem_map_wipe(void)
{
	void *p;

	if (tmem_fault(TMEM_FAULT_ALLOC))
		return NULL;
	p = mmap(NULL, TMEM_OS_PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	if (madvise(p, TMEM_OS_PAGE, MADV_WIPEONFORK)) {
		(void)munmap(p, TMEM_OS_PAGE);
		return NULL;
	}
	return p;
}
