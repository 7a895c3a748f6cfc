/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * figures.h - what sessions say of themselves, summed up.
 */
#ifndef TMEM_TMEMD_FIGURES_H
#define TMEM_TMEMD_FIGURES_H

#include <tmem/wire.h>

/** tmemd_figures_add() - all of it; sums of what is claimed wrap like any. */
void tmemd_figures_add(struct tmem_wire_figures *sum,
		       const struct tmem_wire_figures *f);

/** tmemd_figures_add_counted() - what was counted ever, of a session that is
 * over. */
void tmemd_figures_add_counted(struct tmem_wire_figures *sum,
			       const struct tmem_wire_figures *f);

#endif
