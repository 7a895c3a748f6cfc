/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-zram.h - a zram device of one's own: the kernel's compressed memory, to
 * be compared with.
 */
#ifndef TMEM_COMMAND_BENCH_ZRAM_H
#define TMEM_COMMAND_BENCH_ZRAM_H

#include <stdint.h>
#include <sys/types.h>

#define BENCH_ZRAM_WHY_MAX 128u

struct bench_zram {
	int id;	       /* of the device; negative: none */
	int guard;     /* as long as this is open, so is the device */
	pid_t keeper;  /* the process at its other end */
	uint8_t *page; /* aligned as direct writes want it */
};

/** struct bench_zram_cost - of pages that were written, each. */
struct bench_zram_cost {
	double bytes;  /* mem_used_total */
	double cpu_ns; /* of the writing thread, kernel included */
	double ns;     /* elapsed */
};

/**
 * bench_zram_open() - add a device.
 * @why: out, on failure: what it lacks, one line; BENCH_ZRAM_WHY_MAX bytes.
 *
 * Return: 0, negative errno.
 */
int bench_zram_open(struct bench_zram *z, char *why);

/** bench_zram_close() - the machine has the devices that it had. So it has soon
 * after a process that was killed. */
void bench_zram_close(struct bench_zram *z);

/**
 * bench_zram_write() - write pages, one block write each, to an empty device.
 * @codec: as in comp_algorithm.
 * @rounds: all of them so often, to other blocks.
 *
 * Return: 0, negative errno; -EINVAL the kernel has no such codec.
 */
int bench_zram_write(struct bench_zram *z, const char *codec,
		     const uint8_t *pages, uint64_t count, unsigned rounds,
		     struct bench_zram_cost *ret);

#endif
