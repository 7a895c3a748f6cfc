/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-density.c - `tmem bench density`: what a page takes, memory and CPU, in
 * each form; beside zram on the same pages in the same run.
 *
 * For each corpus, four times over, in each repeat, in turns: a store that leaves pages raw, one
 * that packs what is not new, one that makes it dense, and a zram device of either
 * codec. Pages are put in order, 64 at a time, each time followed by tmem_age()
 * until nothing is left: so all the CPU that a page costs is this thread's, and
 * counted. Bytes are all that the store holds (used_bytes: index, headers, codec
 * contexts, dictionaries, half-filled segments), after it was asked to give back
 * what it keeps ready for further puts. Every page is then read and compared.
 *
 * zram's bytes are mem_used_total, which leaves out its table of 16 bytes a page.
 * Its CPU is that of the block writes. Without zram, or without being root, what
 * is beside it is left out, with a word on stderr.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench-mill.h"
#include "bench-zram.h"
#include "bench.h"
#include "clock.h"

/* Each corpus is put so often, under other keys: what a store costs whatever is
 * in it then weighs as it does in one of 256 MiB. */
#define ROUNDS 4

/* Raw pages, headers and all, and what a store keeps free. */
#define STORE_PCT 125

/* A store on huge pages has at least so much. */
#define STORE_BYTES_MIN (64ull << 20)

/* A store's reserve of ready segments is this much of it, percent. */
#define READY_PCT 3

/* A piece of background work: enough for any step of it. */
#define AGE_US 5000

enum way {
	RAW,
	PACKED,
	DENSE,
	OURS,
	LZ4 = OURS,
	LZO_RLE,
	WAYS
};

static const struct {
	const char *name;
	const char *keys;  /* of a store */
	const char *codec; /* of zram */
} ways[WAYS] = {
	[RAW] = { .name = "raw", .keys = ",codec=lz4,raw=100,pages=huge" },
	[PACKED] = { .name = "packed", .keys = ",codec=lz4,raw=0" },
	[DENSE] = { .name = "dense", .keys = ",codec=zstd,raw=0" },
	[LZ4] = { .name = "zram_lz4", .codec = "lz4" },
	[LZO_RLE] = { .name = "zram_lzo_rle", .codec = "lzo-rle" },
};

/** struct cost - a page's, in each repeat. */
struct cost {
	double bytes[BENCH_REPEATS_MAX];
	double cpu_ns[BENCH_REPEATS_MAX];
	double put_ns[BENCH_REPEATS_MAX]; /* elapsed */
};

/** The ratios, ours / zram's with lz4. */
enum ratio {
	PACKED_BYTES,
	DENSE_BYTES,
	PACKED_CPU,
	DENSE_CPU,
	PUT,
	RATIOS
};

static const char *const ratio_keys[RATIOS] = {
	[PACKED_BYTES] = "packed_vs_zram",
	[DENSE_BYTES] = "dense_vs_zram",
	[PACKED_CPU] = "cpu_packed_vs_zram",
	[DENSE_CPU] = "cpu_dense_vs_zram",
	[PUT] = "put_vs_zram",
};

static const char *const ratio_texts[RATIOS] = {
	[PACKED_BYTES] = "memory of a packed page / zram's with lz4",
	[DENSE_BYTES] = "memory of a dense page / zram's",
	[PACKED_CPU] = "CPU of a put and its packing / zram's",
	[DENSE_CPU] = "CPU of a put and making it dense / zram's",
	[PUT] = "a put while raw has room / a block write",
};

struct density {
	struct bench *b;
	struct bench_zram zram;
	int has_zram;
	struct cost costs[WAYS];
	/* By corpus: the medians' logarithms, added up. */
	double log_sum[RATIOS];
};

/* ---- The store ------------------------------------------------------------- */

static struct tmem_key key_of(uint64_t i)
{
	return tmem_key(i / BENCH_OBJECT_PAGES, i % BENCH_OBJECT_PAGES);
}

static const uint8_t *page_of(const struct bench_corpus *c, uint64_t i)
{
	return c->pages + i % c->count * TMEM_PAGE_SIZE;
}

static int fill(struct bench_mill *m, const struct bench_corpus *c,
		struct cost *to, unsigned repeat)
{
	uint64_t i, elapsed = 0, from = 0, cpu = tmem_clock_thread_ns();

	for (i = 0; i < m->window; i++) {
		struct tmem_key key = key_of(i);

		/* A pair of readings for each batch, as everywhere. */
		if (i % BENCH_BATCH == 0)
			from = tmem_clock_ns();
		if (tmem_put(m->session, m->pool, &key, page_of(c, i)) != 1)
			return bench_fail(m->bench, -EIO,
					  "%s: a put was refused", c->name);
		if (i % BENCH_BATCH != BENCH_BATCH - 1 && i + 1 < m->window)
			continue;
		elapsed += tmem_clock_ns() - from;
		while (tmem_age(m->session, AGE_US) == 1)
			;
	}
	to->cpu_ns[repeat] =
		(double)(tmem_clock_thread_ns() - cpu) / (double)m->window;
	to->put_ns[repeat] = (double)elapsed / (double)m->window;
	return 0;
}

static int verify(struct bench_mill *m, const struct bench_corpus *c)
{
	uint64_t i;

	for (i = 0; i < m->window; i++) {
		struct tmem_key key = key_of(i);

		if (tmem_get(m->session, m->pool, &key, m->buffer) != 1 ||
		    memcmp(m->buffer, page_of(c, i), TMEM_PAGE_SIZE))
			return bench_fail(m->bench, -EIO,
					  "%s: a page is not what was put",
					  c->name);
	}
	return 0;
}

