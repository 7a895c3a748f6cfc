/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * budget.h - how much may be lent in all, as the host's need comes and goes.
 *
 *	MemAvailable                           what is lent
 *	|<---------- floor ----------><slack>|<------ budget ------>|
 *
 * What could be lent is what is available and what is lent already, less the
 * floor. When that is less than the budget, the budget falls at once, by a slack
 * more than needed; when it is more, the budget grows, slowly and after quiet
 * time. Between the two nothing moves.
 *
 * A stall (PSI) alone shrinks nothing: a cgroup that thrashes within its own limit
 * stalls as well, and no memory of ours would help it. It counts only while
 * MemAvailable is near the floor, or when reclaim on behalf of the whole machine
 * was at work.
 *
 * Pure: what the machine says comes in, what to do comes out.
 */
#ifndef TMEM_TMEMD_BUDGET_H
#define TMEM_TMEMD_BUDGET_H

#include <stdint.h>

#include <tmem/wire.h>

#include "host.h"

struct tmemd_budget {
	uint64_t maximum_bytes; /* settings */
	uint64_t floor_bytes;
	uint64_t now_bytes;	  /* the budget */
	uint64_t available_bytes; /* when last looked; TMEMD_HOST_UNKNOWN */
	uint64_t sum_bytes;	  /* then: available and lent */
	uint64_t speed;		  /* of others taking it, bytes a millisecond */
	uint64_t interval_ns;	  /* until the next look */
	uint64_t looked_ns;
	uint64_t changed_ns;
	uint64_t trouble_ns; /* of the last shrinking, or stall that counted */
	uint64_t scanned;    /* pages, two and one baselines ago */
	uint64_t scanned_next;
	uint64_t scanned_ns;
	uint32_t reason; /* of the last change: TMEM_WIRE_BUDGET_* */
	uint64_t grown;	 /* times */
	uint64_t shrunk;
	uint64_t stalls;	 /* told by the kernel */
	uint64_t stalls_foreign; /* ... that were not the host's need */
};

/** tmemd_budget_slack() - bytes between shrinking and growing. */
uint64_t tmemd_budget_slack(const struct tmemd_budget *b);

/** tmemd_budget_configure() - maximum and floor as they are now said; holds at
 * once, in both directions. Return: 1, or 0: they are what they were. */
int tmemd_budget_configure(struct tmemd_budget *b, uint64_t maximum_bytes,
			   uint64_t floor_bytes, uint64_t available_bytes,
			   uint64_t lent_bytes, uint64_t now_ns);

/**
 * tmemd_budget_asks_scanned() - whether a look wants to know what reclaim did. Near
 * the floor it does not: there a stall counts in any case, and reading that takes
 * the kernel an allocation.
 */
int tmemd_budget_asks_scanned(const struct tmemd_budget *b,
			      uint64_t available_bytes, int stalled,
			      uint64_t now_ns);

/**
 * tmemd_budget_look() - follow the host.
 * @lent_bytes: in all.
 * @stalled: 1: the kernel has just told of a stall.
 *
 * Return: 1 it has changed, 0 it has not.
 */
int tmemd_budget_look(struct tmemd_budget *b, const struct tmemd_host_view *v,
		      uint64_t lent_bytes, int stalled, uint64_t now_ns);

#endif
