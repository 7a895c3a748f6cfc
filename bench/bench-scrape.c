/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-scrape.c - does being scraped move a client's latency?
 *
 *	crowd (99 sessions at rest)
 *	client ----gets----> its own mapping of lent memory
 *	scraper --HTTP--> tmem-exporter --STATUS, LIST--> tmemd --REPORT--> everybody
 *
 * One session of a hundred gets pages at random, each get timed by itself. In turns,
 * a second each, nobody scrapes, somebody does once a second, and ten times. A scrape
 * wakes all sessions, the one that is measured included, and the others share the
 * second processor with whoever scrapes. Ratios are made within a round.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libgen.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "bench-run.h"
#include "clock.h"
#include "histogram.h"
#include "options.h"
#include "private.h"

#define MIB (1ull << 20)
#define PAGE 4096u
#define RATES 3u
#define ROUNDS BENCH_REPEATS_MAX
#define PATH_BYTES 4096u
#define REPLY_BYTES (1u << 20)
#define BACKLOG 8
#define PATIENCE_NS (20 * TMEM_NS_PER_SEC)

static const unsigned rates[RATES] = { 0, 1, 10 }; /* a second */

/** struct sizes - how much of everything. */
struct sizes {
	uint64_t set; /* pages that the client gets from, bytes */
	uint64_t window_ns;
	unsigned rounds;
	unsigned crowd; /* sessions beside the client */
};

/** struct shared - what the processes tell each other. */
struct shared {
	_Atomic uint32_t rate;	  /* a second; 0: do not */
	_Atomic uint32_t crowded; /* the crowd is there */
	_Atomic uint32_t failed;  /* scrapes that were none */
	_Atomic uint64_t scrapes;
	_Atomic uint64_t scrape_ns; /* all of them */
	_Atomic uint64_t bytes;	    /* of the last */
};

/** struct scene - the processes. */
struct scene {
	struct private daemon;
	struct shared *shared;
	uint16_t port;
	pid_t exporter, crowd, scraper;
};

/* ---- Others -------------------------------------------------------------- */

static int listen_anywhere(uint16_t *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
	    listen(fd, BACKLOG) || getsockname(fd, (struct sockaddr *)&a, &len))
		private_die("no socket on the loopback interface: %s",
			    strerror(errno));
	*ret_port = ntohs(a.sin_port);
	return fd;
}

/* As systemd would start it. Never returns. */
static void run_exporter(const char *socket_path, int fd)
{
	char own[PATH_BYTES] = "", path[PATH_BYTES], text[32];

	if (readlink("/proc/self/exe", own, sizeof(own) - 1) <= 0)
		private_die("/proc/self/exe: %s", strerror(errno));
	(void)snprintf(path, sizeof(path), "%s/../tmem-exporter", dirname(own));
	(void)snprintf(text, sizeof(text), "%d", (int)getpid());
	(void)setenv("LISTEN_PID", text, 1);
	(void)setenv("LISTEN_FDS", "1", 1);
	if (fd != 3 && dup2(fd, 3) < 0)
		private_die("dup2: %s", strerror(errno));
	(void)execl(path, path, "--socket", socket_path, (char *)NULL);
	private_die("%s: %s", path, strerror(errno));
}

static void run_crowd(const char *where, struct shared *s, unsigned count)
{
	struct tmem_open_opts opts = { .size = sizeof(opts),
				       .limit_bytes = MIB,
				       .agers = TMEM_NO_AGERS };
	static const char page[PAGE] = "crowd";
	struct tmem_key key = tmem_key(1, 1);
	char domain[16];
	struct tmem *t;
	unsigned i;

	for (i = 0; i < count; i++) {
		(void)snprintf(domain, sizeof(domain), "crowd%u", i);
		opts.domain = domain;
		if (tmem_open(where, &opts, &t))
			private_die("session %u of the crowd: refused", i);
		(void)tmem_put(t, tmem_pool_create(t, NULL), &key, page);
	}
	atomic_store(&s->crowded, 1);
	for (;;)
		(void)pause();
}

