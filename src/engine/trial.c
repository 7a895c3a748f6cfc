/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trial.c - small caches of tags, side by side.
 *
 * Queues are arrays, searched from end to end: they are short, and few pages are
 * tried: one in 32 where a shard has 4096.
 */
#include "trial.h"

#include <string.h>

#define NOWHERE UINT32_MAX

/* ---- Queues --------------------------------------------------------------- */

static uint32_t find(const struct tmem_trial_queue *q, uint32_t tag)
{
	uint32_t i;

	for (i = 0; i < q->count; i++)
		if (q->tag[i] == tag)
			return i;
	return NOWHERE;
}

static void remove_at(struct tmem_trial_queue *q, uint32_t i)
{
	q->count--;
	memmove(&q->tag[i], &q->tag[i + 1], (q->count - i) * sizeof(q->tag[0]));
}

/* 1: it was there. */
static int forget(struct tmem_trial_queue *q, uint32_t tag)
{
	uint32_t i = find(q, tag);

	if (i == NOWHERE)
		return 0;
	remove_at(q, i);
	return 1;
}

static void remember(const struct tmem_trial *t, struct tmem_trial_queue *q,
		     uint32_t tag)
{
	while (q->count && q->count >= t->pages)
		remove_at(q, 0);
	q->tag[q->count++] = tag;
}

/* ---- Pages that are held --------------------------------------------------- */

static uint64_t held(struct tmem_contest *c, enum tmem_trial_where where)
{
	return atomic_load_explicit(&c->held[where], memory_order_relaxed);
}

static void add_held(const struct tmem_trial *t, struct tmem_contest *c,
		     enum tmem_trial_where where)
{
	atomic_fetch_add_explicit(&c->held[where],
				  1ull << tmem_trial_thinning(t),
				  memory_order_relaxed);
}

static void sub_held(const struct tmem_trial *t, struct tmem_contest *c,
		     enum tmem_trial_where where)
{
	atomic_fetch_sub_explicit(&c->held[where],
				  1ull << tmem_trial_thinning(t),
				  memory_order_relaxed);
}

/* 1: it was there. */
static int drop(struct tmem_trial *t, struct tmem_contest *c,
		enum tmem_trial_where where, uint32_t tag)
{
	if (!forget(&t->held[where], tag))
		return 0;
	sub_held(t, c, where);
	return 1;
}

/* The shard's oldest, which is about as old as the store's. */
static uint32_t pop(struct tmem_trial *t, struct tmem_contest *c,
		    enum tmem_trial_where where)
{
	uint32_t tag = t->held[where].tag[0];

	remove_at(&t->held[where], 0);
	sub_held(t, c, where);
	return tag;
}

static void push(struct tmem_trial *t, struct tmem_contest *c,
		 enum tmem_trial_where where, uint32_t tag)
{
	struct tmem_trial_queue *q = &t->held[where];

	if (q->count == TMEM_TRIAL_ROOM)
		(void)pop(t, c, where);
	q->tag[q->count++] = tag;
	add_held(t, c, where);
}

/* ---- The sample ------------------------------------------------------------ */

static void thin(const struct tmem_trial *t, struct tmem_trial_queue *q)
{
	uint32_t i, n = 0;

	for (i = 0; i < q->count; i++)
		if (tmem_trial_samples(t, q->tag[i]))
			q->tag[n++] = q->tag[i];
	q->count = n;
}

static void thin_all(struct tmem_trial *t, struct tmem_contest *c)
{
	uint32_t thinning = tmem_trial_thinning(t), where;
	uint64_t before, after;

	/* Read by others without the lock; written with it. */
	atomic_store_explicit(&t->thinning, thinning + 1, memory_order_relaxed);
	for (where = 0; where < TMEM_TRIAL_QUEUES; where++) {
		before = (uint64_t)t->held[where].count << thinning;
		thin(t, &t->held[where]);
		after = (uint64_t)t->held[where].count << (thinning + 1);
		atomic_fetch_add_explicit(&c->held[where], after - before,
					  memory_order_relaxed);
	}
	thin(t, &t->evicted);
	thin(t, &t->taken);
}

/* ---- Ways ------------------------------------------------------------------ */

int tmem_way_wants(enum tmem_way way, uint32_t tag, int returned)
{
	switch (way) {
	case TMEM_WAY_HALF:
		return !(tag >> 31);
	case TMEM_WAY_QUARTER:
		return !(tag >> 30);
	default:
		return returned;
	}
}

static enum tmem_trial_where queue_of(enum tmem_way way)
{
	return way - TMEM_WAY_FIFO + TMEM_TRIAL_FIFO;
}

/* 1: the page is one that the way, which has one queue, keeps in it. */
static int keeps(enum tmem_way way, uint32_t tag)
{
	return way == TMEM_WAY_FIFO || tmem_way_wants(way, tag, 0);
}

/* How many pages that is of the room: the rest of it is for the others. */
static uint64_t room_of(enum tmem_way way, uint64_t room)
{
	return way == TMEM_WAY_FIFO ? room : room - room / TMEM_PROBATION_PART;
}

static int drop_returned(struct tmem_trial *t, struct tmem_contest *c,
			 uint32_t tag)
{
	return drop(t, c, TMEM_TRIAL_PROBATION, tag) ||
	       drop(t, c, TMEM_TRIAL_MAIN, tag);
}

static void win(const struct tmem_trial *t, struct tmem_contest *c,
		enum tmem_way way)
{
	atomic_fetch_add_explicit(&c->won[way], 1ull << tmem_trial_thinning(t),
				  memory_order_relaxed);
}

