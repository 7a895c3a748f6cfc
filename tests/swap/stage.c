/* SPDX-License-Identifier: BSD-2-Clause */
/* stage.c - a swap on memory of a private daemon, and a process that needs it. */
#include "stage.h"

#include <stdlib.h>

#include "unit.h"

#define SIZE (96 * STAGE_MIB)
#define SIZE_TEXT "96M"

int stage_set_up(void **state)
{
	struct stage *g = calloc(1, sizeof(*g));

	assert_non_null(g);
	*state = g;
	swap_init(&g->s);
	swap_make_backing(&g->s, SIZE);
	daemon_init(&g->d);
	assert_false(memlimit_init(&g->m, STAGE_LIMIT));
	return 0;
}

int stage_tear_down(void **state)
{
	struct stage *g = *state;

	toucher_end(&g->t);
	memlimit_finish(&g->m);
	swap_finish(&g->s);
	if (g->d.pid)
		daemon_stop(&g->d);
	daemon_finish(&g->d);
	free(g);
	return 0;
}

void stage_start(struct stage *g, const char *config)
{
	const char *const args[] = { SIZE_TEXT,	   "--store",	 g->d.where,
				     "--domain",   STAGE_DOMAIN, "--backing",
				     g->s.backing, NULL };

	daemon_configure(&g->d, config);
	daemon_start(&g->d);
	assert_int_equal(swap_on(&g->s, args), 0);
	toucher_start(&g->t, &g->m, STAGE_TOUCHED);
}
