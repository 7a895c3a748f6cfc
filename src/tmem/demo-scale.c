/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demo-scale.c - how large an experiment the disk allows.
 *
 * A disk of 1 ms a read gives a tenth of the pages that one of 0.1 ms gives in
 * the same time. Replaying only the beginning of the list would then tell
 * nothing: each page is read for the first time, which no cache can save. With
 * data, first level and pool all smaller by the same factor, the list is as
 * long in rounds, and the result about the same.
 */
#include "demo-scale.h"

#include <stdlib.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "clock.h"
#include "demo-options.h"
#include "disk.h"
#include "files.h"

#define PROBES 100u    /* files that are tried, a page of each */
#define PROBES_PCT 90u /* the slowest of them left out: hiccups */
#define PROBE_NS_MAX TMEM_NS_PER_SEC
#define HALVINGS_MAX 4u /* 40M of data: less tells about a toy only */

/* Accesses that miss a first level of a tenth of the data, measured on /usr. */
#define MISS_PCT 57u

/* Rather two thirds of a large experiment than all of one half the size. */
#define CUT_PCT 66u

static int by_value(const void *va, const void *vb)
{
	const uint64_t *a = va, *b = vb;

	return *a < *b ? -1 : *a > *b;
}

/* Time of one read, ns; 0: it failed. */
static uint64_t probe_file(struct file *f, void *buf)
{
	uint64_t pages = (f->state.size - 1) / TMEM_PAGE_SIZE + 1;
	uint64_t start, ns;
	int fd = disk_open(f);

	if (fd < 0)
		return 0;
	start = tmem_clock_ns();
	ns = disk_pread(fd, f, f->order % pages, 1, buf)
		     ? 0
		     : tmem_clock_ns() - start;
	(void)close(fd);
	return ns;
}

/* Mean time of a read, hiccups left out; 0: nothing could be read. */
static uint64_t probe(struct files *fs)
{
	uint64_t ns[PROBES], sum = 0, end = tmem_clock_ns() + PROBE_NS_MAX;
	void *buf = aligned_alloc(TMEM_PAGE_SIZE, TMEM_PAGE_SIZE);
	size_t i, n = 0, counted;

	if (!buf)
		return 0;
	for (i = 0; i < fs->count && n < PROBES && tmem_clock_ns() < end; i++) {
		ns[n] = probe_file(&fs->file[i], buf);
		n += ns[n] > 0;
	}
	free(buf);
	if (!n)
		return 0;
	qsort(ns, n, sizeof(ns[0]), by_value);
	counted = (n * PROBES_PCT + 99) / 100;
	for (i = 0; i < counted; i++)
		sum += ns[i];
	return sum / counted;
}

unsigned demo_scale_find(const struct demo_options *o, struct files *fs,
			 uint64_t left_ns, uint64_t *ret_read_ns)
{
	uint64_t reads = o->data_pages * o->rounds * MISS_PCT / 100;
	uint64_t need_ns;
	unsigned halvings = 0;

	*ret_read_ns = probe(fs);
	need_ns = reads * CUT_PCT / 100 * *ret_read_ns;
	while (halvings < HALVINGS_MAX && need_ns >> halvings > left_ns / 2)
		halvings++;
	return halvings;
}
