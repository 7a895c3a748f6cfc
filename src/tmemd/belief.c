/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * belief.c - how much of what a session says of itself can be so.
 *
 * Bounds are for ever, not from report to report: a report may wait in the socket
 * for as long as the daemon or the client is stopped, so the time between two of
 * them says little about the time between their making. And a segment that is taken
 * back loses in a microsecond what was put in a second: more than time allows, unless
 * the time is all there was.
 */
#include "belief.h"

#include <stddef.h>

#include <tmem/tmem.h>

#include "bounds.h"
#include "figures.h"

/*
 * The least that anything takes which is counted, of one CPU. The quickest is a put
 * that a frozen store refuses: 27 ns on an EPYC of 2 to 3 GHz, a miss 31. No machine
 * is seven times as quick.
 */
#define COUNT_NS_MIN 4

/* Time of agers passes for as many as a store can have, and the one for callers. */
#define AGERS (TMEM_AGERS_MAX + 1)

/* A page's slot in the index takes 12 bytes, what is not compressible 4096 more. */
#define PAGE_BYTES_MIN 8

/*
 * What a store has beside the lease: codec contexts of all its agers, dictionaries,
 * samples. One with 64 agers at zstd's highest level has a part of it.
 */
#define OUTSIDE_BYTES_MAX (1 * TMEM_GIB)

#define WORD(member)                                                           \
	(offsetof(struct tmem_wire_figures, member) / sizeof(uint64_t))
#define WORDS (sizeof(struct tmem_wire_figures) / sizeof(uint64_t))

static uint64_t product(uint64_t a, uint64_t b)
{
	return b && a > TMEMD_FIGURE_MAX / b ? TMEMD_FIGURE_MAX : a * b;
}

static uint64_t held_most(const struct tmemd_means *m, size_t word)
{
	const uint64_t pages = m->lent_most_bytes / PAGE_BYTES_MIN;

	switch (word) {
	case WORD(limit_bytes):
		return TMEM_LIMIT_MAX;
	case WORD(used_bytes):
		return m->lent_most_bytes + OUTSIDE_BYTES_MAX;
	case WORD(raw_bytes):
		return product(pages, TMEM_PAGE_SIZE_MAX);
	case WORD(pools):
		return TMEM_POOLS_MAX;
	default: /* an object has a page at least */
		return pages;
	}
}

static uint64_t counted_most(const struct tmemd_means *m, size_t word)
{
	if (word == WORD(ager_ns))
		return product(m->age_ns, AGERS);
	return product(m->age_ns / COUNT_NS_MIN, m->cpus);
}

unsigned tmemd_belief_form(const struct tmemd_means *m,
			   const struct tmem_wire_figures *was,
			   const struct tmem_wire_figures *said,
			   struct tmem_wire_figures *ret)
{
	const uint64_t *before = (const uint64_t *)was;
	const uint64_t *now = (const uint64_t *)said;
	uint64_t *to = (uint64_t *)ret, most;
	unsigned doubts = 0;
	size_t i;

	for (i = 0; i < WORDS; i++) {
		const int counted = i >= WORD(puts);

		most = counted ? counted_most(m, i) : held_most(m, i);
		to[i] = now[i];
		if (to[i] > most) {
			to[i] = most;
			doubts |= 1u << (counted ? TMEM_WIRE_DOUBT_TIME
						 : TMEM_WIRE_DOUBT_MEMORY);
		}
		if (counted && to[i] < before[i]) {
			to[i] = before[i];
			doubts |= 1u << TMEM_WIRE_DOUBT_BACKWARDS;
		}
	}
	return doubts;
}