/* Return: bytes of the answer; 0: it was none. */
static size_t scrape(uint16_t port, char *reply)
{
	static const char request[] =
		"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
		"Connection: close\r\n\r\n";
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return 0;
	if (!connect(fd, (struct sockaddr *)&a, sizeof(a)) &&
	    send(fd, request, strlen(request), MSG_NOSIGNAL) > 0)
		while ((n = read(fd, reply + len, REPLY_BYTES - 1 - len)) > 0)
			len += (size_t)n;
	(void)close(fd);
	reply[len] = 0;
	return strstr(reply, "\ntmem_up 1\n") ? len : 0;
}

static void run_scraper(const struct scene *c)
{
	const struct timespec idle = { .tv_nsec = 1000000 };
	char *reply = malloc(REPLY_BYTES);
	struct shared *s = c->shared;
	struct timespec nap;
	uint64_t from;
	uint32_t rate;
	size_t len;

	for (;;) {
		rate = atomic_load(&s->rate);
		if (!rate || !reply) {
			(void)nanosleep(&idle, NULL);
			continue;
		}
		/* In the middle of its time, so that it is in the window. */
		nap.tv_sec = 0;
		nap.tv_nsec = (long)(TMEM_NS_PER_SEC / rate / 2);
		(void)nanosleep(&nap, NULL);
		from = tmem_clock_ns();
		len = scrape(c->port, reply);
		atomic_fetch_add(&s->scrape_ns, tmem_clock_ns() - from);
		atomic_fetch_add(&s->scrapes, 1);
		atomic_store(&s->bytes, len);
		atomic_fetch_add(&s->failed, !len);
		(void)nanosleep(&nap, NULL);
	}
}

/* ---- The client ---------------------------------------------------------- */

/** struct client - a session, and pages that it gets again and again. */
struct client {
	struct tmem *t;
	int pool;
	uint64_t pages;
	uint64_t clock_ns;
	struct bench_random random;
};

static void open_client(struct client *c, const char *where, uint64_t bytes)
{
	struct tmem_open_opts opts = { .size = sizeof(opts),
				       .limit_bytes = bytes + bytes / 2,
				       .agers = TMEM_NO_AGERS,
				       .domain = "client" };
	struct tmem_pool_opts kept = { .size = sizeof(kept),
				       .flags = TMEM_POOL_KEEP };
	uint64_t page[PAGE / 8], i, from = tmem_clock_ns();
	struct tmem_key key;
	unsigned n;

	if (tmem_open(where, &opts, &c->t))
		private_die("the client's session: refused");
	c->pool = tmem_pool_create(c->t, &kept);
	c->pages = bytes / PAGE;
	c->clock_ns = bench_clock_ns();
	c->random.state = 7;
	for (i = 0; i < c->pages;) {
		for (n = 0; n < PAGE / 8; n++)
			page[n] = bench_random(&c->random);
		key = tmem_key(1, i);
		i += tmem_put(c->t, c->pool, &key, page) == 1;
		if (tmem_clock_ns() - from > PATIENCE_NS)
			private_die("the client's pages are refused");
	}
}

static void measure(struct client *c, uint64_t for_ns, struct tmem_histogram *h)
{
	uint64_t end = tmem_clock_ns() + for_ns, page[PAGE / 8], from, took;
	struct tmem_key key;

	tmem_histogram_init(h);
	do {
		key = tmem_key(1, bench_below(&c->random, c->pages));
		from = tmem_clock_ns();
		if (tmem_get(c->t, c->pool, &key, page) != 1)
			private_die("a page that was kept is gone");
		took = tmem_clock_ns();
		from += c->clock_ns;
		tmem_histogram_add(h, took > from ? took - from : 0);
	} while (took < end);
}

/* ---- Together ------------------------------------------------------------ */

