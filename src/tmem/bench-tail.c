/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-tail.c - `tmem bench tail`: the slowest gets and puts, of raw and of dense
 * pages, in three moments.
 *
 *	steady	nobody else is at work
 *	ager	another thread gives the store all the time of a processor, and
 *		puts are of new pages, so that it has work without end
 *	shrink	another thread takes half of the store away in a second, by 50
 *		calls of tmem_shrink()
 *
 * Four of five operations are gets of random pages, each timed by itself. The
 * others are puts; while nobody ages they go to a sixteenth of the keys, or dense
 * pages would soon be raw ones. A shrink takes a second, so it is repeated, with
 * the store filled again before, until there are as many operations as in the
 * other moments. Gets count whether they hit or miss: of what is taken away, they
 * miss. The ratio is to the p50 of gets in the steady moment.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench-mill.h"
#include "bench.h"
#include "clock.h"

/* Pages that live: a share of the store that is never short, and one that is. */
#define STEADY_PCT 60
#define FULL_PCT 120

#define GETS_OF 5	 /* one of so many operations is a put */
#define HOT_SHARE 16	 /* of the keys, where puts go while nobody ages */
#define SHRINK_STEPS 50u /* calls */
#define AGE_US 5000	 /* a piece of background work */

enum moment {
	STEADY,
	AGER,
	SHRINK,
	MOMENTS
};

static const char *const moment_names[MOMENTS] = { "steady", "ager", "shrink" };

/** struct kind - of pages. */
struct kind {
	const char *name;
	const char *keys; /* of the store */
	const char *latency[MOMENTS];
};

