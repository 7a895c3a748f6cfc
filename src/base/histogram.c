/* SPDX-License-Identifier: BSD-2-Clause */
/* histogram.c - log-linear counts of durations or sizes. */
#include "histogram.h"

#include <string.h>

#include "assertion.h"

#define SUB_BITS TMEM_HISTOGRAM_SUB_BITS
#define SUB_COUNT (1u << SUB_BITS)
#define VALUE_MAX ((1ull << TMEM_HISTOGRAM_VALUE_BITS) - 1)

/* How many low bits of a value its bucket does not tell apart. */
static unsigned blurred_bits(uint64_t value)
{
	unsigned top;

	if (value < SUB_COUNT)
		return 0;
	top = 63u - (unsigned)__builtin_clzll(value);
	return top - SUB_BITS;
}

static unsigned bucket_of(uint64_t value)
{
	unsigned blur, n;

	if (value > VALUE_MAX)
		value = VALUE_MAX;
	blur = blurred_bits(value);
	/* value >> blur is in [SUB_COUNT, 2 * SUB_COUNT) but for small ones */
	n = (blur << SUB_BITS) + (unsigned)(value >> blur);
	TMEM_ASSERT(n < TMEM_HISTOGRAM_BUCKETS);
	return n;
}

/* The largest value that falls into a bucket. */
static uint64_t bucket_top(unsigned n)
{
	unsigned blur = n < 2 * SUB_COUNT ? 0 : (n >> SUB_BITS) - 1;

	return (((uint64_t)n - (blur << SUB_BITS) + 1) << blur) - 1;
}

void tmem_histogram_init(struct tmem_histogram *h)
{
	memset(h, 0, sizeof(*h));
}

void tmem_histogram_add(struct tmem_histogram *h, uint64_t value)
{
	h->buckets[bucket_of(value)]++;
	h->count++;
	h->sum += (double)value;
	if (value > h->max)
		h->max = value;
}

void tmem_histogram_merge(struct tmem_histogram *h,
			  const struct tmem_histogram *from)
{
	unsigned n;

	for (n = 0; n < TMEM_HISTOGRAM_BUCKETS; n++)
		h->buckets[n] += from->buckets[n];
	h->count += from->count;
	h->sum += from->sum;
	if (from->max > h->max)
		h->max = from->max;
}

uint64_t tmem_histogram_percentile(const struct tmem_histogram *h, double pct)
{
	double wanted = pct / 100.0 * (double)h->count;
	uint64_t top, seen = 0;
	unsigned n;

	if (!h->count)
		return 0;
	for (n = 0; n < TMEM_HISTOGRAM_BUCKETS - 1; n++) {
		seen += h->buckets[n];
		if (seen && (double)seen >= wanted)
			break;
	}
	top = bucket_top(n);
	/* The last bucket also holds what is beyond it. */
	return top < h->max && n < TMEM_HISTOGRAM_BUCKETS - 1 ? top : h->max;
}

uint64_t tmem_histogram_count(const struct tmem_histogram *h)
{
	return h->count;
}

uint64_t tmem_histogram_max(const struct tmem_histogram *h)
{
	return h->max;
}

double tmem_histogram_mean(const struct tmem_histogram *h)
{
	return h->count ? h->sum / (double)h->count : 0.0;
}
