/* SPDX-License-Identifier: BSD-2-Clause */
/* bench-floor.c - copies that any store must make. */
#include "bench-floor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tmem/tmem.h>

int bench_floor_init(struct bench_floor *f, const struct bench_area *area,
		     const struct bench_area *source, uint64_t source_pages)
{
	memset(f, 0, sizeof(*f));
	f->area = area;
	f->source = source;
	f->source_pages = source_pages;
	f->copy = bench_copy_pick();
	f->buffer = aligned_alloc(TMEM_PAGE_SIZE, TMEM_PAGE_SIZE);
	return f->buffer ? 0 : -ENOMEM;
}

void bench_floor_finish(struct bench_floor *f)
{
	free(f->buffer);
	f->buffer = NULL;
}

static uint8_t *any_page(struct bench_floor *f, const struct bench_area *a,
			 uint64_t pages)
{
	return a->at + bench_below(&f->random, pages) * TMEM_PAGE_SIZE;
}

void bench_floor_put(void *ctx, unsigned count)
{
	struct bench_floor *f = ctx;

	while (count--)
		f->copy(any_page(f, f->area, f->area->pages),
			any_page(f, f->source, f->source_pages));
}

void bench_floor_get(void *ctx, unsigned count)
{
	struct bench_floor *f = ctx;

	while (count--) {
		memcpy(f->buffer, any_page(f, f->area, f->area->pages),
		       TMEM_PAGE_SIZE);
		/* Somebody may look at it: the copy is not to be left out. */
		__asm__ volatile("" : : "r"(f->buffer) : "memory");
	}
}
