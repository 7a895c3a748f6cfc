/* SPDX-License-Identifier: BSD-2-Clause */
/* bench-area.c - plain memory on OS pages of one size. */
#include "bench-area.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <tmem/tmem.h>

#include "bench-run.h"
#include "mem.h"

#define HUGE_BYTES (2u << 20)

int bench_area_init(struct bench_area *a, size_t bytes, int huge)
{
	memset(a, 0, sizeof(*a));
	bytes = (bytes + HUGE_BYTES - 1) & ~(size_t)(HUGE_BYTES - 1);
	a->at = tmem_mem_map(bytes, HUGE_BYTES);
	if (!a->at)
		return -ENOMEM;
	a->bytes = bytes;
	a->pages = bytes / TMEM_PAGE_SIZE;
	/* Advice: a kernel without huge pages says no to both. */
	(void)madvise(a->at, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	bench_area_touch(a);
	return 0;
}

void bench_area_finish(struct bench_area *a)
{
	tmem_mem_unmap(a->at, a->bytes);
	memset(a, 0, sizeof(*a));
}

void bench_area_touch(struct bench_area *a)
{
	volatile uint8_t *at = a->at;
	size_t i;

	for (i = 0; i < a->bytes; i += TMEM_PAGE_SIZE)
		at[i] = 1;
}

void bench_area_fill(struct bench_area *a, uint64_t seed)
{
	struct bench_random r = { seed };
	uint64_t word;
	size_t i;

	for (i = 0; i < a->bytes; i += sizeof(word)) {
		word = bench_random(&r);
		memcpy(a->at + i, &word, sizeof(word));
	}
}