static void set_scene(struct scene *c, const struct sizes *z)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	char path[PATH_BYTES], config[128];
	uint64_t from = tmem_clock_ns();
	int fd;

	c->shared = mmap(NULL, sizeof(*c->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (c->shared == MAP_FAILED)
		private_die("mmap: %s", strerror(errno));
	(void)snprintf(config, sizeof(config),
		       "budget = %lluM\ndefault-persistent = 1M\n",
		       (unsigned long long)(2 * z->set / MIB + 2 * z->crowd));
	private_start(&c->daemon, config);
	fd = listen_anywhere(&c->port);
	(void)snprintf(path, sizeof(path), "%s/socket", c->daemon.dir);
	c->exporter = private_fork();
	if (!c->exporter)
		run_exporter(path, fd);
	(void)close(fd);
	c->crowd = private_fork();
	if (!c->crowd)
		run_crowd(c->daemon.where, c->shared, z->crowd);
	while (!atomic_load(&c->shared->crowded)) {
		if (tmem_clock_ns() - from > PATIENCE_NS)
			private_die("the crowd does not come");
		(void)nanosleep(&ms, NULL);
	}
	c->scraper = private_fork();
	if (!c->scraper)
		run_scraper(c);
}

static void clear_scene(struct scene *c)
{
	private_kill(c->scraper);
	private_kill(c->crowd);
	private_kill(c->exporter);
	private_stop(&c->daemon);
}

static void tell(struct bench_report *r, const struct sizes *z,
		 double ns[2][RATES][ROUNDS], const struct shared *s)
{
	static const char *const keys[2][RATES] = {
		{ "get_p99_ns", "scrape_1_p99_ratio", "scrape_10_p99_ratio" },
		{ "get_p999_ns", "scrape_1_p999_ratio", "scrape_10_p999_ratio" },
	};
	static const char *const texts[2][RATES] = {
		{ "get, p99, nobody scrapes, ns",
		  "... scraped once a second, over that",
		  "... ten times a second, over that" },
		{ "get, p99.9, nobody scrapes, ns",
		  "... scraped once a second, over that",
		  "... ten times a second, over that" },
	};
	double ratio[ROUNDS], scrapes = (double)atomic_load(&s->scrapes);
	unsigned kind, rate, i;

	for (kind = 0; kind < 2; kind++) {
		bench_report_add(r, NULL, keys[kind][0], texts[kind][0],
				 ns[kind][0], z->rounds);
		for (rate = 1; rate < RATES; rate++) {
			for (i = 0; i < z->rounds; i++)
				ratio[i] = ns[kind][rate][i] / ns[kind][0][i];
			bench_report_add(r, NULL, keys[kind][rate],
					 texts[kind][rate], ratio, z->rounds);
		}
	}
	bench_report_one(r, NULL, "scrape_ms", "a scrape, ms",
			 (double)atomic_load(&s->scrape_ns) / scrapes /
				 TMEM_NS_PER_MS);
	bench_report_one(r, NULL, "scrape_bytes", "... its answer, bytes",
			 (double)atomic_load(&s->bytes));
	bench_report_one(r, NULL, "scrapes", "scrapes in all", scrapes);
}

int main(int argc, char **argv)
{
	struct options o = { .name = "scrape",
			     .doc = "Gets of a session while nobody scrapes its "
				    "daemon, and while somebody does." };
	struct sizes z = { 64 * MIB, TMEM_NS_PER_SEC, ROUNDS, 99 };
	static double ns[2][RATES][ROUNDS];
	static struct bench_report report;
	struct tmem_histogram h;
	struct scene scene = { 0 };
	struct client client;
	unsigned round, nth, rate;

	options_parse(&o, argc, argv);
	if (o.tiny)
		z = (struct sizes){ 4 * MIB, 200 * TMEM_NS_PER_MS, 2, 9 };
	set_scene(&scene, &z);
	open_client(&client, scene.daemon.where, z.set);
	measure(&client, z.window_ns, &h); /* warm */
	for (round = 0; round < z.rounds; round++)
		for (nth = 0; nth < RATES; nth++) {
			/* What drifts is not always in the way of the same. */
			rate = (nth + round) % RATES;
			atomic_store(&scene.shared->rate,
				     rates[rate] * (o.tiny ? 10 : 1));
			measure(&client, z.window_ns, &h);
			ns[0][rate][round] =
				(double)tmem_histogram_percentile(&h, 99);
			ns[1][rate][round] =
				(double)tmem_histogram_percentile(&h, 99.9);
		}
	atomic_store(&scene.shared->rate, 0);
	tmem_close(client.t);
	clear_scene(&scene);
	if (atomic_load(&scene.shared->failed) ||
	    !atomic_load(&scene.shared->scrapes))
		private_die("%u of %llu scrapes got no answer",
			    atomic_load(&scene.shared->failed),
			    (unsigned long long)atomic_load(
				    &scene.shared->scrapes));
	tell(&report, &z, ns, scene.shared);
	options_tell(&o, &report, z.set, z.rounds);
	return 0;
}
