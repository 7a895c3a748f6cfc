/* SPDX-License-Identifier: BSD-2-Clause */
/* figures.c - what sessions say of themselves, summed up. */
#include "figures.h"

#include <stddef.h>

#define WORD(member)                                                           \
	(offsetof(struct tmem_wire_figures, member) / sizeof(uint64_t))
#define WORDS (sizeof(struct tmem_wire_figures) / sizeof(uint64_t))

static void add(struct tmem_wire_figures *sum,
		const struct tmem_wire_figures *f, size_t from)
{
	const uint64_t *more = (const uint64_t *)f;
	uint64_t *to = (uint64_t *)sum;
	size_t i;

	for (i = from; i < WORDS; i++)
		to[i] = tmemd_figure_sum(to[i], more[i]);
}

void tmemd_figures_add(struct tmem_wire_figures *sum,
		       const struct tmem_wire_figures *f)
{
	add(sum, f, 0);
}

void tmemd_figures_add_counted(struct tmem_wire_figures *sum,
			       const struct tmem_wire_figures *f)
{
	add(sum, f, WORD(puts));
}
