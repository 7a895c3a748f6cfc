/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crowd.c - threads that put, get, flush, destroy, shrink, age and look, and what
 * they know of each other.
 *
 * floor[key][writer] is the least sequence number of a writer that a get which
 * begins now may see; done[key][writer] the last one whose put has returned. A
 * call reads `done` before it begins and raises `floor` after it has returned.
 */
#include "crowd.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "machine.h"
#include "rng.h"

#define PAGE 4096u
#define MAGIC 0x7du

enum {
	THREADS = 4,
	OWN_KEYS = 160,
	OBJECTS = 6, /* shared */
	INDEXES = 8,
	KEYS = OBJECTS * INDEXES
};

/* Pools that live as long as the crowd, and one that comes and goes. */
enum {
	PERS,
	TAKEN, /* ephemeral, exclusive */
	KEPT,  /* ephemeral, KEEP */
	POOLS,
	FLEETING = POOLS
};

/* What all know of one shared key. */
struct shared {
	atomic_uint started[THREADS]; /* the writer's last, begun */
	atomic_uint done[THREADS];    /* its last, returned */
	atomic_uint floor[THREADS];
	atomic_uint taken[THREADS]; /* its last, got by an exclusive get */
};

struct crowd {
	struct crowd_opts opts;
	int pools[POOLS];
	atomic_int fleeting; /* pool id; -1: none now */
	pthread_mutex_t fleeting_lock;
	struct shared keys[POOLS][KEYS];
	uint64_t end_ns;
	atomic_int stop;
	pthread_mutex_t fault_lock;
	char fault[300];
};

struct member {
	struct crowd *crowd;
	unsigned id;
	pthread_t thread;
	struct rng rng;
	struct crowd_counts counts;
	uint32_t versions[OWN_KEYS]; /* 0: nothing is there */
	uint32_t sequence;
	uint8_t page[PAGE], made[PAGE];
};

/* What a call knew before it began. */
struct before {
	unsigned done[THREADS], floor[THREADS];
};

__attribute__((format(printf, 2, 3))) static void wrong(struct crowd *c,
							const char *format, ...)
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

static uint64_t name_of(unsigned pool, unsigned key, unsigned writer,
			uint32_t sequence)
{
	return (uint64_t)MAGIC << 56 | (uint64_t)pool << 52 |
	       (uint64_t)key << 40 | (uint64_t)writer << 32 | sequence;
}

static void make(uint8_t *page, uint64_t name)
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
static uint64_t named(struct member *m)
{
	uint64_t name;

	memcpy(&name, m->page, sizeof(name));
	make(m->made, name);
	return memcmp(m->page, m->made, PAGE) ? 0 : name;
}

/* ---- What is known of shared keys --------------------------------------- */

static void raise_to(atomic_uint *floor, unsigned to)
{
	unsigned now = atomic_load(floor);

	while (now < to && !atomic_compare_exchange_weak(floor, &now, to))
		;
}

static struct before look(struct shared *key)
{
	struct before before;
	unsigned w;

	for (w = 0; w < THREADS; w++) {
		before.done[w] = atomic_load(&key->done[w]);
		before.floor[w] = atomic_load(&key->floor[w]);
	}
	return before;
}

/* Nothing that was there before the call can be seen after it. */
static void all_gone(struct shared *key, const struct before *before)
{
	unsigned w;

	for (w = 0; w < THREADS; w++)
		raise_to(&key->floor[w], before->done[w] + 1);
}

static struct tmem_key shared_key(unsigned k)
{
	return tmem_key(k / INDEXES, k % INDEXES);
}

static void put_shared(struct member *m, unsigned pool, unsigned k)
{
	struct shared *key = &m->crowd->keys[pool][k];
	struct tmem_key tkey = shared_key(k);
	uint32_t sequence = ++m->sequence;
	struct before before;
	int ret;

	make(m->page, name_of(pool, k, m->id, sequence));
	before = look(key);
	atomic_store(&key->started[m->id], sequence);
	ret = tmem_put(m->crowd->opts.t, m->crowd->pools[pool], &tkey, m->page);
	m->counts.puts++;
	if (ret != 0 && ret != 1)
		wrong(m->crowd, "put returned %d", ret);
	if (ret == 1)
		atomic_store(&key->done[m->id], sequence);
	all_gone(key, &before);
	raise_to(&key->floor[m->id], sequence + (ret != 1));
	m->counts.stored += ret == 1;
}

