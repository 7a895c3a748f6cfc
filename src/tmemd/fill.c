/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fill.c - water-filling: an amount divided by parts, within bounds.
 *
 * The level is found by halving. Sorting by where each claimant hits a bound
 * would take one pass, but needs memory for the order or an order of the array;
 * halving needs neither, and takes 64 passes at most: 0.1 ms for 1000 claimants.
 */
#include "fill.h"

__extension__ typedef unsigned __int128 wide;

/* The level is in bytes for so many parts. */
#define PARTS_BITS 20

/* 2^40 bytes for a single part. */
#define LEVEL_MAX (1ull << (40 + PARTS_BITS))

uint64_t tmemd_fill_part(const struct tmemd_claimant *c, uint64_t level)
{
	const wide bytes = ((wide)level * c->part) >> PARTS_BITS;

	return bytes < UINT64_MAX ? (uint64_t)bytes : UINT64_MAX;
}

static uint64_t at_level(const struct tmemd_claimant *c, uint64_t level)
{
	const uint64_t bytes = tmemd_fill_part(c, level);

	if (bytes <= c->low)
		return c->low;
	return bytes < c->high ? bytes : c->high;
}

static uint64_t sum_at(const struct tmemd_claimant *c, size_t n, uint64_t level)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += at_level(&c[i], level);
	return sum;
}

uint64_t tmemd_fill(struct tmemd_claimant *c, size_t n, uint64_t amount)
{
	uint64_t level = 0, bit;
	size_t i;

	for (bit = LEVEL_MAX; bit; bit >>= 1)
		if (sum_at(c, n, level | bit) <= amount)
			level |= bit;
	for (i = 0; i < n; i++)
		c[i].entitled = at_level(&c[i], level);
	return level;
}

void tmemd_fill_lows(struct tmemd_claimant *c, size_t n, uint64_t amount)
{
	uint64_t fixed = 0, extra = 0, rest, want;
	size_t i;

	for (i = 0; i < n; i++) {
		want = c[i].min < c[i].demand ? c[i].min : c[i].demand;
		c[i].low = c[i].fixed > want ? c[i].fixed : want;
		fixed += c[i].fixed;
		extra += c[i].low - c[i].fixed;
	}
	rest = amount > fixed ? amount - fixed : 0;
	for (i = 0; i < n && extra > rest; i++)
		c[i].low =
			c[i].fixed + (uint64_t)((wide)(c[i].low - c[i].fixed) *
						rest / extra);
}

uint64_t tmemd_fill_by_weight(struct tmemd_claimant *c, size_t n,
			      uint64_t amount)
{
	size_t i;

	tmemd_fill_lows(c, n, amount);
	for (i = 0; i < n; i++) {
		c[i].high = c[i].demand < c[i].cap ? c[i].demand : c[i].cap;
		if (c[i].high < c[i].low)
			c[i].high = c[i].low;
		c[i].part = c[i].weight;
	}
	return tmemd_fill(c, n, amount);
}
