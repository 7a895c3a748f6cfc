/* SPDX-License-Identifier: BSD-2-Clause */
/* bench-synthetic.c - made-up pages that pack like real ones. */
#include "bench-synthetic.h"

#include <string.h>

#include <tmem/tmem.h>

#include "bench-run.h"

#define BIN_BYTES (TMEM_PAGE_SIZE / BENCH_SYNTHETIC_BINS)

/* Literal bytes in a row: so many, and up to as many more. */
#define RUN_MIN 24u
#define RUN_SPREAD 64u

/* Values of a literal byte: real pages use few of the 256. */
#define FIRST_BYTE 0x20
#define BYTE_MASK 0x3fu

/* What lz4 writes for a repetition besides the literals before it. */
#define REPEAT_COST 3u

/* It does not find all repetitions: aimed lower by 1/16, it comes out right. */
#define MISSED_SHIFT 4

/* It finds none shorter. */
#define REPEAT_MIN 4u

/* From here on a page is taken to be without repetitions. */
#define RANDOM_FROM (TMEM_PAGE_SIZE - BIN_BYTES)

static const struct bench_synthetic kinds[] = {
	{ "synthetic-python", { 2, 15, 50, 26, 7, 0, 0, 0 } },
	{ "synthetic-cc1", { 10, 40, 37, 12, 1, 0, 0, 0 } },
	{ "synthetic-redis", { 3, 2, 11, 7, 3, 74, 0, 0 } },
	{ "synthetic-libs", { 7, 3, 7, 10, 17, 23, 30, 3 } },
};

const struct bench_synthetic *bench_synthetic_kinds(unsigned *ret_count)
{
	*ret_count = sizeof(kinds) / sizeof(kinds[0]);
	return kinds;
}

static unsigned draw_size(const struct bench_synthetic *kind,
			  struct bench_random *r)
{
	unsigned left = (unsigned)bench_below(r, 100), bin = 0;

	while (bin < BENCH_SYNTHETIC_BINS - 1 && left >= kind->pct[bin])
		left -= kind->pct[bin++];
	return bin * BIN_BYTES + (unsigned)bench_below(r, BIN_BYTES);
}

static unsigned put_random(uint8_t *page, unsigned at, unsigned len,
			   struct bench_random *r)
{
	uint64_t word = 0;
	unsigned i;

	for (i = 0; i < len && at < TMEM_PAGE_SIZE; i++) {
		if (i % sizeof(word) == 0)
			word = bench_random(r);
		page[at++] =
			(uint8_t)(FIRST_BYTE +
				  (word >> 8 * (i % sizeof(word)) & BYTE_MASK));
	}
	return at;
}

static unsigned put_repeat(uint8_t *page, unsigned at, unsigned len,
			   struct bench_random *r)
{
	unsigned from = (unsigned)bench_below(r, at - REPEAT_MIN);

	while (len-- && at < TMEM_PAGE_SIZE)
		page[at++] = page[from++];
	return at;
}

/*
 * A run of `lit` bytes and a repetition of `rep` cost lit + 3 of lit + rep bytes.
 * So rep = (lit + 3) * page / size - lit; what is rounded off is carried on.
 */
static void make_page(uint8_t *page, unsigned size, struct bench_random *r)
{
	unsigned at = put_random(page, 0, 4 * REPEAT_MIN, r);
	unsigned spent = at, lit, due;

	if (size >= RANDOM_FROM) {
		(void)put_random(page, at, TMEM_PAGE_SIZE, r);
		return;
	}
	size -= size >> MISSED_SHIFT;
	while (at < TMEM_PAGE_SIZE) {
		lit = RUN_MIN + (unsigned)bench_below(r, RUN_SPREAD);
		at = put_random(page, at, lit, r);
		spent += lit + REPEAT_COST;
		due = size ? spent * TMEM_PAGE_SIZE / size : TMEM_PAGE_SIZE;
		at = put_repeat(page, at,
				due > at + REPEAT_MIN ? due - at : REPEAT_MIN,
				r);
	}
}

void bench_synthetic_fill(const struct bench_synthetic *kind, uint8_t *pages,
			  uint64_t count, uint64_t seed)
{
	struct bench_random r = { seed };
	uint64_t i;

	for (i = 0; i < count; i++)
		make_page(pages + i * TMEM_PAGE_SIZE, draw_size(kind, &r), &r);
}
