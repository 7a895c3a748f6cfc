/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fill.h - water-filling: an amount divided by parts, within bounds.
 *
 *	     high of b  ___
 *	      ________ |   | ________ level
 *	     |        ||   ||        | ____ low of d: above the water anyway
 *	     | part a ||   || part c ||    |
 *
 * Each gets level * part, but not less than its low nor more than its high, and
 * the level is as high as the amount lets it be. Without bounds that is division
 * by weights; with them it is weighted max-min fairness (Bertsekas and Gallager,
 * Data Networks, 6.5): nobody has more per weight than another who wants more.
 */
#ifndef TMEM_TMEMD_FILL_H
#define TMEM_TMEMD_FILL_H

#include "policies.h"

/**
 * tmemd_fill() - find the level, and set each ->entitled.
 * @c: low <= high; part below 2^40, 0: it gets its low.
 * @amount: bytes. Less than all lows: everybody gets its low all the same.
 *
 * Rounding leaves some bytes undivided; too much is never given.
 *
 * Return: the level, for tmemd_fill_part().
 */
uint64_t tmemd_fill(struct tmemd_claimant *c, size_t n, uint64_t amount);

/** tmemd_fill_part() - what ->part comes to at a level, bounds aside. */
uint64_t tmemd_fill_part(const struct tmemd_claimant *c, uint64_t level);

/** tmemd_fill_by_weight() - divide by weight what is wanted now, minimums first.
 * Return: as tmemd_fill(); ->part is the weight, ->low and ->high the bounds. */
uint64_t tmemd_fill_by_weight(struct tmemd_claimant *c, size_t n,
			      uint64_t amount);

/**
 * tmemd_fill_lows() - set each ->low: what is fixed, and of the minimum as much as
 * is wanted.
 *
 * If that is more than there is, what is fixed stays, and all minimums are cut in
 * the same proportion.
 */
void tmemd_fill_lows(struct tmemd_claimant *c, size_t n, uint64_t amount);

#endif
