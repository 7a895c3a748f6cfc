/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-plot.c - drawings of what a benchmark found.
 *
 * The distribution of latencies is drawn over "nines": at 1, 2 and 3 are the
 * 90th, 99th and 99.9th percentile. So the tail gets as much room as the middle.
 */
#include "bench-plot.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench-chart.h"
#include "bench-json.h"

/* Larger than any that a benchmark writes. */
#define FILE_MAX (4u << 20)

/* 100 % would be infinitely many nines. */
#define NINES_MAX 4.0

static const struct bench_tick nines[] = {
	{ 0, "0" },  { 0.30103, "50" }, { 1, "90" },
	{ 2, "99" }, { 3, "99.9" },	{ NINES_MAX, "max" },
};

static const struct bench_tick decades[] = {
	{ 1e1, "10" },	 { 1e2, "100" },  { 1e3, "1000" }, { 1e4, "10^4" },
	{ 1e5, "10^5" }, { 1e6, "10^6" }, { 1e7, "10^7" },
};

struct plot {
	struct bench_chart latency, growth;
	double pages[BENCH_CHART_POINTS];
};

/* The line of a name, made if there is none; NULL: no room, or no such name. */
static struct bench_line *line_of(struct bench_chart *c, const char *name,
				  size_t len)
{
	struct bench_line *l;
	unsigned i;

	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("_- ", name[i]))
			return NULL;
	if (!len || len >= BENCH_CHART_NAME)
		return NULL;
	for (i = 0; i < c->count; i++)
		if (strlen(c->lines[i].name) == len &&
		    !strncmp(c->lines[i].name, name, len))
			return &c->lines[i];
	if (c->count == BENCH_CHART_LINES)
		return NULL;
	l = &c->lines[c->count++];
	memcpy(l->name, name, len);
	return l;
}

static void set(double *values, unsigned *count, unsigned long at, double value)
{
	if (at >= BENCH_CHART_POINTS)
		return;
	values[at] = value;
	if (count && at + 1 > *count)
		*count = (unsigned)at + 1;
}

/* "NAME/percentiles/INDEX/0 or 1" */
static void take_latency(struct plot *p, const char *path, double value)
{
	const char *rest = strchr(path, '/');
	unsigned at = 0, which = 0;
	struct bench_line *l;

	if (!rest || sscanf(rest, "/percentiles/%u/%u", &at, &which) != 2)
		return;
	l = line_of(&p->latency, path, (size_t)(rest - path));
	if (!l)
		return;
	if (which)
		set(l->y, &l->count, at, value > 1 ? value : 1);
	else
		set(l->x, NULL, at,
		    value < 100 ? -log10(1 - value / 100) : NINES_MAX);
}

/* "NAME/INDEX" */
static void take_growth(struct plot *p, const char *path, double value, int warm)
{
	const char *rest = strchr(path, '/');
	char name[BENCH_CHART_NAME];
	struct bench_line *l;
	unsigned at = 0;

	if (!rest || sscanf(rest, "/%u", &at) != 1)
		return;
	if (!strncmp(path, "pages/", strlen("pages/"))) {
		set(p->pages, NULL, at, value);
		return;
	}
	(void)snprintf(name, sizeof(name), "%.*s %s", (int)(rest - path), path,
		       warm ? "warm" : "cold");
	l = line_of(&p->growth, name, strlen(name));
	if (!l)
		return;
	l->dashed = warm;
	set(l->y, &l->count, at, value);
}

static void take(void *ctx, const char *path, double value)
{
	struct plot *p = ctx;

	if (!strncmp(path, "latency/", strlen("latency/")))
		take_latency(p, path + strlen("latency/"), value);
	else if (!strncmp(path, "growth/", strlen("growth/")))
		take_growth(p, path + strlen("growth/"), value, 0);
	else if (!strncmp(path, "growth_warm/", strlen("growth_warm/")))
		take_growth(p, path + strlen("growth_warm/"), value, 1);
}

/* ---- Files --------------------------------------------------------------- */

static int load(const char *path, char **ret)
{
	FILE *f = fopen(path, "re");
	char *text = f ? malloc(FILE_MAX + 1) : NULL;
	int err = f ? -ENOMEM : -errno;
	size_t n;

	if (text) {
		n = fread(text, 1, FILE_MAX, f);
		text[n] = '\0';
		err = ferror(f) ? -EIO : 0;
	}
	if (f)
		(void)fclose(f);
	if (err)
		free(text);
	else
		*ret = text;
	return err;
}

static int draw(const struct bench_chart *c, const char *dir, const char *name)
{
	char path[4096];
	FILE *f;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	f = fopen(path, "we");
	if (!f)
		return -errno;
	bench_chart_draw(f, c);
	return fclose(f) ? -errno : 0;
}

static int draw_all(struct plot *p, const char *dir)
{
	unsigned i;
	int err = 0;

	for (i = 0; i < p->growth.count; i++)
		memcpy(p->growth.lines[i].x, p->pages, sizeof(p->pages));
	if (mkdir(dir, 0777) && errno != EEXIST)
		return -errno;
	if (p->latency.count)
		err = draw(&p->latency, dir, "latency.svg");
	if (!err && p->growth.count)
		err = draw(&p->growth, dir, "growth.svg");
	return err;
}

int bench_plot(const char *file, const char *dir, char *fault, size_t len)
{
	struct plot *p = calloc(1, sizeof(*p));
	char *text = NULL;
	int err = p ? load(file, &text) : -ENOMEM;

	if (err) {
		(void)snprintf(fault, len, "%s: %s", file, strerror(-err));
		free(p);
		return err;
	}
	p->latency = (struct bench_chart){
		.title = "Latency of single operations",
		.x_title = "percentile",
		.y_title = "ns",
		.y_log = 1,
		.x_ticks = nines,
		.x_ticks_count = sizeof(nines) / sizeof(nines[0]),
	};
	p->growth = (struct bench_chart){
		.title = "Cost of an operation against pages in the store",
		.x_title = "pages",
		.y_title = "ns",
		.x_log = 1,
		.x_ticks = decades,
		.x_ticks_count = sizeof(decades) / sizeof(decades[0]),
	};
	err = bench_json_walk(text, take, p);
	if (!err && !p->latency.count && !p->growth.count)
		err = -EINVAL;
	if (err) {
		(void)snprintf(fault, len, "%s: nothing that --json wrote",
			       file);
	} else {
		err = draw_all(p, dir);
		if (err)
			(void)snprintf(fault, len, "%s: %s", dir,
				       strerror(-err));
	}
	free(text);
	free(p);
	return err;
}
