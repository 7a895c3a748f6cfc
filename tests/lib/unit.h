/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.h - cmocka, with the headers that it wants before itself; a skip that says why.
 */
#ifndef TESTS_LIB_UNIT_H
#define TESTS_LIB_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/** skip_for() - skip() what this machine, user or build lacks something for. @why: a
 * few words. */
#define skip_for(why)                                                          \
	do {                                                                   \
		print_message("             %s\n", why);                       \
		skip();                                                        \
	} while (0)

#endif