int tmem_trial_get(struct tmem_trial *t, struct tmem_contest *c, uint32_t tag)
{
	enum tmem_way way;
	int hits = 0;

	if (drop_returned(t, c, tag)) {
		remember(t, &t->taken, tag);
		win(t, c, TMEM_WAY_RETURNED);
		hits = 1;
	}
	for (way = TMEM_WAY_FIFO; way < TMEM_WAYS; way++) {
		if (!keeps(way, tag) || !drop(t, c, queue_of(way), tag))
			continue;
		win(t, c, way);
		hits = 1;
	}
	return hits;
}

/* 0: this shard has none. */
static int evict_returned(struct tmem_trial *t, struct tmem_contest *c,
			  uint64_t room)
{
	enum tmem_trial_where from = TMEM_TRIAL_MAIN;

	if (held(c, TMEM_TRIAL_PROBATION) * TMEM_PROBATION_PART > room)
		from = TMEM_TRIAL_PROBATION;
	if (!t->held[from].count)
		from = from == TMEM_TRIAL_MAIN ? TMEM_TRIAL_PROBATION
					       : TMEM_TRIAL_MAIN;
	if (!t->held[from].count)
		return 0;
	remember(t, &t->evicted, pop(t, c, from));
	return 1;
}

static void put_returned(struct tmem_trial *t, struct tmem_contest *c,
			 uint32_t tag, uint64_t room)
{
	int returned = forget(&t->evicted, tag) | forget(&t->taken, tag);

	(void)drop_returned(t, c, tag);
	while (room &&
	       held(c, TMEM_TRIAL_PROBATION) + held(c, TMEM_TRIAL_MAIN) >= room)
		if (!evict_returned(t, c, room))
			break;
	push(t, c, returned ? TMEM_TRIAL_MAIN : TMEM_TRIAL_PROBATION, tag);
}

static void put_only(struct tmem_trial *t, struct tmem_contest *c,
		     enum tmem_way way, uint32_t tag, uint64_t room)
{
	enum tmem_trial_where where = queue_of(way);

	(void)drop(t, c, where, tag);
	while (room && t->held[where].count &&
	       held(c, where) >= room_of(way, room))
		(void)pop(t, c, where);
	push(t, c, where, tag);
}

void tmem_trial_put(struct tmem_trial *t, struct tmem_contest *c, uint32_t tag,
		    uint32_t slots)
{
	uint64_t room = atomic_load_explicit(&c->room, memory_order_relaxed);
	enum tmem_way way;

	while (slots >> tmem_trial_thinning(t) > TMEM_TRIAL_PAGES)
		thin_all(t, c);
	if (!tmem_trial_samples(t, tag))
		return;
	t->pages = slots >> tmem_trial_thinning(t);
	put_returned(t, c, tag, room);
	for (way = TMEM_WAY_FIFO; way < TMEM_WAYS; way++)
		if (keeps(way, tag))
			put_only(t, c, way, tag, room);
}

void tmem_trial_flush(struct tmem_trial *t, struct tmem_contest *c, uint32_t tag)
{
	enum tmem_way way;

	(void)(drop_returned(t, c, tag) || forget(&t->evicted, tag) ||
	       forget(&t->taken, tag));
	for (way = TMEM_WAY_FIFO; way < TMEM_WAYS; way++)
		(void)drop(t, c, queue_of(way), tag);
}

/* ---- The walker's ----------------------------------------------------------- */

static int queue_check(const struct tmem_trial *t,
		       const struct tmem_trial_queue *q, uint32_t room)
{
	uint32_t i, j;

	if (q->count > room)
		return 0;
	for (i = 0; i < q->count; i++) {
		if (!tmem_trial_samples(t, q->tag[i]))
			return 0;
		for (j = i + 1; j < q->count; j++)
			if (q->tag[i] == q->tag[j])
				return 0;
	}
	return 1;
}

static int apart(const struct tmem_trial_queue *a,
		 const struct tmem_trial_queue *b)
{
	uint32_t i;

	for (i = 0; i < a->count; i++)
		if (find(b, a->tag[i]) != NOWHERE)
			return 0;
	return 1;
}

static int all_kept(const struct tmem_trial *t, enum tmem_way way)
{
	const struct tmem_trial_queue *q = &t->held[queue_of(way)];
	uint32_t i;

	for (i = 0; i < q->count; i++)
		if (!keeps(way, q->tag[i]))
			return 0;
	return 1;
}

int tmem_trial_check(const struct tmem_trial *t,
		     uint64_t held[TMEM_TRIAL_QUEUES])
{
	const struct tmem_trial_queue *q = t->held;
	uint32_t i;

	for (i = 0; i < TMEM_TRIAL_QUEUES; i++) {
		if (!queue_check(t, &q[i], TMEM_TRIAL_ROOM))
			return 0;
		held[i] += (uint64_t)q[i].count << tmem_trial_thinning(t);
	}
	return queue_check(t, &t->evicted, TMEM_TRIAL_PAGES) &&
	       queue_check(t, &t->taken, TMEM_TRIAL_PAGES) &&
	       apart(&q[TMEM_TRIAL_PROBATION], &q[TMEM_TRIAL_MAIN]) &&
	       apart(&t->evicted, &q[TMEM_TRIAL_PROBATION]) &&
	       apart(&t->evicted, &q[TMEM_TRIAL_MAIN]) &&
	       apart(&t->evicted, &t->taken) && all_kept(t, TMEM_WAY_HALF) &&
	       all_kept(t, TMEM_WAY_QUARTER);
}
