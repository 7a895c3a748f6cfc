/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * short.h - a daemon on a machine whose memory is short when the test says so, and
 * what it does then: shared by the test and by what is preloaded into the daemon.
 *
 * A turn is from one return of epoll_wait() to the next call.
 */
#ifndef TESTS_DAEMON_SHORT_H
#define TESTS_DAEMON_SHORT_H

#include <stdatomic.h>
#include <stdint.h>

/** SHORT_ENV - names a file that holds a struct short. */
#define SHORT_ENV "TMEM_TEST_SHORT"

/** SHORT_AS_IT_IS - no shortage: what the kernel says stands. */
#define SHORT_AS_IT_IS UINT64_MAX

struct short_of_memory {
	_Atomic uint64_t available_kib; /* said; or SHORT_AS_IT_IS */
	_Atomic uint64_t watched; /* count the rest, until so many punches */
	_Atomic uint64_t looks;	  /* at MemAvailable */

	_Atomic uint64_t punches;     /* segments given back */
	_Atomic uint64_t allocations; /* earlier in a turn that gave back */
	_Atomic uint64_t messages;    /* to anybody, since it knows */
};

#endif
