/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stats.c - what a store holds and has done, in numbers.
 */
#include <errno.h>
#include <string.h>

#include "ager.h"
#include "index.h"
#include "store.h"

static uint64_t pages_of(const struct tmem_pool_total *t)
{
	return t->pages[TMEM_FORM_SAME] + t->pages[TMEM_FORM_RAW] +
	       t->pages[TMEM_FORM_PACKED] + t->pages[TMEM_FORM_DENSE];
}

static void add_done(struct tmem_stats *s, const struct tmem_tally *t)
{
	s->puts += t->puts;
	s->refused_full += t->refused[TMEM_REFUSED_FULL];
	s->refused_quota += t->refused[TMEM_REFUSED_QUOTA];
	s->refused_frozen += t->refused[TMEM_REFUSED_FROZEN];
	s->refused_nomem += t->refused[TMEM_REFUSED_NOMEM];
	s->gets += t->gets;
	s->hits += t->hits;
	s->flushes += t->flushes;
	s->evictions += t->evictions;
	s->ghost_hits += t->ghost_hits;
}

static void add_pool(struct tmem_stats *s, const struct tmem_pool *p,
		     const struct tmem_pool_total *t)
{
	struct tmem_view v = tmem_pool_view(p);
	uint64_t pages = pages_of(t);

	s->pools++;
	s->objects += t->objects;
	s->raw_bytes += pages << v.page_shift;
	if (v.flags & TMEM_POOL_PERSISTENT)
		s->pages_persistent += pages;
	else
		s->pages_ephemeral += pages;
	s->pages_same += t->pages[TMEM_FORM_SAME];
	s->pages_raw += t->pages[TMEM_FORM_RAW];
	s->pages_packed += t->pages[TMEM_FORM_PACKED];
	s->pages_dense += t->pages[TMEM_FORM_DENSE];
	add_done(s, &t->done);
}

void tmem_store_stats(struct tmem_store *st, struct tmem_stats *ret)
{
	struct tmem_pool_total total;
	uint32_t i;

	tmem_sweep_finish(st);
	memset(ret, 0, sizeof(*ret));
	ret->limit_bytes = atomic_load(&st->space.limit_bytes);
	ret->used_bytes = tmem_space_used(&st->space);
	ret->evictions = atomic_load(&st->lost);
	ret->ager_ns = atomic_load(&st->ager_ns);
	ret->puts_packed = atomic_load(&st->puts_packed);
	ret->shortages = atomic_load(&st->shortages);
	ret->dictionaries = atomic_load(&st->dense.dicts.live);
	tmem_lock_acquire(&st->pools_lock);
	add_done(ret, &st->departed);
	for (i = 0; i < TMEM_POOLS_MAX; i++) {
		if (!atomic_load(&st->pools[i].word))
			continue;
		tmem_pool_sum(st, &st->pools[i], &total);
		add_pool(ret, &st->pools[i], &total);
	}
	tmem_lock_release(&st->pools_lock);
}

int tmem_store_pool_stats(struct tmem_store *st, int pool,
			  struct tmem_pool_stats *ret)
{
	struct tmem_pool *p = &st->pools[tmem_pool_slot((uint32_t)pool)];
	struct tmem_pool_total total;
	struct tmem_stats s;
	struct tmem_view v;

	tmem_sweep_finish(st);
	tmem_lock_acquire(&st->pools_lock);
	if (tmem_pool_find(st, pool, &v)) {
		tmem_lock_release(&st->pools_lock);
		return -EBADF;
	}
	tmem_pool_sum(st, p, &total);
	memset(&s, 0, sizeof(s));
	add_pool(&s, p, &total);
	memset(ret, 0, sizeof(*ret));
	ret->flags = v.flags;
	ret->page_size = 1ull << v.page_shift;
	tmem_lock_release(&st->pools_lock);
	ret->used_bytes = total.done.units << TMEM_UNIT_SHIFT;
	ret->raw_bytes = s.raw_bytes;
	ret->objects = s.objects;
	ret->pages_ephemeral = s.pages_ephemeral;
	ret->pages_persistent = s.pages_persistent;
	ret->pages_same = s.pages_same;
	ret->pages_raw = s.pages_raw;
	ret->pages_packed = s.pages_packed;
	ret->pages_dense = s.pages_dense;
	ret->puts = s.puts;
	ret->refused_full = s.refused_full;
	ret->refused_quota = s.refused_quota;
	ret->refused_frozen = s.refused_frozen;
	ret->refused_nomem = s.refused_nomem;
	ret->gets = s.gets;
	ret->hits = s.hits;
	ret->flushes = s.flushes;
	ret->evictions = s.evictions;
	ret->ghost_hits = s.ghost_hits;
	return 0;
}
