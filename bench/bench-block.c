/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-block.c - a disk whose blocks lie in a store, beside those of nbdkit's own
 * memory plugin: sparse (pages in a table), malloc (one array), zstd (blocks of
 * 32 KiB, compressed).
 *
 * Each round gives each of them, one after the other, a server of its own and does
 *
 *	write	each page once, in random order, 32 requests at a time
 *	over	each block again, with another page
 *	rest	until its memory stands still
 *	read	all of it, and compare
 *
 * and then with all four servers, in turns of some milliseconds,
 *
 *	read	some of it one at a time
 *	write	some of it again, one at a time
 *
 * half of the turns with client and server on one processor, half with each on its
 * own. What a single request takes is mostly their waking each other. Left to the
 * scheduler, where they do stays as it is for seconds and is luck: asked in turns,
 * a server answered in 92 us and another of the same plugin, which did 2 us more
 * work, in 38.
 *
 * A place's figure is the median of its turns; a server's, as many requests at
 * either place. Ratios are made within a round. Memory is what the writes took: malloc has all
 * of its own from the beginning.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "bench-corpus.h"
#include "bench-run.h"
#include "clock.h"
#include "nbd-load.h"
#include "nbd-server.h"
#include "options.h"
#include "private.h"

#define MIB (1ull << 20)
#define DEPTH 32u
#define ROUNDS 5u
#define REST_STEP_NS (500 * TMEM_NS_PER_MS)
#define REST_NS_MAX (20 * TMEM_NS_PER_SEC)

/* A store leaves pages alone for two seconds before background work begins, and
 * its first step takes no memory away yet: 2.5 s found all of it raw. The others
 * have none. */
#define REST_NS_MIN (6 * TMEM_NS_PER_SEC)

/* Memory that still moves by less is at rest. */
#define REST_BYTES (1 * MIB)

enum {
	OURS,
	SPARSE,
	MALLOC,
	ZSTD,
	PEERS
};

static const struct peer {
	const char *name;
	const char *allocator; /* of the memory plugin; NULL: our plugin */
} peers[PEERS] = {
	{ "tmem", NULL },
	{ "sparse", "allocator=sparse" },
	{ "malloc", "allocator=malloc" },
	{ "zstd", "allocator=zstd" },
};

/** struct scale - how much of everything. */
struct scale {
	uint64_t corpus_bytes; /* of each */
	uint64_t singles;      /* requests one at a time, in a turn */
	unsigned turns;	       /* at each place, in a round */
	unsigned rounds;
};

static const struct scale scale_full = { 32 * MIB, 200, BENCH_REPEATS_MAX,
					 ROUNDS };
static const struct scale scale_tiny = { 1 * MIB, 16, 3, 1 };

/** enum place - where client and server run while requests come one at a time. */
enum place {
	TOGETHER, /* on one processor */
	APART,
	PLACES
};

/* Requests ahead of a turn that are not timed: each thread of the server has had
 * one then, and runs where it was told to. */
#define SETTLE 32u

/** struct single_figures - of requests one at a time: a value each round. */
struct single_figures {
	double both[ROUNDS], at[PLACES][ROUNDS]; /* a second */
	double p50[ROUNDS];			 /* us */
};

/** struct figures - of a peer: a value each round. */
struct figures {
	double write[ROUNDS], over[ROUNDS], read[ROUNDS]; /* a second */
	struct single_figures write_one, read_one;
	double write_p50[ROUNDS], over_p50[ROUNDS], read_p50[ROUNDS]; /* us */
	double memory[ROUNDS]; /* bytes a page */
	double cpu_us[ROUNDS]; /* of the server, a page written, until rest */
};

/** struct disk - what is written where. */
struct disk {
	struct bench_corpora corpora;
	const uint8_t **pages; /* block to page; one more than there are blocks,
				* so that all can be moved by one */
	uint32_t *order;
	uint64_t count;
};

