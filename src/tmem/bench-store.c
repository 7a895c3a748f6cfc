/* SPDX-License-Identifier: BSD-2-Clause */
/* bench-store.c - `tmem bench store`: the parts, in order. */
#include "bench.h"

static const struct bench_step steps[] = {
	{ "raw pages", bench_raw },
	{ "overwriting", bench_over },
	{ "packed pages", bench_packed },
	{ "puts into a full store", bench_pressed },
	{ "metadata", bench_meta },
	{ "churn", bench_churn },
	{ "threads", bench_threads },
	{ "shrinking", bench_shrink },
	{ "growth", bench_growth },
};

int bench_store(struct bench *b)
{
	return bench_steps(b, steps, sizeof(steps) / sizeof(steps[0]));
}
