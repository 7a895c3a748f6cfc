/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-growth.c - how put, get and miss cost grow with the pages in a store.
 *
 * Pages are same-filled, so that ten million fit into half a GiB: a page's bytes
 * cost nothing here, and what is left is finding it. Puts are onto pages that
 * are there, in random places; gets and misses are of random keys.
 *
 * A small store fits into the processor's caches and a large one does not. Warm
 * figures (`growth_warm`) tell of that: they are of operations in a row. The cold
 * ones (`growth`) tell of the store: before each batch of 16, so many bytes are
 * read elsewhere that next to nothing of the store is left in any cache, however
 * small it is.
 *
 * `floor` is what no look-up can do without: one line, from a random place of as
 * much memory as the store has taken by then, whose address the line before says.
 * As memory grows, the machine's page walks do, too.
 *
 * growth_max_ratio: of the three operations, the largest cost at the most pages
 * over the cost at the fewest; growth_warm_max_ratio is the same for warm ones.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench-mill.h"
#include "bench.h"

#define DECADES 4u

/* Operations after each emptying of caches. */
#define COLD_BATCH 16u

/* Batches of a cold figure. */
#define COLD_BATCHES 160u

enum {
	PUT,
	GET,
	MISS,
	STORE_OPS,
	FLOOR = STORE_OPS,
	OPS
};

static const char *const op_names[OPS] = { "put", "get", "miss", "floor" };

struct growth {
	struct bench *b;
	struct bench_mill mill;
	struct bench_area area; /* read to empty caches */
	size_t read_at;
	uint64_t floor_lines; /* of the area, that floor() may look at */
	uint64_t floor_at;
	uint8_t page[TMEM_PAGE_SIZE];
	double pages[DECADES];
	double cold[OPS][DECADES], warm[OPS][DECADES];
};

/* A page that says its key, same-filled. */
static int put_number(struct growth *g, uint64_t n)
{
	struct tmem_key key = bench_mill_key(&g->mill, n);
	uint64_t word = n, i;

	for (i = 0; i < sizeof(g->page); i += sizeof(word))
		memcpy(g->page + i, &word, sizeof(word));
	return tmem_put(g->mill.session, g->mill.pool, &key, g->page);
}

/* Numbers count from `head` down, so all have random places in the log. */
static void put(void *ctx, unsigned count)
{
	struct growth *g = ctx;
	struct bench_mill *m = &g->mill;
	struct tmem_key key;

	while (count--) {
		key = bench_mill_key(m, bench_below(&m->random, m->window));
		m->failed += tmem_put(m->session, m->pool, &key, g->page) != 1;
		m->done++;
	}
}

static void get(void *ctx, unsigned count)
{
	bench_mill_get(&((struct growth *)ctx)->mill, count);
}

static void miss(void *ctx, unsigned count)
{
	bench_mill_miss(&((struct growth *)ctx)->mill, count);
}

static void load_lines(void *ctx, unsigned count)
{
	struct growth *g = ctx;

	/* The area is all zero, which only this function's author knows. */
	while (count--)
		g->floor_at = bench_below(&g->mill.random, g->floor_lines) +
			      g->area.at[g->floor_at * 64];
}

static void (*const op_runs[OPS])(void *, unsigned) = { put, get, miss,
							load_lines };

static void chill(struct growth *g)
{
	uint64_t left = g->b->sizes.chill_bytes, sum = 0;

	for (; left; left -= 64) {
		sum += g->area.at[g->read_at];
		g->read_at = (g->read_at + 64) % g->area.bytes;
	}
	__asm__ volatile("" : : "r"(sum));
}

static double measure_cold(struct growth *g, unsigned op)
{
	struct bench_timer t;
	uint64_t ns;
	unsigned batches = g->b->opt->tiny ? 4 : COLD_BATCHES, i;
	struct tmem_histogram h;

	tmem_histogram_init(&h);
	for (i = 0; i < batches; i++) {
		chill(g);
		bench_timer_start(&t, g->b->plan.clock_ns);
		op_runs[op](g, COLD_BATCH);
		(void)bench_timer_stop(&t, &ns);
		tmem_histogram_add(&h, ns);
	}
	/* Not the mean: now and then somebody else runs. */
	return (double)tmem_histogram_percentile(&h, 50) / COLD_BATCH;
}