static void disk_init(struct disk *d, uint64_t corpus_bytes)
{
	struct bench_random random = { .state = 1 };
	uint64_t i, n;
	unsigned c;

	if (bench_corpora_init(&d->corpora, getenv("TMEM_CORPORA"),
			       corpus_bytes))
		private_die("no pages to write; $TMEM_CORPORA?");
	for (c = 0; c < d->corpora.count; c++)
		d->count += d->corpora.corpus[c].count;
	d->pages = calloc(d->count + 1, sizeof(*d->pages));
	d->order = calloc(d->count, sizeof(*d->order));
	if (!d->pages || !d->order)
		private_die("out of memory");
	for (c = 0, n = 0; c < d->corpora.count; c++)
		for (i = 0; i < d->corpora.corpus[c].count; i++, n++) {
			d->pages[n] =
				d->corpora.corpus[c].pages + i * TMEM_PAGE_SIZE;
			d->order[n] = (uint32_t)n;
		}
	d->pages[d->count] = d->pages[0];
	for (i = d->count - 1; i; i--) {
		uint32_t other = (uint32_t)bench_below(&random, i + 1);
		uint32_t swap = d->order[i];

		d->order[i] = d->order[other];
		d->order[other] = swap;
	}
}

static void disk_finish(struct disk *d)
{
	free(d->pages);
	free(d->order);
	bench_corpora_finish(&d->corpora);
}

/** struct seat - a peer's server in a round, and a connection to it. */
struct seat {
	struct nbd_server server;
	struct nbd_handle *nbd;
};

static void seat_take(struct seat *s, const struct peer *p, const struct disk *d)
{
	char plugin[PATH_MAX], size[32];
	const char *args[] = { "memory", size, p->allocator, NULL };

	(void)snprintf(size, sizeof(size), "size=%llu",
		       (unsigned long long)(d->count * TMEM_PAGE_SIZE));
	if (!p->allocator) {
		args[0] = nbd_server_plugin(plugin);
		args[2] = "store=embedded";
	}
	nbd_server_start(&s->server, args);
	s->nbd = nbd_load_connect(s->server.socket);
}

static void seat_leave(struct seat *s)
{
	nbd_load_disconnect(s->nbd);
	nbd_server_stop(&s->server);
}

/* Return: bytes once they stand still. */
static uint64_t await_rest(const struct nbd_server *s, const struct peer *p)
{
	const struct timespec step = { .tv_nsec = REST_STEP_NS };
	const uint64_t from = tmem_clock_ns();
	const uint64_t least = from + (p->allocator ? 0 : REST_NS_MIN);
	uint64_t before, now;

	now = nbd_server_memory(s);
	do {
		before = now;
		(void)nanosleep(&step, NULL);
		now = nbd_server_memory(s);
	} while (tmem_clock_ns() < least ||
		 ((now > before ? now - before : before - now) > REST_BYTES &&
		  tmem_clock_ns() < from + REST_NS_MAX));
	return now;
}

static void run(struct nbd_handle *nbd, const struct nbd_load *load,
		double *per_second, double *p50)
{
	static struct nbd_load_result r; /* too large for a stack */

	nbd_load_run(nbd, load, &r);
	*per_second = r.per_second;
	*p50 = (double)tmem_histogram_percentile(&r.latency, 50) / 1000;
}

static void measure(const struct seat *s, const struct peer *p,
		    const struct disk *d, struct figures *f, unsigned n)
{
	struct nbd_load load = { .depth = DEPTH,
				 .order = d->order,
				 .count = d->count,
				 .pages = d->pages };
	uint64_t before = nbd_server_memory(&s->server);
	uint64_t cpu = nbd_server_cpu(&s->server);

	run(s->nbd, &load, &f->write[n], &f->write_p50[n]);
	load.pages++;
	run(s->nbd, &load, &f->over[n], &f->over_p50[n]);
	f->memory[n] =
		(double)(await_rest(&s->server, p) - before) / (double)d->count;
	f->cpu_us[n] = (double)(nbd_server_cpu(&s->server) - cpu) / 1000 /
		       (double)d->count / 2;
	load.kind = NBD_LOAD_READ;
	run(s->nbd, &load, &f->read[n], &f->read_p50[n]);
}

/* The client stays where it is. */
static void settle(const struct seat *seats, const struct bench_cpus *cpus,
		   enum place place)
{
	unsigned i;

	bench_pin(cpus, place == TOGETHER ? 0 : 1);
	for (i = 0; i < PEERS; i++)
		nbd_server_pin(&seats[i].server);
	bench_pin(cpus, 0);
}

/** struct singles - what came of a peer's requests of a kind, one at a time. */
struct singles {
	double per_second[PLACES][BENCH_REPEATS_MAX]; /* in each turn */
	struct tmem_histogram latency;		      /* ns, all of them */
};

