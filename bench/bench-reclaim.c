/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-reclaim.c - how fast the host gets 1 GiB back.
 *
 *	MemAvailable ______
 *	                   \      __________
 *	floor  - - - - - - -\- - /- - - - - -
 *	                     \__/
 *	                    ^   ^
 *	              crossed   1 GiB of what was lent is free, or in use again
 *
 * Four sessions hold 2 GiB of pages and go on reading them. Then another process
 * touches memory, as fast as it can, until it is over: 1.5 GiB more than there is
 * above the floor, and what others on the machine let go of meanwhile. The clock runs from the first moment that MemAvailable is below the
 * floor until lent memory has shrunk by 1 GiB and all of that shows: MemFree, and
 * what that process has, are 1 GiB more than they were.
 *
 * What that process takes was in use a moment ago. Free memory of a virtual machine
 * may have gone back to its own host (free page reporting), which must find it again
 * first: 1 GiB took 0.14 s of processor time, or 0.5 to 2.7 s. That is why memory
 * is touched when the sessions are full, and the floor, which that would cross, is
 * set after it. And why the process takes the same once more with no daemon: nobody
 * can give back faster than it can take.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "bench-machine.h"
#include "clock.h"
#include "options.h"
#include "private.h"
#include "timeline.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)
#define LEASES 4u
#define PAGE 4096u
#define REPEATS 3u
#define CONFIG_BYTES 128u

/* Of what was given back, so much must be seen: the rest is page tables, and what
 * the machine did meanwhile. */
#define SEEN_PCT 98

#define DRAWN 4		/* looks for a point of the drawing */
#define CHUNK (8 * MIB) /* touched between two notes of how much */
#define PATIENCE_NS (20 * TMEM_NS_PER_SEC)

/** struct sizes - how much of everything, bytes. */
struct sizes {
	uint64_t lease;	    /* pages that each session holds */
	uint64_t headroom;  /* between what is available then and the floor */
	uint64_t reclaimed; /* 1 GiB */
	uint64_t others;    /* that they may let go of meanwhile */
};

/** struct shared - what the processes tell each other. */
struct shared {
	_Atomic uint32_t filled;    /* sessions */
	_Atomic uint32_t wrong;	    /* pages that were not what was put */
	_Atomic uint64_t allocated; /* bytes */
	_Atomic uint32_t over;
};

/* What the other process takes at most. */
static uint64_t taken_bytes(const struct sizes *z)
{
	return z->headroom + z->reclaimed + z->reclaimed / 2 + z->others;
}

struct moment {
	double ms;	    /* crossed to given back */
	double notice_ms;   /* crossed to the first segment's */
	double deepest_mib; /* below the floor */
	double taken_gib_s; /* by the other process, crossed to given back */
	double alone_gib_s; /* by the same when nothing is lent */
};

/** struct sight - the machine's memory, bytes. */
struct sight {
	uint64_t available, free; /* with what processors keep at hand */
	uint64_t shared;
};

static void see(struct sight *s)
{
	char line[128], name[64];
	uint64_t kib, listed_free = 0;
	FILE *f = fopen("/proc/meminfo", "re");

	memset(s, 0, sizeof(*s));
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63[^:]: %" SCNu64, name, &kib) != 2)
			continue;
		if (!strcmp(name, "MemFree"))
			listed_free = kib * 1024;
		else if (!strcmp(name, "MemAvailable"))
			s->available = kib * 1024;
		else if (!strcmp(name, "Shmem"))
			s->shared = kib * 1024;
	}
	if (f)
		(void)fclose(f);
	s->free = bench_machine_free_bytes();
	if (s->free > listed_free)
		s->available += s->free - listed_free;
}

/* ---- Processes ----------------------------------------------------------- */

static void fill_page(uint64_t *page, uint64_t n)
{
	unsigned i;

	for (i = 0; i < PAGE / sizeof(*page); i++)
		page[i] = (n + 1) * 0x9e3779b97f4a7c15ull ^
			  (i + 1) * 0x94d049bb133111ebull;
}

static void run_lease(const struct private *p, struct shared *s, unsigned nth,
		      uint64_t bytes)
{
	const struct timespec nap = { .tv_nsec = 200000 };
	struct tmem_open_opts opts = { .size = sizeof(opts),
				       .limit_bytes = bytes + bytes / 4,
				       .agers = TMEM_NO_AGERS };
	struct tmem_pool_opts kept = { .size = sizeof(kept),
				       .flags = TMEM_POOL_KEEP };
	uint64_t wanted[PAGE / 8], page[PAGE / 8], n, tries = 0;
	char domain[16];
	struct tmem *t;
	int pool;

	(void)snprintf(domain, sizeof(domain), "lease%u", nth);
	opts.domain = domain;
	if (tmem_open(p->where, &opts, &t) ||
	    (pool = tmem_pool_create(t, &kept)) < 0)
		private_die("a session cannot be opened");
	for (n = 0; n < bytes / PAGE; n++) {
		struct tmem_key key = tmem_key(n >> 10, n & 1023);

		fill_page(wanted, n);
		while (tmem_put(t, pool, &key, wanted) != 1 && tries++ < 20000)
			(void)nanosleep(&nap, NULL);
	}
	atomic_fetch_add(&s->filled, 1);
	for (n = 0;; n = (n + 7919) % (bytes / PAGE)) {
		struct tmem_key key = tmem_key(n >> 10, n & 1023);

		if (tmem_get(t, pool, &key, page) == 1) {
			fill_page(wanted, n);
			if (memcmp(page, wanted, PAGE))
				atomic_fetch_add(&s->wrong, 1);
		}
		(void)nanosleep(&nap, NULL);
	}
}

