/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crowd.c - threads that put, get, flush, destroy, shrink, age and look, and the
 * pool that comes and goes under them.
 */
#include "crowd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "crowd-member.h"
#include "machine.h"

void crowd_wrong(struct crowd *c, const char *format, ...)
{
	va_list args;

	(void)pthread_mutex_lock(&c->fault_lock);
	if (!c->fault[0]) {
		va_start(args, format);
		(void)vsnprintf(c->fault, sizeof(c->fault), format, args);
		va_end(args);
	}
	(void)pthread_mutex_unlock(&c->fault_lock);
	atomic_store(&c->stop, 1);
}

/* ---- Pages that name themselves ----------------------------------------- */

uint64_t crowd_name(unsigned pool, unsigned key, unsigned writer,
		    uint32_t sequence)
{
	return (uint64_t)MAGIC << 56 | (uint64_t)pool << 52 |
	       (uint64_t)key << 40 | (uint64_t)writer << 32 | sequence;
}

void crowd_make(uint8_t *page, uint64_t name)
{
	enum content_kind kind = name % CONTENT_KINDS;
	size_t at;

	if (kind == CONTENT_ZERO || kind == CONTENT_SAME) {
		for (at = 0; at < PAGE; at += sizeof(name))
			memcpy(page + at, &name, sizeof(name));
		return;
	}
	page_fill(page, PAGE, kind, name);
	memcpy(page, &name, sizeof(name));
}

/* The name of a page that is wholly what its name says; 0: it is not. */
uint64_t crowd_named(struct member *m)
{
	uint64_t name;

	memcpy(&name, m->page, sizeof(name));
	crowd_make(m->made, name);
	return memcmp(m->page, m->made, PAGE) ? 0 : name;
}

/* ---- A pool that comes and goes ----------------------------------------- */

static void replace_fleeting(struct member *m)
{
	struct crowd *c = m->crowd;
	int id, err;

	if (pthread_mutex_trylock(&c->fleeting_lock))
		return;
	id = atomic_exchange(&c->fleeting, -1);
	if (id >= 0) {
		err = tmem_pool_destroy(c->opts.t, id);
		if (err)
			crowd_wrong(c, "destroy returned %d", err);
		err = tmem_pool_destroy(c->opts.t, id);
		if (err != -EBADF)
			crowd_wrong(c, "destroyed twice: %d", err);
	}
	id = tmem_pool_create(c->opts.t, NULL);
	if (id < 0 && id != -ENOMEM)
		crowd_wrong(c, "create returned %d", id);
	if (id >= 0)
		atomic_store(&c->fleeting, id);
	(void)pthread_mutex_unlock(&c->fleeting_lock);
}

/* The only excuse for -EBADF is that the pool has gone meanwhile. */
static int is_gone(struct member *m, int id, int ret)
{
	if (ret == -EBADF && atomic_load(&m->crowd->fleeting) != id) {
		m->counts.gone++;
		return 1;
	}
	if (ret != 0 && ret != 1)
		crowd_wrong(m->crowd, "fleeting pool: returned %d", ret);
	return 0;
}

static void use_fleeting(struct member *m, unsigned k)
{
	struct tmem *t = m->crowd->opts.t;
	struct tmem_key key = crowd_shared_key(k);
	int id = atomic_load(&m->crowd->fleeting);
	int ret;

	if (id < 0)
		return;
	crowd_make(m->page, crowd_name(FLEETING, k, m->id, (uint32_t)id));
	ret = tmem_put(t, id, &key, m->page);
	if (is_gone(m, id, ret))
		return;
	m->counts.puts++;
	m->counts.stored += ret == 1;
	key = crowd_shared_key(k ^ 1);
	ret = tmem_get(t, id, &key, m->page);
	if (is_gone(m, id, ret))
		return;
	m->counts.gets++;
	if (ret != 1)
		return;
	m->counts.hits++;
	if ((crowd_named(m) & ~(0xffull << 32)) !=
	    crowd_name(FLEETING, k ^ 1, 0, (uint32_t)id))
		crowd_wrong(m->crowd, "fleeting pool %d holds another's page",
			    id);
}

