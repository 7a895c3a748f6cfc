/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-lease.c - `tmem bench lease`: a store on lent memory beside one on its
 * own, in turns; and what a client's end and stop cost.
 *
 * Both stores have the same size and the same pages, raw ones that do not
 * compress; a private tmemd lends. Before anything is timed, twice the store's
 * size has gone through each, so that both live on memory they have had before.
 * How much of each lies on huge pages is among the figures: a ratio of stores on
 * different pages would say nothing.
 *
 * Then a process of its own fills a leased store, and is killed: the time until
 * MemFree has risen by 95% of what was lent to it. Another one is stopped, and
 * the daemon told to lend next to nothing any more: the time until it has the
 * rest back.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench-mill.h"
#include "bench.h"
#include "clock.h"
#include "daemon-talk.h"
#include "private-daemon.h"

/* Live share of a store. */
#define WINDOW_PCT 70

/* Filled that far by the client that is killed. */
#define FILL_PCT 90

/* What the daemon may lend when it is told to take memory back: the least there
 * is, which leaves an index where it is. */
#define PRESSED_BYTES (16ull << 20)

/* Longer than a machine that works at all takes to give memory back. */
#define PATIENCE_NS (20 * TMEM_NS_PER_SEC)

enum {
	OWN_PUT,
	LEASE_PUT,
	OWN_GET,
	LEASE_GET,
	OWN_MISS,
	LEASE_MISS,
	CASES
};

/* ---- Puts and gets -------------------------------------------------------- */

/* Goes on until a whole window went in: while memory is on its way to a lease,
 * puts are refused, and what was refused would be a miss later. */
static void settle(struct bench_mill *m)
{
	uint64_t turns = 2 * m->bench->sizes.store_bytes / TMEM_PAGE_SIZE;
	uint64_t end = turns;

	while (m->head < m->window)
		bench_mill_put(m, 1);
	do {
		m->failed = 0;
		while (m->head < end) {
			bench_mill_put(m, BENCH_BATCH);
			bench_mill_flush(m, BENCH_BATCH);
		}
		end = m->head + m->window + m->window / 8;
	} while (m->failed);
	/* The last window is what counts from here on. */
	m->done = 0;
}

static void add_figures(struct bench_report *r, const struct bench_series *s)
{
	double ratios[BENCH_REPEATS_MAX];
	unsigned n;

	bench_report_series(r, "put_own_ns", "put, a store on its own memory",
			    &s[OWN_PUT]);
	bench_report_series(r, "put_leased_ns", "put, on lent memory",
			    &s[LEASE_PUT]);
	n = bench_ratios(&s[LEASE_PUT], &s[OWN_PUT], ratios);
	bench_report_add(r, NULL, "put_ratio", "... / put_own", ratios, n);
	bench_report_series(r, "get_own_ns", "get, cold", &s[OWN_GET]);
	bench_report_series(r, "get_leased_ns", "get, cold, on lent memory",
			    &s[LEASE_GET]);
	n = bench_ratios(&s[LEASE_GET], &s[OWN_GET], ratios);
	bench_report_add(r, NULL, "get_ratio", "... / get_own", ratios, n);
	bench_report_series(r, "miss_own_ns", "miss", &s[OWN_MISS]);
	bench_report_series(r, "miss_leased_ns", "miss, on lent memory",
			    &s[LEASE_MISS]);
	n = bench_ratios(&s[LEASE_MISS], &s[OWN_MISS], ratios);
	bench_report_add(r, NULL, "miss_ratio", "... / miss_own", ratios, n);
}

static void add_backing(struct bench *b)
{
	double bytes = (double)b->sizes.store_bytes;

	bench_report_one(&b->report, NULL, "own_huge_pct",
			 "own store on huge pages, percent",
			 100 * (double)bench_machine_huge_bytes() / bytes);
	bench_report_one(&b->report, NULL, "leased_huge_pct",
			 "leased store on huge pages, percent",
			 100 * (double)bench_machine_shared_huge_bytes() /
				 bytes);
}

static int measure(struct bench *b, struct bench_mill *own,
		   struct bench_mill *leased)
{
	const struct bench_case cases[CASES] = {
		[OWN_PUT] = { bench_mill_put, bench_mill_flush, own },
		[LEASE_PUT] = { bench_mill_put, bench_mill_flush, leased },
		[OWN_GET] = { bench_mill_get, NULL, own },
		[LEASE_GET] = { bench_mill_get, NULL, leased },
		[OWN_MISS] = { bench_mill_miss, NULL, own },
		[LEASE_MISS] = { bench_mill_miss, NULL, leased },
	};
	struct bench_series series[CASES];
	int err;

	settle(own);
	settle(leased);
	bench_run(cases, CASES, &b->plan, series);
	add_figures(&b->report, series);
	add_backing(b);
	err = bench_mill_check(own);
	return err ? err : bench_mill_check(leased);
}

static int compare(struct bench *b, const struct private_daemon *d)
{
	struct bench_store_plan plan = {
		.bytes = b->sizes.store_bytes,
		.agers = TMEM_NO_AGERS,
		.flags = TMEM_POOL_KEEP,
	};
	uint64_t window = plan.bytes / TMEM_PAGE_SIZE * WINDOW_PCT / 100;
	struct bench_mill own, leased = { 0 };
	int err = bench_mill_open(b, &own, &plan, window);

	plan.where = d->where;
	if (!err)
		err = bench_mill_open(b, &leased, &plan, window);
	if (!err)
		err = measure(b, &own, &leased);
	bench_mill_close(&leased);
	bench_mill_close(&own);
	return err;
}

