/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * figure.h - numbers of a struct by name and unit, printed for people or as JSON.
 */
#ifndef TMEM_COMMAND_FIGURE_H
#define TMEM_COMMAND_FIGURE_H

#include <stddef.h>
#include <stdio.h>

enum figure_kind {
	FIGURE_COUNT,	/* uint64_t */
	FIGURE_COUNT32, /* uint32_t */
	FIGURE_BYTES,	/* uint64_t */
	FIGURE_NS,	/* uint64_t, printed as seconds */
	FIGURE_US,	/* uint64_t, printed as seconds */
	FIGURE_PERCENT	/* uint32_t, hundredths of a percent */
};

/** struct figure - a row of a table. All ones: not known, or no limit. */
struct figure {
	const char *key;  /* in JSON; NULL: not there */
	const char *text; /* for people; NULL: not for them */
	enum figure_kind kind;
	size_t offset; /* of the number in its struct */
};

/** FIGURE_TEXT_MAX - bytes that any figure_text() fits in. */
#define FIGURE_TEXT_MAX 48u

/** figure_text() - the value for people, at least @width wide. Return: @buf. */
const char *figure_text(const struct figure *f, const void *of, int width,
			char buf[FIGURE_TEXT_MAX]);

/** figures_print() - a line for each row that has a text. */
void figures_print(FILE *out, const struct figure *rows, size_t count,
		   const void *of);

/** figures_json() - `"key": value` for each row that has a key, with @between
 * before all but the first. */
void figures_json(FILE *out, const struct figure *rows, size_t count,
		  const void *of, const char *between);

#endif