static void run_allocator(struct shared *s, uint64_t bytes)
{
	uint64_t done;
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		private_die("mmap: %s", strerror(errno));
	(void)madvise(at, bytes, MADV_HUGEPAGE);
	for (done = 0; done < bytes && !atomic_load(&s->over); done += CHUNK) {
		memset(at + done, 1, CHUNK);
		atomic_store(&s->allocated, done + CHUNK);
	}
	for (;;)
		(void)pause();
}

/* Waits until so much is taken. Return: how much was seen. */
static uint64_t wait_taken(const struct shared *s, uint64_t bytes)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	uint64_t now;

	while ((now = atomic_load(&s->allocated)) < bytes)
		(void)nanosleep(&ms, NULL);
	return now;
}

/* The other process from first to last, with nobody watching. Return: what it took
 * a second past the headroom, for as long as is timed below. GiB. */
static double take_alone(struct shared *s, const struct sizes *z)
{
	uint64_t from, from_ns, till, till_ns;
	pid_t allocator;

	atomic_store(&s->allocated, 0);
	atomic_store(&s->over, 0);
	allocator = private_fork();
	if (!allocator)
		run_allocator(s, taken_bytes(z));
	from = wait_taken(s, z->headroom);
	from_ns = tmem_clock_ns();
	till = wait_taken(s, z->headroom + z->reclaimed);
	till_ns = tmem_clock_ns();
	(void)wait_taken(s, taken_bytes(z));
	private_kill(allocator);
	atomic_store(&s->allocated, 0);
	return (double)(till - from) / GIB /
	       ((double)(till_ns - from_ns) / TMEM_NS_PER_SEC);
}

/* ---- Watching ------------------------------------------------------------ */

/** struct watch - from the allocator's first page on. */
struct watch {
	struct shared *shared;
	const struct sizes *sizes;
	uint64_t floor;
	struct sight before;
	uint64_t start_ns, crossed_ns, noticed_ns, back_ns; /* 0: not yet */
	uint64_t crossed_allocated, back_allocated;
	uint64_t deepest;
	struct timeline *line;
	unsigned looks;
};

static void draw(struct watch *w, const struct sight *now, uint64_t now_ns,
		 uint64_t allocated)
{
	double at = (double)(now_ns - w->start_ns) / TMEM_NS_PER_SEC;

	if (!w->line || w->looks++ % DRAWN)
		return;
	timeline_note(w->line, 0, at, (double)now->shared / MIB);
	timeline_note(w->line, 1, at, (double)allocated / MIB);
	timeline_note(w->line, 2, at, (double)now->available / MIB);
	timeline_note(w->line, 3, at, (double)w->floor / MIB);
}

static void watch_once(struct watch *w)
{
	uint64_t allocated = atomic_load(&w->shared->allocated), now_ns;
	uint64_t wanted = w->sizes->reclaimed;
	struct sight now;

	see(&now);
	now_ns = tmem_clock_ns();
	/* The smallest segments are larger than what else comes and goes. */
	if (!w->noticed_ns && now.shared + MIB < w->before.shared)
		w->noticed_ns = now_ns;
	/* A dip that nobody else saw is none. */
	if (now.available >= w->floor && !w->noticed_ns) {
		w->crossed_ns = 0;
	} else if (!w->crossed_ns) {
		w->crossed_ns = now_ns;
		w->crossed_allocated = allocated;
	}
	if (now.available + w->deepest < w->floor)
		w->deepest = w->floor - now.available;
	if (w->crossed_ns && !w->back_ns &&
	    w->before.shared >= now.shared + wanted &&
	    now.free + allocated >= w->before.free + wanted / 100 * SEEN_PCT) {
		w->back_ns = now_ns;
		w->back_allocated = allocated;
	}
	draw(w, &now, now_ns, allocated);
}

static struct moment watch(struct watch *w)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	struct moment m;

	while (!w->back_ns) {
		watch_once(w);
		if (tmem_clock_ns() - w->start_ns > PATIENCE_NS)
			private_die("1 GiB did not come back; is something "
				    "else using memory?");
		(void)nanosleep(&ms, NULL);
	}
	m.ms = ((double)w->back_ns - (double)w->crossed_ns) / TMEM_NS_PER_MS;
	m.notice_ms = ((double)w->noticed_ns - (double)w->crossed_ns) /
		      TMEM_NS_PER_MS;
	m.deepest_mib = (double)w->deepest / MIB;
	m.taken_gib_s =
		m.ms > 0 ? (double)(w->back_allocated - w->crossed_allocated) /
				   GIB / (m.ms / 1000)
			 : 0;
	return m;
}

