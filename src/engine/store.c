/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store.c - making and ending a store, and its entry points.
 */
#include "store.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "ager.h"
#include "clock.h"
#include "get.h"
#include "mem.h"
#include "put.h"

/* Operations of a batch whose buckets are loading at a time: what a core keeps
 * in flight. */
#define BATCH 16

static uint32_t clamp(uint64_t n, uint32_t min, uint32_t max)
{
	return n < min ? min : n > max ? max : (uint32_t)n;
}

/* Hashes are keyed so that nobody can aim at one bucket. */
static void make_seeds(struct tmem_store *st, uint64_t *ret_objects)
{
	uint64_t seeds[2];

	if (getrandom(seeds, sizeof(seeds), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(seeds)) {
		seeds[0] = tmem_clock_ns();
		seeds[1] = (uintptr_t)st;
	}
	st->seed = seeds[0];
	*ret_objects = seeds[1];
}

static int init_workers(struct tmem_store *st, uint32_t count)
{
	uint64_t bytes = (uint64_t)count * sizeof(*st->workers);
	uint32_t i;
	int err = 0;

	if (tmem_space_charge(&st->space, bytes))
		return -ENOMEM;
	st->workers = tmem_mem_alloc(bytes);
	if (!st->workers)
		return -ENOMEM;
	st->workers_count = count;
	for (i = 0; i < count; i++)
		tmem_lock_init(&st->workers[i].lock, TMEM_RANK_WORKER);
	for (i = 0; i < count && !err; i++)
		err = tmem_codec_init(&st->workers[i].codec, &st->space,
				      TMEM_PAGE_SIZE);
	for (i = 0; i < TMEM_CODECS && !err; i++)
		err = tmem_codec_init(&st->codecs[i], &st->space,
				      TMEM_PAGE_SIZE);
	return err;
}

static int init_parts(struct tmem_store *st, const struct tmem_store_opts *opts,
		      struct tmem_lease *lease)
{
	uint64_t seed;
	uint32_t shards;
	int err;

	make_seeds(st, &seed);
	tmem_lock_init(&st->pools_lock, TMEM_RANK_POOLS);
	tmem_lock_init(&st->sweep.lock, TMEM_RANK_SWEEP);
	err = tmem_space_init(&st->space, lease, opts->limit_bytes);
	if (err)
		return err;
	err = tmem_space_charge(&st->space, sizeof(*st));
	if (err)
		return err;
	tmem_log_init(&st->log, &st->space);
	tmem_dense_init(st, opts->dense_level, opts->raw_pct);
	st->shards_count = clamp(opts->limit_bytes / TMEM_SHARD_BYTES,
				 TMEM_SHARDS_MIN, TMEM_SHARDS_MAX);
	err = tmem_index_init(st);
	if (err)
		return err;
	shards = clamp(st->shards_count / TMEM_SHARDS_PER_OBJECT_SHARD, 1,
		       TMEM_SHARDS_MAX);
	err = tmem_objects_init(&st->objects, &st->space, shards, seed);
	if (err)
		return err;
	return init_workers(st, opts->workers);
}

int tmem_store_create(const struct tmem_store_opts *opts,
		      struct tmem_lease *lease, struct tmem_store **ret)
{
	struct tmem_store *st;
	int err;

	if (opts->limit_bytes / lease->segment_size < 16)
		return -EINVAL;
	st = tmem_mem_alloc(sizeof(*st));
	if (!st)
		return -ENOMEM;
	st->limit_pages = opts->limit_pages;
	st->limit_first = opts->limit_bytes;
	st->logger = opts->logger;
	st->copy = tmem_copy_pick();
	atomic_store(&st->density_clock, UINT32_MAX);
	err = init_parts(st, opts, lease);
	if (err) {
		tmem_store_destroy(st, 0);
		return err;
	}
	*ret = st;
	return 0;
}

void tmem_store_destroy(struct tmem_store *st, int in_child)
{
	uint32_t i;

	if (!st)
		return;
	for (i = 0; i < TMEM_POOLS_MAX; i++)
		tmem_mem_free(st->pools[i].tallies,
			      st->shards_count * sizeof(struct tmem_tally));
	for (i = 0; i < st->workers_count; i++) {
		tmem_codec_finish(&st->workers[i].codec);
		tmem_lock_finish(&st->workers[i].lock);
	}
	tmem_mem_free(st->workers, st->workers_count * sizeof(*st->workers));
	for (i = 0; i < TMEM_CODECS; i++)
		tmem_codec_finish(&st->codecs[i]);
	tmem_dense_finish(st);
	tmem_objects_finish(&st->objects, in_child);
	tmem_index_finish(st);
	tmem_log_finish(&st->log);
	tmem_space_finish(&st->space, in_child);
	tmem_lock_finish(&st->sweep.lock);
	tmem_lock_finish(&st->pools_lock);
	tmem_mem_free(st, sizeof(*st));
}

/* ---- Entry points -------------------------------------------------------- */

static struct tmem_part whole_page(const struct tmem_view *p)
{
	struct tmem_part part = { 0, 1u << p->page_shift };

	return part;
}

int tmem_store_put(struct tmem_store *st, int pool, const struct tmem_key *key,
		   const void *page)
{
	struct tmem_view p;
	struct tmem_ref ref;

	if (tmem_pool_find(st, pool, &p))
		return -EBADF;
	tmem_index_ref(st, (uint32_t)pool, key, &ref);
	return tmem_put_ref(st, &p, &ref, page);
}

int tmem_store_get(struct tmem_store *st, int pool, const struct tmem_key *key,
		   void *page)
{
	struct tmem_view p;
	struct tmem_part part;
	struct tmem_ref ref;

	if (tmem_pool_find(st, pool, &p))
		return -EBADF;
	part = whole_page(&p);
	tmem_index_ref(st, (uint32_t)pool, key, &ref);
	return tmem_get_ref(st, &p, &ref, &part, p.take, page);
}

int tmem_store_flush_page(struct tmem_store *st, int pool,
			  const struct tmem_key *key)
{
	struct tmem_view p;
	struct tmem_ref ref;

	if (tmem_pool_find(st, pool, &p))
		return -EBADF;
	tmem_index_ref(st, (uint32_t)pool, key, &ref);
	return tmem_flush_ref(st, &ref);
}

int tmem_store_flush_object(struct tmem_store *st, int pool,
			    const struct tmem_key *key)
{
	struct tmem_view p;
	struct tmem_ref ref;

	if (tmem_pool_find(st, pool, &p))
		return -EBADF;
	tmem_index_ref(st, (uint32_t)pool, key, &ref);
	return tmem_flush_object_ref(st, &ref);
}

/* 1: a whole page; 0: a part, in @part; -EINVAL. */
static int op_part(const struct tmem_op *op, const struct tmem_view *p,
		   struct tmem_part *part)
{
	uint32_t size = 1u << p->page_shift;

	*part = whole_page(p);
	if (!op->page)
		return -EINVAL;
	if (!op->offset && !op->len)
		return 1;
	if (!op->len || op->offset >= size || op->len > size - op->offset)
		return -EINVAL;
	part->offset = op->offset;
	part->len = op->len;
	return 0;
}

static int do_op(struct tmem_store *st, const struct tmem_op *op,
		 const struct tmem_ref *ref)
{
	struct tmem_view p;
	struct tmem_part part;
	int whole = 1;

	if (op->flags || op->reserved[0] || op->reserved[1] ||
	    op->code < TMEM_OP_PUT || op->code > TMEM_OP_FLUSH_OBJECT)
		return -EINVAL;
	if (tmem_pool_find(st, op->pool, &p))
		return -EBADF;
	if (op->code == TMEM_OP_PUT || op->code == TMEM_OP_GET)
		whole = op_part(op, &p, &part);
	if (whole < 0)
		return whole;
	switch (op->code) {
	case TMEM_OP_PUT:
		return whole ? tmem_put_ref(st, &p, ref, op->page)
			     : tmem_put_part(st, &p, ref, &part, op->page);
	case TMEM_OP_GET:
		return tmem_get_ref(st, &p, ref, &part, whole && p.take,
				    op->page);
	case TMEM_OP_FLUSH_PAGE:
		return tmem_flush_ref(st, ref);
	default:
		return tmem_flush_object_ref(st, ref);
	}
}

void tmem_store_submit(struct tmem_store *st, struct tmem_op *ops,
		       unsigned count)
{
	struct tmem_ref refs[BATCH];
	unsigned i, n;

	for (; count; count -= n, ops += n) {
		n = count < BATCH ? count : BATCH;
		for (i = 0; i < n; i++)
			tmem_index_ref(st, (uint32_t)ops[i].pool, &ops[i].key,
				       &refs[i]);
		for (i = 0; i < n; i++)
			ops[i].result = do_op(st, &ops[i], &refs[i]);
	}
}

void tmem_store_refresh(struct tmem_store *st)
{
	tmem_space_refresh(&st->space);
	atomic_store(&st->room_skip, 0);
	(void)tmem_notice_losses(st);
}

void tmem_store_freeze(struct tmem_store *st, enum tmem_freezer who, int frozen)
{
	if (frozen)
		atomic_fetch_or(&st->frozen, (int)who);
	else
		atomic_fetch_and(&st->frozen, ~(int)who);
}
