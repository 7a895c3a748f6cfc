/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-packed.c - what the store adds to the codec when pages are packed.
 *
 * A persistent pool is filled with pages of the corpora until it refuses: by
 * then every page in it is packed, and it has no room for one that is not. Then
 * in turns, on the same pages:
 *
 *	get	random pages
 *	unpack	the bare decoder: once on bytes that are read in order, which
 *		the processor foresees (get_packed_over_ns is less this), once
 *		on bytes at random places of an area as large as what the store
 *		holds (get_packed_over_cold_ns): a get's bytes are cold wherever
 *		they are kept
 *	put	a page once more under its key: as it gets as small as before,
 *		it is packed inline and taken. After each batch, not timed,
 *		background work is done until none is left, so that no put
 *		lends a hand (bench-pressed.c measures those that do)
 *	pack	the bare codec (put_packed_over_ns is less this)
 *
 * Pages come from the corpora in order on both sides. packed_pages_pct says how
 * much of the pool really was packed; the rest looks random to the store.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench-lz4.h"
#include "bench-mill.h"
#include "bench.h"

/* Packing is that much slower than getting a page: so many fewer of a repeat. */
#define PUT_SHARE 4

/* A piece of background work. */
#define AGE_US 1000

/** struct packed - pages of the mix in lz4's form, back to back. */
struct packed {
	struct bench_mill mill;
	struct bench_lz4 lz4;
	const uint8_t *const *mix;
	uint64_t next_put, next_pack;
	uint8_t *bytes;
	uint32_t *at;	/* offset of each; at[count]: the end */
	uint64_t count; /* pages */
	uint64_t next;
	/* The same again and again, to fill an area. */
	struct bench_area area;
	uint64_t rounds;
	struct bench_random random;
	uint64_t broken;
};

static int packed_init(struct packed *p, const struct bench *b)
{
	uint64_t i;
	unsigned len;

	bench_lz4_init(&p->lz4);
	p->mix = (const uint8_t *const *)b->corpora.mix;
	p->count = b->corpora.mix_count;
	p->bytes = malloc(p->count * BENCH_PACKED_MAX);
	p->at = calloc(p->count + 1, sizeof(*p->at));
	if (!p->bytes || !p->at)
		return -ENOMEM;
	for (i = 0; i < p->count; i++) {
		len = bench_lz4_pack(&p->lz4, b->corpora.mix[i]);
		memcpy(p->bytes + p->at[i], p->lz4.out, len);
		p->at[i + 1] = p->at[i] + len;
	}
	p->rounds = b->sizes.store_bytes / p->at[p->count];
	p->rounds += !p->rounds;
	if (bench_area_init(&p->area, p->rounds * p->at[p->count], 1))
		return -ENOMEM;
	for (i = 0; i < p->rounds; i++)
		memcpy(p->area.at + i * p->at[p->count], p->bytes,
		       p->at[p->count]);
	return 0;
}

static void packed_finish(struct packed *p)
{
	bench_area_finish(&p->area);
	free(p->bytes);
	free(p->at);
}

static void unpack(struct packed *p, const uint8_t *round, uint64_t n)
{
	p->broken += !bench_lz4_unpack(&p->lz4, round + p->at[n],
				       p->at[n + 1] - p->at[n]);
}

static void unpack_in_order(void *ctx, unsigned count)
{
	struct packed *p = ctx;

	while (count--) {
		unpack(p, p->bytes, p->next++);
		p->next = p->next < p->count ? p->next : 0;
	}
}

static void unpack_cold(void *ctx, unsigned count)
{
	struct packed *p = ctx;
	uint64_t round;

	while (count--) {
		round = bench_below(&p->random, p->rounds);
		unpack(p, p->area.at + round * p->at[p->count],
		       bench_below(&p->random, p->count));
	}
}

/* Until it takes no more; the last pages were refused, so they don't count. */
static int fill(struct bench_mill *m)
{
	uint64_t most = 4 * m->bench->sizes.store_bytes / TMEM_PAGE_SIZE;
	uint64_t failed;

	bench_mill_mix(m);
	while (m->head < most) {
		failed = m->failed;
		bench_mill_put(m, 1);
		if (m->failed > failed) {
			m->head--;
			break;
		}
	}
	m->failed = 0;
	m->window = m->head;
	return m->head ? 0 : -EIO;
}

/* ---- Cases --------------------------------------------------------------- */

