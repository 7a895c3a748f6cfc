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
	(void)tmemd_fill_by_weight(c, n, budget);
}

const struct tmemd_policy tmemd_policy_weighted = {
	.name = "weighted",
	.divide = divide,
};
