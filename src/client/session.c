/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session.c - sessions: made over a source, what callers pass checked, and passed
 * on to the store.
 *
 * A forked child inherits a copy of the session's heap but none of its memory and
 * none of its threads. One page that the kernel wipes in the child tells the two
 * apart, for one load a call.
 */
#include "session.h"

#include <errno.h>
#include <string.h>

#include <tmem/tmem.h>

#include "agers.h"
#include "keeper.h"
#include "lease-daemon.h"
#include "lease.h"
#include "mem.h"
#include "store.h"

struct tmem {
	struct tmem_store *store;	/* (c) */
	struct tmem_lease *lease;	/* (c) owned */
	const volatile uint32_t *alive; /* (c) reads 0 in a forked child */
	struct tmem_logger logger;	/* (c) */
	struct tmem_agers agers;
	struct tmem_keeper keeper; /* of a leased session */
};

/* What a pool's first segments, and an index's, may take to come. A daemon that
 * is at all well needs a few milliseconds. */
#define EXPECT_POOL_MS 200
#define EXPECT_STORE_MS 5000

int tmem_session_complain(const struct tmem_logger *l, int err, const char *line)
{
	tmem_logger_say(l, TMEM_LOG_ERR, "%s", line);
	return err;
}

/* ---- Structs that grow --------------------------------------------------- */

/* More than any release's struct will have; beyond, `size` is taken for junk. */
#define STRUCT_MAX 4096

/* What struct tmem_stats had in the first release. */
#define STATS_FIRST offsetof(struct tmem_stats, puts_packed)

int tmem_struct_check(const void *p, size_t size, size_t first, size_t known)
{
	const uint8_t *tail = (const uint8_t *)p + known;
	size_t i;

	if (size < first)
		return -EINVAL;
	if (size > STRUCT_MAX)
		return -E2BIG;
	for (i = 0; known + i < size; i++)
		if (tail[i])
			return -E2BIG;
	return 0;
}

/* ---- Beginning and end --------------------------------------------------- */

int tmem_session_create(struct tmem_lease *lease,
			const struct tmem_session_plan *plan,
			const struct tmem_open_opts *opts, struct tmem **ret)
{
	struct tmem_store_opts so = {
		.limit_bytes = plan->limit_bytes,
		.limit_pages = plan->limit_pages,
		.workers = plan->agers + 1,
		.dense_level = plan->dense_level,
		.raw_pct = plan->raw_pct,
	};
	struct tmem *t = tmem_mem_alloc(sizeof(*t));
	uint32_t *alive;
	int err = -ENOMEM;

	if (!t) {
		lease->ops->destroy(lease, 0);
		return -ENOMEM;
	}
	t->lease = lease;
	if (opts && opts->log) {
		t->logger.fn = opts->log;
		t->logger.ctx = opts->log_ctx;
	}
	so.logger = t->logger;
	alive = tmem_mem_map_wipe();
	t->alive = alive;
	if (alive) {
		*alive = 1;
		if (opts) {
			t->keeper.wanted = opts->wanted;
			t->keeper.wanted_ctx = opts->wanted_ctx;
		}
		err = plan->leased ? tmem_keeper_start(&t->keeper, lease,
						       &t->agers, &t->logger)
				   : 0;
	}
	if (!err && plan->leased)
		(void)tmem_lease_daemon_expect(lease, TMEM_CLASS_METADATA, 1,
					       EXPECT_STORE_MS);
	if (!err)
		err = tmem_store_create(&so, lease, &t->store);
	if (!err && plan->agers)
		err = tmem_agers_start(&t->agers, t->store, plan->agers,
				       plan->share_pct);
	if (err) {
		tmem_close(t);
		return err;
	}
	if (plan->leased)
		tmem_keeper_serve(&t->keeper, t->store);
	*ret = t;
	return 0;
}

void tmem_close(struct tmem *t)
{
	int in_child;

	if (!t)
		return;
	in_child = t->alive && !*t->alive;
	if (!in_child) {
		tmem_keeper_stop(&t->keeper);
		tmem_agers_stop(&t->agers);
	}
	tmem_store_destroy(t->store, in_child);
	t->lease->ops->destroy(t->lease, in_child);
	/* The child has its own copy of this page. */
	tmem_mem_unmap((void *)(uintptr_t)t->alive, TMEM_OS_PAGE);
	tmem_mem_free(t, sizeof(*t));
}

/* ---- Calls --------------------------------------------------------------- */

static inline int usable(const struct tmem *t)
{
	if (__builtin_expect(!t, 0))
		return -EINVAL;
	return __builtin_expect(!*t->alive, 0) ? -EPERM : 0;
}

static inline void kick(struct tmem *t)
{
	if (t->agers.count && tmem_store_wants_age(t->store))
		tmem_agers_kick(&t->agers);
}

