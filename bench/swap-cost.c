/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swap-cost.c - what a page costs that is swapped, out and in.
 *
 * A process has pages of the corpora; all are swapped out (MADV_PAGEOUT), and once
 * memory stands still each is touched, in random order. What has been written lies
 * in the swap cache until it is reclaimed, which a limit of its cgroup sees to
 * meanwhile; what stays there takes room of the peer, but is no fault that counts.
 * CPU is all of the machine's, since servers and kernel threads do the work.
 */
#include "swap-cost.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "bench-corpus.h"
#include "clock.h"
#include "guard.h"
#include "histogram.h"
#include "private.h"

#define MIB (1ull << 20)
#define STEP (2 * MIB) /* paged out by one call */

/* Background work of a store begins two seconds after the last put, and takes time. */
#define REST_S 4

/* Of the cgroup while pages are touched, and to empty the swap cache. */
#define ROOMY (1024 * MIB)
#define TIGHT (2 * MIB)

static void rest(void)
{
	const struct timespec ts = { .tv_sec = REST_S };

	(void)nanosleep(&ts, NULL);
}

/* All processors' time at work, ns. */
static uint64_t busy_ns(void)
{
	uint64_t user = 0, nice = 0, system = 0, irq = 0, softirq = 0;
	FILE *f = fopen("/proc/stat", "re");

	if (f) {
		if (fscanf(f,
			   "cpu %" SCNu64 " %" SCNu64 " %" SCNu64
			   " %*u %*u %" SCNu64 " %" SCNu64,
			   &user, &nice, &system, &irq, &softirq) != 5)
			user = 0;
		(void)fclose(f);
	}
	return (user + nice + system + irq + softirq) *
	       (TMEM_NS_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK));
}

/** struct pages - in the order in which they are touched. */
struct pages {
	struct bench_corpora corpora;
	const uint8_t **content;
	uint32_t *order;
	uint64_t count;
	uint8_t *bytes;	   /* of the process that has them */
	unsigned char *in; /* bit 0: it did not go away */
};

static void pages_init(struct pages *p, uint64_t corpus_bytes)
{
	struct bench_random random = { .state = 1 };
	uint64_t i, n = 0;
	unsigned c;

	if (bench_corpora_init(&p->corpora, getenv("TMEM_CORPORA"),
			       corpus_bytes))
		private_die("no pages to swap; $TMEM_CORPORA?");
	for (c = 0; c < p->corpora.count; c++)
		p->count += p->corpora.corpus[c].count;
	p->content = reallocarray(NULL, p->count, sizeof(*p->content));
	p->order = calloc(p->count, sizeof(*p->order));
	p->in = calloc(p->count, sizeof(*p->in));
	if (!p->content || !p->order || !p->in)
		private_die("out of memory");
	for (c = 0; c < p->corpora.count; c++)
		for (i = 0; i < p->corpora.corpus[c].count; i++, n++) {
			p->content[n] =
				p->corpora.corpus[c].pages + i * TMEM_PAGE_SIZE;
			p->order[n] = (uint32_t)n;
		}
	for (i = p->count - 1; i; i--) {
		uint32_t other = (uint32_t)bench_below(&random, i + 1);
		uint32_t swap = p->order[i];

		p->order[i] = p->order[other];
		p->order[other] = swap;
	}
}

static void pages_finish(struct pages *p)
{
	free(p->content);
	free(p->order);
	free(p->in);
	bench_corpora_finish(&p->corpora);
}

static void fill(struct pages *p)
{
	uint64_t i;

	p->bytes = mmap(NULL, p->count * TMEM_PAGE_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p->bytes == MAP_FAILED ||
	    madvise(p->bytes, p->count * TMEM_PAGE_SIZE, MADV_NOHUGEPAGE))
		private_die("out of memory");
	for (i = 0; i < p->count; i++)
		memcpy(p->bytes + i * TMEM_PAGE_SIZE, p->content[i],
		       TMEM_PAGE_SIZE);
}

/* Return: how many are away, not even in the swap cache; which, in p->in. */
static uint64_t count_gone(struct pages *p)
{
	uint64_t i, n = 0;

	if (mincore(p->bytes, p->count * TMEM_PAGE_SIZE, p->in))
		private_die("mincore: %s", strerror(errno));
	for (i = 0; i < p->count; i++)
		n += !(p->in[i] & 1);
	return n;
}

/* Pages from the @from-th on, up to the @to-th. Return: ns. */
static uint64_t page_out(const struct pages *p, uint64_t from, uint64_t to)
{
	uint64_t end = to * TMEM_PAGE_SIZE, at = from * TMEM_PAGE_SIZE;
	uint64_t began = tmem_clock_ns();

	for (; at < end; at += STEP)
		if (madvise(p->bytes + at, end - at < STEP ? end - at : STEP,
			    MADV_PAGEOUT))
			private_die("MADV_PAGEOUT: %s", strerror(errno));
	return tmem_clock_ns() - began;
}

