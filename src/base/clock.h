/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock.h - time that has passed, and CPU time that was spent.
 */
#ifndef TMEM_BASE_CLOCK_H
#define TMEM_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define TMEM_NS_PER_SEC 1000000000ull
#define TMEM_NS_PER_MS 1000000ull
#define TMEM_NS_PER_US 1000ull

/** tmem_clock_read_ns() - a clock of clock_gettime() that cannot fail, ns. */
static inline uint64_t tmem_clock_read_ns(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * TMEM_NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

/** tmem_clock_ns() - since some moment in the past, ns; never steps back. */
static inline uint64_t tmem_clock_ns(void)
{
	return tmem_clock_read_ns(CLOCK_MONOTONIC);
}

/** tmem_clock_thread_ns() - CPU time that this thread has used, ns. */
static inline uint64_t tmem_clock_thread_ns(void)
{
	return tmem_clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
}

#endif
