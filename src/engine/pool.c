/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool.c - making and destroying pools, and adding up what they did.
 *
 * Destroying is one store to the id: under each shard's lock everybody asks
 * whether the id still is the pool's. Once every shard's lock has been held after
 * that, nobody can be counting in its tallies, and they go. Its slots are swept.
 */
#include "pool.h"

#include <errno.h>
#include <string.h>

#include "ager.h"
#include "index.h"
#include "mem.h"
#include "store.h"

static uint64_t tallies_bytes(const struct tmem_store *st)
{
	return (uint64_t)st->shards_count * sizeof(struct tmem_tally);
}

static int fits_segments(const struct tmem_store *st, uint32_t page_size)
{
	uint32_t slots =
		st->space.units / TMEM_RAW_UNITS - tmem_raw_first(&st->space);

	if (page_size <= slots << TMEM_RAW_SHIFT)
		return 1;
	tmem_logger_say(&st->logger, TMEM_LOG_ERR,
			"pages of %u bytes do not fit this store's segments of "
			"%zu; open it with size=8M or more",
			page_size, st->space.lease->segment_size);
	return 0;
}

static uint64_t widen_bytes(const struct tmem_store *st, uint32_t page_size)
{
	return (st->workers_count + TMEM_CODECS + TMEM_DECODERS_LEAST) * 2ull *
	       page_size;
}

/* Everybody's buffers must hold a page. */
static int widen(struct tmem_store *st, uint32_t page_size)
{
	uint32_t i;
	int err = 0;

	for (i = 0; i < st->workers_count && !err; i++) {
		tmem_lock_acquire(&st->workers[i].lock);
		err = tmem_codec_widen(&st->workers[i].codec, page_size);
		tmem_lock_release(&st->workers[i].lock);
	}
	for (i = 0; i < TMEM_CODECS && !err; i++) {
		tmem_lock_acquire(&st->codecs[i].lock);
		err = tmem_codec_widen(&st->codecs[i], page_size);
		tmem_lock_release(&st->codecs[i].lock);
	}
	return err ? err : tmem_decoders_widen(&st->dense.decoders, page_size);
}

/* A full store has headroom for a pool; a small one may have to clean first.
 * Best effort: charging says whether it was enough. */
static void make_room(struct tmem_store *st, uint64_t bytes)
{
	uint64_t limit = atomic_load(&st->space.limit_bytes);

	while (tmem_space_used(&st->space) + bytes > limit) {
		if (!atomic_load(&st->space.ready) &&
		    !tmem_ager_help(st, TMEM_NEED_ROOM, TMEM_UNIT_ENTRIES))
			return;
		tmem_space_drain(&st->space, 0);
	}
}

/* A free slot with generations left. Pools lock held. */
static struct tmem_pool *free_slot(struct tmem_store *st)
{
	uint32_t i;

	for (i = 0; i < TMEM_POOLS_MAX; i++)
		if (!atomic_load(&st->pools[i].word) &&
		    st->pools[i].generation < TMEM_POOL_GENERATION_MAX)
			return &st->pools[i];
	return NULL;
}

static int takes(uint32_t flags)
{
	if (flags & (TMEM_POOL_KEEP | TMEM_POOL_TAKE))
		return !!(flags & TMEM_POOL_TAKE);
	return !(flags & TMEM_POOL_PERSISTENT);
}

static int install(struct tmem_store *st, const struct tmem_pool_opts *opts,
		   struct tmem_tally *tallies)
{
	uint32_t page_size = opts->page_size ? opts->page_size : TMEM_PAGE_SIZE;
	struct tmem_pool *p;
	struct tmem_view v;

	tmem_lock_acquire(&st->pools_lock);
	p = free_slot(st);
	if (!p) {
		tmem_lock_release(&st->pools_lock);
		return -ENOSPC;
	}
	v.id = ++p->generation << TMEM_POOL_SLOT_BITS |
	       (uint32_t)(p - st->pools);
	v.flags = opts->flags;
	v.page_shift = (uint32_t)__builtin_ctz(page_size);
	v.take = takes(opts->flags);
	p->tallies = tallies;
	atomic_store(&p->objects, 0);
	memset(p->name, 0, sizeof(p->name));
	if (opts->name)
		strncpy(p->name, opts->name, sizeof(p->name) - 1);
	atomic_store_explicit(&p->word, tmem_pool_word(&v),
			      memory_order_release);
	tmem_lock_release(&st->pools_lock);
	return (int)v.id;
}

