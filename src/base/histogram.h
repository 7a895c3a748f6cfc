/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * histogram.h - log-linear counts of durations or sizes.
 *
 *	value	0 .. 31		a bucket each
 *		32 .. 63	32 buckets, 1 wide
 *		64 .. 127	32 buckets, 2 wide
 *		...
 *		2^39 .. 2^40-1	32 buckets, 2^34 wide; larger values count here
 *
 * So any percentile is at most 1/32 above the value that was added. Fixed size,
 * no allocation; one thread adds, histograms of several threads are merged.
 */
#ifndef TMEM_BASE_HISTOGRAM_H
#define TMEM_BASE_HISTOGRAM_H

#include <stdint.h>

#define TMEM_HISTOGRAM_SUB_BITS 5u    /* 32 buckets per power of two */
#define TMEM_HISTOGRAM_VALUE_BITS 40u /* 2^40 ns are 18 minutes */
#define TMEM_HISTOGRAM_BUCKETS                                                 \
	((TMEM_HISTOGRAM_VALUE_BITS - TMEM_HISTOGRAM_SUB_BITS + 1)             \
	 << TMEM_HISTOGRAM_SUB_BITS)

/** struct tmem_histogram - counts per bucket, and what buckets would blur. */
struct tmem_histogram {
	uint64_t buckets[TMEM_HISTOGRAM_BUCKETS]; /* values seen in each */
	uint64_t count;				  /* values in all */
	uint64_t max;				  /* the largest, exact */
	double sum;				  /* for the mean */
};

/** tmem_histogram_init() - empty. */
void tmem_histogram_init(struct tmem_histogram *h);

/** tmem_histogram_add() - one value. */
void tmem_histogram_add(struct tmem_histogram *h, uint64_t value);

/** tmem_histogram_merge() - everything that @from has seen, too. */
void tmem_histogram_merge(struct tmem_histogram *h,
			  const struct tmem_histogram *from);

/**
 * tmem_histogram_percentile() - the value that @pct percent do not exceed.
 * @h: a histogram.
 * @pct: 0 to 100; 50 is the median, 100 the largest.
 *
 * Return: the top of the bucket it falls into, at most the largest value; 0 when
 *	empty.
 */
uint64_t tmem_histogram_percentile(const struct tmem_histogram *h, double pct);

/** tmem_histogram_count() - values added. */
uint64_t tmem_histogram_count(const struct tmem_histogram *h);

/** tmem_histogram_max() - the largest value; 0 when empty. */
uint64_t tmem_histogram_max(const struct tmem_histogram *h);

/** tmem_histogram_mean() - their mean; 0 when empty. */
double tmem_histogram_mean(const struct tmem_histogram *h);

#endif
