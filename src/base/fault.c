/* SPDX-License-Identifier: BSD-2-Clause */
/* fault.c - counters that make the nth point of a kind fail, in test builds. */
#include "fault.h"

#ifdef TMEM_FAULTS

#include <stdatomic.h>

#include "clock.h"

static struct {
	atomic_ulong passed;
	atomic_ulong first; /* fail from this point on; 0: never */
	atomic_ulong last;  /* up to this one */
} points[TMEM_FAULT_KINDS];

static atomic_ulong slow_ns;
static atomic_ulong waste_nth, waste_passed;

int tmem_fault(enum tmem_fault_kind kind)
{
	unsigned long n = atomic_fetch_add(&points[kind].passed, 1) + 1;
	unsigned long first = atomic_load(&points[kind].first);

	return first && n >= first && n <= atomic_load(&points[kind].last);
}

static void set(enum tmem_fault_kind kind, unsigned long first,
		unsigned long last)
{
	atomic_store(&points[kind].first, 0);
	atomic_store(&points[kind].passed, 0);
	atomic_store(&points[kind].last, last);
	atomic_store(&points[kind].first, first);
}

void tmem_fault_set(enum tmem_fault_kind kind, unsigned long nth)
{
	set(kind, nth, nth);
}

void tmem_fault_every(enum tmem_fault_kind kind, unsigned long nth)
{
	set(kind, nth, (unsigned long)-1);
}

unsigned long tmem_fault_count(enum tmem_fault_kind kind)
{
	return atomic_load(&points[kind].passed);
}

void tmem_fault_slow(uint64_t ns)
{
	atomic_store(&slow_ns, (unsigned long)ns);
}

void tmem_fault_delay(void)
{
	uint64_t ns = atomic_load(&slow_ns), start = ns ? tmem_clock_ns() : 0;

	while (ns && tmem_clock_ns() - start < ns)
		;
}

void tmem_fault_waste(unsigned long nth)
{
	atomic_store(&waste_passed, 0);
	atomic_store(&waste_nth, nth);
}

int tmem_fault_wasting(void)
{
	unsigned long nth = atomic_load(&waste_nth);

	return nth && atomic_fetch_add(&waste_passed, 1) % nth == nth - 1;
}

#else
/* ISO C wants a declaration in every unit. */
extern int tmem_fault_absent;
#endif
