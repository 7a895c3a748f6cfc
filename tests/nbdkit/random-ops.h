/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * random-ops.h - random requests to a disk, from several threads, beside the same
 * on a plain file.
 *
 * The bytes of the disk are dealt out to the threads in shares much smaller than
 * a page, so that threads change parts of one page at once, and each still knows
 * what its own bytes must be. A request of one thread is a run within a share, or,
 * with the range to itself, any bytes at all.
 */
#ifndef TESTS_NBDKIT_RANDOM_OPS_H
#define TESTS_NBDKIT_RANDOM_OPS_H

#include <stdatomic.h>
#include <stdint.h>

/** struct random_disk - what is tested. Each call: 0; negative errno. */
struct random_disk {
	int (*read)(void *ctx, unsigned thread, void *to, uint32_t count,
		    uint64_t offset);
	int (*write)(void *ctx, unsigned thread, const void *from,
		     uint32_t count, uint64_t offset);
	int (*zero)(void *ctx, unsigned thread, uint32_t count, uint64_t offset);
	int (*trim)(void *ctx, unsigned thread, uint32_t count, uint64_t offset);
	int (*flush)(void *ctx, unsigned thread);
	void *ctx;
	uint64_t bytes;
};

/** struct random_result - what was done, all threads. */
struct random_result {
	_Atomic uint64_t reads, writes, zeros, trims, flushes;
	_Atomic uint64_t compared_bytes;
};

/**
 * random_ops_run() - until @seconds have passed; then all of it is compared.
 * @disk: all zeros.
 * @threads: 1 to 8.
 *
 * What differs, or fails, fails the running test.
 */
void random_ops_run(const struct random_disk *disk, unsigned threads,
		    unsigned seconds, uint64_t seed, struct random_result *ret);

#endif