/* ---- A client's end, and its stop ------------------------------------------ */

/* In a process of its own: fill a store, say so, wait for the end. */
static void be_client(struct bench *b, const struct private_daemon *d, int said)
{
	const struct bench_store_plan plan = {
		.bytes = b->sizes.store_bytes,
		.where = d->where,
		.agers = TMEM_NO_AGERS,
		.flags = TMEM_POOL_KEEP,
	};
	uint64_t pages = plan.bytes / TMEM_PAGE_SIZE * FILL_PCT / 100;
	struct bench_mill m;

	/* Areas are not inherited; a few pages will do. */
	if (bench_area_init(&b->noise, 16 * TMEM_PAGE_SIZE, 0))
		_exit(1);
	bench_area_fill(&b->noise, 1);
	if (bench_mill_open(b, &m, &plan, pages))
		_exit(1);
	do {
		m.failed = 0;
		while (m.head < pages)
			bench_mill_put(&m, 1);
		m.head = m.failed ? 0 : pages;
	} while (m.failed);
	(void)!write(said, "f", 1);
	(void)pause();
	_exit(0);
}

static int start_client(struct bench *b, const struct private_daemon *d,
			pid_t *ret)
{
	int fds[2], err = 0;
	char byte;

	if (pipe(fds))
		return bench_fail(b, -errno, "no pipe");
	*ret = fork();
	if (!*ret)
		be_client(b, d, fds[1]);
	(void)close(fds[1]);
	if (*ret < 0 || read(fds[0], &byte, 1) != 1)
		err = bench_fail(b, -EIO, "a client does not fill its store");
	(void)close(fds[0]);
	return err;
}

static void end_client(pid_t pid)
{
	if (pid <= 0)
		return;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static int lent_bytes(struct bench *b, const struct private_daemon *d,
		      uint64_t *ret)
{
	struct tmem_wire_status_reply s;
	struct daemon_talk talk;
	int err = daemon_talk_glance(&talk, d->socket, &s);

	if (err)
		return bench_fail(b, err, "%s", talk.fault);
	*ret = s.lent_bytes[TMEM_WIRE_EPHEMERAL] +
	       s.lent_bytes[TMEM_WIRE_PERSISTENT] +
	       s.lent_bytes[TMEM_WIRE_METADATA];
	return 0;
}

static int measure_death(struct bench *b, const struct private_daemon *d)
{
	uint64_t lent = 0, from, before;
	pid_t pid = 0;
	int err = start_client(b, d, &pid);

	if (!err)
		err = lent_bytes(b, d, &lent);
	before = bench_machine_free_bytes();
	from = tmem_clock_ns();
	end_client(pid);
	while (!err && bench_machine_free_bytes() < before + lent / 100 * 95)
		if (tmem_clock_ns() - from > PATIENCE_NS)
			err = bench_fail(b, -ETIMEDOUT,
					 "a dead client's memory is not back");
	if (err)
		return err;
	bench_report_one(&b->report, NULL, "death_bytes",
			 "lent to a client that is killed", (double)lent);
	bench_report_one(&b->report, NULL, "death_ms",
			 "... until MemFree has risen by 95% of it, ms",
			 (double)(tmem_clock_ns() - from) / TMEM_NS_PER_MS);
	return 0;
}

static int measure_stop(struct bench *b, const struct private_daemon *d)
{
	uint64_t lent = 0, left, from = 0;
	pid_t pid = 0;
	int err = start_client(b, d, &pid);

	if (!err)
		err = lent_bytes(b, d, &lent);
	if (!err && kill(pid, SIGSTOP))
		err = -errno;
	if (!err) {
		from = tmem_clock_ns();
		err = private_daemon_configure(d, PRESSED_BYTES);
	}
	for (left = lent; !err && left > PRESSED_BYTES;) {
		err = lent_bytes(b, d, &left);
		if (!err && tmem_clock_ns() - from > PATIENCE_NS)
			err = -ETIMEDOUT;
	}
	from = tmem_clock_ns() - from;
	end_client(pid);
	if (err)
		return bench_fail(b, err, "a stopped client's memory: %s",
				  strerror(-err));
	bench_report_one(&b->report, NULL, "stopped_bytes",
			 "lent to a client that is stopped", (double)lent);
	bench_report_one(&b->report, NULL, "stopped_ms",
			 "... until all but 16 MiB is taken back, ms",
			 (double)from / TMEM_NS_PER_MS);
	return 0;
}

int bench_lease(struct bench *b)
{
	struct private_daemon d;
	/* One store, its tables and stock, and half of that as it changes. */
	int err = private_daemon_start(&d, b->sizes.store_bytes * 3 / 2);

	if (err)
		return bench_fail(b, err, "%s", d.fault);
	/* The processes first, while this one has no thread. */
	err = measure_death(b, &d);
	if (!err)
		err = compare(b, &d);
	if (!err)
		err = measure_stop(b, &d);
	private_daemon_stop(&d);
	return err;
}