int tmem_store_pool_create(struct tmem_store *st,
			   const struct tmem_pool_opts *opts)
{
	struct tmem_tally *tallies;
	int ret;
	uint32_t page_size = opts->page_size ? opts->page_size : TMEM_PAGE_SIZE;

	if (!fits_segments(st, page_size))
		return -EINVAL;
	make_room(st, tallies_bytes(st) + widen_bytes(st, page_size));
	ret = widen(st, page_size);
	if (ret)
		return ret;
	if (tmem_space_charge(&st->space, tallies_bytes(st)))
		return -ENOMEM;
	tallies = tmem_mem_alloc(tallies_bytes(st));
	ret = tallies ? install(st, opts, tallies) : -ENOMEM;
	if (ret < 0) {
		tmem_mem_free(tallies, tallies_bytes(st));
		tmem_space_uncharge(&st->space, tallies_bytes(st));
	}
	return ret;
}

static void add_up(struct tmem_tally *sum, const struct tmem_tally *t)
{
	uint32_t i;

	sum->puts += t->puts;
	sum->gets += t->gets;
	sum->hits += t->hits;
	sum->flushes += t->flushes;
	sum->evictions += t->evictions;
	sum->ghost_hits += t->ghost_hits;
	for (i = 0; i < TMEM_REFUSALS; i++)
		sum->refused[i] += t->refused[i];
}

void tmem_pool_sum(struct tmem_store *st, const struct tmem_pool *p,
		   struct tmem_pool_total *ret)
{
	struct tmem_ref ref;
	const struct tmem_tally *t;
	uint32_t f;

	memset(ret, 0, sizeof(*ret));
	for (ref.shard = 0; ref.shard < st->shards_count; ref.shard++) {
		tmem_index_lock(st, &ref);
		t = &p->tallies[ref.shard];
		add_up(&ret->done, t);
		ret->done.units += t->units;
		for (f = 0; f < TMEM_FORMS; f++)
			ret->pages[f] += t->pages[f];
		tmem_index_unlock(st, &ref);
	}
	ret->objects = atomic_load(&p->objects);
}

int tmem_store_pool_destroy(struct tmem_store *st, int pool)
{
	uint32_t id = (uint32_t)pool;
	struct tmem_pool *p = &st->pools[tmem_pool_slot(id)];
	struct tmem_pool_total total;

	tmem_lock_acquire(&st->pools_lock);
	if (pool < 0 || !tmem_pool_alive(p, id)) {
		tmem_lock_release(&st->pools_lock);
		return -EBADF;
	}
	/* Not 0 yet: the slot is not free while its tallies are added up. */
	atomic_store_explicit(&p->word, TMEM_POOL_DYING, memory_order_release);
	tmem_pool_sum(st, p, &total);
	add_up(&st->departed, &total.done);
	tmem_mem_free(p->tallies, tallies_bytes(st));
	p->tallies = NULL;
	atomic_store(&p->word, 0);
	(void)tmem_sweep_want(st);
	tmem_lock_release(&st->pools_lock);
	tmem_space_uncharge(&st->space, tallies_bytes(st));
	return 0;
}

/* One that somebody destroys at the same time, or makes meanwhile, is theirs. */
void tmem_store_pools_destroy(struct tmem_store *st)
{
	uint32_t i;
	struct tmem_view v;

	for (i = 0; i < TMEM_POOLS_MAX; i++) {
		v = tmem_pool_view(&st->pools[i]);
		if (v.id)
			(void)tmem_store_pool_destroy(st, (int)v.id);
	}
}

int tmem_pool_find(const struct tmem_store *st, int pool, struct tmem_view *ret)
{
	*ret = tmem_pool_view(&st->pools[tmem_pool_slot((uint32_t)pool)]);
	return pool > 0 && ret->id == (uint32_t)pool ? 0 : -EBADF;
}
