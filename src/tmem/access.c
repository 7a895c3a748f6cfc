/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * access.c - the access list: a skewed re-reading with sequential runs.
 *
 * Files are cut into extents of up to 128 KiB, the kernel's usual read-ahead.
 * Each extent gets a popularity rank by a seeded shuffle. An event draws a rank
 * by the Zipf-Mandelbrot law, weight 1 / (rank + q): a long tail of pages that
 * are read once or twice, and a head flattened by q, since the very hottest
 * pages would stay in any first-level cache and say nothing about what is below
 * it. With q a 64th of the extents, half of the events fall on a tenth of them.
 *
 * Seven of eight events read one page anywhere in the extent. The eighth reads
 * a run of up to 32 pages from the extent's start on, within its file, as when
 * programs are loaded. On a /usr, with its many small files, every third access
 * is to the page after the last one.
 */
#include "access.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataset.h"
#include "files.h"
#include "hash.h"

#define EXTENT_PAGES 32u
#define RUN_PAGES 32u
#define RUN_EVERY 8u  /* events */
#define HEAD_SHARE 64 /* q: extents by this */

/* A weight of 1; over 2^28 extents the sum stays far below 2^64. */
#define WEIGHT_ONE (1ull << 40)

/** struct access_extent - some pages of one file. */
struct access_extent {
	uint32_t first; /* page's number in the data set */
	uint32_t pages;
};

/* splitmix64 (Steele, Lea, Flood: OOPSLA 2014); passes BigCrush. */
static uint64_t draw(struct access_list *a)
{
	uint64_t z = a->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* Less than `n`. The bias is n / 2^64: nothing. */
static uint64_t draw_below(struct access_list *a, uint64_t n)
{
	return draw(a) % n;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t count_extents(const struct dataset *d)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < d->files; i++)
		n += (d->file[i]->pages - 1) / EXTENT_PAGES + 1;
	return n;
}

static void cut_extents(struct access_list *a)
{
	const struct dataset *d = a->data;
	uint32_t done, n = 0;
	size_t i;

	for (i = 0; i < d->files; i++) {
		const struct file *f = d->file[i];

		for (done = 0; done < f->pages; done += EXTENT_PAGES) {
			a->extent[n].first = f->first + done;
			a->extent[n].pages =
				least(EXTENT_PAGES, f->pages - done);
			n++;
		}
	}
}

static void rank_extents(struct access_list *a)
{
	uint64_t q = a->extents / HEAD_SHARE + 1, sum = 0;
	uint32_t i, j;

	for (i = a->extents - 1; i > 0; i--) {
		struct access_extent swap = a->extent[i];

		j = (uint32_t)draw_below(a, (uint64_t)i + 1);
		a->extent[i] = a->extent[j];
		a->extent[j] = swap;
	}
	for (i = 0; i < a->extents; i++) {
		sum += WEIGHT_ONE / (i + 1 + q);
		a->sum[i] = sum;
	}
}

int access_init(struct access_list *a, const struct dataset *data, uint64_t seed)
{
	memset(a, 0, sizeof(*a));
	a->data = data;
	a->seed = seed;
	a->extents = count_extents(data);
	a->extent = calloc(a->extents, sizeof(*a->extent));
	a->sum = calloc(a->extents, sizeof(*a->sum));
	if (!a->extent || !a->sum) {
		access_finish(a);
		return -ENOMEM;
	}
	a->random = tmem_mix(seed, 1); /* not the stream of the accesses */
	cut_extents(a);
	rank_extents(a);
	access_rewind(a);
	return 0;
}

void access_finish(struct access_list *a)
{
	free(a->extent);
	free(a->sum);
	memset(a, 0, sizeof(*a));
}

void access_rewind(struct access_list *a)
{
	a->random = tmem_mix(a->seed, 2);
	a->run_left = 0;
}

/* The first rank whose sum is over `weight`. */
static const struct access_extent *find(const struct access_list *a,
					uint64_t weight)
{
	uint32_t low = 0, high = a->extents - 1;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (a->sum[middle] > weight)
			high = middle;
		else
			low = middle + 1;
	}
	return &a->extent[low];
}

uint32_t access_next(struct access_list *a)
{
	const struct access_extent *e;
	const struct file *f;

	if (!a->run_left) {
		e = find(a, draw_below(a, a->sum[a->extents - 1]));
		f = a->data->file[a->data->owner[e->first]];
		if (draw_below(a, RUN_EVERY)) {
			a->run_page =
				e->first + (uint32_t)draw_below(a, e->pages);
			a->run_left = 1;
		} else {
			a->run_page = e->first;
			a->run_left = 1 + (uint32_t)draw_below(a, RUN_PAGES);
			a->run_left = least(a->run_left,
					    f->first + f->pages - e->first);
		}
	}
	a->run_left--;
	return a->run_page++;
}
