/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.h - what the kernel says about this machine and this process.
 *
 * All sizes in bytes; a figure that cannot be read is 0.
 */
#ifndef TESTS_LIB_MACHINE_H
#define TESTS_LIB_MACHINE_H

#include <stdint.h>

/*
 * MACHINE_SANITIZED - 1: built with a sanitizer, so that every access costs
 * many times more and the process holds memory of the sanitizer's own.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MACHINE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||     \
	__has_feature(memory_sanitizer)
#define MACHINE_SANITIZED 1
#endif
#endif
#ifndef MACHINE_SANITIZED
#define MACHINE_SANITIZED 0
#endif

/** machine_now_ns() - monotonic time. */
uint64_t machine_now_ns(void);

/**
 * machine_mem_free() - MemFree and the free pages that CPUs keep at hand.
 *
 * Kernels from 6.7 on let a CPU keep hundreds of MiB of what was just given back
 * on a list of its own, free for all but not counted in MemFree: without it, a
 * madvise() of 200 MiB raises MemFree by a third of that.
 */
uint64_t machine_mem_free(void);

uint64_t machine_mem_available(void);

/** machine_rss() - this process's resident memory, counted page by page. */
uint64_t machine_rss(void);

/** machine_address_space() - what this process has mapped. */
uint64_t machine_address_space(void);

/** machine_threads(), machine_fds() - how many this process has. */
unsigned machine_threads(void);
unsigned machine_fds(void);

/**
 * machine_threads_blocking() - 1: every thread but the caller's blocks the
 * signals of @mask (bit n - 1 is signal n).
 */
int machine_threads_blocking(uint64_t mask);

#endif
