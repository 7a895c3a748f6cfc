/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-limits.c - `tmem bench limits`: what this machine can do at best.
 *
 *	put	a page to a random place of an area of the store's size, past the
 *		caches, fenced after each; from a source that is in the
 *		first-level cache (hot) or anywhere in another such area (cold)
 *	get	memcpy() of a random page to a buffer that stays in the
 *		first-level cache
 *	look-up	of a random key in a table at 60% load, 8 bytes a slot: each
 *		decided by the last one's result (dependent), or not
 *	lz4	packing and unpacking each page of a corpus, one after the other
 *
 * On huge pages and on those of 4 KiB: a store uses the former from 512 MiB on.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench-floor.h"
#include "bench-lz4.h"
#include "bench.h"
#include "clock.h"

/* ---- Copies -------------------------------------------------------------- */

enum {
	PUT_HOT,
	PUT_COLD,
	GET,
	COPIES
};

static int measure_copies(struct bench *b, int huge, const char *const *keys)
{
	struct bench_area area = { 0 }, source = { 0 };
	struct bench_floor hot = { 0 }, cold = { 0 };
	const struct bench_case cases[COPIES] = {
		[PUT_HOT] = { bench_floor_put, NULL, &hot },
		[PUT_COLD] = { bench_floor_put, NULL, &cold },
		[GET] = { bench_floor_get, NULL, &hot },
	};
	static const char *const texts[COPIES] = {
		"page copied past the caches, fenced, hot source",
		"... cold source",
		"random page copied to a hot buffer",
	};
	struct bench_series s[COPIES];
	unsigned i;
	int err = 0;

	if (bench_area_init(&area, b->sizes.store_bytes, huge) ||
	    bench_area_init(&source, b->sizes.store_bytes, huge) ||
	    bench_floor_init(&hot, &area, &b->noise, BENCH_HOT_PAGES) ||
	    bench_floor_init(&cold, &area, &source, source.pages))
		err = bench_fail(b, -ENOMEM, "out of memory");
	if (!err) {
		bench_run(cases, COPIES, &b->plan, s);
		for (i = 0; i < COPIES; i++)
			bench_report_series(&b->report, keys[i], texts[i],
					    &s[i]);
	}
	bench_floor_finish(&hot);
	bench_floor_finish(&cold);
	bench_area_finish(&source);
	bench_area_finish(&area);
	return err;
}

static int copies_huge(struct bench *b)
{
	static const char *const keys[COPIES] = { "put_huge_hot_ns",
						  "put_huge_cold_ns",
						  "get_huge_ns" };

	return measure_copies(b, 1, keys);
}

static int copies_4k(struct bench *b)
{
	static const char *const keys[COPIES] = { "put_4k_hot_ns",
						  "put_4k_cold_ns",
						  "get_4k_ns" };

	return measure_copies(b, 0, keys);
}

/* ---- Look-ups ------------------------------------------------------------ */

#define LOAD_PCT 60

struct table {
	struct bench_area area;
	uint64_t *slots; /* 0: empty */
	uint64_t mask;
	uint64_t count; /* keys are mixed numbers below it */
	uint64_t sum;
	struct bench_random random;
};

static uint64_t key_of(uint64_t n)
{
	struct bench_random r = { n };

	return bench_random(&r) | 1;
}

/* What was read, not what it was found to equal: who waits for the result waits
 * for memory. */
static uint64_t look_up(const struct table *t, uint64_t key)
{
	uint64_t at = key >> 8 & t->mask, slot;

	for (;; at = (at + 1) & t->mask) {
		slot = t->slots[at];
		__asm__ volatile("" : "+r"(slot));
		if (!slot || slot == key)
			return slot;
	}
}

static int table_init(struct table *t, uint64_t bytes)
{
	uint64_t i, at;

	if (bench_area_init(&t->area, bytes, 1))
		return -ENOMEM;
	t->slots = (uint64_t *)(void *)t->area.at;
	t->mask = t->area.bytes / sizeof(*t->slots) - 1;
	t->count = (t->mask + 1) / 100 * LOAD_PCT;
	memset(t->slots, 0, t->area.bytes);
	for (i = 0; i < t->count; i++) {
		at = key_of(i) >> 8 & t->mask;
		while (t->slots[at])
			at = (at + 1) & t->mask;
		t->slots[at] = key_of(i);
	}
	return 0;
}

static void look_up_dependent(void *ctx, unsigned count)
{
	struct table *t = ctx;

	while (count--)
		t->random.state +=
			look_up(t, key_of(bench_below(&t->random, t->count)));
}

static void look_up_overlapped(void *ctx, unsigned count)
{
	struct table *t = ctx;

	while (count--)
		t->sum += look_up(t, key_of(bench_below(&t->random, t->count)));
}

