/* SPDX-License-Identifier: BSD-2-Clause */
/* bench.c - a benchmark under way: how much of everything, and why it failed. */
#include "bench.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tmem/tmem.h>

#include "bench-floor.h"
#include "clock.h"

#define KIB 1024ull
#define MIB (1024 * KIB)

/* The size that the beat lines are about: stores of 512 MiB and more use huge
 * pages, and 1 GiB is more than any cache holds. */
#define STORE_BYTES (1024 * MIB)

/*
 * Tiny: two seconds in all, in slow builds too. A store that is as large as it
 * must be for a few of its segments to be free and a few to be full.
 */
static const struct bench_sizes tiny_sizes = {
	.store_bytes = 8 * MIB,
	.corpus_bytes = MIB,
	.table_bytes = 2 * MIB,
	.growth_pages = 10,
	.growth_bytes = 8 * MIB,
	.chill_bytes = 256 * KIB,
	.churn_ns = 50 * TMEM_NS_PER_MS,
	.churn_bytes = 4 * MIB,
	.churn_per_second = 100000,
	.pressed_batch = 4,
	.pressed_puts = 2048,
	.shrinks = 2,
};

static const struct bench_plan tiny_plan = {
	.repeats = 3,
	.warm = 64,
	.ops = 512,
	.singles = 64,
	.batch = BENCH_BATCH,
};

static const struct bench_sizes full_sizes = {
	.store_bytes = STORE_BYTES,
	.corpus_bytes = 64 * MIB,
	.table_bytes = 128 * MIB, /* no cache holds it */
	.growth_pages = 10000,
	.growth_bytes = 2048 * MIB, /* 10^7 same-filled pages take 0.6 GiB */
	.chill_bytes = 80 * MIB,    /* a core's share of any cache */
	.churn_ns = 5 * TMEM_NS_PER_SEC,
	.churn_per_second = 100000,
	.pressed_batch = BENCH_BATCH,
	.pressed_puts = 40000, /* some thousand of them while it is short */
	.shrinks = 5,
};

/* 30000 operations see a hundred segments opened and closed. */
static const struct bench_plan full_plan = {
	.repeats = 9,
	.warm = 32768,
	.ops = 32768,
	.singles = 8192,
	.batch = BENCH_BATCH,
};

static void set_sizes(struct bench *b)
{
	const struct bench_options *o = b->opt;

	b->plan = o->tiny ? tiny_plan : full_plan;
	b->sizes = o->tiny ? tiny_sizes : full_sizes;
	if (o->size)
		b->sizes.store_bytes = o->size;
	/* Turned over in a second or two, at the rate of the churn. */
	if (!b->sizes.churn_bytes)
		b->sizes.churn_bytes = b->sizes.store_bytes / 4;
	b->plan.clock_ns = bench_clock_ns();
}

static int load(struct bench *b)
{
	const char *dir = b->opt->corpora;
	int err =
		bench_area_init(&b->noise, BENCH_HOT_PAGES * TMEM_PAGE_SIZE, 1);

	if (err)
		return bench_fail(b, err, "out of memory");
	bench_area_fill(&b->noise, 1);
	err = bench_corpora_init(&b->corpora, dir, b->sizes.corpus_bytes);
	if (err == -ENODATA)
		return bench_fail(b, err, "a corpus with no page that packs");
	return err ? bench_fail(b, err, "corpora: %s",
				err == -ENOENT ? "no such directory, or no "
						 "*.pages in it"
					       : strerror(-err))
		   : 0;
}

struct bench *bench_create(const struct bench_options *opt, const char *name,
			   int *ret_err)
{
	struct bench *b = calloc(1, sizeof(*b));

	*ret_err = -ENOMEM;
	if (!b)
		return NULL;
	b->opt = opt;
	bench_cpus_init(&b->cpus);
	bench_pin(&b->cpus, 0);
	set_sizes(b);
	bench_machine_init(&b->report.machine);
	b->report.request = (struct bench_request){
		.name = name,
		.size = b->sizes.store_bytes,
		.tiny = opt->tiny,
		.repeats = b->plan.repeats,
		.corpora = opt->corpora,
	};
	progress_init(&b->progress);
	*ret_err = load(b);
	return b;
}

void bench_destroy(struct bench *b)
{
	if (!b)
		return;
	bench_unpin(&b->cpus);
	bench_corpora_finish(&b->corpora);
	bench_area_finish(&b->noise);
	free(b);
}

int bench_fail(struct bench *b, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(b->fault, sizeof(b->fault), format, args);
	va_end(args);
	return err;
}

/* Only for a person who waits, as all of progress.h. */
static void say(const struct bench *b, const char *text, unsigned nth,
		unsigned count)
{
	if (!b->progress.on)
		return;
	(void)fprintf(stderr, "\r\033[K[%u/%u] %s", nth, count, text);
	(void)fflush(stderr);
}

int bench_steps(struct bench *b, const struct bench_step *steps, unsigned count)
{
	unsigned i, ran = 0;
	int err = 0;

	for (i = 0; i < count && !err; i++) {
		if (b->opt->only && !strstr(steps[i].text, b->opt->only))
			continue;
		say(b, steps[i].text, i + 1, count);
		err = steps[i].run(b);
		ran++;
	}
	progress_end(&b->progress);
	return err || ran ? err
			  : bench_fail(b, -ENOENT,
				       "--only: no part is called "
				       "so; a full run names them");
}
