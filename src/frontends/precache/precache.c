/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * precache.c - the precache of one filesystem: a pool that the first put makes.
 *
 *	no pool --put--> pool --flush_filesystem--> no pool
 *
 * The pool's id is all that changes. Ids carry a generation and are never given
 * twice, so a call that read the id before a flush finds no pool and says so:
 * no lock is needed where pages are put and got.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <tmem/precache.h>

enum {
	NO_POOL = -1,
	/* A shared pool that was left: no put brings it back. */
	LEFT_POOL = -2
};

/* The lock guards making a pool; lock rank: taken before any of the store's. */
struct tmem_precache {
	struct tmem *session; /* (c) */
	uint32_t pool_flags;  /* (c) */
	uint32_t page_size;   /* (c) */
	char *name;	      /* (c) */
	_Atomic int pool;     /* (a) id, NO_POOL or LEFT_POOL */
	pthread_mutex_t lock;
};

/* Structs that begin with `size`: see tmem.h. */
static int take_opts(const struct tmem_precache_opts *given,
		     struct tmem_precache_opts *ret)
{
	const unsigned char *bytes = (const unsigned char *)given;

	*ret = (struct tmem_precache_opts){ .size = sizeof(*ret) };
	if (given) {
		if (given->size < sizeof(*ret))
			return -EINVAL;
		for (size_t i = sizeof(*ret); i < given->size; i++) {
			if (bytes[i])
				return -E2BIG;
		}
		*ret = *given;
	}
	if (!ret->page_size)
		ret->page_size = TMEM_PAGE_SIZE;
	if (ret->flags & ~(uint32_t)TMEM_PRECACHE_KEEP ||
	    ret->page_size < TMEM_PAGE_SIZE_MIN ||
	    ret->page_size > TMEM_PAGE_SIZE_MAX ||
	    (ret->page_size & (ret->page_size - 1)))
		return -EINVAL;
	return 0;
}

static int create(struct tmem *t, const struct tmem_precache_opts *opts,
		  struct tmem_precache **ret)
{
	struct tmem_precache *pc = calloc(1, sizeof(*pc));

	if (!pc)
		return -ENOMEM;
	if (opts->name) {
		pc->name = strdup(opts->name);
		if (!pc->name) {
			free(pc);
			return -ENOMEM;
		}
	}
	pc->session = t;
	pc->page_size = opts->page_size;
	if (opts->flags & TMEM_PRECACHE_KEEP)
		pc->pool_flags |= TMEM_POOL_KEEP;
	atomic_init(&pc->pool, NO_POOL);
	(void)pthread_mutex_init(&pc->lock, NULL);
	*ret = pc;
	return 0;
}

/* The id of a pool made now, or why there is none. */
static int pool_make(const struct tmem_precache *pc, const uint8_t *uuid)
{
	struct tmem_pool_opts opts = {
		.size = sizeof(opts),
		.flags = pc->pool_flags,
		.page_size = pc->page_size,
		.name = pc->name,
	};

	if (uuid) {
		opts.flags |= TMEM_POOL_SHARED;
		memcpy(opts.uuid, uuid, sizeof(opts.uuid));
	}
	return tmem_pool_create(pc->session, &opts);
}

int tmem_precache_init(struct tmem *t, const struct tmem_precache_opts *opts,
		       struct tmem_precache **ret)
{
	struct tmem_precache_opts mine;
	int err = take_opts(opts, &mine);

	if (err || !ret)
		return err ? err : -EINVAL;
	if (!t) {
		*ret = NULL;
		return 0;
	}
	return create(t, &mine, ret);
}

int tmem_precache_shared_init(struct tmem *t,
			      const struct tmem_precache_opts *opts,
			      struct tmem_precache **ret)
{
	struct tmem_precache_opts mine;
	struct tmem_precache *pc;
	int err = take_opts(opts, &mine);
	int pool;

	if (err || !ret || !opts)
		return err ? err : -EINVAL;
	if (!t) {
		*ret = NULL;
		return 0;
	}
	mine.flags |= TMEM_PRECACHE_KEEP;
	err = create(t, &mine, &pc);
	if (err)
		return err;
	pool = pool_make(pc, mine.uuid);
	if (pool < 0) {
		tmem_precache_finish(pc);
		return pool;
	}
	pc->pool_flags |= TMEM_POOL_SHARED;
	atomic_store(&pc->pool, pool);
	*ret = pc;
	return 0;
}

