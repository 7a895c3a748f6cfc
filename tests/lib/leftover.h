/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leftover.h - a test program leaves no fd, no thread and no child.
 *
 *	cmocka_run_group_tests(tests, leftover_note, NULL)
 *
 * with leftover_none() as the last of its tests.
 */
#ifndef TESTS_LIB_LEFTOVER_H
#define TESTS_LIB_LEFTOVER_H

/** leftover_note() - group setup: what there is before the first test. */
int leftover_note(void **state);

/** leftover_none() - a test: there is no more now. */
void leftover_none(void **state);

#endif
