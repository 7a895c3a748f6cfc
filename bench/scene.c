/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scene.c - processes that read pages, each through a domain of its own, under one
 * configuration of a private daemon.
 */
#include "scene.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "bench-run.h"
#include "clock.h"
#include "private.h"

#define DISK_NS 100000	 /* a read of a good disk */
#define REQUEST_READS 16 /* ... and as long a wait behind so many reads */
#define SAMPLE_MS 50u
#define RETRY_NS (TMEM_NS_PER_SEC / 4)
#define PATIENCE_NS (180 * TMEM_NS_PER_SEC)

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

	for (i = 0; i < SCENE_PAGE / sizeof(*page); i++)
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

	if (r->t || tmem_clock_ns() - r->tried_ns < RETRY_NS)
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

static void read_page(struct reader *r, const struct scene_role *role,
		      uint64_t n)
{
	struct tmem_key key = tmem_key(n >> 8, n & 255);
	uint64_t page[SCENE_PAGE / 8];

	try_open(r);
	if (r->t && tmem_get(r->t, r->pool, &key, page) == 1)
		return;
	if (!role->rushes)
		wait_ns(DISK_NS);
	fill_page(page, n);
	if (r->t)
		(void)tmem_put(r->t, r->pool, &key, page);
}

static void run_phase(struct reader *r, const struct scene_role *role,
		      const struct scene_phase *p, uint64_t first)
{
	struct bench_random random = { .state = first + 1 };
	uint64_t i;

	for (i = 0; i < p->reads; i++) {
		read_page(r, role,
			  first + (role->scans
					   ? i % p->pages
					   : bench_below(&random, p->pages)));
		if (i % REQUEST_READS == REQUEST_READS - 1)
			wait_ns(DISK_NS);
	}
}

static void run_role(const struct private *p, const struct scene_role *role,
		     struct scene_done *done)
{
	struct reader r = { .daemon = p, .domain = role->name };
	uint64_t from, first = 0;
	unsigned i;

	(void)prctl(PR_SET_TIMERSLACK, 1000);
	wait_ns(role->delay_ns);
	from = tmem_clock_ns();
	for (i = 0; i < SCENE_PHASES_MAX; i++) {
		run_phase(&r, role, &role->phases[i], first);
		first += role->phases[i].pages;
	}
	atomic_store(&done->ns, tmem_clock_ns() - from);
	tmem_close(r.t);
	_exit(0);
}

static pid_t start(const struct private *p, const struct scene_role *role,
		   struct scene_done *done)
{
	pid_t pid = private_fork();

	if (!pid)
		run_role(p, role, done);
	return pid;
}

/* ---- All of them --------------------------------------------------------- */

struct scene_done *scene_done_create(void)
{
	struct scene_done *done = mmap(NULL, SCENE_ROLES_MAX * sizeof(*done),
				       PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (done == MAP_FAILED)
		private_die("mmap: %s", strerror(errno));
	return done;
}

static void note(const struct scene *s, const struct tmem_wire_domain *domains,
		 unsigned count, uint64_t at_ns)
{
	unsigned i, n;

	for (i = 0; i < s->count; i++)
		for (n = 0; n < count; n++)
			if (!strcmp(domains[n].name, s->roles[i].name))
				timeline_note(s->line, i,
					      (double)at_ns / TMEM_NS_PER_SEC,
					      (double)private_lent(
						      domains[n].lent_bytes) /
						      SCENE_MIB);
}

static int at_work(const struct scene *s, const struct scene_done *done)
{
	unsigned i;

	for (i = 0; i < s->count; i++)
		if (!atomic_load(&done[i].ns))
			return 1;
	return 0;
}

static void watch(const struct scene *s, struct private *p,
		  const struct scene_done *done)
{
	struct tmem_wire_domain domains[TMEM_WIRE_ENTRIES_MAX];
	uint64_t from = tmem_clock_ns(), at = 0;
	int enough = 0;
	unsigned count;

	while (!enough) {
		if (at > PATIENCE_NS)
			private_die("a scene takes more than three minutes");
		wait_ns(SAMPLE_MS * TMEM_NS_PER_MS);
		count = private_list(p, domains);
		at = tmem_clock_ns() - from;
		if (s->line)
			note(s, domains, count, at);
		enough = s->look ? s->look(s->ctx, domains, count, at)
				 : !at_work(s, done);
	}
}

void scene_run(const struct scene *s, struct scene_done *done)
{
	pid_t pids[SCENE_ROLES_MAX];
	struct private p = { 0 };
	const unsigned count = s->count;
	unsigned i;

	memset(done, 0, SCENE_ROLES_MAX * sizeof(*done));
	private_start(&p, s->config);
	for (i = 0; i < count; i++)
		pids[i] = start(&p, &s->roles[i], &done[i]);
	watch(s, &p, done);
	for (i = 0; i < count; i++) {
		(void)kill(pids[i], SIGKILL);
		(void)waitpid(pids[i], NULL, 0);
	}
	private_stop(&p);
}
