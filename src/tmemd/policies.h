/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policies.h - how much of the budget each live domain is entitled to.
 *
 * A policy is a pure function over an array of domains. It sees those that have
 * sessions and no others, so that a dead one's weight counts for nothing; and it
 * keeps nothing between two calls, so that a changed setting holds at once.
 */
#ifndef TMEM_TMEMD_POLICIES_H
#define TMEM_TMEMD_POLICIES_H

#include <stddef.h>
#include <stdint.h>

/** TMEMD_WEIGHT_MAX - the largest weight; 1024 domains of it stay far below
 * 2^32. */
#define TMEMD_WEIGHT_MAX 10000u

/**
 * struct tmemd_claimant - a live domain, as policies see it. All bytes.
 * @min: what it has before anybody's weight counts, as far as it wants it.
 * @cap: most that it may have.
 * @fixed: lent, and cannot be taken back.
 * @held: lent, in all.
 * @demand: lent, and asked for beyond that.
 * @weight: 1 to TMEMD_WEIGHT_MAX.
 * @ghost_rate: pages a second that it looked for and would have found with
 *	twice the memory, in 1/16.
 * @low, @high, @part: a policy's own; see fill.h.
 * @entitled: out.
 */
struct tmemd_claimant {
	uint64_t min;
	uint64_t cap;
	uint64_t fixed;
	uint64_t held;
	uint64_t demand;
	uint32_t weight;
	uint64_t ghost_rate;
	uint64_t low;
	uint64_t high;
	uint64_t part;
	uint64_t entitled;
};

/** TMEMD_GHOST_UNIT - ghost_rate's. */
#define TMEMD_GHOST_UNIT 16

/**
 * struct tmemd_policy - a way to divide.
 * @name: as it is configured.
 * @strict: 1: nobody gets more than its part, even of what is left over.
 * @asks_reports: 1: looks at ghost_rate.
 * @divide: sets each ->entitled. Their sum is at most the budget, unless what is
 *	fixed is more than that.
 */
struct tmemd_policy {
	const char *name;
	int strict;
	int asks_reports;
	void (*divide)(struct tmemd_claimant *c, size_t n, uint64_t budget);
};

extern const struct tmemd_policy tmemd_policy_greedy;
extern const struct tmemd_policy tmemd_policy_static;
extern const struct tmemd_policy tmemd_policy_weighted;
extern const struct tmemd_policy tmemd_policy_utility;

/** tmemd_policies - all of them, NULL behind the last. */
extern const struct tmemd_policy *const tmemd_policies[];

/** tmemd_policy_find() - NULL: there is none of that name. */
const struct tmemd_policy *tmemd_policy_find(const char *name);

#endif