static void touch(const struct pages *p, struct tmem_histogram *h)
{
	uint64_t i, from;

	tmem_histogram_init(h);
	for (i = 0; i < p->count; i++) {
		const uint32_t n = p->order[i];
		const uint8_t *page = p->bytes + (uint64_t)n * TMEM_PAGE_SIZE;

		from = tmem_clock_ns();
		(void)*(const volatile uint8_t *)page;
		if (!(p->in[n] & 1))
			tmem_histogram_add(h, tmem_clock_ns() - from);
		if (memcmp(page, p->content[n], TMEM_PAGE_SIZE))
			private_die("page %" PRIu32 ": other bytes than were "
				    "swapped",
				    n);
	}
}

/** struct cost - of a page of a peer, as the process finds it. */
struct cost {
	double out_us, out_cpu_us;
	double page_bytes; /* of each, whatever is there from the first one on */
	double more_bytes; /* of one more, when half of them are there */
	double fault_p50_us, fault_p99_us, in_cpu_us;
	struct tmem_histogram faults;
};

/* Half of them, and the other half: what is there once is not of one more. */
static void measure_out(struct pages *p, const struct swap_peer *peer,
			struct cost *c)
{
	const uint64_t half = p->count / 2;
	uint64_t cpu = busy_ns(), bytes, out, ns;

	ns = page_out(p, 0, half);
	rest();
	bytes = swap_peer_memory(peer);
	out = swap_peers_used() / TMEM_PAGE_SIZE;
	ns += page_out(p, half, p->count);
	rest();
	cpu = busy_ns() - cpu;
	if (swap_peers_used() / TMEM_PAGE_SIZE <= out)
		private_die("%s: nothing was swapped",
			    swap_peer_name(peer->kind));
	c->more_bytes = ((double)swap_peer_memory(peer) - (double)bytes) /
			(double)(swap_peers_used() / TMEM_PAGE_SIZE - out);
	out = swap_peers_used() / TMEM_PAGE_SIZE;
	c->page_bytes = (double)swap_peer_memory(peer) / (double)out;
	c->out_us = (double)ns / 1000 / (double)p->count;
	c->out_cpu_us = (double)cpu / 1000 / (double)out;
}

/* In a process whose pages are the cgroup's, and nobody else's. */
static void measure_cost(struct pages *p, const struct swap_peer *peer,
			 const struct memlimit *m, struct cost *c)
{
	struct tmem_histogram *h = &c->faults;
	uint64_t cpu, gone;

	if (memlimit_enter(m, getpid()))
		private_die("the cgroup cannot be entered");
	fill(p);
	measure_out(p, peer, c);
	(void)memlimit_set(m, TIGHT); /* as far as it goes */
	(void)memlimit_set(m, ROOMY);
	gone = count_gone(p);
	if (!gone)
		private_die("%s: all pages are in memory yet",
			    swap_peer_name(peer->kind));
	cpu = busy_ns();
	touch(p, h);
	c->in_cpu_us = (double)(busy_ns() - cpu) / 1000 / (double)gone;
	c->fault_p50_us = (double)tmem_histogram_percentile(h, 50) / 1000;
	c->fault_p99_us = (double)tmem_histogram_percentile(h, 99) / 1000;
}

static void measure_apart(struct swap_rig *rig, struct pages *p,
			  enum swap_peer_kind kind, struct cost *shared)
{
	int status = 1;
	pid_t pid;

	swap_peer_up(&rig->peers, kind, 2 * p->count * TMEM_PAGE_SIZE, 0);
	swap_rig_limit(rig, ROOMY);
	pid = private_fork();
	if (!pid) {
		measure_cost(p, &rig->peers.peer, &rig->limit, shared);
		_exit(0);
	}
	(void)waitpid(pid, &status, 0);
	swap_rig_unlimit(rig);
	swap_peer_down(&rig->peers);
	if (status)
		exit(1); /* it has said why */
}

static void tell(struct bench_report *r, const char *name, const struct cost *c)
{
	bench_report_one(r, name, "out_us", "a page out, us", c->out_us);
	bench_report_one(r, name, "out_cpu_us",
			 "... its CPU, rest included, us", c->out_cpu_us);
	bench_report_one(r, name, "page_bytes", "RAM of a swapped page, bytes",
			 c->page_bytes);
	bench_report_one(r, name, "more_bytes", "... of one more, bytes",
			 c->more_bytes);
	bench_report_one(r, name, "fault_p50_us", "a fault, p50, us",
			 c->fault_p50_us);
	bench_report_one(r, name, "fault_p99_us", "... p99, us",
			 c->fault_p99_us);
	bench_report_one(r, name, "in_cpu_us", "... its CPU, us", c->in_cpu_us);
}

void swap_cost_measure(struct swap_rig *rig, uint64_t corpus_bytes,
		       struct bench_report *r)
{
	struct cost *c = guard_share(sizeof(*c));
	struct pages p = { 0 };
	unsigned kind;

	pages_init(&p, corpus_bytes);
	swap_peers_read_ahead(&rig->peers, 0);
	for (kind = 0; kind < SWAP_PEERS; kind++) {
		if (!swap_peer_exists(&rig->peers, kind))
			continue;
		measure_apart(rig, &p, kind, c);
		tell(r, swap_peer_name(kind), c);
	}
	swap_peers_read_ahead(&rig->peers, -1);
	pages_finish(&p);
	(void)munmap(c, sizeof(*c));
}
