/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timeline.h - figures over time, and their drawing.
 */
#ifndef BENCH_TIMELINE_H
#define BENCH_TIMELINE_H

#include "bench-chart.h"

/** struct timeline - lines over seconds. */
struct timeline {
	struct bench_chart chart;
	double end_s; /* the last moment noted */
};

/** timeline_init() - @title, @y_title: what is drawn. */
void timeline_init(struct timeline *t, const char *title, const char *y_title);

/** timeline_line() - a new line; its number. */
unsigned timeline_line(struct timeline *t, const char *name);

/** timeline_note() - a point of a line; those that find no room are left out. */
void timeline_note(struct timeline *t, unsigned line, double s, double value);

/** timeline_draw() - to a file in a directory; NULL: nowhere. */
void timeline_draw(struct timeline *t, const char *dir, const char *name);

#endif
