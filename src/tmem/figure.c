/* SPDX-License-Identifier: BSD-2-Clause */
/* figure.c - numbers of a struct by name and unit, printed. */
#include "figure.h"

#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "parse.h"

/* Columns of figures_print(). */
#define TEXT_WIDTH 26
#define VALUE_WIDTH 14

static uint64_t value_of(const struct figure *f, const void *of)
{
	uint32_t narrow;
	uint64_t value;

	if (f->kind != FIGURE_COUNT32 && f->kind != FIGURE_PERCENT) {
		memcpy(&value, (const char *)of + f->offset, sizeof(value));
		return value;
	}
	memcpy(&narrow, (const char *)of + f->offset, sizeof(narrow));
	return narrow == UINT32_MAX ? UINT64_MAX : narrow;
}

static double per_second(const struct figure *f)
{
	return f->kind == FIGURE_NS ? (double)TMEM_NS_PER_SEC : 1e6;
}

const char *figure_text(const struct figure *f, const void *of, int width,
			char buf[FIGURE_TEXT_MAX])
{
	uint64_t value = value_of(f, of);
	char size[TMEM_FORMAT_SIZE_MAX];

	if (value == UINT64_MAX) {
		(void)snprintf(buf, FIGURE_TEXT_MAX, "%*s", width, "-");
		return buf;
	}
	switch (f->kind) {
	case FIGURE_BYTES:
		(void)tmem_format_size(value, size, sizeof(size));
		(void)snprintf(buf, FIGURE_TEXT_MAX, "%*s", width, size);
		break;
	case FIGURE_NS:
	case FIGURE_US:
		(void)snprintf(buf, FIGURE_TEXT_MAX, "%*.1f s",
			       width > 2 ? width - 2 : 0,
			       (double)value / per_second(f));
		break;
	case FIGURE_PERCENT:
		(void)snprintf(buf, FIGURE_TEXT_MAX, "%*.2f%%",
			       width > 1 ? width - 1 : 0, (double)value / 100);
		break;
	case FIGURE_COUNT:
	case FIGURE_COUNT32:
		(void)snprintf(buf, FIGURE_TEXT_MAX, "%*" PRIu64, width, value);
		break;
	}
	return buf;
}

void figures_print(FILE *out, const struct figure *rows, size_t count,
		   const void *of)
{
	char value[FIGURE_TEXT_MAX];
	size_t i;

	for (i = 0; i < count; i++)
		if (rows[i].text)
			(void)fprintf(out, "%-*s%s\n", TEXT_WIDTH, rows[i].text,
				      figure_text(&rows[i], of, VALUE_WIDTH,
						  value));
}

static void print_json(FILE *out, const struct figure *f, const void *of)
{
	uint64_t value = value_of(f, of);

	(void)fprintf(out, "\"%s\": ", f->key);
	if (value == UINT64_MAX)
		(void)fputs("null", out);
	else if (f->kind == FIGURE_NS || f->kind == FIGURE_US)
		(void)fprintf(out, "%.6f", (double)value / per_second(f));
	else if (f->kind == FIGURE_PERCENT)
		(void)fprintf(out, "%.2f", (double)value / 100);
	else
		(void)fprintf(out, "%" PRIu64, value);
}

void figures_json(FILE *out, const struct figure *rows, size_t count,
		  const void *of, const char *between)
{
	size_t i, printed = 0;

	for (i = 0; i < count; i++) {
		if (!rows[i].key)
			continue;
		if (printed++)
			(void)fputs(between, out);
		print_json(out, &rows[i], of);
	}
}
