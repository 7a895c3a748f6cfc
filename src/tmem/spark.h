/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spark.h - a line of small bars: how a number went, newest at the right.
 */
#ifndef TMEM_COMMAND_SPARK_H
#define TMEM_COMMAND_SPARK_H

#include <stddef.h>

/** SPARK_CELL_MAX - bytes of a bar. */
#define SPARK_CELL_MAX 3u

/**
 * spark_line() - draw.
 * @values: count of them, oldest first; below 0: not known, left blank.
 * @most: of the highest bar; 0: the largest value.
 * @width: bars; if there are more values, each bar is the largest of its share.
 * @utf8: 1: blocks of eighths; 0: plain characters.
 * @buf: out: text, always ended; SPARK_CELL_MAX * width + 1 bytes are enough.
 *
 * Return: the value of the highest bar.
 */
float spark_line(const float *values, size_t count, float most, size_t width,
		 int utf8, char *buf);

#endif
