/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-chart.h - lines over two axes, as SVG.
 */
#ifndef TMEM_COMMAND_BENCH_CHART_H
#define TMEM_COMMAND_BENCH_CHART_H

#include <stdio.h>

#define BENCH_CHART_LINES 16u
#define BENCH_CHART_POINTS 256u
#define BENCH_CHART_NAME 48u

struct bench_line {
	char name[BENCH_CHART_NAME]; /* letters, digits, "_", "-", " " */
	int dashed;
	unsigned count;
	double x[BENCH_CHART_POINTS], y[BENCH_CHART_POINTS];
};

/** struct bench_tick - a value of an axis, and what is written there. */
struct bench_tick {
	double at;
	const char *text;
};

struct bench_chart {
	const char *title, *x_title, *y_title;
	int x_log, y_log;		  /* axes in powers of ten */
	int x_zero;			  /* x begins at 0, data or not */
	const struct bench_tick *x_ticks; /* on the scale of x */
	unsigned x_ticks_count;
	struct bench_line lines[BENCH_CHART_LINES];
	unsigned count;
};

/** bench_chart_draw() - a whole SVG file. */
void bench_chart_draw(FILE *out, const struct bench_chart *c);

#endif
