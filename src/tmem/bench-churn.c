/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-churn.c - memory and CPU that a full store spends under steady change.
 *
 * One thread puts so many pages a second, evenly, for some seconds; one ager
 * works beside it, on whatever processor it likes. Two kinds:
 *
 *	persistent	pages that do not compress. The store is filled until it
 *			refuses, then a 20th is flushed. Each put then replaces a
 *			random page, so dead bytes are spread over all segments.
 *	ephemeral	pages of the corpora, under random keys out of more than
 *			fit: some replace a page, the others push the coldest
 *			out. As many random keys are got, which removes them.
 *
 * It runs until the store's size has been put once, then is measured:
 *
 *	waste	1 - live / used: used_bytes are all that the store holds, live
 *		ones what its pages take in the log, their headers included
 *		(used_bytes of the pool). So dead entries, free segments kept,
 *		unfilled ones, index, objects and codecs are waste. Read every
 *		10 ms; the mean.
 *	cores	growth of ager_ns / time: the ager's CPU time, and what putters
 *		did of its work.
 *
 * waste_under_churn_pct and ager_cores_under_churn are the worse of the two.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "bench-mill.h"
#include "bench.h"
#include "clock.h"

/* Time between readings. */
#define READ_NS (10 * TMEM_NS_PER_MS)

/* Puts come in bursts: a thread cannot sleep for 10 us. */
#define BURST_NS TMEM_NS_PER_MS

/* Of what a persistent pool took at most, this much is flushed again. */
#define SPARE_PCT 5

/* Keys of the ephemeral kind: this much of the pages that would fit raw. More
 * than fit packed, on most corpora. */
#define KEYS_PCT 400

/* One put in so many may be refused. A persistent store this full refuses some when
 * the ager gets no processor for a while. */
#define REFUSED_IN 4

struct churn {
	struct bench_mill mill;
	uint64_t keys;
	int takes; /* gets, too */
	double waste_sum;
	unsigned readings;
	uint64_t puts;
	uint64_t ns, ager_ns;
	uint64_t refused;
};

static void change(struct churn *c, unsigned count)
{
	struct bench_mill *m = &c->mill;
	struct tmem_key key;

	c->puts += count;
	while (count--) {
		key = bench_mill_key(m, bench_below(&m->random, c->keys));
		c->refused +=
			tmem_put(m->session, m->pool, &key,
				 m->pages ? m->pages[m->head % m->pages_count]
					  : m->bench->noise.at) != 1;
		m->head++;
		if (!c->takes)
			continue;
		key = bench_mill_key(m, bench_below(&m->random, c->keys));
		(void)tmem_get(m->session, m->pool, &key, m->buffer);
	}
}

static int read_figures(struct churn *c, uint64_t *ret_ager_ns)
{
	struct tmem_pool_stats pool;
	struct tmem_stats s;
	int err = bench_mill_stats(&c->mill, &s, &pool);

	if (err)
		return err;
	c->waste_sum += 1 - (double)pool.used_bytes / (double)s.used_bytes;
	c->readings++;
	*ret_ager_ns = s.ager_ns;
	return 0;
}

static void sleep_until(uint64_t ns)
{
	struct timespec t = { (time_t)(ns / TMEM_NS_PER_SEC),
			      (long)(ns % TMEM_NS_PER_SEC) };

	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* At the rate asked for; falls behind if the store does. */
static int churn_for(struct churn *c, uint64_t for_ns)
{
	unsigned burst = (unsigned)(c->mill.bench->sizes.churn_per_second *
				    BURST_NS / TMEM_NS_PER_SEC);
	uint64_t start = tmem_clock_ns(), at = start, read_at = start;
	uint64_t first_ns = 0, ager_ns = 0;
	int err;

	c->waste_sum = 0;
	c->readings = 0;
	c->puts = 0;
	err = read_figures(c, &first_ns);
	while (!err && tmem_clock_ns() - start < for_ns) {
		change(c, burst);
		at += BURST_NS;
		sleep_until(at);
		if (tmem_clock_ns() - read_at < READ_NS)
			continue;
		err = read_figures(c, &ager_ns);
		read_at = tmem_clock_ns();
	}
	if (!err)
		err = read_figures(c, &ager_ns);
	c->ns = tmem_clock_ns() - start;
	c->ager_ns = ager_ns - first_ns;
	return err;
}

static void fill_persistent(struct churn *c)
{
	struct bench_mill *m = &c->mill;
	uint64_t i;

	while (m->head <= m->mask && !m->failed)
		bench_mill_put(m, 1);
	m->failed = 0;
	c->keys = m->head - m->head * SPARE_PCT / 100;
	for (i = c->keys; i < m->head; i++) {
		struct tmem_key key = bench_mill_key(m, i);

		(void)tmem_flush_page(m->session, m->pool, &key);
	}
}

static void fill_ephemeral(struct churn *c)
{
	bench_mill_mix(&c->mill);
	c->takes = 1;
	c->keys = c->mill.bench->sizes.churn_bytes / TMEM_PAGE_SIZE * KEYS_PCT /
		  100;
	change(c, (unsigned)c->keys);
}

static int run_kind(struct bench *b, struct churn *c, uint32_t flags)
{
	const struct bench_store_plan plan = {
		.bytes = b->sizes.churn_bytes,
		.agers = 1,
		.flags = flags,
	};
	uint64_t pages = b->sizes.churn_bytes / TMEM_PAGE_SIZE;
	int err;

	memset(c, 0, sizeof(*c));
	bench_unpin(&b->cpus); /* or the ager would share this processor */
	err = bench_mill_open(b, &c->mill, &plan, pages * KEYS_PCT / 100);
	bench_pin(&b->cpus, 0);
	if (err)
		return err;
	if (flags & TMEM_POOL_PERSISTENT)
		fill_persistent(c);
	else
		fill_ephemeral(c);
	c->refused = 0;
	change(c, (unsigned)pages);
	err = churn_for(c, b->sizes.churn_ns);
	if (!err && c->refused * REFUSED_IN > c->puts)
		err = bench_fail(b, -EIO, "churn: the store refuses puts");
	return err;
}

static void add_kind(struct bench *b, const char *key, const struct churn *c,
		     double *worst)
{
	double figures[3] = {
		100 * c->waste_sum / c->readings,
		(double)c->ager_ns / (double)c->ns,
		(double)c->puts * TMEM_NS_PER_SEC / (double)c->ns,
	};

	bench_report_list(&b->report, "churn", key,
			  "waste percent, ager cores, puts a second", figures,
			  3);
	worst[0] = figures[0] > worst[0] ? figures[0] : worst[0];
	worst[1] = figures[1] > worst[1] ? figures[1] : worst[1];
}

int bench_churn(struct bench *b)
{
	static const struct {
		const char *key;
		uint32_t flags;
	} kinds[] = { { "persistent", TMEM_POOL_PERSISTENT },
		      { "ephemeral", 0 } };
	double worst[2] = { 0, 0 };
	struct churn c;
	unsigned i;
	int err = 0;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !err; i++) {
		err = run_kind(b, &c, kinds[i].flags);
		if (!err)
			add_kind(b, kinds[i].key, &c, worst);
		bench_mill_close(&c.mill);
	}
	if (err)
		return err;
	bench_report_one(&b->report, NULL, "waste_under_churn_pct",
			 "memory held that holds no live bytes", worst[0]);
	bench_report_one(&b->report, NULL, "ager_cores_under_churn",
			 "processors that background work kept busy", worst[1]);
	return 0;
}