static void measure(struct growth *g, unsigned decade)
{
	const struct bench_case cases[OPS] = {
		[PUT] = { put, NULL, g },
		[GET] = { get, NULL, g },
		[MISS] = { miss, NULL, g },
		[FLOOR] = { load_lines, NULL, g },
	};
	struct tmem_stats stats = { .size = sizeof(stats) };
	struct bench_plan plan = g->b->plan;
	struct bench_series s[OPS];
	unsigned op;

	plan.repeats = plan.repeats > 5 ? 5 : plan.repeats;
	plan.singles = 0;
	g->pages[decade] = (double)g->mill.window;
	/* The pages' bytes as well: a get reads them. */
	(void)tmem_stats(g->mill.session, &stats);
	g->floor_lines = stats.used_bytes < g->area.bytes
				 ? stats.used_bytes / 64
				 : g->area.bytes / 64;
	g->floor_at = 0;
	bench_run(cases, OPS, &plan, s);
	for (op = 0; op < OPS; op++) {
		g->warm[op][decade] = bench_median(s[op].ns, s[op].count);
		g->cold[op][decade] = measure_cold(g, op);
	}
}

static int grow(struct growth *g)
{
	uint64_t target = g->b->sizes.growth_pages, put_ok;
	unsigned decade;

	for (decade = 0; decade < DECADES; decade++, target *= 10) {
		while (g->mill.head < target) {
			put_ok = (uint64_t)(put_number(g, g->mill.head) == 1);
			g->mill.failed += !put_ok;
			g->mill.done++;
			g->mill.head++;
		}
		g->mill.window = target;
		measure(g, decade);
	}
	return bench_mill_check(&g->mill);
}

static double worst(double (*costs)[DECADES])
{
	double max = 0, ratio;
	unsigned op;

	for (op = 0; op < STORE_OPS; op++) {
		ratio = costs[op][DECADES - 1] / costs[op][0];
		max = ratio > max ? ratio : max;
	}
	return max;
}

static void report(struct growth *g)
{
	struct bench_report *r = &g->b->report;
	unsigned op;

	bench_report_list(r, "growth", "pages", "", g->pages, DECADES);
	for (op = 0; op < OPS; op++)
		bench_report_list(r, "growth", op_names[op],
				  "ns, caches emptied before", g->cold[op],
				  DECADES);
	for (op = 0; op < OPS; op++)
		bench_report_list(r, "growth_warm", op_names[op],
				  "ns, one after the other", g->warm[op],
				  DECADES);
	bench_report_one(r, NULL, "growth_max_ratio",
			 "cost at the most pages / at the fewest",
			 worst(g->cold));
	bench_report_one(r, NULL, "growth_warm_max_ratio",
			 "the same, caches left alone", worst(g->warm));
}

int bench_growth(struct bench *b)
{
	const struct bench_store_plan plan = {
		.bytes = b->sizes.growth_bytes,
		.agers = TMEM_NO_AGERS,
		.flags = TMEM_POOL_KEEP,
	};
	struct growth *g = calloc(1, sizeof(*g));
	int err;

	if (!g)
		return bench_fail(b, -ENOMEM, "out of memory");
	g->b = b;
	err = bench_mill_open(b, &g->mill, &plan, b->sizes.growth_pages * 1000);
	if (!err && bench_area_init(&g->area, b->sizes.store_bytes, 1))
		err = bench_fail(b, -ENOMEM, "out of memory");
	if (!err)
		err = grow(g);
	if (!err)
		report(g);
	bench_area_finish(&g->area);
	bench_mill_close(&g->mill);
	free(g);
	return err;
}
