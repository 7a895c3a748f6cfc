/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-threads.c - what a second thread adds.
 *
 * Throughput of two threads on two processors over that of one, on one store;
 * each puts over and gets pages of its own pool. One and two take turns. The same
 * is told of bare copies: two processors share the way to memory.
 */
#include <errno.h>
#include <pthread.h>

#include "bench-floor.h"
#include "bench-mill.h"
#include "bench.h"

#define THREADS 2u

/* Live pages of each thread: a share of the store. */
#define OWN_PCT 25

struct worker {
	struct bench *b;
	struct bench_mill mill; /* the session is shared */
	struct bench_floor floor;
	unsigned cpu;
	void (*run)(struct worker *w, unsigned count);
	pthread_barrier_t *start;
	uint64_t ops, ns; /* of undisturbed batches */
};

static void put(struct worker *w, unsigned count)
{
	bench_mill_put(&w->mill, count);
}

static void get(struct worker *w, unsigned count)
{
	bench_mill_get(&w->mill, count);
}

static void floor_put(struct worker *w, unsigned count)
{
	bench_floor_put(&w->floor, count);
}

static void floor_get(struct worker *w, unsigned count)
{
	bench_floor_get(&w->floor, count);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct bench_timer t;
	unsigned done;
	uint64_t ns;

	bench_pin(&w->b->cpus, w->cpu);
	w->ns = w->ops = 0;
	(void)pthread_barrier_wait(w->start);
	for (done = 0; done < w->b->plan.ops; done += BENCH_BATCH) {
		bench_timer_start(&t, w->b->plan.clock_ns);
		w->run(w, BENCH_BATCH);
		/* Another program's time is not the store's. */
		if (!bench_timer_stop(&t, &ns) && w->ops)
			continue;
		w->ns += ns;
		w->ops += BENCH_BATCH;
	}
	return NULL;
}

_Static_assert(THREADS == 2, "or a thread stays when another cannot start");

/* Operations a second, all threads together; negative: errno. */
static double throughput(struct worker *workers, unsigned count,
			 void (*run)(struct worker *, unsigned))
{
	pthread_t threads[THREADS];
	pthread_barrier_t start;
	double sum = 0;
	unsigned i, made = 0;

	(void)pthread_barrier_init(&start, NULL, count);
	for (i = 0; i < count; i++) {
		workers[i].run = run;
		workers[i].start = &start;
	}
	/* The first one is this thread. */
	while (made + 1 < count) {
		if (pthread_create(&threads[made], NULL, worker_main,
				   &workers[made + 1]))
			return -EAGAIN;
		made++;
	}
	(void)worker_main(&workers[0]);
	while (made--)
		(void)pthread_join(threads[made], NULL);
	(void)pthread_barrier_destroy(&start);
	for (i = 0; i < count; i++) {
		workers[i].start = NULL;
		sum += (double)workers[i].ops / (double)workers[i].ns;
	}
	return sum;
}

static int scale(struct bench *b, struct worker *workers, const char *key,
		 void (*run)(struct worker *, unsigned))
{
	double gains[BENCH_REPEATS_MAX], one, two;
	unsigned i;

	for (i = 0; i < b->plan.repeats; i++) {
		one = throughput(workers, 1, run);
		two = throughput(workers, THREADS, run);
		if (one <= 0 || two <= 0)
			return bench_fail(b, -EAGAIN, "cannot start a thread");
		gains[i] = two / one;
	}
	bench_report_add(&b->report, NULL, key,
			 "throughput of two threads / of one", gains,
			 b->plan.repeats);
	return 0;
}

static int scale_floors(struct bench *b, struct worker *workers)
{
	struct bench_area area;
	unsigned i;
	int err = 0;

	if (bench_area_init(&area, b->sizes.store_bytes, 1))
		return bench_fail(b, -ENOMEM, "out of memory");
	for (i = 0; i < THREADS; i++) {
		if (bench_floor_init(&workers[i].floor, &area, &b->noise,
				     BENCH_HOT_PAGES))
			err = bench_fail(b, -ENOMEM, "out of memory");
		workers[i].floor.random.state = i;
	}
	if (!err)
		err = scale(b, workers, "scale_2_threads_floor_put", floor_put);
	if (!err)
		err = scale(b, workers, "scale_2_threads_floor_get", floor_get);
	for (i = 0; i < THREADS; i++)
		bench_floor_finish(&workers[i].floor);
	bench_area_finish(&area);
	return err;
}

/* Each worker has a mill of its own on the first one's session and pool. */
static int open_workers(struct bench *b, struct worker *workers)
{
	const struct bench_store_plan plan = {
		.bytes = b->sizes.store_bytes,
		.agers = TMEM_NO_AGERS,
		.flags = TMEM_POOL_KEEP,
	};
	uint64_t own = b->sizes.store_bytes / TMEM_PAGE_SIZE * OWN_PCT / 100;
	unsigned i;
	int err = bench_mill_open(b, &workers[0].mill, &plan, own);

	for (i = 1; i < THREADS && !err; i++) {
		struct bench_mill *m = &workers[i].mill;

		*m = workers[0].mill;
		m->random.state = i;
		m->buffer = NULL;
		m->pool = tmem_pool_create(
			m->session,
			&(struct tmem_pool_opts){
				.size = sizeof(struct tmem_pool_opts),
				.flags = plan.flags });
		if (m->pool < 0)
			err = bench_fail(b, m->pool, "cannot make a pool");
	}
	return err;
}

int bench_threads(struct bench *b)
{
	struct worker workers[THREADS] = { 0 };
	uint8_t buffer[TMEM_PAGE_SIZE];
	unsigned i;
	int err = open_workers(b, workers);

	for (i = 0; i < THREADS && !err; i++) {
		struct bench_mill *m = &workers[i].mill;

		workers[i].b = b;
		workers[i].cpu = i;
		if (i)
			m->buffer = buffer;
		/* A ring: every number lives, every put is onto a page. */
		m->mask /= 2;
		while (m->head <= 4 * m->mask)
			bench_mill_put(m, 1);
		m->window = m->mask + 1;
	}
	if (!err)
		err = scale(b, workers, "scale_2_threads_put", put);
	if (!err)
		err = scale(b, workers, "scale_2_threads_get", get);
	for (i = 0; i < THREADS && !err; i++)
		err = bench_mill_check(&workers[i].mill);
	bench_mill_close(&workers[0].mill);
	if (!err)
		err = scale_floors(b, workers);
	bench_pin(&b->cpus, 0);
	return err;
}
