/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-fairness.c - four domains, one budget that is too small, each policy.
 *
 * After SmarTmem's scenarios (IPDPSW 2019): processes whose demand comes in phases,
 * and one that scans. A process reads pages at random out of a set; what the store
 * does not have takes as long as a disk, and is put then.
 *
 *	early	  one set of pages from the beginning on
 *	phased	  a small set first, then a large one
 *	late	  as early, but a second later
 *	scanner	  more pages than there is memory, in order, until the others are
 *		  done: a backup, say
 *
 * Told are the slowest completion under each policy, how much slower each domain
 * is than alone, and Jain's index of these slowdowns (1: all alike).
 *
 * Two more runs look at memory alone: two domains that flood the budget, at weights
 * 1 to 3; and one with a set below its part while another floods.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "bench-run.h"
#include "clock.h"
#include "options.h"
#include "private.h"
#include "timeline.h"

#define MIB (1ull << 20)
#define PAGE 4096u
#define PAGES_OF_MIB (MIB / PAGE)
#define DOMAINS 4u
#define WORKERS 3u /* those of them whose work ends */
#define ENDLESS UINT64_MAX
#define PHASES_MAX 2u
#define DISK_NS 100000 /* a read of a good disk */
#define SAMPLE_MS 50u
#define SETTLE_NS (3 * TMEM_NS_PER_SEC)
#define PATIENCE_NS (60 * TMEM_NS_PER_SEC)

/** struct phase - reads of one set of pages. */
struct phase {
	uint64_t pages; /* of the set */
	uint64_t reads; /* 0: no such phase; ENDLESS */
};

struct role {
	const char *name;
	uint64_t delay_ns;
	int scans;
	struct phase phases[PHASES_MAX];
};

static const struct role roles[DOMAINS] = {
	{ "early", 0, 0, { { 20 * PAGES_OF_MIB, 200000 } } },
	{ "phased",
	  0,
	  0,
	  { { 6 * PAGES_OF_MIB, 100000 }, { 22 * PAGES_OF_MIB, 60000 } } },
	{ "late", TMEM_NS_PER_SEC, 0, { { 20 * PAGES_OF_MIB, 60000 } } },
	{ "scanner", 0, 1, { { 160 * PAGES_OF_MIB, ENDLESS } } },
};

#define BUDGET_MIB 64u

/** struct done - what a process tells. */
struct done {
	_Atomic uint64_t ns; /* its work took; 0: it is at it */
	uint64_t hits, reads;
};

static const char *const policies[] = { "greedy", "static", "weighted",
					"utility" };
#define POLICIES 4u

/* ---- A process ----------------------------------------------------------- */

static void wait_ns(uint64_t ns)
{
	const struct timespec ts = { .tv_sec = (time_t)(ns / TMEM_NS_PER_SEC),
				     .tv_nsec = (long)(ns % TMEM_NS_PER_SEC) };

	(void)nanosleep(&ts, NULL);
}

static void fill_page(uint64_t *page, uint64_t n)
{
	unsigned i;

	for (i = 0; i < PAGE / sizeof(*page); i++)
		page[i] = (n + 1) * 0x9e3779b97f4a7c15ull ^
			  (i + 1) * 0x94d049bb133111ebull;
}

/** struct reader - one at work. A domain that gets no store at first goes without,
 * and tries again. */
struct reader {
	const struct private *daemon;
	const char *domain;
	struct tmem *t;
	int pool;
	uint64_t tried_ns;
};

static void try_open(struct reader *r)
{
	struct tmem_open_opts opts = { .size = sizeof(opts),
				       .domain = r->domain,
				       .agers = TMEM_NO_AGERS };
	struct tmem_pool_opts kept = { .size = sizeof(kept),
				       .flags = TMEM_POOL_KEEP };

	if (r->t || tmem_clock_ns() - r->tried_ns < TMEM_NS_PER_SEC)
		return;
	r->tried_ns = tmem_clock_ns();
	if (tmem_open(r->daemon->where, &opts, &r->t)) {
		r->t = NULL;
		return;
	}
	r->pool = tmem_pool_create(r->t, &kept);
	if (r->pool < 0)
		private_die("a pool cannot be made");
}