/* Holds what a get saw against what it could see. */
static void judge_seen(struct member *m, unsigned pool, unsigned k,
		       const struct before *before, uint64_t name, int whole)
{
	struct shared *key = &m->crowd->keys[pool][k];
	unsigned writer = name >> 32 & 0xff;
	uint32_t sequence = (uint32_t)name;
	unsigned w;

	if (writer >= THREADS || name != name_of(pool, k, writer, sequence)) {
		wrong(m->crowd, "pool %u key %u holds %016llx", pool, k,
		      (unsigned long long)name);
		return;
	}
	if (sequence < before->floor[writer] ||
	    sequence > atomic_load(&key->started[writer])) {
		wrong(m->crowd,
		      "pool %u key %u: saw %u of thread %u, not from %u to %u",
		      pool, k, sequence, writer, before->floor[writer],
		      atomic_load(&key->started[writer]));
		return;
	}
	if (whole && pool == TAKEN) {
		if (atomic_exchange(&key->taken[writer], sequence) == sequence)
			wrong(m->crowd, "key %u: %u of thread %u taken twice",
			      k, sequence, writer);
		all_gone(key, before);
		raise_to(&key->floor[writer], sequence + 1);
		return;
	}
	for (w = 0; w < THREADS; w++)
		raise_to(&key->floor[w],
			 w == writer ? sequence : before->done[w] + 1);
}

static void get_shared(struct member *m, unsigned pool, unsigned k)
{
	struct shared *key = &m->crowd->keys[pool][k];
	struct tmem_key tkey = shared_key(k);
	struct before before = look(key);
	uint64_t name;
	unsigned w;
	int ret;

	ret = tmem_get(m->crowd->opts.t, m->crowd->pools[pool], &tkey, m->page);
	m->counts.gets++;
	if (ret != 0 && ret != 1) {
		wrong(m->crowd, "get returned %d", ret);
		return;
	}
	if (!ret) {
		for (w = 0; w < THREADS; w++)
			if (before.done[w] >= before.floor[w])
				break;
		m->counts.lost += w < THREADS;
		all_gone(key, &before);
		return;
	}
	m->counts.hits++;
	name = named(m);
	if (!name)
		wrong(m->crowd, "pool %u key %u: torn or foreign", pool, k);
	else
		judge_seen(m, pool, k, &before, name, 1);
}

/* The first word of a page names it; a part never takes the page. */
static void get_name(struct member *m, unsigned pool, unsigned k)
{
	struct before before = look(&m->crowd->keys[pool][k]);
	uint64_t name = 0;
	struct tmem_op op = {
		.code = TMEM_OP_GET,
		.pool = m->crowd->pools[pool],
		.key = shared_key(k),
		.page = &name,
		.len = sizeof(name),
	};
	int err = tmem_submit(m->crowd->opts.t, &op, 1);

	m->counts.gets++;
	if (err || (op.result != 0 && op.result != 1)) {
		wrong(m->crowd, "submit returned %d, %d", err, op.result);
		return;
	}
	if (!op.result) {
		all_gone(&m->crowd->keys[pool][k], &before);
		return;
	}
	m->counts.hits++;
	judge_seen(m, pool, k, &before, name, 0);
}

static void flush_shared(struct member *m, unsigned pool, unsigned k)
{
	struct shared *key = &m->crowd->keys[pool][k];
	struct tmem_key tkey = shared_key(k);
	struct before before = look(key);
	int ret;

	ret = tmem_flush_page(m->crowd->opts.t, m->crowd->pools[pool], &tkey);
	m->counts.flushes++;
	if (ret != 0 && ret != 1)
		wrong(m->crowd, "flush_page returned %d", ret);
	all_gone(key, &before);
}

static void flush_shared_object(struct member *m, unsigned pool, unsigned k)
{
	struct tmem_key tkey = shared_key(k);
	struct before before[INDEXES];
	unsigned i, first = k - k % INDEXES;
	int ret;

	for (i = 0; i < INDEXES; i++)
		before[i] = look(&m->crowd->keys[pool][first + i]);
	ret = tmem_flush_object(m->crowd->opts.t, m->crowd->pools[pool], &tkey);
	m->counts.flushes++;
	if (ret != 0 && ret != 1)
		wrong(m->crowd, "flush_object returned %d", ret);
	for (i = 0; i < INDEXES; i++)
		all_gone(&m->crowd->keys[pool][first + i], &before[i]);
}

/* ---- A thread's own keys ------------------------------------------------ */

static struct tmem_key own_key(const struct member *m, unsigned k)
{
	return tmem_key(100 + m->id * 4 + k % 4, k);
}

static uint64_t own_name(const struct member *m, unsigned k, uint32_t version)
{
	return name_of(PERS, 256 + k, m->id, version);
}

static void put_own(struct member *m, unsigned k)
{
	struct tmem_key key = own_key(m, k);
	uint32_t version = ++m->sequence;
	int ret;

	make(m->page, own_name(m, k, version));
	ret = tmem_put(m->crowd->opts.t, m->crowd->pools[PERS], &key, m->page);
	m->counts.puts++;
	if (ret != 0 && ret != 1)
		wrong(m->crowd, "put returned %d", ret);
	m->versions[k] = ret == 1 ? version : 0;
	m->counts.stored += ret == 1;
}

