/* SPDX-License-Identifier: BSD-2-Clause */
/* bench-mill.c - a store, and a window of keys that moves through it. */
#include "bench-mill.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

/* Odd: multiplying by them and taking the low bits only reorders numbers. */
#define SCATTER_A 0x9e3779b97f4a7c15ull
#define SCATTER_B 0xd6e8feb86659fd93ull

/* Noise pages put in turns: they stay in a first-level cache of 32 KiB. */
#define HOT_PAGES 4

/* Of so many operations, one may fail. */
#define FAILED_IN 1000

static void note_line(void *ctx, int level, const char *line)
{
	struct bench *b = ctx;

	if (level == TMEM_LOG_ERR)
		(void)snprintf(b->fault, sizeof(b->fault), "%s", line);
}

static int open_session(struct bench_mill *m,
			const struct bench_store_plan *plan)
{
	struct bench *b = m->bench;
	struct tmem_open_opts opts = {
		.size = sizeof(opts),
		.agers = plan->agers,
		.domain = "bench",
		.log = note_line,
		.log_ctx = b,
	};
	struct tmem_pool_opts pool = {
		.size = sizeof(pool),
		.flags = plan->flags,
	};
	char where[128];
	int err;

	(void)snprintf(where, sizeof(where), "embedded:size=%" PRIu64 "%s%s",
		       plan->bytes, plan->small ? ",pages=4k" : "",
		       plan->keys ? plan->keys : "");
	if (plan->where) {
		(void)snprintf(where, sizeof(where), "%s", plan->where);
		opts.limit_bytes = plan->bytes;
	}
	err = tmem_open(where, &opts, &m->session);
	if (err)
		return b->fault[0] ? err
				   : bench_fail(b, err, "cannot open %s: %s",
						where, strerror(-err));
	m->pool = tmem_pool_create(m->session, &pool);
	return m->pool < 0 ? bench_fail(b, m->pool, "cannot make a pool: %s",
					strerror(-m->pool))
			   : 0;
}

int bench_mill_open(struct bench *b, struct bench_mill *m,
		    const struct bench_store_plan *plan, uint64_t window)
{
	memset(m, 0, sizeof(*m));
	m->bench = b;
	m->window = window;
	/* Room for numbers that do not live, so that what is put was flushed
	 * long before. */
	for (m->mask = 1; m->mask < window + window / 8;)
		m->mask *= 2;
	m->mask--;
	bench_mill_noise(m);
	m->buffer = aligned_alloc(TMEM_PAGE_SIZE,
				  (size_t)BENCH_SUBMIT * TMEM_PAGE_SIZE);
	if (!m->buffer)
		return bench_fail(b, -ENOMEM, "out of memory");
	return open_session(m, plan);
}

void bench_mill_close(struct bench_mill *m)
{
	tmem_close(m->session);
	free(m->buffer);
	m->session = NULL;
	m->buffer = NULL;
}

void bench_mill_noise(struct bench_mill *m)
{
	m->pages = NULL;
	m->pages_count = HOT_PAGES;
}

void bench_mill_mix(struct bench_mill *m)
{
	m->pages = (const uint8_t *const *)m->bench->corpora.mix;
	m->pages_count = m->bench->corpora.mix_count;
}

static const uint8_t *page_of(const struct bench_mill *m, uint64_t number)
{
	uint64_t n = number % m->pages_count;

	return m->pages ? m->pages[n] : m->bench->noise.at + n * TMEM_PAGE_SIZE;
}

struct tmem_key bench_mill_key(const struct bench_mill *m, uint64_t number)
{
	unsigned half = (64u - (unsigned)__builtin_clzll(m->mask | 1)) / 2;
	uint64_t x = number & m->mask;

	x = (x * SCATTER_A) & m->mask;
	x ^= x >> half;
	x = (x * SCATTER_B) & m->mask;
	return tmem_key(1 + x / BENCH_OBJECT_PAGES, x % BENCH_OBJECT_PAGES);
}

void bench_mill_put(void *ctx, unsigned count)
{
	struct bench_mill *m = ctx;

	m->done += count;
	while (count--) {
		struct tmem_key key = bench_mill_key(m, m->head);

		m->failed += tmem_put(m->session, m->pool, &key,
				      page_of(m, m->head)) != 1;
		m->head++;
	}
}

void bench_mill_flush(void *ctx, unsigned count)
{
	struct bench_mill *m = ctx;
	uint64_t tail = m->head - m->window - count;

	while (count--) {
		struct tmem_key key = bench_mill_key(m, tail++);

		(void)tmem_flush_page(m->session, m->pool, &key);
	}
}

static uint64_t any_living(struct bench_mill *m)
{
	return m->head - 1 - bench_below(&m->random, m->window);
}

void bench_mill_get(void *ctx, unsigned count)
{
	struct bench_mill *m = ctx;

	m->done += count;
	while (count--) {
		struct tmem_key key = bench_mill_key(m, any_living(m));

		m->failed += tmem_get(m->session, m->pool, &key, m->buffer) != 1;
	}
}

void bench_mill_miss(void *ctx, unsigned count)
{
	struct bench_mill *m = ctx;

	m->done += count;
	while (count--) {
		uint64_t x = m->mask + 1 + bench_below(&m->random, m->mask + 1);
		struct tmem_key key = tmem_key(1 + x / BENCH_OBJECT_PAGES,
					       x % BENCH_OBJECT_PAGES);

		m->failed += tmem_get(m->session, m->pool, &key, m->buffer) != 0;
	}
}

static void submit(struct bench_mill *m, unsigned count)
{
	struct tmem_op ops[BENCH_SUBMIT];
	unsigned i;

	memset(ops, 0, sizeof(ops));
	for (i = 0; i < count; i++) {
		ops[i].code = TMEM_OP_GET;
		ops[i].pool = m->pool;
		ops[i].key = bench_mill_key(m, any_living(m));
		ops[i].page = m->buffer + (size_t)i * TMEM_PAGE_SIZE;
	}
	if (tmem_submit(m->session, ops, count))
		m->failed += count;
	for (i = 0; i < count; i++)
		m->failed += ops[i].result != 1;
}

void bench_mill_submit(void *ctx, unsigned count)
{
	struct bench_mill *m = ctx;
	unsigned n;

	m->done += count;
	for (; count; count -= n) {
		n = count < BENCH_SUBMIT ? count : BENCH_SUBMIT;
		submit(m, n);
	}
}

int bench_mill_check(struct bench_mill *m)
{
	if (m->failed * FAILED_IN <= m->done)
		return 0;
	return bench_fail(m->bench, -EIO,
			  "%" PRIu64 " of %" PRIu64
			  " puts were refused, or gets missed",
			  m->failed, m->done);
}

int bench_mill_stats(struct bench_mill *m, struct tmem_stats *ret,
		     struct tmem_pool_stats *ret_pool)
{
	int err;

	ret->size = sizeof(*ret);
	ret_pool->size = sizeof(*ret_pool);
	err = tmem_stats(m->session, ret);
	if (!err)
		err = tmem_pool_stats(m->session, m->pool, ret_pool);
	return err ? bench_fail(m->bench, err, "the store tells no figures: %s",
				strerror(-err))
		   : 0;
}
