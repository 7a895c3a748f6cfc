/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-json.h - the numbers in a JSON text, with where they stand.
 */
#ifndef TMEM_COMMAND_BENCH_JSON_H
#define TMEM_COMMAND_BENCH_JSON_H

/** Longest path; what lies deeper or is named longer makes the text unusable. */
#define BENCH_JSON_PATH_MAX 160u

/**
 * bench_json_walk() - every number of a text, in order.
 * @number: called with its path: keys and indexes with slashes between them, as
 *	in "latency/miss/percentiles/3/1".
 *
 * Return: 0, -EINVAL not JSON (what came before was told).
 */
int bench_json_walk(const char *text,
		    void (*number)(void *ctx, const char *path, double value),
		    void *ctx);

#endif
