/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-swap.c - what it costs the kernel to swap to a store, beside zram, zswap
 * and a disk.
 *
 * First page by page: a process has pages of the corpora; all are swapped out
 * (MADV_PAGEOUT), and once memory stands still each is touched, in random order.
 * What has been written lies in the swap cache until it is reclaimed, which a limit
 * of its cgroup sees to meanwhile; what stays there takes room of the peer, but is no
 * fault that counts. CPU is all of the machine's, since servers and kernel threads do
 * the work.
 *
 * Then Machek's question, with the programs of machek.h: all RAM they want; half
 * of it and half as tmem; half of it and zram; half of it and a disk.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "bench-chart.h"
#include "bench-corpus.h"
#include "clock.h"
#include "histogram.h"
#include "machek.h"
#include "memlimit.h"
#include "options.h"
#include "private.h"
#include "swap-peer.h"

#define MIB (1ull << 20)
#define STEP (2 * MIB) /* paged out by one call */

/* Background work of a store begins two seconds after the last put, and takes time. */
#define REST_NS (6 * TMEM_NS_PER_SEC)

/* Of the cgroup while pages are touched, and to empty the swap cache. */
#define ROOMY (1024 * MIB)
#define TIGHT (2 * MIB)

/* A program with half its RAM and a slow disk takes some seconds. */
#define PATIENCE_NS (60 * TMEM_NS_PER_SEC)

/* A kernel that reclaims within a small cgroup gives up at times, and kills, however
 * much swap there is: Linux 6.18 with zram in every other run of sort. That is told,
 * and the program is run again. */
#define TRIES 10u

/** struct scale - how much of everything. */
struct scale {
	uint64_t corpus_bytes;	/* of each of four, for page by page */
	uint64_t program_bytes; /* all RAM that a program wants */
};

static const struct scale scale_full = { 12 * MIB, 64 * MIB };
static const struct scale scale_tiny = { 1 * MIB, 16 * MIB };

/* The cgroup that is up, and the process that takes it down, also when the benchmark
 * ends itself. */
static struct memlimit limit;
static pid_t limit_owner;

static void limit_end(void)
{
	if (limit_owner != getpid())
		return;
	limit_owner = 0;
	memlimit_finish(&limit);
}

static void limit_begin(uint64_t bytes)
{
	if (memlimit_init(&limit, bytes))
		private_die("no memory limits for cgroups here");
	limit_owner = getpid();
}