static int look_ups(struct bench *b)
{
	struct table t = { 0 };
	const struct bench_case cases[2] = {
		{ look_up_dependent, NULL, &t },
		{ look_up_overlapped, NULL, &t },
	};
	struct bench_series s[2];

	if (table_init(&t, b->sizes.table_bytes))
		return bench_fail(b, -ENOMEM, "out of memory");
	bench_run(cases, 2, &b->plan, s);
	bench_report_series(&b->report, "lookup_dependent_ns",
			    "look-up that waits for the last one", &s[0]);
	bench_report_add(&b->report, NULL, "lookup_overlapped_ns",
			 "look-up that does not", s[1].ns, s[1].count);
	bench_area_finish(&t.area);
	return 0;
}

/* ---- lz4 ----------------------------------------------------------------- */

struct codec {
	struct bench_lz4 lz4;
	const struct bench_corpus *corpus;
	uint8_t *packed; /* back to back */
	uint32_t *at;	 /* offset of each that got small; at[count]: the end */
	uint64_t count;
	uint64_t next_page, next_packed;
};

static void pack(void *ctx, unsigned count)
{
	struct codec *c = ctx;

	while (count--) {
		(void)bench_lz4_pack(&c->lz4,
				     c->corpus->pages +
					     c->next_page * TMEM_PAGE_SIZE);
		c->next_page = (c->next_page + 1) % c->corpus->count;
	}
}

static void unpack(void *ctx, unsigned count)
{
	struct codec *c = ctx;

	while (count--) {
		uint64_t n = c->next_packed;

		(void)bench_lz4_unpack(&c->lz4, c->packed + c->at[n],
				       c->at[n + 1] - c->at[n]);
		c->next_packed = (n + 1) % c->count;
	}
}

/* Return: 0, -ENODATA no page gets small, -ENOMEM. */
static int codec_init(struct codec *c, const struct bench_corpus *corpus)
{
	uint64_t i;
	unsigned len;

	memset(c, 0, sizeof(*c));
	bench_lz4_init(&c->lz4);
	c->corpus = corpus;
	c->packed = malloc(corpus->count * BENCH_PACKED_MAX);
	c->at = calloc(corpus->count + 1, sizeof(*c->at));
	if (!c->packed || !c->at)
		return -ENOMEM;
	for (i = 0; i < corpus->count; i++) {
		len = bench_lz4_pack(&c->lz4,
				     corpus->pages + i * TMEM_PAGE_SIZE);
		if (!len)
			continue;
		memcpy(c->packed + c->at[c->count], c->lz4.out, len);
		c->at[c->count + 1] = c->at[c->count] + len;
		c->count++;
	}
	return c->count ? 0 : -ENODATA;
}

/* Pages over what they take, those that do not get small at full size. */
static double codec_ratio(const struct codec *c)
{
	uint64_t raw = c->corpus->count - c->count;

	return (double)c->corpus->count * TMEM_PAGE_SIZE /
	       (double)(c->at[c->count] + raw * TMEM_PAGE_SIZE);
}

static int lz4_corpus(struct bench *b, struct codec *c, double *ret)
{
	const struct bench_case cases[2] = {
		{ pack, NULL, c },
		{ unpack, NULL, c },
	};
	struct bench_plan plan = b->plan;
	struct bench_series s[2];

	/* Once through the corpus in all repeats together. */
	plan.ops = (unsigned)(c->corpus->count / plan.repeats) + 1;
	plan.warm = BENCH_BATCH;
	plan.singles = 0;
	bench_run(cases, 2, &plan, s);
	ret[0] = bench_median(s[0].ns, s[0].count);
	ret[1] = bench_median(s[1].ns, s[1].count);
	ret[2] = codec_ratio(c);
	return 0;
}

static int lz4_all(struct bench *b)
{
	struct codec *c = calloc(1, sizeof(*c));
	double figures[3];
	unsigned i;
	int err = c ? 0 : -ENOMEM;

	for (i = 0; i < b->corpora.count && !err; i++) {
		err = codec_init(c, &b->corpora.corpus[i]);
		if (!err)
			err = lz4_corpus(b, c, figures);
		if (!err)
			bench_report_list(&b->report, "lz4",
					  b->corpora.corpus[i].name,
					  "pack ns, unpack ns, ratio", figures,
					  3);
		free(c->packed);
		free(c->at);
	}
	free(c);
	return err ? bench_fail(b, err, "lz4: %s", strerror(-err)) : 0;
}

static const struct bench_step steps[] = {
	{ "copies, huge pages", copies_huge },
	{ "copies, 4 KiB pages", copies_4k },
	{ "look-ups", look_ups },
	{ "lz4", lz4_all },
};

int bench_limits(struct bench *b)
{
	return bench_steps(b, steps, sizeof(steps) / sizeof(steps[0]));
}