static int read_page(struct reader *r, uint64_t n)
{
	struct tmem_key key = tmem_key(n >> 8, n & 255);
	uint64_t page[PAGE / 8];
	int hit;

	try_open(r);
	hit = r->t && tmem_get(r->t, r->pool, &key, page) == 1;
	if (hit)
		return 1;
	wait_ns(DISK_NS);
	fill_page(page, n);
	if (r->t)
		(void)tmem_put(r->t, r->pool, &key, page);
	return 0;
}

static void run_phase(struct reader *r, const struct role *role,
		      const struct phase *p, uint64_t first, struct done *done)
{
	struct bench_random random = { .state = first + 1 };
	uint64_t i;

	for (i = 0; i < p->reads; i++) {
		uint64_t n = role->scans ? i % p->pages
					 : bench_below(&random, p->pages);

		done->hits += (uint64_t)read_page(r, first + n);
		done->reads++;
	}
}

static void run_role(const struct private *p, const struct role *role,
		     struct done *done)
{
	struct reader r = { .daemon = p, .domain = role->name };
	uint64_t from, first = 0;
	unsigned i;

	(void)prctl(PR_SET_TIMERSLACK, 1000);
	wait_ns(role->delay_ns);
	from = tmem_clock_ns();
	for (i = 0; i < PHASES_MAX; i++) {
		run_phase(&r, role, &role->phases[i], first, done);
		first += role->phases[i].pages;
	}
	atomic_store(&done->ns, tmem_clock_ns() - from);
	tmem_close(r.t);
	_exit(0);
}

static pid_t start(const struct private *p, const struct role *role,
		   struct done *done)
{
	pid_t pid = fork();

	if (pid < 0)
		private_die("fork: %s", strerror(errno));
	if (!pid) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		run_role(p, role, done);
	}
	return pid;
}

/* ---- A run --------------------------------------------------------------- */

/** struct run - some roles under one configuration. */
struct run {
	const char *config;
	const struct role *roles;
	unsigned count;
	uint64_t limit_ns; /* 0: until all have done their work */
	struct timeline *line;
	/* Looks at the domains once in a while; may be NULL. */
	void (*look)(void *ctx, const struct tmem_wire_domain *domains,
		     unsigned count, uint64_t at_ns);
	void *ctx;
};

static void note(struct timeline *line, const struct run *r,
		 const struct tmem_wire_domain *domains, unsigned count,
		 uint64_t at_ns)
{
	unsigned i, n;

	for (i = 0; i < r->count; i++)
		for (n = 0; n < count; n++)
			if (!strcmp(domains[n].name, r->roles[i].name))
				timeline_note(line, i,
					      (double)at_ns / TMEM_NS_PER_SEC,
					      (double)private_lent(
						      domains[n].lent_bytes) /
						      MIB);
}

static int at_work(const struct run *r, const struct done *done)
{
	unsigned i;

	for (i = 0; i < r->count; i++)
		if (r->roles[i].phases[0].reads != ENDLESS &&
		    !atomic_load(&done[i].ns))
			return 1;
	return 0;
}

static void run(const struct run *r, struct done *done)
{
	struct tmem_wire_domain domains[TMEM_WIRE_ENTRIES_MAX];
	uint64_t from, at = 0;
	struct private p = { 0 };
	pid_t pids[DOMAINS];
	unsigned i, count;

	memset(done, 0, DOMAINS * sizeof(*done));
	private_start(&p, r->config);
	for (i = 0; i < r->count; i++)
		pids[i] = start(&p, &r->roles[i], &done[i]);
	from = tmem_clock_ns();
	while (r->limit_ns ? at < r->limit_ns : at_work(r, done)) {
		if (at > PATIENCE_NS)
			private_die("a run takes more than a minute");
		wait_ns(SAMPLE_MS * TMEM_NS_PER_MS);
		count = private_list(&p, domains);
		at = tmem_clock_ns() - from;
		if (r->line)
			note(r->line, r, domains, count, at);
		if (r->look)
			r->look(r->ctx, domains, count, at);
	}
	for (i = 0; i < r->count; i++) {
		(void)kill(pids[i], SIGKILL);
		(void)waitpid(pids[i], NULL, 0);
	}
	private_stop(&p);
}

/* ---- Policies ------------------------------------------------------------ */

static double seconds(const struct done *d)
{
	return (double)atomic_load(&d->ns) / TMEM_NS_PER_SEC;
}

