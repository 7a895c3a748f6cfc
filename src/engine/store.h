/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store.h - one engine instance: index + log + policy over leased segments.
 *
 *	put  -> pool -> form -> log (room, copy) -> index (publish)
 *	get  -> pool -> index (find) -> read -> index (take)
 *	ager -> sweep: slots of condemned objects, dead pools, lost segments
 *	     -> clean: a segment chosen by the policy is packed, compacted, evicted
 *
 * The engine starts no thread and knows no caller: whoever has time calls
 * tmem_store_age(). Results are those of tmem.h.
 */
#ifndef TMEM_ENGINE_STORE_H
#define TMEM_ENGINE_STORE_H

#include <stdatomic.h>
#include <stdint.h>

#include <tmem/tmem.h>

#include "bounds.h"
#include "codec.h"
#include "copy.h"
#include "dense.h"
#include "ghost.h"
#include "log.h"
#include "logger.h"
#include "object.h"
#include "pool.h"
#include "segment.h"
#include "table.h"
#include "trial.h"

struct tmem_shard {
	struct tmem_lock lock; /* TMEM_RANK_SHARD */
	struct tmem_table table;
	struct tmem_ghost evicted; /* marks of evicted pages */
	struct tmem_ghost taken;   /* marks of taken ones */
	struct tmem_trial *trial;  /* NULL: not in this shard */
} __attribute__((aligned(64)));

enum tmem_job_kind {
	TMEM_JOB_NONE,
	TMEM_JOB_PACK,	  /* raw entries become packed ones */
	TMEM_JOB_DENSE,	  /* entries become dense ones, or move together */
	TMEM_JOB_COMPACT, /* live entries move together */
	TMEM_JOB_RETIRE,  /* nothing lives: free it at once */
	TMEM_JOB_EVICT	  /* live entries go, or move to the main queue */
};

/** struct tmem_job - a worker's segment, and how far it has come. */
struct tmem_job {
	enum tmem_job_kind kind;
	enum tmem_stream stream; /* where live entries go */
	enum tmem_queue queue;	 /* of the segment */
	uint64_t age;		 /* of the segment */
	uint32_t tried, gained;	 /* DENSE: pages that should, that did shrink */

	struct tmem_walk walk;
};

struct tmem_worker {
	struct tmem_lock lock; /* TMEM_RANK_WORKER */
	struct tmem_codec codec;
	struct tmem_job job;
	uint32_t compacted; /* segments */
} __attribute__((aligned(64)));

/** struct tmem_sweep - one pass over the index at a time. */
struct tmem_sweep {
	struct tmem_lock lock;	 /* TMEM_RANK_SWEEP */
	_Atomic uint64_t wanted; /* raised by whoever makes garbage */
	_Atomic uint64_t done;	 /* garbage up to here is swept */
	uint64_t pass;		 /* what `done` becomes after this pass */
	uint32_t shard, bucket;	 /* where the pass is */
	int active;
};

/* A put under way in `live`. */
#define TMEM_LIVE_PUT (1ull << 48)
#define TMEM_LIVE_UNITS(live) ((live) & (TMEM_LIVE_PUT - 1))

struct tmem_store {
	struct tmem_space space;
	struct tmem_log log;
	struct tmem_objects objects;
	struct tmem_shard *shards;   /* (c) */
	uint32_t shards_count;	     /* (c) */
	uint64_t seed;		     /* (c) of key hashes */
	uint64_t limit_pages;	     /* (c) 0: none */
	uint64_t limit_first;	     /* (c) bytes, at create */
	tmem_copy_fn copy;	     /* (c) */
	struct tmem_logger logger;   /* (c) */
	struct tmem_lock pools_lock; /* TMEM_RANK_POOLS */
	struct tmem_pool pools[TMEM_POOLS_MAX];
	struct tmem_codec codecs[TMEM_CODECS];
	struct tmem_worker *workers;  /* (c) */
	uint32_t workers_count;	      /* (c) */
	_Atomic uint32_t worker_next; /* (a) */
	struct tmem_sweep sweep;
	struct tmem_dense dense;
	_Atomic int frozen;   /* (a) enum tmem_freezer bits */
	_Atomic int shortage; /* (a) putters pack inline; hysteresis */
	_Atomic uint32_t way; /* (a) enum tmem_way */
	struct tmem_contest contest;
	_Atomic int haunted;	/* (a) some page has left a mark */
	_Atomic uint64_t pages; /* (a) kept only under limit_pages */
	_Atomic uint64_t live;	/* (a) units of persistent pages:48, below
				       * puts under way that are in it:16 */
	_Atomic uint32_t density_clock; /* (a) the log's, at the last time that
					 * packing could not help */
	_Atomic uint32_t room_skip; /* (a) puts that need not try to make room;
				       * 0 as soon as a page goes */
	_Atomic uint64_t lost;	    /* (a) pages lost with their segments */
	_Atomic uint64_t ager_ns;   /* (a) */
	_Atomic uint64_t shortages; /* (a) times that it became short */
	_Atomic uint64_t puts_packed; /* (a) put in packed form */
	_Atomic uint32_t populated;   /* (a) the log's clock at the last time */
	struct tmem_tally departed;   /* (p) pools lock: of destroyed pools */
};

