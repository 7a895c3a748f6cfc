/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-meta.c - bytes that a page takes beside its own.
 *
 *	(used_bytes - raw_bytes) / pages
 *
 * of a store that is filled with raw pages, 64 to an object. Used bytes are all
 * that the store holds: index, objects, headers, segment table, codec contexts,
 * and what it has taken from the kernel without using it yet. The latter is no
 * page's: so this is read right before each put that makes used bytes grow, when
 * the open segment is full, and the median of those readings is told. What is
 * left of the segments that the index has taken is counted.
 */
#include <errno.h>
#include <stdlib.h>

#include "bench-mill.h"
#include "bench.h"

/* Read while the store goes from the one to the other: a share of its size. */
#define FROM_PCT 40
#define TO_PCT 80

static int by_value(const void *va, const void *vb)
{
	const double *a = va, *b = vb;

	return *a < *b ? -1 : *a > *b;
}

/* Return: 1 the figures, 0 none told. */
static int look(struct bench_mill *m, struct tmem_stats *s)
{
	s->size = sizeof(*s);
	return !tmem_stats(m->session, s);
}

static double beside(const struct tmem_stats *s)
{
	return ((double)s->used_bytes - (double)s->raw_bytes) /
	       ((double)s->raw_bytes / TMEM_PAGE_SIZE);
}

static int measure(struct bench_mill *m, double *readings, uint64_t room)
{
	uint64_t pages = m->bench->sizes.store_bytes / TMEM_PAGE_SIZE, n = 0;
	struct tmem_stats before, after;

	while (m->head < pages * FROM_PCT / 100)
		bench_mill_put(m, 1);
	if (!look(m, &before))
		return bench_fail(m->bench, -EIO, "no figures");
	while (m->head < pages * TO_PCT / 100) {
		bench_mill_put(m, 1);
		if (look(m, &after) && after.used_bytes > before.used_bytes &&
		    n < room)
			readings[n++] = beside(&before);
		before = after;
	}
	if (!n)
		return bench_fail(m->bench, -EIO, "used bytes do not grow");
	qsort(readings, n, sizeof(*readings), by_value);
	bench_report_one(&m->bench->report, NULL, "meta_bytes_per_page",
			 "bytes held beside the pages' own, each",
			 readings[n / 2]);
	return bench_mill_check(m);
}

int bench_meta(struct bench *b)
{
	const struct bench_store_plan plan = {
		.bytes = b->sizes.store_bytes,
		.agers = TMEM_NO_AGERS,
		.flags = TMEM_POOL_KEEP,
	};
	uint64_t pages = b->sizes.store_bytes / TMEM_PAGE_SIZE;
	double *readings = calloc(pages, sizeof(*readings));
	struct bench_mill mill;
	int err;

	if (!readings)
		return bench_fail(b, -ENOMEM, "out of memory");
	err = bench_mill_open(b, &mill, &plan, pages);
	if (!err)
		err = measure(&mill, readings, pages);
	bench_mill_close(&mill);
	free(readings);
	return err;
}