static int check_pool_opts(const struct tmem *t, const struct tmem_pool_opts *o)
{
	const uint32_t known = TMEM_POOL_PERSISTENT | TMEM_POOL_SHARED |
			       TMEM_POOL_KEEP | TMEM_POOL_TAKE;
	const uint32_t both = TMEM_POOL_KEEP | TMEM_POOL_TAKE;
	int err = tmem_struct_check(o, o->size, sizeof(*o), sizeof(*o));

	if (err)
		return err;
	if (o->flags & ~known)
		return tmem_session_complain(
			&t->logger, -EINVAL,
			"pool flags: there are PERSISTENT, SHARED, "
			"KEEP and TAKE");
	if ((o->flags & both) == both)
		return tmem_session_complain(
			&t->logger, -EINVAL,
			"pool flags: KEEP and TAKE exclude each other");
	if (o->page_size && (o->page_size < TMEM_PAGE_SIZE_MIN ||
			     o->page_size > TMEM_PAGE_SIZE_MAX ||
			     o->page_size & (o->page_size - 1)))
		return tmem_session_complain(
			&t->logger, -EINVAL,
			"page_size: want a power of two from 4096 to "
			"65536");
	if (o->flags & TMEM_POOL_SHARED)
		return tmem_session_complain(
			&t->logger, -EOPNOTSUPP,
			"an embedded store has no shared pools");
	return 0;
}

int tmem_pool_create(struct tmem *t, const struct tmem_pool_opts *opts)
{
	static const struct tmem_pool_opts defaults = {
		.size = sizeof(defaults),
	};
	int err = usable(t);

	if (!opts)
		opts = &defaults;
	if (!err)
		err = check_pool_opts(t, opts);
	if (!err && t->keeper.lease)
		(void)tmem_lease_daemon_expect(t->lease,
					       opts->flags & TMEM_POOL_PERSISTENT
						       ? TMEM_CLASS_PERSISTENT
						       : TMEM_CLASS_EPHEMERAL,
					       1, EXPECT_POOL_MS);
	return err ? err : tmem_store_pool_create(t->store, opts);
}

int tmem_pool_destroy(struct tmem *t, int pool)
{
	int ret = usable(t);

	if (!ret) {
		ret = tmem_store_pool_destroy(t->store, pool);
		kick(t);
	}
	return ret;
}

int tmem_put(struct tmem *t, int pool, const struct tmem_key *key,
	     const void *page)
{
	int ret = usable(t);

	if (ret)
		return ret;
	if (!key || !page)
		return -EINVAL;
	ret = tmem_store_put(t->store, pool, key, page);
	kick(t);
	return ret;
}

int tmem_get(struct tmem *t, int pool, const struct tmem_key *key, void *page)
{
	int ret = usable(t);

	if (ret)
		return ret;
	if (!key || !page)
		return -EINVAL;
	return tmem_store_get(t->store, pool, key, page);
}

int tmem_flush_page(struct tmem *t, int pool, const struct tmem_key *key)
{
	int ret = usable(t);

	if (ret)
		return ret;
	return key ? tmem_store_flush_page(t->store, pool, key) : -EINVAL;
}

int tmem_flush_object(struct tmem *t, int pool, const struct tmem_key *key)
{
	int ret = usable(t);

	if (ret)
		return ret;
	if (!key)
		return -EINVAL;
	ret = tmem_store_flush_object(t->store, pool, key);
	kick(t);
	return ret;
}

int tmem_submit(struct tmem *t, struct tmem_op *ops, unsigned count)
{
	int ret = usable(t);

	if (ret)
		return ret;
	if (!ops && count)
		return -EINVAL;
	tmem_store_submit(t->store, ops, count);
	kick(t);
	return 0;
}

int tmem_shrink(struct tmem *t, uint64_t bytes, uint64_t *ret_bytes)
{
	uint64_t given;
	int ret = usable(t);

	if (ret)
		return ret;
	tmem_store_shrink(t->store, bytes, &given);
	if (ret_bytes)
		*ret_bytes = given;
	kick(t);
	return 0;
}

int tmem_set_limit(struct tmem *t, uint64_t limit_bytes)
{
	int ret = usable(t);

	if (ret)
		return ret;
	ret = tmem_store_set_limit(t->store, limit_bytes);
	if (ret)
		return tmem_session_complain(
			&t->logger, ret,
			"limit: the least is 1M, the most 1T or 64 "
			"times what the store was opened with");
	kick(t);
	return 0;
}

int tmem_freeze(struct tmem *t, int frozen)
{
	int ret = usable(t);

	if (ret)
		return ret;
	if (frozen != 0 && frozen != 1)
		return -EINVAL;
	tmem_store_freeze(t->store, TMEM_FREEZER_USER, frozen);
	return 0;
}

int tmem_age(struct tmem *t, uint64_t budget_us)
{
	int ret = usable(t);

	return ret ? ret : tmem_store_age(t->store, budget_us);
}

int tmem_stats(struct tmem *t, struct tmem_stats *ret)
{
	struct tmem_stats s;
	int err = usable(t);

	if (err)
		return err;
	if (!ret)
		return -EINVAL;
	err = tmem_struct_check(ret, ret->size, STATS_FIRST, sizeof(*ret));
	if (err)
		return err;
	tmem_store_stats(t->store, &s);
	s.size = ret->size;
	memcpy(ret, &s, s.size < sizeof(s) ? s.size : sizeof(s));
	return 0;
}

int tmem_pool_stats(struct tmem *t, int pool, struct tmem_pool_stats *ret)
{
	struct tmem_pool_stats s;
	int err = usable(t);

	if (err)
		return err;
	if (!ret)
		return -EINVAL;
	err = tmem_struct_check(ret, ret->size, sizeof(*ret), sizeof(*ret));
	if (!err)
		err = tmem_store_pool_stats(t->store, pool, &s);
	if (err)
		return err;
	s.size = ret->size;
	*ret = s;
	return 0;
}

int tmem_check(struct tmem *t)
{
	int ret = usable(t);

	return ret ? ret : tmem_store_check(t->store);
}
