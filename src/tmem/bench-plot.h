/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-plot.h - drawings of what a benchmark found.
 */
#ifndef TMEM_COMMAND_BENCH_PLOT_H
#define TMEM_COMMAND_BENCH_PLOT_H

#include <stddef.h>

/**
 * bench_plot() - draw a file that `tmem bench --json` wrote.
 * @dir: where the drawings go: latency.svg, and growth.svg if the file has it.
 * @fault: out: why not, one line.
 *
 * Return: 0, negative errno.
 */
int bench_plot(const char *file, const char *dir, char *fault, size_t len);

#endif
