/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy-static.c - to each its part by weight, whether it uses it or not.
 *
 * What one leaves lies idle. That is the price of an isolation that is complete:
 * no domain can find out by its own luck what the others do.
 */
#include "fill.h"

static void divide(struct tmemd_claimant *c, size_t n, uint64_t budget)
{
	size_t i;

	/* A minimum that is not wanted now is kept free as well. */
	for (i = 0; i < n; i++)
		c[i].demand = c[i].cap;
	tmemd_fill_lows(c, n, budget);
	for (i = 0; i < n; i++) {
		c[i].high = c[i].cap > c[i].low ? c[i].cap : c[i].low;
		c[i].part = c[i].weight;
	}
	(void)tmemd_fill(c, n, budget);
}

const struct tmemd_policy tmemd_policy_static = {
	.name = "static",
	.strict = 1,
	.divide = divide,
};
