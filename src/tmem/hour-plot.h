/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hour-plot.h - curves over the last hour, as SVG inside of a page.
 *
 * Colours are the page's own (hour-style.c), by class: light or dark is not known
 * here. There is no script: what a curve says at a moment is a title of an invisible
 * column there.
 */
#ifndef TMEM_COMMAND_HOUR_PLOT_H
#define TMEM_COMMAND_HOUR_PLOT_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

/** Curves in one plot, and colours that there are. */
#define HOUR_CURVES_MAX 9u

enum hour_unit {
	HOUR_BYTES,
	HOUR_RATE, /* a second */
	HOUR_SHARE /* 0 to 1 */
};

/**
 * struct hour_curve - a line.
 * @y: a value for each sample; NAN: none, and a gap.
 * @colour: 0 to HOUR_CURVES_MAX - 1.
 * @is_limit: dashed, never stacked: what others stay below.
 */
struct hour_curve {
	const char *name;
	const double *y;
	unsigned colour;
	int is_limit;
};

/**
 * struct hour_plot - a drawing.
 * @title, @text: what it is; a sentence that says how to read it, or NULL.
 * @ages: of the samples, seconds, falling; @count of them.
 * @now: which moment the ages are counted from.
 * @stacked: areas on each other.
 * @wide: for a whole row of the page.
 * @full: the top of the scale; 0: what is needed.
 */
struct hour_plot {
	const char *title;
	const char *text;
	enum hour_unit unit;
	int stacked;
	int wide;
	double full;
	time_t now;
	const double *ages;
	uint32_t count;
	struct hour_curve curves[HOUR_CURVES_MAX];
	unsigned curves_count;
};

/** hour_plot_draw() - a figure with title, legend and drawing. */
void hour_plot_draw(FILE *out, const struct hour_plot *p);

/** hour_plot_draw_small() - the drawing alone, without scales. */
void hour_plot_draw_small(FILE *out, const struct hour_plot *p);

/** HOUR_TEXT_MAX - bytes that any hour_text() fits in. */
#define HOUR_TEXT_MAX 40u

/** hour_text() - a value for people; of NAN a dash. Return: @buf. */
const char *hour_text(double value, enum hour_unit unit,
		      char buf[HOUR_TEXT_MAX]);

/** hour_escape() - text into HTML. */
void hour_escape(FILE *out, const char *s);

#endif
