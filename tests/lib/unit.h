/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.h - cmocka, with the headers that it wants before itself.
 */
#ifndef TESTS_LIB_UNIT_H
#define TESTS_LIB_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