void tmem_precache_finish(struct tmem_precache *pc)
{
	if (!pc)
		return;
	(void)tmem_precache_flush_pool(pc); /* a forked child's: not its to end */
	(void)pthread_mutex_destroy(&pc->lock);
	free(pc->name);
	free(pc);
}

static struct tmem_key key_of(const struct tmem_precache_file *file,
			      uint64_t index)
{
	struct tmem_key key;

	memcpy(key.object, file->object, sizeof(key.object));
	key.index = index;
	return key;
}

/* A pool that is gone has nothing: it was flushed after its id was read. */
static int or_nothing(int result)
{
	return result == -EBADF ? 0 : result;
}

static int pool_ensure(struct tmem_precache *pc)
{
	int pool = atomic_load_explicit(&pc->pool, memory_order_acquire);

	if (pool != NO_POOL)
		return pool;
	(void)pthread_mutex_lock(&pc->lock);
	pool = atomic_load_explicit(&pc->pool, memory_order_relaxed);
	if (pool == NO_POOL) {
		pool = pool_make(pc, NULL);
		if (pool >= 0)
			atomic_store_explicit(&pc->pool, pool,
					      memory_order_release);
	}
	(void)pthread_mutex_unlock(&pc->lock);
	return pool;
}

int tmem_precache_put_page(struct tmem_precache *pc,
			   const struct tmem_precache_file *file,
			   uint64_t index, const void *page)
{
	struct tmem_key key;
	int pool;

	if (!file || !page)
		return -EINVAL;
	pool = pool_ensure(pc);
	/* No pool for want of ids or memory: a refusal like any other. */
	if (pool < 0)
		return pool == -EPERM ? pool : 0;
	key = key_of(file, index);
	return or_nothing(tmem_put(pc->session, pool, &key, page));
}

int tmem_precache_get_page(struct tmem_precache *pc,
			   const struct tmem_precache_file *file,
			   uint64_t index, void *page)
{
	int pool = atomic_load_explicit(&pc->pool, memory_order_acquire);
	struct tmem_key key;

	if (!file || !page)
		return -EINVAL;
	if (pool < 0)
		return 0;
	key = key_of(file, index);
	return or_nothing(tmem_get(pc->session, pool, &key, page));
}

int tmem_precache_flush_page(struct tmem_precache *pc,
			     const struct tmem_precache_file *file,
			     uint64_t index)
{
	int pool = atomic_load_explicit(&pc->pool, memory_order_acquire);
	struct tmem_key key;

	if (!file)
		return -EINVAL;
	if (pool < 0)
		return 0;
	key = key_of(file, index);
	return or_nothing(tmem_flush_page(pc->session, pool, &key));
}

int tmem_precache_flush_object(struct tmem_precache *pc,
			       const struct tmem_precache_file *file)
{
	int pool = atomic_load_explicit(&pc->pool, memory_order_acquire);
	struct tmem_key key;

	if (!file)
		return -EINVAL;
	if (pool < 0)
		return 0;
	key = key_of(file, 0);
	return or_nothing(tmem_flush_object(pc->session, pool, &key));
}

int tmem_precache_flush_pool(struct tmem_precache *pc)
{
	int next = pc->pool_flags & TMEM_POOL_SHARED ? LEFT_POOL : NO_POOL;
	int pool =
		atomic_exchange_explicit(&pc->pool, next, memory_order_acq_rel);
	int err;

	if (pool < 0)
		return 0;
	err = tmem_pool_destroy(pc->session, pool);
	return err ? or_nothing(err) : 1;
}

int tmem_precache_stats(struct tmem_precache *pc, struct tmem_pool_stats *ret)
{
	int pool, err;

	if (!pc)
		return 0;
	pool = atomic_load_explicit(&pc->pool, memory_order_acquire);
	if (pool < 0)
		return 0;
	err = tmem_pool_stats(pc->session, pool, ret);
	return err ? or_nothing(err) : 1;
}
