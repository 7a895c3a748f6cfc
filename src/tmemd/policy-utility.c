/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy-utility.c - by weight, and then a little to where it helps most.
 *
 * A ghost hit is a page that a store looked for, did not have, and would have had
 * with twice the memory. Ghost hits per byte held are what another byte is worth
 * there. So what the weighted policy gave is divided anew with that worth as the
 * part, each within a quarter of its part by weight: a domain that scans, or that
 * has enough, loses a quarter at most, and so does everybody else together to one
 * that lies about its ghost hits, which are its own word.
 *
 * Shifting by hits lost is SmarTmem's idea (IPDPSW 2019), whose signal is the
 * failed puts of the last second; those say that a domain is busy, and a scan's
 * are the most of all. Ghost lists as the measure are from ARC (FAST 2003).
 */
#include "fill.h"

/* As a share of the weighted part. */
#define SHIFT_SHARE 4

/* Less than so many ghost hits a second, of all, is noise. */
#define RATE_MIN (16 * TMEMD_GHOST_UNIT)

/* Worth is counted in units of this many bytes, against the mean as so much. */
#define GRAIN_BITS 12
#define WORTH_MEAN 64
#define WORTH_MAX (16 * WORTH_MEAN)

/* Ghost hits per byte, as WORTH_MEAN for the mean; never quite nothing, so that
 * what nobody else may have is still divided. */
static uint64_t worth(const struct tmemd_claimant *c, uint64_t rate,
		      uint64_t held)
{
	const double mine = (double)c->ghost_rate / (double)(c->held + 1);
	const double mean = (double)rate / (double)(held + 1);
	const double w = mine / mean * WORTH_MEAN;

	if (w < 1)
		return 1;
	return w < WORTH_MAX ? (uint64_t)w : WORTH_MAX;
}

/*
 * Minimum, cap and demand hold as before. What one loses is a quarter of its part,
 * not of what it has: who has less than that loses nothing, or one that has just
 * come would ask in vain for all but three quarters of what it asked for.
 */
static void bound(struct tmemd_claimant *c, uint64_t level)
{
	const uint64_t part = tmemd_fill_part(c, level);
	const uint64_t high = c->entitled + c->entitled / SHIFT_SHARE;
	uint64_t low = part - part / SHIFT_SHARE;

	if (low > c->entitled)
		low = c->entitled;
	c->low = low > c->low ? low : c->low;
	c->high = high < c->high ? high : c->high;
}

static void divide(struct tmemd_claimant *c, size_t n, uint64_t budget)
{
	const uint64_t level = tmemd_fill_by_weight(c, n, budget);
	uint64_t rate = 0, held = 0, amount = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		rate += c[i].ghost_rate;
		held += c[i].held;
		amount += c[i].entitled;
	}
	if (rate < RATE_MIN)
		return;
	for (i = 0; i < n; i++) {
		bound(&c[i], level);
		c[i].part = (c[i].entitled >> GRAIN_BITS) *
			    worth(&c[i], rate, held);
	}
	(void)tmemd_fill(c, n, amount);
}

const struct tmemd_policy tmemd_policy_utility = {
	.name = "utility",
	.asks_reports = 1,
	.divide = divide,
};
