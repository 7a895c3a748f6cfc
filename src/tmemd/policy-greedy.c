/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy-greedy.c - first come, first served; the measure for all others.
 *
 * Nobody is entitled to more than its minimum, so nothing is taken from one for
 * another, and when the host wants memory back, whoever has most gives it. This
 * is what the original did, whose weights were 0 unless somebody set them.
 */
#include "fill.h"

static void divide(struct tmemd_claimant *c, size_t n, uint64_t budget)
{
	size_t i;

	tmemd_fill_lows(c, n, budget);
	for (i = 0; i < n; i++)
		c[i].entitled = c[i].low;
}

const struct tmemd_policy tmemd_policy_greedy = {
	.name = "greedy",
	.divide = divide,
};
