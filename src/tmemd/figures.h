/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * figures.h - what sessions say of themselves, summed up.
 */
#ifndef TMEM_TMEMD_FIGURES_H
#define TMEM_TMEMD_FIGURES_H

#include <stdint.h>

#include <tmem/wire.h>

/** TMEMD_FIGURE_MAX - where figures and sums of them stop: readers with signed
 * numbers understand it, and UINT64_MAX is "unknown" to some. */
#define TMEMD_FIGURE_MAX ((uint64_t)INT64_MAX)

/** tmemd_figure_sum() - never less than either of them was. */
static inline uint64_t tmemd_figure_sum(uint64_t a, uint64_t b)
{
	return a < TMEMD_FIGURE_MAX && b < TMEMD_FIGURE_MAX - a
		       ? a + b
		       : TMEMD_FIGURE_MAX;
}

/** tmemd_figures_add() - all of it. */
void tmemd_figures_add(struct tmem_wire_figures *sum,
		       const struct tmem_wire_figures *f);

/** tmemd_figures_add_counted() - what was counted ever, of a session that is
 * over. */
void tmemd_figures_add_counted(struct tmem_wire_figures *sum,
			       const struct tmem_wire_figures *f);

#endif