/* ---- The rest ----------------------------------------------------------- */

static void look_around(struct member *m, unsigned what)
{
	struct crowd *c = m->crowd;
	struct tmem_stats s = { .size = sizeof(s) };
	struct tmem_pool_stats ps = { .size = sizeof(ps) };
	uint64_t bytes = rng_below(&m->rng, c->opts.limit_bytes);
	int err = 0;

	switch (what % 8) {
	case 0:
		err = tmem_shrink(c->opts.t, bytes, NULL);
		break;
	case 1:
		err = tmem_stats(c->opts.t, &s);
		break;
	case 2:
		err = tmem_pool_stats(c->opts.t, c->pools[what % POOLS], &ps);
		break;
	case 3:
		err = tmem_check(c->opts.t);
		break;
	case 4:
		err = tmem_set_limit(c->opts.t,
				     c->opts.limit_bytes / 2 + bytes / 2);
		break;
	case 5:
		err = tmem_set_limit(c->opts.t, c->opts.limit_bytes);
		break;
	case 6:
		err = tmem_freeze(c->opts.t, 1);
		if (!err)
			err = tmem_freeze(c->opts.t, 0);
		break;
	default:
		err = tmem_age(c->opts.t, bytes % 2000);
		err = err == 1 ? 0 : err;
		break;
	}
	if (err)
		crowd_wrong(c, "call %u returned %d", what % 8, err);
}

static void one_step(struct member *m)
{
	unsigned what = (unsigned)rng_below(&m->rng, 1000);
	unsigned pool = (unsigned)rng_below(&m->rng, POOLS);
	unsigned k = (unsigned)rng_below(&m->rng, KEYS);
	unsigned own = (unsigned)rng_below(&m->rng, OWN_KEYS);

	if (what < 200)
		crowd_put_shared(m, pool, k);
	else if (what < 430)
		crowd_get_shared(m, pool, k);
	else if (what < 470)
		crowd_get_name(m, pool, k);
	else if (what < 510)
		crowd_flush_shared(m, pool, k);
	else if (what < 518)
		crowd_flush_shared_object(m, pool, k);
	else if (what < 670)
		crowd_put_own(m, own);
	else if (what < 820)
		crowd_get_own(m, own);
	else if (what < 850)
		crowd_flush_own(m, own);
	else if (what < 920)
		crowd_count_on_board(m, k % BOARDS);
	else if (what < 923)
		crowd_flush_own_object(m, own);
	else if (what < 980)
		use_fleeting(m, k);
	else if (what < 985)
		replace_fleeting(m);
	else if (what < 994)
		(void)tmem_age(m->crowd->opts.t, 50);
	else
		look_around(m, (unsigned)rng_next(&m->rng));
}

static void *member_main(void *arg)
{
	struct member *m = arg;
	struct crowd *c = m->crowd;
	unsigned i;

	while (!atomic_load(&c->stop) && machine_now_ns() < c->end_ns)
		one_step(m);
	for (i = 0; i < OWN_KEYS && !atomic_load(&c->stop); i++)
		crowd_get_own(m, i);
	return NULL;
}

/* ---- Entry points ------------------------------------------------------- */

/* A call whose pool goes meanwhile may have been counted, and returns -EBADF. */
static int tallies(uint64_t figure, uint64_t counted, uint64_t gone)
{
	return figure >= counted && figure <= counted + gone;
}

