/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machek.h - programs to be run with too little memory.
 *
 * Pavel Machek's question to transcendent memory (linux-kernel, June 2009): how
 * long does a program take with all RAM it wants; with half of it, and the other
 * half as tmem; with half of it, and a disk to swap to? Each program here uses
 * as much as it is told, does the same work each time, and checks its result.
 */
#ifndef BENCH_MACHEK_H
#define BENCH_MACHEK_H

#include <stdint.h>

#define MACHEK_PROGRAMS 4u

/** struct machek_program - returns 1 if its result was right, else 0. */
struct machek_program {
	const char *name;
	int (*run)(uint64_t bytes);
};

/*
 * sort		records sorted in place
 * hash		a table with words counted, some far more often than others
 * matrix	a matrix times a vector, again and again: all of it, in order
 * jobs		as make -j4: processes that come, use a quarter each, and go
 */
extern const struct machek_program machek_programs[MACHEK_PROGRAMS];

#endif
