/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * soak-client.c - a client that comes, works at random, and goes in one way or
 * another.
 *
 * It remembers what was put last under each of its keys, so that it notices a page
 * that is another, and a persistent one that is gone.
 */
#include "soak-client.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "content.h"
#include "machine.h"
#include "rng.h"

#define MIB (1ull << 20)
#define KEYS 2048u /* of the ephemeral pool: 8 MiB */
#define KEYS_PERSISTENT 192u
#define OBJECT_KEYS 32u /* pages of an object */
#define LIMIT_MAX_MIB 16u
#define BATCH 16u /* operations between two naps */
#define NAP_MS_MAX 60u

/** struct side - a pool, and what was put last; 0: nothing that may be found. */
struct side {
	int pool;
	int persistent;
	unsigned keys;
	uint64_t put[KEYS];
};

struct worker {
	const struct soak_client_plan *plan;
	struct tmem *t;
	struct rng rng;
	struct side sides[2];
	int frozen;
};

static struct tmem_key key_of(unsigned n)
{
	return tmem_key(n / OBJECT_KEYS, n % OBJECT_KEYS);
}

/* A call may say 0 or 1, and nothing else. */
static int sound(int ret)
{
	if (ret < 0 || ret > 1)
		_exit(SOAK_CLIENT_FAULT);
	return ret;
}

/* ---- Operations ---------------------------------------------------------- */

static void make_pool(struct worker *w, struct side *s)
{
	const struct tmem_pool_opts opts = {
		.size = sizeof(opts),
		.flags = s->persistent		 ? TMEM_POOL_PERSISTENT
			 : rng_below(&w->rng, 2) ? TMEM_POOL_KEEP
						 : 0,
	};

	memset(s->put, 0, sizeof(s->put));
	s->pool = tmem_pool_create(w->t, &opts);
	/* There may be no memory for even that; it is tried again. */
}

static void put(struct worker *w, struct side *s, unsigned n)
{
	const struct tmem_key key = key_of(n);
	const uint64_t seed = rng_next(&w->rng) | 1;
	uint8_t page[TMEM_PAGE_SIZE];

	page_fill(page, sizeof(page), CONTENT_TEXT, seed);
	s->put[n] = sound(tmem_put(w->t, s->pool, &key, page)) ? seed : 0;
}

static void get(struct worker *w, struct side *s, unsigned n)
{
	const struct tmem_key key = key_of(n);
	uint8_t page[TMEM_PAGE_SIZE];

	if (sound(tmem_get(w->t, s->pool, &key, page))) {
		if (!s->put[n] ||
		    !page_equal(page, sizeof(page), CONTENT_TEXT, s->put[n]))
			_exit(SOAK_CLIENT_WRONG_PAGE);
	} else {
		if (s->persistent && s->put[n])
			_exit(SOAK_CLIENT_LOST_PAGE);
		s->put[n] = 0;
	}
}

static void flush(struct worker *w, struct side *s, unsigned n)
{
	const struct tmem_key key = key_of(n);

	if (rng_below(&w->rng, 8)) {
		(void)sound(tmem_flush_page(w->t, s->pool, &key));
		s->put[n] = 0;
		return;
	}
	(void)sound(tmem_flush_object(w->t, s->pool, &key));
	n -= n % OBJECT_KEYS;
	memset(&s->put[n], 0, OBJECT_KEYS * sizeof(s->put[0]));
}

static void rarely(struct worker *w, struct side *s)
{
	switch (rng_below(&w->rng, 6)) {
	case 0:
		(void)sound(
			tmem_shrink(w->t, rng_below(&w->rng, 4 * MIB), NULL));
		break;
	case 1:
		/* Refused where it is more than the lease has room for. */
		(void)tmem_set_limit(
			w->t, (1 + rng_below(&w->rng, LIMIT_MAX_MIB)) * MIB);
		break;
	case 2:
		w->frozen = !w->frozen;
		(void)sound(tmem_freeze(w->t, w->frozen));
		break;
	case 3:
		(void)sound(tmem_pool_destroy(w->t, s->pool));
		make_pool(w, s);
		break;
	case 4:
		if (tmem_check(w->t))
			_exit(SOAK_CLIENT_UNSOUND);
		break;
	default:
		(void)sound(tmem_age(w->t, 500));
	}
}

static void operate(struct worker *w)
{
	struct side *s = &w->sides[!rng_below(&w->rng, 4)];
	unsigned n = (unsigned)rng_below(&w->rng, s->keys);
	uint64_t what = rng_below(&w->rng, 1000);

	if (s->pool < 0)
		make_pool(w, s);
	if (s->pool < 0)
		return;
	if (what < 560)
		put(w, s, n);
	else if (what < 940)
		get(w, s, n);
	else if (what < 997)
		flush(w, s, n);
	else
		rarely(w, s);
}

/* ---- A life -------------------------------------------------------------- */

/* What is wrong with it, before it fails. That a session cannot be had is not. */
static void say(void *ctx, int level, const char *line)
{
	const struct worker *w = ctx;

	if (w->t && level <= TMEM_LOG_WARNING)
		(void)dprintf(STDERR_FILENO, "client %d: %s\n", (int)getpid(),
			      line);
}

static void open_session(struct worker *w, uint64_t end_ns)
{
	struct tmem_open_opts opts = {
		.size = sizeof(opts),
		.limit_bytes = (1 + rng_below(&w->rng, LIMIT_MAX_MIB)) * MIB,
		.agers = rng_below(&w->rng, 4) ? TMEM_NO_AGERS : 1,
		.domain = w->plan->domain,
		.log = say,
		.log_ctx = w,
	};

	/* Where the budget is gone, not even an index can be had. */
	while (tmem_open(w->plan->where, &opts, &w->t)) {
		atomic_fetch_add(w->plan->failed, 1);
		if (machine_now_ns() > end_ns)
			_exit(SOAK_CLIENT_SHUT_OUT);
		(void)poll(NULL, 0, 20);
	}
}

void soak_client_run(const struct soak_client_plan *p)
{
	static struct worker w;
	const uint64_t end = machine_now_ns() + p->lives_ms * 1000000;
	unsigned i;

	(void)signal(SIGBUS, SIG_DFL);
	(void)signal(SIGSEGV, SIG_DFL);
	if (!getuid() && p->uid && setresuid(p->uid, p->uid, p->uid))
		_exit(SOAK_CLIENT_FAULT);
	/* Behind setresuid(), which takes it away. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	w.plan = p;
	w.rng.state = p->seed;
	w.sides[0] = (struct side){ .pool = -1, .keys = KEYS };
	w.sides[1] = (struct side){ .pool = -1,
				    .persistent = 1,
				    .keys = KEYS_PERSISTENT };
	open_session(&w, end);
	while (machine_now_ns() < end) {
		for (i = 0; i < BATCH; i++)
			operate(&w);
		(void)poll(NULL, 0, (int)rng_below(&w.rng, NAP_MS_MAX));
	}
	if (rng_below(&w.rng, 2))
		_exit(SOAK_CLIENT_LEFT);
	tmem_close(w.t);
	_exit(SOAK_CLIENT_CLOSED);
}