static void run_turn(struct nbd_handle *nbd, const struct nbd_load *load,
		     struct singles *ret, double *per_second)
{
	static struct nbd_load_result r; /* too large for a stack */
	struct nbd_load first = *load;

	if (first.count > SETTLE)
		first.count = SETTLE;
	nbd_load_run(nbd, &first, &r);
	nbd_load_run(nbd, load, &r);
	*per_second = r.per_second;
	tmem_histogram_merge(&ret->latency, &r.latency);
}

/* Of all seats in turns; @ret: one for each. */
static void run_singles(const struct seat *seats, const struct scale *scale,
			const struct disk *d, enum nbd_load_kind kind,
			struct singles *ret)
{
	struct nbd_load load = { .kind = kind,
				 .depth = 1,
				 .count = scale->singles,
				 .pages = d->pages + 1 };
	uint64_t parts = d->count / scale->singles;
	struct bench_cpus cpus;
	unsigned turn, i;

	bench_cpus_init(&cpus);
	for (i = 0; i < PEERS; i++)
		tmem_histogram_init(&ret[i].latency);
	for (turn = 0; turn < scale->turns * PLACES; turn++) {
		unsigned place = turn % PLACES, nth = turn / PLACES;

		settle(seats, &cpus, place);
		load.order = d->order + turn % parts * scale->singles;
		for (i = 0; i < PEERS; i++) {
			unsigned n = nth % 2 ? PEERS - 1 - i : i;

			run_turn(seats[n].nbd, &load, &ret[n],
				 &ret[n].per_second[place][nth]);
		}
	}
	bench_unpin(&cpus);
}

static void note_singles(const struct singles *s, const struct scale *scale,
			 struct single_figures *f, unsigned n)
{
	double seconds = 0; /* of a request at each place */
	unsigned p;

	for (p = 0; p < PLACES; p++) {
		f->at[p][n] = bench_median(s->per_second[p], scale->turns);
		seconds += 1 / f->at[p][n];
	}
	f->both[n] = PLACES / seconds;
	f->p50[n] = (double)tmem_histogram_percentile(&s->latency, 50) / 1000;
}

static void measure_singles(const struct seat *seats, const struct scale *scale,
			    const struct disk *d, struct figures *figures,
			    unsigned n)
{
	static struct singles s[PEERS];
	unsigned i;

	run_singles(seats, scale, d, NBD_LOAD_READ, s);
	for (i = 0; i < PEERS; i++)
		note_singles(&s[i], scale, &figures[i].read_one, n);
	run_singles(seats, scale, d, NBD_LOAD_WRITE, s);
	for (i = 0; i < PEERS; i++)
		note_singles(&s[i], scale, &figures[i].write_one, n);
}

static void run_round(const struct scale *scale, const struct disk *d,
		      struct figures *figures, unsigned round)
{
	struct seat seats[PEERS];
	unsigned i;

	for (i = 0; i < PEERS; i++) {
		unsigned n = round % 2 ? PEERS - 1 - i : i;

		seat_take(&seats[n], &peers[n], d);
		measure(&seats[n], &peers[n], d, &figures[n], round);
	}
	measure_singles(seats, scale, d, figures, round);
	for (i = 0; i < PEERS; i++)
		seat_leave(&seats[i]);
}

/* ---- Telling -------------------------------------------------------------- */

static void tell_peer(struct bench_report *r, const char *name,
		      const struct figures *f, unsigned n)
{
	bench_report_add(r, name, "writes", "writes a second, 32 at a time",
			 f->write, n);
	bench_report_add(r, name, "overwrites", "writes over them", f->over, n);
	bench_report_add(r, name, "reads", "reads", f->read, n);
	bench_report_add(r, name, "write_p50_us", "p50 of writes, us",
			 f->write_p50, n);
	bench_report_add(r, name, "overwrite_p50_us", "... over others",
			 f->over_p50, n);
	bench_report_add(r, name, "read_p50_us", "... of reads", f->read_p50, n);
	bench_report_add(r, name, "writes_depth1", "writes, one at a time",
			 f->write_one.both, n);
	bench_report_add(r, name, "reads_depth1", "reads", f->read_one.both, n);
	bench_report_add(r, name, "write_depth1_p50_us", "... their p50, us",
			 f->write_one.p50, n);
	bench_report_add(r, name, "read_depth1_p50_us", "... of reads",
			 f->read_one.p50, n);
	bench_report_add(r, name, "page_bytes", "memory of a page, bytes",
			 f->memory, n);
	bench_report_add(r, name, "page_cpu_us",
			 "CPU of a page written, rest included, us", f->cpu_us,
			 n);
}

