/* SPDX-License-Identifier: BSD-2-Clause */
/* spark.c - a line of small bars: how a number went, newest at the right. */
#include "spark.h"

#include <string.h>

/* From nothing to all; the first is for what is known and 0. */
#define LEVELS 8
static const char *const blocks[LEVELS] = { "▁", "▂", "▃", "▄",
					    "▅", "▆", "▇", "█" };
static const char *const plain[LEVELS] = { "_", ".", "-", ":",
					   "=", "+", "*", "#" };

static float largest(const float *values, size_t from, size_t to)
{
	float most = -1;

	for (; from < to; from++)
		if (values[from] > most)
			most = values[from];
	return most;
}

static const char *bar(float value, float most, int utf8)
{
	int level = 0;

	if (value < 0)
		return " ";
	if (most > 0)
		level = (int)(value / most * LEVELS);
	if (level >= LEVELS)
		level = LEVELS - 1;
	return utf8 ? blocks[level] : plain[level];
}

float spark_line(const float *values, size_t count, float most, size_t width,
		 int utf8, char *buf)
{
	size_t per = width ? (count + width - 1) / width : 1, cells, i, from,
	       len;

	if (!per)
		per = 1;
	cells = (count + per - 1) / per;
	if (most <= 0)
		most = largest(values, 0, count);
	for (i = 0; i < width; i++) {
		const char *cell = " ";

		if (i + cells >= width) {
			/* Shares are counted from the newest, so that a bar
			 * does not change while it moves. */
			from = width - 1 - i;
			cell = bar(largest(values,
					   count > (from + 1) * per
						   ? count - (from + 1) * per
						   : 0,
					   count - from * per),
				   most, utf8);
		}
		len = strlen(cell);
		memcpy(buf, cell, len);
		buf += len;
	}
	*buf = 0;
	return most;
}
