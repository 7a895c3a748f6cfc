/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bars.h - groups of bars, how many times of 1 each is, as SVG.
 *
 * In powers of ten from 1: what is twice as long as another is as much longer
 * wherever it stands. Each bar has its value on top.
 */
#ifndef BENCH_BARS_H
#define BENCH_BARS_H

#include <stdio.h>

#define BARS_GROUPS 8u
#define BARS_SERIES 4u

struct bars {
	const char *title, *y_title;
	const char *groups[BARS_GROUPS], *series[BARS_SERIES];
	unsigned group_count, series_count;
	double times[BARS_SERIES][BARS_GROUPS]; /* 1 and more; 0: no bar */
};

/** bars_draw() - a whole SVG file. */
void bars_draw(FILE *out, const struct bars *b);

#endif