static void wait_ns(uint64_t ns)
{
	const struct timespec ts = { .tv_sec = (time_t)(ns / TMEM_NS_PER_SEC),
				     .tv_nsec = (long)(ns % TMEM_NS_PER_SEC) };

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

/* ---- Page by page --------------------------------------------------------- */

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

static double page_out(const struct pages *p)
{
	uint64_t bytes = p->count * TMEM_PAGE_SIZE, at;
	uint64_t from = tmem_clock_ns();

	for (at = 0; at < bytes; at += STEP)
		if (madvise(p->bytes + at,
			    bytes - at < STEP ? bytes - at : STEP, MADV_PAGEOUT))
			private_die("MADV_PAGEOUT: %s", strerror(errno));
	return (double)(tmem_clock_ns() - from) / 1000 / (double)p->count;
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

/** struct cost - of a page of a peer. */
struct cost {
	double out_us, out_cpu_us, page_bytes;
	double fault_p50_us, fault_p99_us, in_cpu_us;
};

/* In a process whose pages are the cgroup's, and nobody else's. */
static void measure_cost(struct pages *p, const struct swap_peer *peer,
			 const struct memlimit *m, struct cost *c)
{
	static struct tmem_histogram h;
	uint64_t cpu, gone, out;

	if (memlimit_enter(m, getpid()))
		private_die("the cgroup cannot be entered");
	fill(p);
	cpu = busy_ns();
	c->out_us = page_out(p);
	wait_ns(REST_NS);
	cpu = busy_ns() - cpu;
	(void)memlimit_set(m, TIGHT); /* as far as it goes */
	(void)memlimit_set(m, ROOMY);
	gone = count_gone(p);
	out = swap_peers_used() / TMEM_PAGE_SIZE;
	if (!gone || !out)
		private_die("%s: nothing was swapped",
			    swap_peer_name(peer->kind));
	c->out_cpu_us = (double)cpu / 1000 / (double)out;
	c->page_bytes = (double)swap_peer_memory(peer) / (double)out;
	cpu = busy_ns();
	touch(p, &h);
	c->in_cpu_us = (double)(busy_ns() - cpu) / 1000 / (double)gone;
	c->fault_p50_us = (double)tmem_histogram_percentile(&h, 50) / 1000;
	c->fault_p99_us = (double)tmem_histogram_percentile(&h, 99) / 1000;
}

static void measure_apart(struct pages *p, enum swap_peer_kind kind,
			  struct cost *shared)
{
	struct swap_peer peer;
	int status = 1;
	pid_t pid;

	swap_peer_up(&peer, kind, 2 * p->count * TMEM_PAGE_SIZE, 0);
	limit_begin(ROOMY);
	pid = private_fork();
	if (!pid) {
		swap_peers_forget();
		measure_cost(p, &peer, &limit, shared);
		_exit(0);
	}
	(void)waitpid(pid, &status, 0);
	limit_end();
	swap_peer_down(&peer);
	if (status)
		exit(1); /* it has said why */
}

static void measure_pages(uint64_t corpus_bytes, struct bench_report *r)
{
	struct pages p = { 0 };
	struct cost *c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned kind;

	if (c == MAP_FAILED)
		private_die("out of memory");
	pages_init(&p, corpus_bytes);
	for (kind = 0; kind < SWAP_PEERS; kind++) {
		const char *name = swap_peer_name(kind);

		if (!swap_peer_exists(kind))
			continue;
		measure_apart(&p, kind, c);
		bench_report_one(r, name, "out_us", "a page out, us", c->out_us);
		bench_report_one(r, name, "out_cpu_us",
				 "... its CPU, rest included, us",
				 c->out_cpu_us);
		bench_report_one(r, name, "page_bytes",
				 "RAM of a swapped page, bytes", c->page_bytes);
		bench_report_one(r, name, "fault_p50_us", "a fault, p50, us",
				 c->fault_p50_us);
		bench_report_one(r, name, "fault_p99_us", "... p99, us",
				 c->fault_p99_us);
		bench_report_one(r, name, "in_cpu_us", "... its CPU, us",
				 c->in_cpu_us);
	}
	pages_finish(&p);
	(void)munmap(c, sizeof(*c));
}

/* ---- Programs ------------------------------------------------------------- */

enum {
	ALL_RAM,
	HALF_TMEM,
	HALF_ZRAM,
	HALF_DISK,
	SHARES
};

static const struct share {
	const char *name, *text;
	enum swap_peer_kind peer; /* SWAP_PEERS: none */
} shares[SHARES] = {
	{ "all_ram", "all RAM, s", SWAP_PEERS },
	{ "half_tmem", "half of it, half as tmem, s", SWAP_PEER_TMEM },
	{ "half_zram", "half of it, and zram, s", SWAP_PEER_ZRAM },
	{ "half_disk", "half of it, and a disk, s", SWAP_PEER_FILE },
};

/* In a process of its own: its memory goes with it. Return: seconds; below 0 the
 * kernel killed it. */
static double run_program(const struct machek_program *program, uint64_t bytes,
			  const struct memlimit *m)
{
	uint64_t from = tmem_clock_ns();
	int status = 1;
	pid_t pid = private_fork();

	if (!pid) {
		swap_peers_forget();
		if (m && memlimit_enter(m, getpid()))
			_exit(2);
		_exit(!program->run(bytes));
	}
	while (!waitpid(pid, &status, WNOHANG)) {
		if (tmem_clock_ns() - from > PATIENCE_NS) {
			(void)kill(pid, SIGKILL);
			private_die("%s takes more than a minute",
				    program->name);
		}
		wait_ns(TMEM_NS_PER_MS);
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return -1;
	if (status)
		private_die("%s: not the right result", program->name);
	return (double)(tmem_clock_ns() - from) / TMEM_NS_PER_SEC;
}

/* Until it comes to its end. */
static double insist_on(const struct machek_program *program, uint64_t bytes,
			const struct memlimit *m, unsigned *kills)
{
	unsigned i;

	for (i = 0; i < TRIES; i++) {
		double seconds = run_program(program, bytes, m);

		if (seconds >= 0)
			return seconds;
		++*kills;
	}
	private_die("%s: killed %u times: no memory in its cgroup",
		    program->name, TRIES);
}

/* Return: so often a program was killed. */
static unsigned measure_share(const struct share *share, uint64_t bytes,
			      double seconds[MACHEK_PROGRAMS])
{
	const int swaps = share->peer != SWAP_PEERS;
	struct swap_peer peer;
	unsigned i, kills = 0;

	if (swaps) {
		/* The parts that a program has beside its data come on top. */
		limit_begin(bytes / 2);
		swap_peer_up(&peer, share->peer, 2 * bytes, bytes / 2);
	}
	for (i = 0; i < MACHEK_PROGRAMS; i++)
		seconds[i] = insist_on(&machek_programs[i], bytes,
				       swaps ? &limit : NULL, &kills);
	if (swaps) {
		swap_peer_down(&peer);
		limit_end();
	}
	return kills;
}

static void draw(const struct options *o, double seconds[][MACHEK_PROGRAMS])
{
	static struct bench_tick ticks[MACHEK_PROGRAMS];
	static struct bench_chart chart = {
		.title = "Half of the RAM, and what to swap to",
		.x_title = "program",
		.y_title = "times as long as with all RAM",
		.y_log = 1,
		.x_ticks = ticks,
		.x_ticks_count = MACHEK_PROGRAMS,
	};
	char path[PATH_MAX];
	unsigned s, i;
	FILE *f;

	if (!o->out)
		return;
	for (i = 0; i < MACHEK_PROGRAMS; i++)
		ticks[i] = (struct bench_tick){ i, machek_programs[i].name };
	for (s = HALF_TMEM; s < SHARES; s++) {
		struct bench_line *line = &chart.lines[chart.count++];

		strcpy(line->name, swap_peer_name(shares[s].peer));
		line->count = MACHEK_PROGRAMS;
		for (i = 0; i < MACHEK_PROGRAMS; i++) {
			line->x[i] = i;
			line->y[i] = seconds[s][i] / seconds[ALL_RAM][i];
		}
	}
	(void)snprintf(path, sizeof(path), "%s/machek.svg", o->out);
	f = fopen(path, "we");
	if (!f)
		private_die("%s: %s", path, strerror(errno));
	bench_chart_draw(f, &chart);
	if (fclose(f))
		private_die("%s: %s", path, strerror(errno));
}

static void measure_programs(const struct options *o, uint64_t bytes,
			     struct bench_report *r)
{
	double seconds[SHARES][MACHEK_PROGRAMS] = { 0 };
	unsigned kills[SHARES] = { 0 }, s, i;

	for (s = 0; s < SHARES; s++)
		if (shares[s].peer == SWAP_PEERS ||
		    swap_peer_exists(shares[s].peer))
			kills[s] = measure_share(&shares[s], bytes, seconds[s]);
	for (i = 0; i < MACHEK_PROGRAMS; i++)
		for (s = 0; s < SHARES; s++)
			if (seconds[s][i] > 0)
				bench_report_one(r, machek_programs[i].name,
						 shares[s].name, shares[s].text,
						 seconds[s][i]);
	for (s = HALF_TMEM; s < SHARES; s++)
		if (seconds[s][0] > 0)
			bench_report_one(r, shares[s].name, "kills",
					 "programs killed, and run again",
					 kills[s]);
	draw(o, seconds);
}

int main(int argc, char **argv)
{
	struct options o = { .name = "swap",
			     .doc = "Swapping to a store beside zram, zswap and "
				    "a disk; programs with half their RAM." };
	static struct bench_report report;
	const struct scale *scale;

	options_parse(&o, argc, argv);
	scale = o.tiny ? &scale_tiny : &scale_full;
	swap_peers_begin();
	if (atexit(limit_end))
		private_die("out of memory");
	measure_pages(scale->corpus_bytes, &report);
	measure_programs(&o, scale->program_bytes, &report);
	swap_peers_end();
	report.request.corpora = getenv("TMEM_CORPORA");
	options_tell(&o, &report, scale->program_bytes, 1);
	return 0;
}
