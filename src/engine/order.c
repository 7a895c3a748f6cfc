/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * order.c - ephemeral segments in the order in which they would best be lost.
 *
 * What a segment is worth is what its pages are, and a page's worth is the use that
 * the index remembers of it (two bits). That is not the order in which the policy
 * takes segments: it looks at the oldest of the main queue first, to send round
 * again what was used, and just there most of it was. In that order, half of a store
 * lost left fewer hits than in the order of the file, and in this one more (docs/arbiter.md
 * has the figures).
 *
 * All of a large index is too much to look at for a hint: then every nth bucket.
 */
#include "order.h"

#include <stdlib.h>

#include "index.h"
#include "mem.h"
#include "store.h"

/* Buckets looked at under a shard's lock at a time: some microseconds. */
#define STEP_BUCKETS 32u

/* And in all: some milliseconds. With 8 GiB of segments of 2 MiB that is some
 * twenty pages of each. */
#define BUCKETS_MAX 8192u

/* A page that was not asked for is worth something, too; one of the main queue twice
 * as much, since it came back once. That is all there is to know where gets take
 * their pages, and nobody's use is remembered. */
#define PAGE_WORTH 1u
#define MAIN_WORTH 2u
#define USE_WORTH 4u

struct item {
	uint64_t worth;
	uint64_t age;
	uint32_t segment;
	uint8_t epoch;
	uint8_t page_worth; /* if it is not used */
	uint8_t counts;	    /* it may be lost */
};

static int by_worth(const void *va, const void *vb)
{
	const struct item *a = va, *b = vb;

	if (a->counts != b->counts)
		return a->counts > b->counts ? -1 : 1;
	if (a->worth != b->worth)
		return a->worth < b->worth ? -1 : 1;
	return a->age < b->age ? -1 : a->age > b->age;
}

static void note_segment(struct item *i, const struct tmem_segment *g,
			 uint32_t n)
{
	uint32_t state = atomic_load_explicit(&g->state, memory_order_relaxed);
	uint64_t w = atomic_load_explicit(&g->word, memory_order_relaxed);

	i->segment = n;
	i->epoch = tmem_word_epoch(w);
	i->age = g->age;
	i->page_worth = g->queue == TMEM_QUEUE_MAIN ? MAIN_WORTH : PAGE_WORTH;
	i->counts = g->cls == TMEM_CLASS_EPHEMERAL &&
		    (state == TMEM_SEGMENT_READY ||
		     (state == TMEM_SEGMENT_SEALED && !tmem_word_pending(w)));
}

/** struct look - at the index. */
struct look {
	struct tmem_store *st;
	struct item *items; /* by segment */
	uint32_t count;
	uint32_t stride; /* buckets */
};

static void add_page(const struct look *l, uint64_t place)
{
	uint32_t segment;

	if (tmem_place_form(place) == TMEM_FORM_SAME)
		return; /* it is in no segment */
	segment = tmem_place_segment(&l->st->space, place);
	if (segment < l->count &&
	    l->items[segment].epoch == tmem_place_epoch(place))
		l->items[segment].worth += l->items[segment].page_worth +
					   USE_WORTH * tmem_place_use(place);
}

static void look_at_shard(const struct look *l, uint32_t shard)
{
	struct tmem_ref ref = { .shard = shard };
	struct tmem_table *t = &l->st->shards[shard].table;
	uint32_t bucket = 0, step;
	struct tmem_cursor c;
	int found, more = 1;

	while (more) {
		tmem_index_lock(l->st, &ref);
		for (step = 0; step < STEP_BUCKETS && bucket < t->buckets;
		     step++, bucket += l->stride) {
			found = tmem_table_walk_first(t, bucket, &c);
			for (; found; found = tmem_table_walk_next(t, &c))
				add_page(l, tmem_cursor_place(&c));
		}
		more = bucket < t->buckets;
		tmem_index_unlock(l->st, &ref);
	}
}

static void look_at_index(struct look *l)
{
	struct tmem_ref ref = { .shard = 0 };
	uint64_t buckets;
	uint32_t i;

	/* Shards are alike, by their keys' hashes. */
	tmem_index_lock(l->st, &ref);
	buckets = (uint64_t)l->st->shards[0].table.buckets * l->st->shards_count;
	tmem_index_unlock(l->st, &ref);
	l->stride = (uint32_t)(buckets / BUCKETS_MAX) + 1;
	for (i = 0; i < l->st->shards_count; i++)
		look_at_shard(l, i);
}

static struct tmem_victim victim(const struct item *i)
{
	return (struct tmem_victim){ .segment = i->segment, .epoch = i->epoch };
}

static uint32_t first_in_file(struct tmem_space *s, struct tmem_victim *ret,
			      uint32_t max)
{
	struct item item;
	uint32_t i, n = 0;

	tmem_lock_acquire(&s->lock);
	for (i = 0; i < s->high && n < max; i++) {
		note_segment(&item, &s->segments[i], i);
		if (item.counts)
			ret[n++] = victim(&item);
	}
	tmem_lock_release(&s->lock);
	return n;
}

uint32_t tmem_store_coldest(struct tmem_store *st, struct tmem_victim *ret,
			    uint32_t max)
{
	struct tmem_space *s = &st->space;
	uint32_t count, i, n = 0;
	struct item *items;

	tmem_lock_acquire(&s->lock);
	count = s->high;
	tmem_lock_release(&s->lock);
	items = count ? tmem_mem_alloc(count * sizeof(*items)) : NULL;
	if (!items)
		return first_in_file(s, ret, max);
	tmem_lock_acquire(&s->lock);
	for (i = 0; i < count; i++)
		note_segment(&items[i], &s->segments[i], i);
	tmem_lock_release(&s->lock);
	look_at_index(&(struct look){ st, items, count, 1 });
	qsort(items, count, sizeof(*items), by_worth);
	for (; n < max && n < count && items[n].counts; n++)
		ret[n] = victim(&items[n]);
	tmem_mem_free(items, count * sizeof(*items));
	return n;
}