static void configure(char *config, size_t size, const char *policy)
{
	(void)snprintf(config, size, "budget = %uM\npolicy = %s\n", BUDGET_MIB,
		       policy);
}

static void run_alone(const struct role *all, struct done *done, double *alone,
		      struct bench_report *report)
{
	char config[128];
	struct run r = { .config = config, .count = 1 };
	unsigned i;

	configure(config, sizeof(config), "greedy");
	for (i = 0; i < WORKERS; i++) {
		r.roles = &all[i];
		run(&r, done);
		alone[i] = seconds(&done[0]);
	}
	bench_report_list(report, NULL, "alone_s",
			  "early, phased, late alone, s", alone, WORKERS);
}

/* Jain, Chiu and Hawe, 1984. */
static double jain(const double *values, unsigned count)
{
	double sum = 0, squares = 0;
	unsigned i;

	for (i = 0; i < count; i++) {
		sum += values[i];
		squares += values[i] * values[i];
	}
	return sum * sum / (count * squares);
}

static double run_policy(const struct options *o, const struct role *all,
			 const char *policy, struct done *done,
			 const double *alone, struct bench_report *report)
{
	static struct timeline line;
	char config[128], title[64], key[BENCH_KEY_MAX], file[64];
	struct run r = {
		.config = config, .roles = all, .count = DOMAINS, .line = &line
	};
	double slowdown[WORKERS], slowest = 0;
	unsigned i;

	(void)snprintf(title, sizeof(title), "Memory of four domains, %s",
		       policy);
	timeline_init(&line, title, "MiB lent");
	for (i = 0; i < DOMAINS; i++)
		(void)timeline_line(&line, all[i].name);
	configure(config, sizeof(config), policy);
	run(&r, done);
	for (i = 0; i < WORKERS; i++) {
		slowdown[i] = seconds(&done[i]) / alone[i];
		if (seconds(&done[i]) > slowest)
			slowest = seconds(&done[i]);
	}
	(void)snprintf(file, sizeof(file), "fairness-%s.svg", policy);
	timeline_draw(&line, o->out, file);
	(void)snprintf(key, sizeof(key), "%s_slowest_s", policy);
	bench_report_one(report, NULL, key, "the slowest domain's work, s",
			 slowest);
	(void)snprintf(key, sizeof(key), "%s_slowdowns", policy);
	bench_report_list(report, NULL, key,
			  "... early, phased, late against alone", slowdown,
			  WORKERS);
	(void)snprintf(key, sizeof(key), "%s_jain", policy);
	bench_report_one(report, NULL, key, "... Jain's index of those",
			 jain(slowdown, WORKERS));
	return slowest;
}

/* ---- Memory alone -------------------------------------------------------- */

static const struct role floods[] = {
	{ "light", 0, 1, { { 160 * PAGES_OF_MIB, ENDLESS } } },
	{ "heavy", 0, 1, { { 160 * PAGES_OF_MIB, ENDLESS } } },
};

/** struct split - shares once they have settled. */
struct split {
	uint64_t settled_ns;
	double error_pts; /* the worst */
	unsigned seen;
};

static const struct tmem_wire_domain *
find(const struct tmem_wire_domain *domains, unsigned count, const char *name)
{
	unsigned i;

	for (i = 0; i < count; i++)
		if (!strcmp(domains[i].name, name))
			return &domains[i];
	return NULL;
}

static void look_split(void *ctx, const struct tmem_wire_domain *domains,
		       unsigned count, uint64_t at_ns)
{
	const struct tmem_wire_domain *light = find(domains, count, "light");
	const struct tmem_wire_domain *heavy = find(domains, count, "heavy");
	struct split *s = ctx;
	double share, error;

	if (!light || !heavy || at_ns < s->settled_ns)
		return;
	share = (double)private_lent(light->lent_bytes);
	share = 100 * share / (share + (double)private_lent(heavy->lent_bytes));
	s->seen++;
	error = share > 25 ? share - 25 : 25 - share;
	if (error > s->error_pts)
		s->error_pts = error;
}

static void run_split(const struct options *o, struct done *done,
		      struct bench_report *report)
{
	static struct timeline line;
	struct split s = { .settled_ns = SETTLE_NS };
	struct run r = {
		.config = "budget = 64M\npolicy = weighted\n"
			  "[domain light]\nweight = 100\n"
			  "[domain heavy]\nweight = 300\n",
		.roles = floods,
		.count = 2,
		.limit_ns = 2 * SETTLE_NS,
		.line = &line,
		.look = look_split,
		.ctx = &s,
	};

