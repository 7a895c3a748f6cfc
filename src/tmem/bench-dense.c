/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-dense.c - what the store adds to the codec when a dense page is got.
 *
 * A persistent pool is filled with pages of the corpora, of which background work
 * makes dense what it will. Then in turns, on the same pages: random gets; the
 * bare decoder with a dictionary, once on bytes that are read in order, once on
 * bytes at random places of an area as large as what the store holds: a get's
 * bytes are cold wherever they are kept (get_dense_over_ns and
 * get_dense_over_cold_ns are less these). dense_pages_pct says how much of the
 * pool really was dense.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench-mill.h"
#include "bench-zstd.h"
#include "bench.h"

/* Of the store, filled with what was raw: pages are made dense as they come. */
#define FILL_PCT 100

#define AGE_US 5000

/** struct dense - pages of the mix as frames, back to back. */
struct dense {
	struct bench_mill mill;
	struct bench_zstd zstd;
	uint8_t *bytes;
	uint32_t *at;	/* offset of each; at[count]: the end */
	uint64_t count; /* pages */
	uint64_t next;
	struct bench_area area; /* the same again and again */
	uint64_t rounds;
	struct bench_random random;
	uint64_t broken;
};

static int pack_mix(struct dense *d, const struct bench *b)
{
	uint64_t i;
	unsigned len;

	d->count = b->corpora.mix_count;
	d->bytes = malloc(d->count * BENCH_ZSTD_MAX);
	d->at = calloc(d->count + 1, sizeof(*d->at));
	if (!d->bytes || !d->at)
		return -ENOMEM;
	for (i = 0; i < d->count; i++) {
		len = bench_zstd_pack(&d->zstd, b->corpora.mix[i]);
		memcpy(d->bytes + d->at[i], d->zstd.out, len);
		d->at[i + 1] = d->at[i] + len;
	}
	return 0;
}

/* As much as the store holds its pages in. */
static int spread(struct dense *d, uint64_t bytes)
{
	uint64_t i;

	d->rounds = bytes / d->at[d->count];
	d->rounds += !d->rounds;
	if (bench_area_init(&d->area, d->rounds * d->at[d->count], 0))
		return -ENOMEM;
	for (i = 0; i < d->rounds; i++)
		memcpy(d->area.at + i * d->at[d->count], d->bytes,
		       d->at[d->count]);
	return 0;
}

static void dense_finish(struct dense *d)
{
	bench_zstd_finish(&d->zstd);
	bench_area_finish(&d->area);
	free(d->bytes);
	free(d->at);
}

static void unpack(struct dense *d, const uint8_t *round, uint64_t n)
{
	d->broken += !bench_zstd_unpack(&d->zstd, round + d->at[n],
					d->at[n + 1] - d->at[n]);
}

static void unpack_in_order(void *ctx, unsigned count)
{
	struct dense *d = ctx;

	while (count--) {
		unpack(d, d->bytes, d->next++);
		d->next = d->next < d->count ? d->next : 0;
	}
}

static void unpack_cold(void *ctx, unsigned count)
{
	struct dense *d = ctx;
	uint64_t round;

	while (count--) {
		round = bench_below(&d->random, d->rounds);
		unpack(d, d->area.at + round * d->at[d->count],
		       bench_below(&d->random, d->count));
	}
}

static int fill(struct bench_mill *m, uint64_t pages)
{
	uint64_t i;

	bench_mill_mix(m);
	for (i = 0; i < pages; i++) {
		bench_mill_put(m, 1);
		if (i % BENCH_BATCH == 0)
			while (tmem_age(m->session, AGE_US) == 1)
				;
	}
	while (tmem_age(m->session, AGE_US) == 1)
		;
	m->window = m->head;
	return bench_mill_check(m);
}

enum {
	GET,
	IN_ORDER,
	COLD,
	CASES
};

static int measure(struct bench *b, struct dense *d)
{
	const struct bench_case cases[CASES] = {
		[GET] = { bench_mill_get, NULL, &d->mill },
		[IN_ORDER] = { unpack_in_order, NULL, d },
		[COLD] = { unpack_cold, NULL, d },
	};
	struct bench_series s[CASES];
	double over[BENCH_REPEATS_MAX];
	unsigned n;

	bench_run(cases, CASES, &b->plan, s);
	if (d->broken)
		return bench_fail(b, -EIO, "zstd does not read what it wrote");
	bench_report_series(&b->report, "get_dense_ns",
			    "get of a dense page, cold", &s[GET]);
	n = bench_differences(&s[GET], &s[IN_ORDER], over);
	bench_report_add(&b->report, NULL, "get_dense_over_ns",
			 "... less the bare decoder, bytes read in order", over,
			 n);
	n = bench_differences(&s[GET], &s[COLD], over);
	bench_report_add(&b->report, NULL, "get_dense_over_cold_ns",
			 "... less the bare decoder, bytes cold", over, n);
	return bench_mill_check(&d->mill);
}

static int note_dense(struct bench *b, struct dense *d, uint64_t *ret_bytes)
{
	struct tmem_pool_stats pool;
	struct tmem_stats s;
	int err = bench_mill_stats(&d->mill, &s, &pool);

	if (err)
		return err;
	*ret_bytes = s.used_bytes;
	bench_report_one(&b->report, NULL, "dense_pages_pct",
			 "of the pages that these are measured on",
			 100 * (double)pool.pages_dense /
				 (double)pool.pages_persistent);
	return 0;
}

int bench_dense(struct bench *b)
{
	/* A size at which a store uses 4 KiB pages beside one that is huge
	 * would compare the two: the area has what the store has. */
	const struct bench_store_plan plan = {
		.bytes = b->sizes.store_bytes / 4 > 8u << 20
				 ? b->sizes.store_bytes / 4
				 : 8u << 20,
		.agers = TMEM_NO_AGERS,
		.flags = TMEM_POOL_PERSISTENT,
		.keys = ",codec=zstd,raw=0",
	};
	uint64_t pages = plan.bytes / TMEM_PAGE_SIZE * FILL_PCT / 100, bytes;
	struct dense *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return bench_fail(b, -ENOMEM, "out of memory");
	err = bench_mill_open(b, &d->mill, &plan, pages);
	if (!err)
		err = fill(&d->mill, pages);
	if (!err)
		err = note_dense(b, d, &bytes);
	if (!err) {
		err = bench_zstd_init(&d->zstd,
				      (const uint8_t *const *)b->corpora.mix,
				      b->corpora.mix_count);
		if (!err)
			err = pack_mix(d, b);
		if (!err)
			err = spread(d, bytes);
		if (err)
			err = bench_fail(b, err, "bare zstd: %s",
					 strerror(-err));
	}
	if (!err)
		err = measure(b, d);
	bench_mill_close(&d->mill);
	dense_finish(d);
	free(d);
	return err;
}