static void tell_ratio(struct bench_report *r, const char *key, const char *text,
		       const double *ours, const double *theirs, unsigned n)
{
	double ratios[ROUNDS];
	unsigned i;

	for (i = 0; i < n; i++)
		ratios[i] = theirs[i] > 0 ? ours[i] / theirs[i] : 0;
	bench_report_add(r, NULL, key, text, ratios, n);
}

static void tell_singles(struct bench_report *r, const struct figures *f,
			 unsigned n)
{
	const struct single_figures *write = &f[OURS].write_one;
	const struct single_figures *sparse_write = &f[SPARSE].write_one;
	const struct single_figures *read = &f[OURS].read_one;
	const struct single_figures *sparse_read = &f[SPARSE].read_one;

	tell_ratio(r, "write_depth1_vs_sparse",
		   "one at a time: writes against sparse", write->both,
		   sparse_write->both, n);
	tell_ratio(r, "write_depth1_together",
		   "... client and server on one processor",
		   write->at[TOGETHER], sparse_write->at[TOGETHER], n);
	tell_ratio(r, "write_depth1_apart", "... on two", write->at[APART],
		   sparse_write->at[APART], n);
	tell_ratio(r, "read_depth1_vs_sparse", "reads", read->both,
		   sparse_read->both, n);
	tell_ratio(r, "read_depth1_together", "... on one processor",
		   read->at[TOGETHER], sparse_read->at[TOGETHER], n);
	tell_ratio(r, "read_depth1_apart", "... on two", read->at[APART],
		   sparse_read->at[APART], n);
}

static void tell(struct bench_report *r, const struct figures *f, unsigned n)
{
	unsigned i;

	tell_ratio(r, "write_vs_sparse", "writes against sparse", f[OURS].write,
		   f[SPARSE].write, n);
	tell_ratio(r, "overwrite_vs_sparse", "writes over others", f[OURS].over,
		   f[SPARSE].over, n);
	tell_ratio(r, "read_vs_sparse", "reads", f[OURS].read, f[SPARSE].read,
		   n);
	tell_ratio(r, "memory_vs_sparse", "memory", f[OURS].memory,
		   f[SPARSE].memory, n);
	tell_ratio(r, "write_vs_malloc", "writes against malloc", f[OURS].write,
		   f[MALLOC].write, n);
	tell_ratio(r, "read_vs_malloc", "reads", f[OURS].read, f[MALLOC].read,
		   n);
	tell_ratio(r, "write_vs_zstd", "writes against zstd", f[OURS].write,
		   f[ZSTD].write, n);
	tell_ratio(r, "overwrite_vs_zstd", "writes over others", f[OURS].over,
		   f[ZSTD].over, n);
	tell_ratio(r, "read_vs_zstd", "reads", f[OURS].read, f[ZSTD].read, n);
	tell_singles(r, f, n);
	for (i = 0; i < PEERS; i++)
		tell_peer(r, peers[i].name, &f[i], n);
}

int main(int argc, char **argv)
{
	struct options o = { .name = "block",
			     .doc = "A disk in a store beside nbdkit's memory "
				    "plugin." };
	static struct bench_report report;
	static struct figures figures[PEERS];
	const struct scale *scale;
	struct disk d = { 0 };
	unsigned round;

	options_parse(&o, argc, argv);
	scale = o.tiny ? &scale_tiny : &scale_full;
	if (!nbd_server_exists())
		private_die("there is no nbdkit; please install it");
	disk_init(&d, scale->corpus_bytes);
	if (d.count < scale->singles)
		private_die("too few pages to write; $TMEM_CORPORA?");
	for (round = 0; round < scale->rounds; round++)
		run_round(scale, &d, figures, round);
	report.request.corpora = getenv("TMEM_CORPORA");
	tell(&report, figures, scale->rounds);
	options_tell(&o, &report, d.count * TMEM_PAGE_SIZE, scale->rounds);
	disk_finish(&d);
	return 0;
}