static void get_own(struct member *m, unsigned k)
{
	struct tmem_key key = own_key(m, k);
	int ret = tmem_get(m->crowd->opts.t, m->crowd->pools[PERS], &key,
			   m->page);

	m->counts.gets++;
	if (ret != (m->versions[k] != 0)) {
		wrong(m->crowd, "own key %u of thread %u: got %d, version %u",
		      k, m->id, ret, m->versions[k]);
		return;
	}
	if (!ret)
		return;
	m->counts.hits++;
	make(m->made, own_name(m, k, m->versions[k]));
	if (memcmp(m->page, m->made, PAGE))
		wrong(m->crowd, "own key %u of thread %u is not version %u", k,
		      m->id, m->versions[k]);
}

static void flush_own(struct member *m, unsigned k)
{
	struct tmem_key key = own_key(m, k);
	int ret = tmem_flush_page(m->crowd->opts.t, m->crowd->pools[PERS], &key);

	m->counts.flushes++;
	if (ret != (m->versions[k] != 0))
		wrong(m->crowd, "flush of own key %u returned %d", k, ret);
	m->versions[k] = 0;
}

static void flush_own_object(struct member *m, unsigned k)
{
	struct tmem_key key = own_key(m, k);
	int ret, any = 0;
	unsigned i;

	for (i = k % 4; i < OWN_KEYS; i += 4) {
		any |= m->versions[i] != 0;
		m->versions[i] = 0;
	}
	ret = tmem_flush_object(m->crowd->opts.t, m->crowd->pools[PERS], &key);
	m->counts.flushes++;
	if (ret != any)
		wrong(m->crowd, "flush of own object returned %d", ret);
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
			wrong(c, "destroy returned %d", err);
		err = tmem_pool_destroy(c->opts.t, id);
		if (err != -EBADF)
			wrong(c, "destroyed twice: %d", err);
	}
	id = tmem_pool_create(c->opts.t, NULL);
	if (id < 0 && id != -ENOMEM)
		wrong(c, "create returned %d", id);
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
		wrong(m->crowd, "fleeting pool: returned %d", ret);
	return 0;
}

static void use_fleeting(struct member *m, unsigned k)
{
	struct tmem *t = m->crowd->opts.t;
	struct tmem_key key = shared_key(k);
	int id = atomic_load(&m->crowd->fleeting);
	int ret;

	if (id < 0)
		return;
	make(m->page, name_of(FLEETING, k, m->id, (uint32_t)id));
	ret = tmem_put(t, id, &key, m->page);
	if (is_gone(m, id, ret))
		return;
	m->counts.puts++;
	m->counts.stored += ret == 1;
	key = shared_key(k ^ 1);
	ret = tmem_get(t, id, &key, m->page);
	if (is_gone(m, id, ret))
		return;
	m->counts.gets++;
	if (ret != 1)
		return;
	m->counts.hits++;
	if ((named(m) & ~(0xffull << 32)) !=
	    name_of(FLEETING, k ^ 1, 0, (uint32_t)id))
		wrong(m->crowd, "fleeting pool %d holds another's page", id);
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
		wrong(c, "call %u returned %d", what % 8, err);
}

static void one_step(struct member *m)
{
	unsigned what = (unsigned)rng_below(&m->rng, 1000);
	unsigned pool = (unsigned)rng_below(&m->rng, POOLS);
	unsigned k = (unsigned)rng_below(&m->rng, KEYS);
	unsigned own = (unsigned)rng_below(&m->rng, OWN_KEYS);

	if (what < 200)
		put_shared(m, pool, k);
	else if (what < 430)
		get_shared(m, pool, k);
	else if (what < 470)
		get_name(m, pool, k);
	else if (what < 510)
		flush_shared(m, pool, k);
	else if (what < 518)
		flush_shared_object(m, pool, k);
	else if (what < 700)
		put_own(m, own);
	else if (what < 880)
		get_own(m, own);
	else if (what < 920)
		flush_own(m, own);
	else if (what < 923)
		flush_own_object(m, own);
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
		get_own(m, i);
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
		wrong(c, "tmem_check returned %d", err);
	if (tmem_stats(c->opts.t, &s))
		wrong(c, "no stats");
	refused = s.refused_full + s.refused_quota + s.refused_frozen +
		  s.refused_nomem;
	if (!tallies(s.puts, sum->puts, sum->gone) ||
	    !tallies(s.puts - refused, sum->stored, sum->gone) ||
	    !tallies(s.gets, sum->gets, sum->gone) || s.hits != sum->hits ||
	    s.flushes != sum->flushes)
		wrong(c,
		      "puts %llu/%llu stored %llu/%llu gets %llu/%llu hits "
		      "%llu/%llu flushes %llu/%llu",
		      (unsigned long long)s.puts, (unsigned long long)sum->puts,
		      (unsigned long long)(s.puts - refused),
		      (unsigned long long)sum->stored,
		      (unsigned long long)s.gets, (unsigned long long)sum->gets,
		      (unsigned long long)s.hits, (unsigned long long)sum->hits,
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
			wrong(c, "create returned %d", c->pools[p]);
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
		wrong(c, "the test cannot start its threads");
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