	timeline_init(&line, "Two domains that flood, weights 1 and 3",
		      "MiB lent");
	(void)timeline_line(&line, "light");
	(void)timeline_line(&line, "heavy");
	run(&r, done);
	if (!s.seen)
		private_die("the domains that flood were not seen");
	timeline_draw(&line, o->out, "fairness-split.svg");
	bench_report_one(report, NULL, "weighted_split_error_pts",
			 "weights 1 to 3: worst distance from 25 %, points",
			 s.error_pts);
}

static const struct role below[] = {
	{ "modest", 0, 0, { { 24 * PAGES_OF_MIB, ENDLESS } } },
	{ "flood", 2 * TMEM_NS_PER_SEC, 1, { { 160 * PAGES_OF_MIB, ENDLESS } } },
};

/** struct shortfall - of a domain that others flood around. */
struct shortfall {
	uint64_t revoked; /* segments, ever */
	double pct; /* below its entitlement, the worst after a revocation */
};

static void look_below(void *ctx, const struct tmem_wire_domain *domains,
		       unsigned count, uint64_t at_ns)
{
	const struct tmem_wire_domain *modest = find(domains, count, "modest");
	struct shortfall *s = ctx;
	double held, entitled;

	(void)at_ns;
	if (!modest || modest->revoked == s->revoked)
		return;
	s->revoked = modest->revoked;
	held = (double)private_lent(modest->lent_bytes);
	entitled = (double)modest->entitled_bytes;
	if (held < entitled && 100 * (1 - held / entitled) > s->pct)
		s->pct = 100 * (1 - held / entitled);
}

static void run_below(const struct options *o, struct done *done,
		      struct bench_report *report)
{
	static struct timeline line;
	struct shortfall s = { 0 };
	struct run r = {
		.config = "budget = 64M\n",
		.roles = below,
		.count = 2,
		.limit_ns = 2 * SETTLE_NS,
		.line = &line,
		.look = look_below,
		.ctx = &s,
	};

	timeline_init(&line, "One domain within its part, and one that floods",
		      "MiB lent");
	(void)timeline_line(&line, "modest");
	(void)timeline_line(&line, "flood");
	run(&r, done);
	timeline_draw(&line, o->out, "fairness-below.svg");
	bench_report_one(report, NULL, "below_entitlement_pct",
			 "flooded: worst distance below entitlement, %", s.pct);
	bench_report_one(report, NULL, "below_entitlement_revoked",
			 "... segments taken from it", (double)s.revoked);
}

/* ---- All of it ----------------------------------------------------------- */

/* A fiftieth of the reads. */
static void make_tiny(struct role *all)
{
	unsigned i, n;

	for (i = 0; i < DOMAINS; i++) {
		all[i].delay_ns /= 50;
		for (n = 0; n < PHASES_MAX; n++)
			if (all[i].phases[n].reads != ENDLESS)
				all[i].phases[n].reads /= 50;
	}
}

int main(int argc, char **argv)
{
	struct options o = { .name = "fairness",
			     .doc = "Four domains with phased demand, one of "
				    "them a scanner, under each policy." };
	static struct bench_report report;
	struct role all[DOMAINS];
	double alone[WORKERS], slowest[POLICIES];
	struct done *done;
	unsigned i;

	options_parse(&o, argc, argv);
	memcpy(all, roles, sizeof(all));
	if (o.tiny)
		make_tiny(all);
	done = mmap(NULL, DOMAINS * sizeof(*done), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (done == MAP_FAILED)
		private_die("mmap: %s", strerror(errno));
	run_alone(all, done, alone, &report);
	for (i = 0; i < POLICIES; i++)
		slowest[i] =
			run_policy(&o, all, policies[i], done, alone, &report);
	bench_report_one(&report, NULL, "utility_sooner_pct",
			 "utility's slowest sooner than greedy's, %",
			 100 * (1 - slowest[3] / slowest[0]));
	if (!o.tiny) {
		run_split(&o, done, &report);
		run_below(&o, done, &report);
	}
	options_tell(&o, &report, BUDGET_MIB * MIB, 1);
	return 0;
}