struct tmem_store_opts {
	uint64_t limit_bytes; /* bytes */
	uint64_t limit_pages; /* 0: none */
	uint32_t workers;     /* at least 1: who may clean at the same time */
	int dense_level;      /* of zstd; 0: no page is made dense */
	uint32_t raw_pct;     /* of the limit that may be full before background
			       * work makes old pages smaller; 100: only when
			       * room is short */
	struct tmem_logger logger;
};

/**
 * tmem_store_create() - an empty store on a segment source.
 * @lease: not owned.
 *
 * Return: 0, -EINVAL the limit is too small for this source, -ENOMEM.
 */
int tmem_store_create(const struct tmem_store_opts *opts,
		      struct tmem_lease *lease, struct tmem_store **ret);

/** tmem_store_destroy() - NULL is fine; in_child: only what a fork copied. */
void tmem_store_destroy(struct tmem_store *st, int in_child);

/* As their namesakes in tmem.h; arguments are checked by the caller. */
int tmem_store_pool_create(struct tmem_store *st,
			   const struct tmem_pool_opts *opts);
int tmem_store_pool_destroy(struct tmem_store *st, int pool);
int tmem_store_put(struct tmem_store *st, int pool, const struct tmem_key *key,
		   const void *page);
int tmem_store_get(struct tmem_store *st, int pool, const struct tmem_key *key,
		   void *page);
int tmem_store_flush_page(struct tmem_store *st, int pool,
			  const struct tmem_key *key);
int tmem_store_flush_object(struct tmem_store *st, int pool,
			    const struct tmem_key *key);
void tmem_store_submit(struct tmem_store *st, struct tmem_op *ops,
		       unsigned count);
void tmem_store_shrink(struct tmem_store *st, uint64_t bytes,
		       uint64_t *ret_bytes);
int tmem_store_set_limit(struct tmem_store *st, uint64_t limit_bytes);
/** enum tmem_freezer - who wants puts refused; a store thaws when nobody does. */
enum tmem_freezer {
	TMEM_FREEZER_USER = 1,
	TMEM_FREEZER_LENDER = 2
};

void tmem_store_freeze(struct tmem_store *st, enum tmem_freezer who, int frozen);

/** tmem_store_pools_destroy() - all that there are at this moment. */
void tmem_store_pools_destroy(struct tmem_store *st);

int tmem_store_age(struct tmem_store *st, uint64_t budget_us);

/** tmem_store_age_slice() - tmem_store_age(); *ret_idle_ns: of this thread's CPU
 * time, what went into work that could have waited. */
int tmem_store_age_slice(struct tmem_store *st, uint64_t budget_us,
			 uint64_t *ret_idle_ns);
void tmem_store_stats(struct tmem_store *st, struct tmem_stats *ret);
int tmem_store_pool_stats(struct tmem_store *st, int pool,
			  struct tmem_pool_stats *ret);
int tmem_store_check(struct tmem_store *st);

/** tmem_store_is_pressed() - 1: that work cannot wait: free segments are few, or
 * garbage is about; cheap. */
int tmem_store_is_pressed(const struct tmem_store *st);
/** tmem_store_refresh() - the source took segments, or has more or less to lend
 * than before; for whoever hears of it first. */
void tmem_store_refresh(struct tmem_store *st);

/** tmem_store_wants_age() - 1: background work would do good now; cheap. */
int tmem_store_wants_age(const struct tmem_store *st);

#endif