static int measure_store(struct density *d, const struct bench_corpus *c,
			 enum way way, unsigned repeat)
{
	uint64_t pages = c->count * ROUNDS;
	uint64_t bytes = pages * TMEM_PAGE_SIZE / 100 * STORE_PCT;
	struct bench_store_plan plan = {
		.bytes = bytes > STORE_BYTES_MIN ? bytes : STORE_BYTES_MIN,
		.agers = TMEM_NO_AGERS,
		.flags = TMEM_POOL_PERSISTENT,
		.keys = ways[way].keys,
	};
	struct tmem_pool_stats pool;
	struct tmem_stats stats;
	struct bench_mill mill;
	int err = bench_mill_open(d->b, &mill, &plan, pages);

	if (!err)
		err = fill(&mill, c, &d->costs[way], repeat);
	if (!err)
		err = tmem_shrink(mill.session, plan.bytes / 100 * READY_PCT,
				  NULL);
	if (!err)
		err = bench_mill_stats(&mill, &stats, &pool);
	if (!err) {
		d->costs[way].bytes[repeat] =
			(double)stats.used_bytes / (double)pages;
		err = verify(&mill, c);
	}
	bench_mill_close(&mill);
	return err;
}

/* ---- In turns -------------------------------------------------------------- */

static int measure_zram(struct density *d, const struct bench_corpus *c,
			enum way way, unsigned repeat)
{
	struct bench_zram_cost cost;
	int err = bench_zram_write(&d->zram, ways[way].codec, c->pages,
				   c->count, ROUNDS, &cost);

	if (err)
		return bench_fail(d->b, err, "zram with %s: %s",
				  ways[way].codec, strerror(-err));
	d->costs[way].bytes[repeat] = cost.bytes;
	d->costs[way].cpu_ns[repeat] = cost.cpu_ns;
	d->costs[way].put_ns[repeat] = cost.ns;
	return 0;
}

static int measure(struct density *d, const struct bench_corpus *c)
{
	unsigned repeat, i, way;
	int err = 0;

	for (repeat = 0; repeat < d->b->plan.repeats; repeat++)
		for (i = 0; i < WAYS && !err; i++) {
			way = repeat % 2 ? WAYS - 1 - i : i;
			if (way < OURS)
				err = measure_store(d, c, way, repeat);
			else if (d->has_zram)
				err = measure_zram(d, c, way, repeat);
		}
	return err;
}

/* ---- Figures --------------------------------------------------------------- */

static void report_costs(struct density *d, const char *group)
{
	struct bench_report *r = &d->b->report;
	unsigned way, n = d->b->plan.repeats;
	char key[BENCH_KEY_MAX];

	for (way = 0; way < (d->has_zram ? WAYS : OURS); way++) {
		(void)snprintf(key, sizeof(key), "%s_bytes", ways[way].name);
		bench_report_add(r, group, key, "memory of a page",
				 d->costs[way].bytes, n);
		(void)snprintf(key, sizeof(key), "%s_cpu_ns", ways[way].name);
		bench_report_add(r, group, key, "CPU of a page",
				 d->costs[way].cpu_ns, n);
	}
	bench_report_add(r, group, "put_ns", "put while raw has room, elapsed",
			 d->costs[RAW].put_ns, n);
}

static void report_ratio(struct density *d, const char *group, enum ratio ratio,
			 const double *ours, const double *theirs)
{
	unsigned i, n = d->b->plan.repeats;
	double of[BENCH_REPEATS_MAX];

	for (i = 0; i < n; i++)
		of[i] = ours[i] / theirs[i];
	bench_report_add(&d->b->report, group, ratio_keys[ratio],
			 ratio_texts[ratio], of, n);
	d->log_sum[ratio] += log(bench_median(of, n));
}

static void report(struct density *d, const char *group)
{
	const struct cost *c = d->costs, *zram = &d->costs[LZ4];

	report_costs(d, group);
	if (!d->has_zram)
		return;
	report_ratio(d, group, PACKED_BYTES, c[PACKED].bytes, zram->bytes);
	report_ratio(d, group, DENSE_BYTES, c[DENSE].bytes, zram->bytes);
	report_ratio(d, group, PACKED_CPU, c[PACKED].cpu_ns, zram->cpu_ns);
	report_ratio(d, group, DENSE_CPU, c[DENSE].cpu_ns, zram->cpu_ns);
	report_ratio(d, group, PUT, c[RAW].put_ns, zram->put_ns);
}

static void report_means(struct density *d)
{
	const struct bench_corpora *c = &d->b->corpora;
	unsigned i;

	for (i = 0; i < RATIOS && d->has_zram; i++)
		bench_report_one(&d->b->report, NULL, ratio_keys[i],
				 ratio_texts[i], exp(d->log_sum[i] / c->count));
}

static void open_zram(struct density *d)
{
	char why[BENCH_ZRAM_WHY_MAX];

	d->has_zram = !bench_zram_open(&d->zram, why);
	if (!d->has_zram)
		(void)fprintf(stderr,
			      "tmem: bench density: no zram to compare with: "
			      "%s\n",
			      why);
}

int bench_density(struct bench *b)
{
	struct density *d = calloc(1, sizeof(*d));
	unsigned i;
	int err;

	if (!d)
		return bench_fail(b, -ENOMEM, "out of memory");
	d->b = b;
	open_zram(d);
	err = bench_dense(b);
	/* A repeat goes through a whole corpus, which is a mean in itself. */
	b->plan.repeats = b->opt->tiny ? 1 : 3;
	for (i = 0; i < b->corpora.count && !err; i++) {
		err = measure(d, &b->corpora.corpus[i]);
		if (!err)
			report(d, b->corpora.corpus[i].name);
	}
	if (!err)
		report_means(d);
	bench_zram_close(&d->zram);
	free(d);
	return err;
}
