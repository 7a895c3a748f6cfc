/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-area.h - plain memory on OS pages of one size, all of it backed: what
 * the floors are measured on.
 */
#ifndef TMEM_COMMAND_BENCH_AREA_H
#define TMEM_COMMAND_BENCH_AREA_H

#include <stddef.h>
#include <stdint.h>

struct bench_area {
	uint8_t *at;
	size_t bytes;
	uint64_t pages; /* of TMEM_PAGE_SIZE */
};

/**
 * bench_area_init() - map and touch.
 * @huge: 1: huge pages, as far as the kernel has them; 0: 4 KiB ones.
 *
 * Return: 0, -ENOMEM.
 */
int bench_area_init(struct bench_area *a, size_t bytes, int huge);
void bench_area_finish(struct bench_area *a);

/** bench_area_fill() - bytes that no codec makes smaller. */
void bench_area_fill(struct bench_area *a, uint64_t seed);

/** bench_area_touch() - back all of it again after giving it up. */
void bench_area_touch(struct bench_area *a);

#endif
