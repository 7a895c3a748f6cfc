/* SPDX-License-Identifier: BSD-2-Clause */
/* top-draw.c - what the parts of `tmem top`'s screen are drawn with. */
#include "top-draw.h"

#include <stdarg.h>
#include <stdio.h>

#include "spark.h"

int top_put(int y, int x, const char *format, ...)
{
	char text[512];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len > COLS - x)
		len = COLS - x;
	if (y < LINES && len > 0)
		(void)mvaddnstr(y, x, text, len);
	return x + (len > 0 ? len : 0);
}

void top_paint(const struct top_screen *s, int pair, int on)
{
	if (s->colors)
		(void)(on ? attron(COLOR_PAIR(pair))
			  : attroff(COLOR_PAIR(pair)));
}

void top_bars(const struct top_screen *s, const float *values, size_t count,
	      float most, int y, int x, int width)
{
	char bars[TOP_SPARK_MOST * SPARK_CELL_MAX + 1];
	size_t newest = (size_t)width;

	if (width < 1 || x + width > COLS)
		return;
	/* In a line, a bar a refresh: older ones fall off its left end. */
	if (count > newest && most < 0) {
		values += count - newest;
		count = newest;
	}
	(void)spark_line(values, count, most < 0 ? 0 : most, newest, s->utf8,
			 bars);
	top_paint(s, PAIR_SPARK, 1);
	(void)mvaddstr(y, x, bars);
	top_paint(s, PAIR_SPARK, 0);
}