static void wait_filled(const struct shared *s)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	uint64_t from = tmem_clock_ns();

	while (atomic_load(&s->filled) < LEASES) {
		if (tmem_clock_ns() - from > PATIENCE_NS)
			private_die("the sessions do not fill up; is memory "
				    "short?");
		(void)nanosleep(&ms, NULL);
	}
}

static void need(uint64_t bytes)
{
	struct sight now;

	see(&now);
	if (now.available < bytes)
		private_die("%llu MiB are available; the least is %llu",
			    (unsigned long long)(now.available / MIB),
			    (unsigned long long)(bytes / MIB));
}

static char *configure(char config[static CONFIG_BYTES], uint64_t budget,
		       uint64_t floor)
{
	(void)snprintf(config, CONFIG_BYTES, "budget = %llu\nfloor = %llu\n",
		       (unsigned long long)budget, (unsigned long long)floor);
	return config;
}

static struct moment once(struct shared *s, const struct sizes *z,
			  struct timeline *line)
{
	const uint64_t all = LEASES * z->lease / 8 * 9, taken = taken_bytes(z);
	struct watch w = { .shared = s, .sizes = z, .line = line };
	pid_t leases[LEASES], allocator;
	char config[CONFIG_BYTES];
	struct private p = { 0 };
	struct moment m;
	unsigned i;

	need(all + z->headroom + taken);
	memset(s, 0, sizeof(*s));
	private_start(&p, configure(config, all, 0));
	for (i = 0; i < LEASES; i++) {
		leases[i] = private_fork();
		if (!leases[i])
			run_lease(&p, s, i, z->lease);
	}
	wait_filled(s);
	(void)take_alone(s, z);
	see(&w.before);
	w.floor = w.before.available - z->headroom;
	private_reload(&p, configure(config, all, w.floor), w.floor);
	w.start_ns = tmem_clock_ns();
	allocator = private_fork();
	if (!allocator)
		run_allocator(s, taken);
	m = watch(&w);
	atomic_store(&s->over, 1);
	private_kill(allocator);
	for (i = 0; i < LEASES; i++)
		private_kill(leases[i]);
	private_stop(&p);
	if (atomic_load(&s->wrong))
		private_die("pages were not what was put");
	m.alone_gib_s = take_alone(s, z);
	return m;
}

int main(int argc, char **argv)
{
	struct options o = { .name = "reclaim",
			     .doc = "How fast the host gets 1 GiB back from four "
				    "sessions that hold 2 GiB." };
	struct sizes z = { 512 * MIB, 512 * MIB, GIB, 512 * MIB };
	double ms[REPEATS], notice_ms[REPEATS], deepest[REPEATS], taken[REPEATS];
	double alone[REPEATS];
	static struct bench_report report;
	static struct timeline line;
	unsigned i, repeats;
	struct shared *s;

	options_parse(&o, argc, argv);
	if (o.tiny)
		z = (struct sizes){ 32 * MIB, 384 * MIB, 64 * MIB, 512 * MIB };
	repeats = o.tiny ? 1 : REPEATS;
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED)
		private_die("mmap: %s", strerror(errno));
	timeline_init(&line, "Another process takes memory", "MiB");
	(void)timeline_line(&line, "lent");
	(void)timeline_line(&line, "the other process");
	(void)timeline_line(&line, "MemAvailable");
	line.chart.lines[timeline_line(&line, "floor")].dashed = 1;
	for (i = 0; i < repeats; i++) {
		struct moment m = once(s, &z, i ? NULL : &line);

		ms[i] = m.ms;
		notice_ms[i] = m.notice_ms;
		deepest[i] = m.deepest_mib;
		taken[i] = m.taken_gib_s;
		alone[i] = m.alone_gib_s;
	}
	timeline_draw(&line, o.out, "reclaim.svg");
	bench_report_add(&report, NULL, "reclaim_1gib_ms",
			 "1 GiB back, from when the floor was crossed, ms", ms,
			 repeats);
	bench_report_add(&report, NULL, "reclaim_notice_ms",
			 "... until the first segment was, ms", notice_ms,
			 repeats);
	bench_report_add(&report, NULL, "reclaim_deepest_mib",
			 "... deepest below the floor meanwhile, MiB", deepest,
			 repeats);
	bench_report_add(&report, NULL, "reclaim_taken_gib_s",
			 "... taken meanwhile by the other process, GiB/s",
			 taken, repeats);
	bench_report_add(&report, NULL, "reclaim_alone_gib_s",
			 "... as much of it with nothing lent, GiB/s", alone,
			 repeats);
	options_tell(&o, &report, LEASES * z.lease, repeats);
	return 0;
}
