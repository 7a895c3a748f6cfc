/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * assertion.h - what this code owns must hold.
 *
 * TMEM_ASSERT is O(1), stays in release builds and aborts with the expression.
 * Never for anything that a caller, a peer or a file can choose.
 */
#ifndef TMEM_BASE_ASSERTION_H
#define TMEM_BASE_ASSERTION_H

#include <stdio.h>
#include <stdlib.h>

__attribute__((noreturn, cold, noinline, unused)) static void
tmem_assert_fail(const char *what, const char *file, int line)
{
	(void)fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, what);
	abort();
}

#define TMEM_ASSERT(x)                                                         \
	(__builtin_expect(!!(x), 1) ? (void)0                                  \
				    : tmem_assert_fail(#x, __FILE__, __LINE__))

#endif
