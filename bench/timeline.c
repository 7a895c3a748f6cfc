/* SPDX-License-Identifier: BSD-2-Clause */
/* timeline.c - figures over time, and their drawing. */
#include "timeline.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "private.h"

#define TICKS 9u

void timeline_init(struct timeline *t, const char *title, const char *y_title)
{
	memset(t, 0, sizeof(*t));
	t->chart.title = title;
	t->chart.x_title = "seconds";
	t->chart.y_title = y_title;
}

unsigned timeline_line(struct timeline *t, const char *name)
{
	struct bench_line *l = &t->chart.lines[t->chart.count];

	(void)snprintf(l->name, sizeof(l->name), "%s", name);
	return t->chart.count++;
}

void timeline_note(struct timeline *t, unsigned line, double s, double value)
{
	struct bench_line *l = &t->chart.lines[line];

	if (l->count == BENCH_CHART_POINTS)
		return;
	l->x[l->count] = s;
	l->y[l->count++] = value;
	if (s > t->end_s)
		t->end_s = s;
}

/* 1, 2 or 5 times a power of ten, so many that they stand apart. */
static double tick_step(double end)
{
	static const double factors[] = { 1, 2, 5 };
	double power, step = 0.001;
	unsigned i;

	for (power = 0.001; end / step > TICKS - 1; power *= 10)
		for (i = 0; i < 3 && end / step > TICKS - 1; i++)
			step = power * factors[i];
	return step;
}

void timeline_draw(struct timeline *t, const char *dir, const char *name)
{
	struct bench_tick ticks[TICKS];
	char texts[TICKS][16], path[4096];
	double step = tick_step(t->end_s);
	unsigned i;
	FILE *f;

	if (!dir)
		return;
	for (i = 0; i < TICKS && i * step <= t->end_s; i++) {
		ticks[i].at = i * step;
		(void)snprintf(texts[i], sizeof(texts[i]), "%g", ticks[i].at);
		ticks[i].text = texts[i];
	}
	t->chart.x_zero = 1;
	t->chart.x_ticks = ticks;
	t->chart.x_ticks_count = i;
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	if (!f)
		private_die("%s: %s", path, strerror(errno));
	bench_chart_draw(f, &t->chart);
	if (fclose(f))
		private_die("%s: %s", path, strerror(errno));
}
