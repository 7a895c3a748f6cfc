/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-pressed.c - putting into a full store that nobody ages.
 *
 * Pages of the corpora are put under new keys for ever, and what is coldest goes.
 * So the store is short of free segments for some thousand puts, is helped out
 * of it by the putters themselves, takes raw pages until it is short again, and
 * so on. While it is short, putters pack, and each lends a hand; which the
 * store's ager_ns shows. So a batch counts if ager_ns grew in it and in both its
 * neighbours: it was short for all of its puts. Two figures of a put then: the
 * help, and all the rest of it less the bare codec on the same pages. A codec
 * that was not at work just before is slower than one that does nothing else:
 * that is in the latter.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench-lz4.h"
#include "bench-mill.h"
#include "bench.h"

/** struct batch - of puts. */
struct batch {
	uint64_t ns;
	uint64_t help_ns;
	uint64_t first; /* its pages in the mix */
	int undisturbed;
};

struct packing {
	struct bench *b;
	struct bench_mill mill;
	struct bench_lz4 lz4;
	unsigned size;	 /* puts of a batch */
	double *bare_ns; /* of each batch of the mix, a page */
	struct batch *batches;
	unsigned count;
	double over[BENCH_REPEATS_MAX], put[BENCH_REPEATS_MAX];
	double help[BENCH_REPEATS_MAX];
};

static const uint8_t *mix_page(const struct bench *b, uint64_t n)
{
	return b->corpora.mix[n % b->corpora.mix_count];
}

/* The codec alone, on every page that will be put. */
static void pack_bare(struct packing *p)
{
	uint64_t batch, i, ns;
	struct bench_timer t;

	for (batch = 0; batch < p->b->corpora.mix_count / p->size; batch++) {
		bench_timer_start(&t, p->b->plan.clock_ns);
		for (i = 0; i < p->size; i++)
			(void)bench_lz4_pack(
				&p->lz4, mix_page(p->b, batch * p->size + i));
		/* Disturbed: the last time's, if there was one. */
		if (bench_timer_stop(&t, &ns) || !p->bare_ns[batch])
			p->bare_ns[batch] = (double)ns / p->size;
	}
}

static int put_batch(struct packing *p, uint64_t *ager_ns)
{
	struct batch *to = &p->batches[p->count++];
	struct tmem_stats stats = { .size = sizeof(stats) };
	struct bench_timer t;

	to->first = p->mill.head % p->b->corpora.mix_count;
	bench_timer_start(&t, p->b->plan.clock_ns);
	bench_mill_put(&p->mill, p->size);
	to->undisturbed = bench_timer_stop(&t, &to->ns);
	if (tmem_stats(p->mill.session, &stats))
		return -EIO;
	to->help_ns = stats.ager_ns - *ager_ns;
	*ager_ns = stats.ager_ns;
	return 0;
}

static int counts(const struct packing *p, unsigned n)
{
	return n && n + 1 < p->count && p->batches[n].undisturbed &&
	       p->batches[n - 1].help_ns && p->batches[n].help_ns &&
	       p->batches[n + 1].help_ns;
}

/* Return: batches that counted. */
static unsigned evaluate(const struct packing *p, unsigned repeat, double *over,
			 double *put, double *help)
{
	double sum_over = 0, sum_put = 0, sum_help = 0;
	unsigned i, n = 0;

	for (i = 0; i < p->count; i++) {
		const struct batch *at = &p->batches[i];
		double ns = ((double)at->ns - (double)at->help_ns) / p->size;

		if (!counts(p, i))
			continue;
		sum_put += ns;
		sum_over += ns - p->bare_ns[at->first / p->size];
		sum_help += (double)at->help_ns / p->size;
		n++;
	}
	if (n) {
		over[repeat] = sum_over / n;
		put[repeat] = sum_put / n;
		help[repeat] = sum_help / n;
	}
	return n;
}

static int pack_repeat(struct packing *p, unsigned repeat)
{
	unsigned puts = p->b->sizes.pressed_puts, done;
	uint64_t ager_ns = 0;
	int err = 0;

	pack_bare(p);
	p->count = 0;
	for (done = 0; done < puts && !err; done += p->size)
		err = put_batch(p, &ager_ns);
	if (err)
		return bench_fail(p->b, err, "the store tells no figures");
	if (!evaluate(p, repeat, p->over, p->put, p->help))
		return bench_fail(p->b, -EIO,
				  "%u puts, and none of them packed", puts);
	return 0;
}

static int pack_all(struct packing *p)
{
	struct bench *b = p->b;
	unsigned i, repeats = b->plan.repeats;
	int err = 0;

	bench_mill_mix(&p->mill);
	/* Whole batches of the mix, so that a batch's pages are known. */
	while (p->mill.head < b->sizes.store_bytes / TMEM_PAGE_SIZE)
		bench_mill_put(&p->mill, p->size);
	for (i = 0; i < repeats && !err; i++)
		err = pack_repeat(p, i);
	if (err)
		return err;
	bench_report_add(&b->report, NULL, "put_pressed_ns",
			 "put into a full store, help not counted", p->put,
			 repeats);
	bench_report_add(&b->report, NULL, "put_pressed_over_ns",
			 "... less the bare codec on the same pages", p->over,
			 repeats);
	bench_report_add(&b->report, NULL, "put_pressed_help_ns",
			 "background work that such a put does", p->help,
			 repeats);
	return bench_mill_check(&p->mill);
}

int bench_pressed(struct bench *b)
{
	const struct bench_store_plan plan = {
		.bytes = b->sizes.store_bytes,
		.agers = TMEM_NO_AGERS,
		.flags = TMEM_POOL_KEEP,
	};
	struct packing *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return bench_fail(b, -ENOMEM, "out of memory");
	p->b = b;
	p->size = b->sizes.pressed_batch;
	bench_lz4_init(&p->lz4);
	p->bare_ns =
		calloc(b->corpora.mix_count / p->size + 1, sizeof(*p->bare_ns));
	p->batches = calloc(b->sizes.pressed_puts / p->size + 1,
			    sizeof(*p->batches));
	/* Numbers that never come again while their pages live. */
	err = bench_mill_open(b, &p->mill, &plan,
			      16 * b->sizes.store_bytes / TMEM_PAGE_SIZE);
	if (!err && (!p->bare_ns || !p->batches))
		err = bench_fail(b, -ENOMEM, "out of memory");
	if (!err)
		err = pack_all(p);
	bench_mill_close(&p->mill);
	free(p->bare_ns);
	free(p->batches);
	free(p);
	return err;
}