static void judge_figures(struct crowd *c, const struct crowd_counts *sum)
{
	struct tmem_stats s = { .size = sizeof(s) };
	uint64_t refused;
	int err = tmem_check(c->opts.t);

	if (err)
		crowd_wrong(c, "tmem_check returned %d", err);
	if (tmem_stats(c->opts.t, &s))
		crowd_wrong(c, "no stats");
	refused = s.refused_full + s.refused_quota + s.refused_frozen +
		  s.refused_nomem;
	if (!tallies(s.puts, sum->puts, sum->gone) ||
	    !tallies(s.puts - refused, sum->stored, sum->gone) ||
	    !tallies(s.gets, sum->gets, sum->gone) || s.hits != sum->hits ||
	    s.flushes != sum->flushes)
		crowd_wrong(c,
			    "puts %llu/%llu stored %llu/%llu gets %llu/%llu hits "
			    "%llu/%llu flushes %llu/%llu",
			    (unsigned long long)s.puts,
			    (unsigned long long)sum->puts,
			    (unsigned long long)(s.puts - refused),
			    (unsigned long long)sum->stored,
			    (unsigned long long)s.gets,
			    (unsigned long long)sum->gets,
			    (unsigned long long)s.hits,
			    (unsigned long long)sum->hits,
			    (unsigned long long)s.flushes,
			    (unsigned long long)sum->flushes);
}

static int make_pools(struct crowd *c)
{
	static const uint32_t flags[POOLS] = { TMEM_POOL_PERSISTENT, 0,
					       TMEM_POOL_KEEP };
	unsigned p;

	for (p = 0; p < POOLS; p++) {
		struct tmem_pool_opts opts = {
			.size = sizeof(opts),
			.flags = flags[p],
		};

		c->pools[p] = tmem_pool_create(c->opts.t, &opts);
		if (c->pools[p] < 0)
			crowd_wrong(c, "create returned %d", c->pools[p]);
	}
	atomic_init(&c->fleeting, -1);
	return c->fault[0] ? -1 : 0;
}

static void add(struct crowd_counts *sum, const struct crowd_counts *counts)
{
	sum->puts += counts->puts;
	sum->stored += counts->stored;
	sum->gets += counts->gets;
	sum->hits += counts->hits;
	sum->flushes += counts->flushes;
	sum->lost += counts->lost;
	sum->gone += counts->gone;
}

static void run_members(struct crowd *c, struct member *members,
			struct crowd_counts *sum)
{
	unsigned i, running = 0;

	c->end_ns = machine_now_ns() + c->opts.ms * 1000000u;
	for (i = 0; i < THREADS; i++) {
		members[i].crowd = c;
		members[i].id = i;
		members[i].rng.state = c->opts.seed + i;
		if (pthread_create(&members[i].thread, NULL, member_main,
				   &members[i]))
			break;
		running++;
	}
	if (running < THREADS)
		crowd_wrong(c, "the test cannot start its threads");
	for (i = 0; i < running; i++) {
		(void)pthread_join(members[i].thread, NULL);
		add(sum, &members[i].counts);
	}
}

int crowd_run(const struct crowd_opts *opts, struct crowd_counts *ret,
	      char *fault, size_t fault_size)
{
	struct crowd *c = calloc(1, sizeof(*c));
	struct member *members = calloc(THREADS, sizeof(*members));
	int failed = -1;

	memset(ret, 0, sizeof(*ret));
	(void)snprintf(fault, fault_size, "the test has no memory");
	if (!c || !members)
		goto out;
	c->opts = *opts;
	(void)pthread_mutex_init(&c->fault_lock, NULL);
	(void)pthread_mutex_init(&c->fleeting_lock, NULL);
	if (!make_pools(c))
		run_members(c, members, ret);
	if (!c->fault[0])
		judge_figures(c, ret);
	(void)snprintf(fault, fault_size, "%s", c->fault);
	failed = c->fault[0] ? -1 : 0;
	(void)pthread_mutex_destroy(&c->fleeting_lock);
	(void)pthread_mutex_destroy(&c->fault_lock);
out:
	free(members);
	free(c);
	return failed;
}