static const struct kind kinds[] = {
	{ "raw",
	  ",codec=lz4,raw=100",
	  { "get_raw_steady", "get_raw_ager", "get_raw_shrink" } },
	{ "dense",
	  ",codec=zstd,raw=0",
	  { "get_dense_steady", "get_dense_ager", "get_dense_shrink" } },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct tail {
	struct bench *b;
	const struct kind *kind;
	struct bench_mill mill;
	struct tmem_histogram gets[MOMENTS], puts[MOMENTS];
	uint64_t ops;	    /* of each moment, at least */
	uint64_t shrink_ns; /* that taking half away takes */
	pthread_t helper;
	_Atomic int stop;  /* of the helper, by this thread */
	_Atomic int ended; /* the helper has, by itself */
};

/* ---- The helper's side ------------------------------------------------------ */

static void *age_main(void *arg)
{
	struct tail *t = arg;

	bench_pin(&t->b->cpus, 1);
	while (!atomic_load(&t->stop))
		(void)tmem_age(t->mill.session, AGE_US);
	return NULL;
}

static void sleep_until(uint64_t ns)
{
	const struct timespec ts = {
		.tv_sec = (time_t)(ns / TMEM_NS_PER_SEC),
		.tv_nsec = (long)(ns % TMEM_NS_PER_SEC),
	};

	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static void *shrink_main(void *arg)
{
	struct tail *t = arg;
	struct tmem_stats s = { .size = sizeof(s) };
	uint64_t from = tmem_clock_ns();
	unsigned i;

	bench_pin(&t->b->cpus, 1);
	if (tmem_stats(t->mill.session, &s))
		s.used_bytes = 0;
	for (i = 0; i < SHRINK_STEPS; i++) {
		(void)tmem_shrink(t->mill.session,
				  s.used_bytes / 2 / SHRINK_STEPS, NULL);
		sleep_until(from + t->shrink_ns * (i + 1) / SHRINK_STEPS);
	}
	atomic_store(&t->ended, 1);
	return NULL;
}

static int start(struct tail *t, void *(*helper)(void *))
{
	atomic_store(&t->stop, 0);
	atomic_store(&t->ended, 0);
	return pthread_create(&t->helper, NULL, helper, t)
		       ? bench_fail(t->b, -EAGAIN, "cannot start a thread")
		       : 0;
}

static void stop(struct tail *t)
{
	atomic_store(&t->stop, 1);
	(void)pthread_join(t->helper, NULL);
}

/* ---- This thread's side ----------------------------------------------------- */

static const uint8_t *page_of(const struct tail *t, uint64_t number)
{
	return t->b->corpora.mix[number % t->b->corpora.mix_count];
}

static void note(struct tail *t, struct tmem_histogram *h, uint64_t from)
{
	uint64_t ns = tmem_clock_ns() - from;

	tmem_histogram_add(
		h, ns > t->b->plan.clock_ns ? ns - t->b->plan.clock_ns : 0);
}

static void get(struct tail *t, enum moment moment)
{
	struct bench_mill *m = &t->mill;
	struct tmem_key key = bench_mill_key(
		m, m->head - 1 - bench_below(&m->random, m->window));
	uint64_t from = tmem_clock_ns();

	(void)tmem_get(m->session, m->pool, &key, m->buffer);
	note(t, &t->gets[moment], from);
}

static void put(struct tail *t, enum moment moment)
{
	struct bench_mill *m = &t->mill;
	uint64_t number = moment == AGER
				  ? m->head++
				  : m->head - 1 -
					    bench_below(&m->random,
							m->window / HOT_SHARE);
	struct tmem_key key = bench_mill_key(m, number);
	const uint8_t *page = page_of(t, number);
	uint64_t from = tmem_clock_ns();

	(void)tmem_put(m->session, m->pool, &key, page);
	note(t, &t->puts[moment], from);
}

static void operate(struct tail *t, enum moment moment)
{
	if (bench_below(&t->mill.random, GETS_OF))
		get(t, moment);
	else
		put(t, moment);
}

/* All of the window, from its tail on, in the form of its kind. */
static int fill(struct tail *t)
{
	struct bench_mill *m = &t->mill;
	uint64_t i;

	for (i = 0; i < m->window; i++) {
		uint64_t number = m->head - m->window + i;
		struct tmem_key key = bench_mill_key(m, number);

		if (tmem_put(m->session, m->pool, &key, page_of(t, number)) < 0)
			return bench_fail(t->b, -EIO, "a put failed");
		if (i % BENCH_BATCH == 0)
			while (tmem_age(m->session, AGE_US) == 1)
				;
	}
	return 0;
}

static int be_steady(struct tail *t)
{
	uint64_t i;

	for (i = 0; i < t->ops; i++)
		operate(t, STEADY);
	return 0;
}

static int be_shrunk(struct tail *t)
{
	uint64_t done = 0;
	int err = 0;

	while (!err && done < t->ops) {
		err = fill(t);
		if (!err)
			err = start(t, shrink_main);
		for (; !err && !atomic_load(&t->ended); done++)
			operate(t, SHRINK);
		if (!err)
			stop(t);
	}
	return err;
}

static int be_aged(struct tail *t)
{
	uint64_t i;
	int err = start(t, age_main);

	for (i = 0; !err && i < t->ops; i++)
		operate(t, AGER);
	if (!err)
		stop(t);
	return err;
}

/* ---- All of it -------------------------------------------------------------- */

static void report_one(struct tail *t, const char *what, enum moment moment,
		       const struct tmem_histogram *h)
{
	static const struct {
		const char *name;
		double pct;
	} points[] = { { "p50", 50 }, { "p99", 99 }, { "p999", 99.9 } };
	char key[BENCH_KEY_MAX];
	size_t i;

	for (i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		(void)snprintf(key, sizeof(key), "%s_%s_%s_ns", what,
			       moment_names[moment], points[i].name);
		bench_report_one(
			&t->b->report, t->kind->name, key, "",
			(double)tmem_histogram_percentile(h, points[i].pct));
	}
}

static double over_p50(const struct tail *t, enum moment moment)
{
	return (double)tmem_histogram_percentile(&t->gets[moment], 99.9) /
	       (double)tmem_histogram_percentile(&t->gets[STEADY], 50);
}

static void report(struct tail *t, double *worst)
{
	struct bench_report *r = &t->b->report;
	char key[BENCH_KEY_MAX];
	unsigned i;

	for (i = 0; i < MOMENTS; i++) {
		report_one(t, "get", i, &t->gets[i]);
		report_one(t, "put", i, &t->puts[i]);
		bench_report_latency(r, t->kind->latency[i], &t->gets[i]);
		(void)snprintf(key, sizeof(key), "%s_p999_over_p50",
			       moment_names[i]);
		bench_report_one(r, t->kind->name, key,
				 "get's p99.9 then / its steady p50",
				 over_p50(t, i));
		if (over_p50(t, i) > worst[i])
			worst[i] = over_p50(t, i);
	}
}

/* The dense kind is what it is called. */
static int check_kind(struct tail *t)
{
	struct tmem_pool_stats pool;
	struct tmem_stats s;
	int err = bench_mill_stats(&t->mill, &s, &pool);
	uint64_t pages = s.pages_ephemeral;

	if (err)
		return err;
	if (t->kind == &kinds[1] && s.pages_dense < pages / 2)
		return bench_fail(t->b, -EIO, "few pages became dense");
	return 0;
}

static int run_kind(struct tail *t, const struct kind *kind, double *worst)
{
	const struct bench_store_plan plan = {
		.bytes = t->b->sizes.store_bytes / 4 > 8u << 20
				 ? t->b->sizes.store_bytes / 4
				 : 8u << 20,
		.agers = TMEM_NO_AGERS,
		.flags = TMEM_POOL_KEEP,
		.keys = kind->keys,
	};
	uint64_t pages = plan.bytes / TMEM_PAGE_SIZE;
	unsigned i;
	int err = bench_mill_open(t->b, &t->mill, &plan, pages * FULL_PCT / 100);

	t->kind = kind;
	for (i = 0; i < MOMENTS; i++) {
		tmem_histogram_init(&t->gets[i]);
		tmem_histogram_init(&t->puts[i]);
	}
	t->mill.window = pages * STEADY_PCT / 100;
	t->mill.head = t->mill.window;
	if (!err)
		err = fill(t);
	if (!err)
		err = check_kind(t);
	if (!err)
		err = be_steady(t);
	if (!err)
		err = be_shrunk(t);
	if (!err)
		err = be_aged(t);
	if (!err)
		report(t, worst);
	bench_mill_close(&t->mill);
	return err;
}

int bench_tail(struct bench *b)
{
	struct tail *t = calloc(1, sizeof(*t));
	double worst[MOMENTS] = { 0 };
	unsigned i;
	int err = 0;

	if (!t)
		return bench_fail(b, -ENOMEM, "out of memory");
	t->b = b;
	t->ops = b->opt->tiny ? 2000 : 1000000;
	t->shrink_ns = b->opt->tiny ? 50 * TMEM_NS_PER_MS : TMEM_NS_PER_SEC;
	b->plan.repeats = b->report.request.repeats = 1;
	for (i = 0; i < KINDS && !err; i++)
		err = run_kind(t, &kinds[i], worst);
	if (!err) {
		bench_report_one(&b->report, NULL, "ager_p999_over_p50",
				 "the worse of both kinds", worst[AGER]);
		bench_report_one(&b->report, NULL, "shrink_p999_over_p50",
				 "the worse of both kinds", worst[SHRINK]);
	}
	free(t);
	return err;
}
