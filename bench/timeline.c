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

void timeline_draw(struct timeline *t, const char *dir, const char *name)
{
	struct bench_tick ticks[TICKS];
	char texts[TICKS][16], path[4096];
	unsigned i;
	FILE *f;

	if (!dir)
		return;
	for (i = 0; i < TICKS; i++) {
		ticks[i].at = t->end_s / (TICKS - 1) * i;
		(void)snprintf(texts[i], sizeof(texts[i]), "%.2f", ticks[i].at);
		ticks[i].text = texts[i];
	}
	t->chart.x_ticks = ticks;
	t->chart.x_ticks_count = TICKS;
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	if (!f)
		private_die("%s: %s", path, strerror(errno));
	bench_chart_draw(f, &t->chart);
	if (fclose(f))
		private_die("%s: %s", path, strerror(errno));
}
