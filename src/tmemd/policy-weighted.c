/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy-weighted.c - by weight among those who want memory now.
 *
 * What one does not want is divided among the others, by weight again; it is
 * taken back from them as soon as it is wanted.
 */
#include "fill.h"

static void divide(struct tmemd_claimant *c, size_t n, uint64_t budget)
{
	size_t i;

	tmemd_fill_lows(c, n, budget);
	for (i = 0; i < n; i++) {
		c[i].high = c[i].demand < c[i].cap ? c[i].demand : c[i].cap;
		if (c[i].high < c[i].low)
			c[i].high = c[i].low;
		c[i].part = c[i].weight;
	}
	tmemd_fill(c, n, budget);
}

const struct tmemd_policy tmemd_policy_weighted = {
	.name = "weighted",
	.divide = divide,
};