static void put_again(void *ctx, unsigned count)
{
	struct packed *p = ctx;
	struct bench_mill *m = &p->mill;
	struct tmem_key key;

	m->done += count;
	while (count--) {
		key = bench_mill_key(m, p->next_put);
		m->failed += tmem_put(m->session, m->pool, &key,
				      p->mix[p->next_put % p->count]) != 1;
		p->next_put = (p->next_put + 1) % m->window;
	}
}

static void age(void *ctx, unsigned count)
{
	struct packed *p = ctx;

	(void)count;
	while (tmem_age(p->mill.session, AGE_US) == 1)
		;
}

static void pack(void *ctx, unsigned count)
{
	struct packed *p = ctx;

	while (count--) {
		(void)bench_lz4_pack(&p->lz4, p->mix[p->next_pack]);
		p->next_pack = (p->next_pack + 1) % p->count;
	}
}

static int measure_puts(struct bench *b, struct packed *p)
{
	const struct bench_case cases[2] = {
		{ put_again, age, p },
		{ pack, NULL, p },
	};
	struct bench_plan plan = b->plan;
	double over[BENCH_REPEATS_MAX];
	struct bench_series s[2];
	unsigned n;

	plan.warm /= PUT_SHARE;
	plan.ops /= PUT_SHARE;
	plan.singles /= PUT_SHARE;
	bench_run(cases, 2, &plan, s);
	bench_report_series(&b->report, "put_packed_ns", "put packed inline",
			    &s[0]);
	n = bench_differences(&s[0], &s[1], over);
	bench_report_add(&b->report, NULL, "put_packed_over_ns",
			 "... less the bare codec on the same pages", over, n);
	return bench_mill_check(&p->mill);
}

static int note_packed(struct bench *b, struct bench_mill *m)
{
	struct tmem_pool_stats pool;
	struct tmem_stats s;
	int err = bench_mill_stats(m, &s, &pool);

	if (!err)
		bench_report_one(&b->report, NULL, "packed_pages_pct",
				 "of the pages that these are measured on",
				 100 * (double)pool.pages_packed /
					 (double)pool.pages_persistent);
	return err;
}

enum {
	GET,
	IN_ORDER,
	COLD,
	CASES
};

static int measure_gets(struct bench *b, struct packed *p)
{
	const struct bench_case cases[CASES] = {
		[GET] = { bench_mill_get, NULL, &p->mill },
		[IN_ORDER] = { unpack_in_order, NULL, p },
		[COLD] = { unpack_cold, NULL, p },
	};
	struct bench_series s[CASES];
	double over[BENCH_REPEATS_MAX];
	unsigned n;

	bench_run(cases, CASES, &b->plan, s);
	if (p->broken)
		return bench_fail(b, -EIO, "lz4 does not read what it wrote");
	bench_report_series(&b->report, "get_packed_ns",
			    "get of a packed page, cold", &s[GET]);
	n = bench_differences(&s[GET], &s[IN_ORDER], over);
	bench_report_add(&b->report, NULL, "get_packed_over_ns",
			 "... less the bare decoder, bytes read in order", over,
			 n);
	n = bench_differences(&s[GET], &s[COLD], over);
	bench_report_add(&b->report, NULL, "get_packed_over_cold_ns",
			 "... less the bare decoder, bytes cold", over, n);
	return bench_mill_check(&p->mill);
}

int bench_packed(struct bench *b)
{
	const struct bench_store_plan plan = {
		.bytes = b->sizes.store_bytes,
		.agers = TMEM_NO_AGERS,
		.flags = TMEM_POOL_PERSISTENT,
		.keys = ",codec=lz4", /* what ages here stays packed */
	};
	struct packed *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return bench_fail(b, -ENOMEM, "out of memory");
	err = bench_mill_open(b, &p->mill, &plan,
			      4 * b->sizes.store_bytes / TMEM_PAGE_SIZE);
	if (!err && packed_init(p, b))
		err = bench_fail(b, -ENOMEM, "out of memory");
	if (!err && fill(&p->mill))
		err = bench_fail(b, -EIO, "the store takes no page");
	if (!err)
		err = note_packed(b, &p->mill);
	if (!err)
		err = measure_gets(b, p);
	if (!err)
		err = measure_puts(b, p);
	bench_mill_close(&p->mill);
	packed_finish(p);
	free(p);
	return err;
}
