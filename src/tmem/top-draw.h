/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top-draw.h - what the parts of `tmem top`'s screen are drawn with.
 */
#ifndef TMEM_COMMAND_TOP_DRAW_H
#define TMEM_COMMAND_TOP_DRAW_H

#define NCURSES_NOMACROS 1
#include <ncurses.h>

#include "top-screen.h"

/** TOP_SPARK_MOST - the widest line of bars. */
#define TOP_SPARK_MOST 120

/** enum - pairs of colors. */
enum {
	PAIR_OVER = 1, /* more than it is entitled to; trouble */
	PAIR_FROZEN,
	PAIR_SAME,
	PAIR_RAW,
	PAIR_PACKED,
	PAIR_DENSE,
	PAIR_SPARK
};

/** top_put() - text within line @y, from column @x on. Return: the column behind. */
int top_put(int y, int x, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** top_paint() - a pair of colors, on or off, if there are any. */
void top_paint(const struct top_screen *s, int pair, int on);

/**
 * top_bars() - a line of bars, the newest at its right end.
 * @most: of the highest bar; below 0: the largest value, and a bar a value: what
 *	does not fit falls off the left end.
 */
void top_bars(const struct top_screen *s, const float *values, size_t count,
	      float most, int y, int x, int width);

/** top_table_draw() - from line @y on, @rows of them and a line of titles above. */
void top_table_draw(const struct top_screen *s, const struct top_model *m,
		    int y, int rows);

/** top_table_order() - by what it is sorted: a column's name. */
const char *top_table_order(const struct top_model *m);

/** TOP_PANEL_LINES - of the selected domain. */
#define TOP_PANEL_LINES 6

/** top_panel_draw() - the selected domain, from line @y on. */
void top_panel_draw(const struct top_screen *s, const struct top_domain *d,
		    int y);

#endif
