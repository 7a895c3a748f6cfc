/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crowd-shared.c - keys that all threads put, get and flush.
 *
 * floor[key][writer] is the least sequence number of a writer that a get which
 * begins now may see; done[key][writer] the last one whose put has returned. A
 * call reads `done` before it begins and raises `floor` after it has returned.
 */
#include <string.h>

#include "crowd-member.h"

/* What a call knew before it began. */
struct before {
	unsigned done[THREADS], floor[THREADS];
};

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

struct tmem_key crowd_shared_key(unsigned k)
{
	return tmem_key(k / INDEXES, k % INDEXES);
}

void crowd_put_shared(struct member *m, unsigned pool, unsigned k)
{
	struct shared *key = &m->crowd->keys[pool][k];
	struct tmem_key tkey = crowd_shared_key(k);
	uint32_t sequence = ++m->sequence;
	struct before before;
	int ret;

	crowd_make(m->page, crowd_name(pool, k, m->id, sequence));
	before = look(key);
	atomic_store(&key->started[m->id], sequence);
	ret = tmem_put(m->crowd->opts.t, m->crowd->pools[pool], &tkey, m->page);
	m->counts.puts++;
	if (ret != 0 && ret != 1)
		crowd_wrong(m->crowd, "put returned %d", ret);
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

	if (writer >= THREADS || name != crowd_name(pool, k, writer, sequence)) {
		crowd_wrong(m->crowd, "pool %u key %u holds %016llx", pool, k,
			    (unsigned long long)name);
		return;
	}
	if (sequence < before->floor[writer] ||
	    sequence > atomic_load(&key->started[writer])) {
		crowd_wrong(
			m->crowd,
			"pool %u key %u: saw %u of thread %u, not from %u to %u",
			pool, k, sequence, writer, before->floor[writer],
			atomic_load(&key->started[writer]));
		return;
	}
	if (whole && pool == TAKEN) {
		if (atomic_exchange(&key->taken[writer], sequence) == sequence)
			crowd_wrong(m->crowd,
				    "key %u: %u of thread %u taken twice", k,
				    sequence, writer);
		all_gone(key, before);
		raise_to(&key->floor[writer], sequence + 1);
		return;
	}
	for (w = 0; w < THREADS; w++)
		raise_to(&key->floor[w],
			 w == writer ? sequence : before->done[w] + 1);
}

void crowd_get_shared(struct member *m, unsigned pool, unsigned k)
{
	struct shared *key = &m->crowd->keys[pool][k];
	struct tmem_key tkey = crowd_shared_key(k);
	struct before before = look(key);
	uint64_t name;
	unsigned w;
	int ret;

	ret = tmem_get(m->crowd->opts.t, m->crowd->pools[pool], &tkey, m->page);
	m->counts.gets++;
	if (ret != 0 && ret != 1) {
		crowd_wrong(m->crowd, "get returned %d", ret);
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
	name = crowd_named(m);
	if (!name)
		crowd_wrong(m->crowd, "pool %u key %u: torn or foreign", pool,
			    k);
	else
		judge_seen(m, pool, k, &before, name, 1);
}

/* The first word of a page names it; a part never takes the page. */
void crowd_get_name(struct member *m, unsigned pool, unsigned k)
{
	struct before before = look(&m->crowd->keys[pool][k]);
	uint64_t name = 0;
	struct tmem_op op = {
		.code = TMEM_OP_GET,
		.pool = m->crowd->pools[pool],
		.key = crowd_shared_key(k),
		.page = &name,
		.len = sizeof(name),
	};
	int err = tmem_submit(m->crowd->opts.t, &op, 1);

	m->counts.gets++;
	if (err || (op.result != 0 && op.result != 1)) {
		crowd_wrong(m->crowd, "submit returned %d, %d", err, op.result);
		return;
	}
	if (!op.result) {
		all_gone(&m->crowd->keys[pool][k], &before);
		return;
	}
	m->counts.hits++;
	judge_seen(m, pool, k, &before, name, 0);
}

void crowd_flush_shared(struct member *m, unsigned pool, unsigned k)
{
	struct shared *key = &m->crowd->keys[pool][k];
	struct tmem_key tkey = crowd_shared_key(k);
	struct before before = look(key);
	int ret;

	ret = tmem_flush_page(m->crowd->opts.t, m->crowd->pools[pool], &tkey);
	m->counts.flushes++;
	if (ret != 0 && ret != 1)
		crowd_wrong(m->crowd, "flush_page returned %d", ret);
	all_gone(key, &before);
}

void crowd_flush_shared_object(struct member *m, unsigned pool, unsigned k)
{
	struct tmem_key tkey = crowd_shared_key(k);
	struct before before[INDEXES];
	unsigned i, first = k - k % INDEXES;
	int ret;

	for (i = 0; i < INDEXES; i++)
		before[i] = look(&m->crowd->keys[pool][first + i]);
	ret = tmem_flush_object(m->crowd->opts.t, m->crowd->pools[pool], &tkey);
	m->counts.flushes++;
	if (ret != 0 && ret != 1)
		crowd_wrong(m->crowd, "flush_object returned %d", ret);
	for (i = 0; i < INDEXES; i++)
		all_gone(&m->crowd->keys[pool][first + i], &before[i]);
}
