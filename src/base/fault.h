/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault.h - points where a test build fails on demand.
 *
 * A test counts how often a kind of point is passed and makes the nth one fail,
 * for n = 1, 2, 3 ... until the work succeeds. In other builds every point is a
 * constant 0. The counters belong to the process: the one global of the tree.
 */
#ifndef TMEM_BASE_FAULT_H
#define TMEM_BASE_FAULT_H

#include <stdint.h>

enum tmem_fault_kind {
	TMEM_FAULT_ALLOC,   /* heap, address space */
	TMEM_FAULT_SEGMENT, /* the segment source has none to lend */
	TMEM_FAULT_THREAD,  /* an ager thread cannot be started */
	TMEM_FAULT_CODEC,   /* no codec context is free */
	TMEM_FAULT_KINDS
};

#ifdef TMEM_FAULTS
/** tmem_fault() - 1: fail here, now. */
int tmem_fault(enum tmem_fault_kind kind);

/** tmem_fault_set() - fail the nth point of a kind from now; 0: none. */
void tmem_fault_set(enum tmem_fault_kind kind, unsigned long nth);

/** tmem_fault_every() - fail all points of a kind from the nth on; 0: none. */
void tmem_fault_every(enum tmem_fault_kind kind, unsigned long nth);

/** tmem_fault_count() - points of a kind passed since the last set. */
unsigned long tmem_fault_count(enum tmem_fault_kind kind);

/** tmem_fault_slow() - each put and get takes so much longer, ns; 0: none. */
void tmem_fault_slow(uint64_t ns);

/** tmem_fault_delay() - be as slow as that. */
void tmem_fault_delay(void);

/** tmem_fault_waste() - each nth put takes room twice, and the segment can never
 * be cleaned; 0: none. */
void tmem_fault_waste(unsigned long nth);

/** tmem_fault_wasting() - 1: do so here, now. */
int tmem_fault_wasting(void);
#else
static inline int tmem_fault(enum tmem_fault_kind kind)
{
	(void)kind;
	return 0;
}

static inline void tmem_fault_delay(void)
{
}

static inline int tmem_fault_wasting(void)
{
	return 0;
}
#endif

#endif
