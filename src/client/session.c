/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session.c - sessions: opening one, checking what callers pass, and passing it
 * on to the store.
 *
 * A forked child inherits a copy of the session's heap but none of its memory and
 * none of its threads. One page that the kernel wipes in the child tells the two
 * apart, for one load a call.
 */
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tmem/tmem.h>
#include <tmem/wire.h>

#include "agers.h"
#include "bounds.h"
#include "dense.h"
#include "keeper.h"
#include "lease-daemon.h"
#include "lease.h"
#include "mem.h"
#include "store.h"
#include "where.h"

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

/* ---- Structs that grow --------------------------------------------------- */

/* More than any release's struct will have; beyond, `size` is taken for junk. */
#define STRUCT_MAX 4096

/* What struct tmem_stats had in the first release. */
#define STATS_FIRST offsetof(struct tmem_stats, puts_packed)

/* The same of struct tmem_open_opts. */
#define OPEN_FIRST offsetof(struct tmem_open_opts, wanted)

/* @first: what the first release's struct had; @known: what this one's has. */
static int check_size(const void *p, size_t size, size_t first, size_t known)
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

/* ---- Opening ------------------------------------------------------------- */

static int complain(const struct tmem_logger *l, int err, const char *line)
{
	tmem_logger_say(l, TMEM_LOG_ERR, "%s", line);
	return err;
}

/* MemAvailable, bytes; 0: unknown. */
static uint64_t mem_available(void)
{
	unsigned long long kib = 0;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
			break;
	(void)fclose(f);
	return kib * 1024;
}

static uint64_t default_limit(void)
{
	uint64_t limit = mem_available() / 4;

	return limit < TMEM_LIMIT_MIN	? TMEM_LIMIT_MIN
	       : limit > TMEM_LIMIT_MAX ? TMEM_LIMIT_MAX
					: limit;
}

static int plan_limit(const struct tmem_where *w,
		      const struct tmem_open_opts *opts,
		      const struct tmem_logger *l,
		      struct tmem_session_plan *plan)
{
	uint64_t limit = opts ? opts->limit_bytes : 0;

	if (limit && w->size)
		return complain(l, -EINVAL,
				"the limit is given twice: by size= and by "
				"limit_bytes; leave one out");
	if (limit && (limit < TMEM_LIMIT_MIN || limit > TMEM_LIMIT_MAX))
		return complain(l, -EINVAL,
				"limit_bytes: the least is 1M, the most 1T");
	plan->limit_bytes = limit ? limit : w->size;
	if (!plan->limit_bytes && w->kind == TMEM_WHERE_EMBEDDED)
		plan->limit_bytes = default_limit();
	plan->limit_pages = opts ? opts->limit_pages : 0;
	plan->reserve_bytes = opts ? opts->reserve_bytes : 0;
	plan->pages = w->pages;
	if (w->pages == TMEM_PAGES_HUGE &&
	    plan->limit_bytes < TMEM_HUGE_LIMIT_MIN)
		return complain(l, -EINVAL,
				"pages=huge: the least store is 64M");
	return 0;
}

static int plan_agers(const struct tmem_where *w,
		      const struct tmem_open_opts *opts,
		      const struct tmem_logger *l,
		      struct tmem_session_plan *plan)
{
	uint32_t agers = opts ? opts->agers : 0;

	if (agers && w->agers_said)
		return complain(l, -EINVAL,
				"agers are given twice: by agers= and by "
				"opts.agers; leave one out");
	if (agers > TMEM_AGERS_MAX && agers != TMEM_NO_AGERS)
		return complain(l, -EINVAL, "opts.agers: the most is 64");
	if (agers == TMEM_NO_AGERS)
		plan->agers = 0;
	else
		plan->agers = agers ? agers : w->agers_said ? w->agers : 1;
	return 0;
}

/* What the store does about dense pages, and how much of a core it takes. */
static int plan_aging(const struct tmem_where *w, const struct tmem_logger *l,
		      struct tmem_session_plan *plan)
{
	if (w->codec == TMEM_CODEC_LZ4 && w->level)
		return complain(l, -EINVAL,
				"level= is zstd's; leave it out with codec=lz4");
	if (w->codec == TMEM_CODEC_ZSTD &&
	    plan->limit_bytes < TMEM_DENSE_LIMIT_MIN)
		return complain(l, -EINVAL, "codec=zstd: the least store is 4M");
	plan->share_pct = w->share_pct ? w->share_pct : TMEM_AGERS_SHARE_PCT;
	plan->dense_level = 0;
	if (w->codec == TMEM_CODEC_ZSTD ||
	    (w->codec == TMEM_CODEC_DEFAULT &&
	     plan->limit_bytes >= TMEM_DENSE_FROM))
		plan->dense_level = w->level ? (int)w->level : TMEM_DENSE_LEVEL;
	plan->raw_pct = w->raw_said	    ? w->raw_pct
			: plan->dense_level ? TMEM_DENSE_RAW_PCT
					    : 100;
	return 0;
}

/* The rest is what pages that are not in a hurry may fill. */
static int check_reserve(const struct tmem_session_plan *plan,
			 const struct tmem_logger *l)
{
	if (plan->reserve_bytes > plan->limit_bytes / 2)
		return complain(l, -EINVAL,
				"reserve_bytes: the most is half the limit");
	return 0;
}

static int open_embedded(const struct tmem_session_plan *plan,
			 const struct tmem_open_opts *opts,
			 const struct tmem_logger *l, struct tmem **ret)
{
	struct tmem_lease_opts lo = {
		.segment_size = plan->pages == TMEM_PAGES_HUGE
					? TMEM_SEGMENT_HUGE
					: tmem_segment_size(plan->limit_bytes),
		.huge = plan->pages == TMEM_PAGES_HUGE ||
			(plan->pages == TMEM_PAGES_DEFAULT &&
			 plan->limit_bytes >= TMEM_HUGE_FROM),
		.limit_bytes = plan->limit_bytes,
		.reserve_bytes = plan->reserve_bytes,
	};
	struct tmem_lease *lease;
	int err = check_reserve(plan, l);

	if (err)
		return err;
	err = -ENOMEM;

	/* Address space for as far as the limit may ever be raised, or, where
	 * that is not to be had, for less of it. */
	lo.bytes_max = plan->limit_bytes * TMEM_LIMIT_GROWTH;
	if (lo.bytes_max > TMEM_LIMIT_MAX)
		lo.bytes_max = TMEM_LIMIT_MAX;
	for (; err == -ENOMEM && lo.bytes_max >= plan->limit_bytes;
	     lo.bytes_max /= 4)
		err = tmem_lease_embedded_create(&lo, &lease);
	if (err == -ENOSPC)
		return complain(l, err,
				"reserve_bytes: the kernel has not as much");
	return err ? err : tmem_session_create(lease, plan, opts, ret);
}

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

/* ---- A daemon's ---------------------------------------------------------- */

/* The program's name, with what a domain's name may not have replaced. */
static void default_domain(char *name)
{
	const char *from = program_invocation_short_name;
	size_t i;

	for (i = 0; from[i] && i < TMEM_WIRE_NAME_MAX - 1; i++)
		name[i] = from[i] > ' ' && from[i] < 0x7f && from[i] != ']'
				  ? from[i]
				  : '_';
	if (!i)
		name[i++] = '_';
	name[i] = 0;
}

/* What was asked for ahead has come, or the session is none. */
static int await_reserve(struct tmem *t, const struct tmem_session_plan *plan,
			 const struct tmem_logger *l)
{
	const uint64_t size = t->lease->segment_size;
	uint32_t count = (uint32_t)((plan->reserve_bytes + size - 1) / size);

	if (!count)
		return 0;
	if (tmem_lease_daemon_expect(t->lease, TMEM_CLASS_PERSISTENT, count,
				     EXPECT_STORE_MS) >= count)
		return 0;
	tmem_logger_say(l, TMEM_LOG_ERR,
			"reserve_bytes: the daemon does not lend %llu bytes "
			"ahead; give it a larger quota or ask for less",
			(unsigned long long)plan->reserve_bytes);
	tmem_close(t);
	return -ENOSPC;
}

static int open_leased(const struct tmem_where *w,
		       struct tmem_session_plan *plan,
		       const struct tmem_open_opts *opts,
		       const struct tmem_logger *l, struct tmem **ret)
{
	char name[TMEM_WIRE_NAME_MAX];
	struct tmem_lease_daemon_opts lo = {
		.path = w->path,
		.domain = name,
		.limit_bytes = plan->limit_bytes,
		.reserve_bytes = plan->reserve_bytes,
		.logger = l,
	};
	struct tmem_lease *lease;
	int err;

	if (!opts || !opts->domain)
		default_domain(name);
	else if (strlen(opts->domain) < sizeof(name))
		strcpy(name, opts->domain);
	else
		return complain(l, -EINVAL,
				"opts.domain: the longest is 63 characters");
	err = tmem_lease_daemon_create(&lo, &lease, &plan->limit_bytes);
	if (err)
		return err;
	plan->leased = 1;
	/* By what the daemon lets it have, which was not known before. */
	err = plan_aging(w, l, plan);
	if (!err)
		err = check_reserve(plan, l);
	if (err) {
		lease->ops->destroy(lease, 0);
		return err;
	}
	err = tmem_session_create(lease, plan, opts, ret);
	if (!err)
		err = await_reserve(*ret, plan, l);
	if (err != -ENOMEM)
		return err;
	/* What an index takes at first, if nothing else, comes from there. */
	return complain(l, -ENOSPC,
			"the daemon has no memory to lend at this moment");
}

/* Nobody is there, or nobody who takes connections. */
static int is_absence(int err)
{
	return err == -ENOENT || err == -ENOTDIR || err == -ECONNREFUSED ||
	       err == -EACCES || err == -EAGAIN || err == -ENAMETOOLONG;
}

static int open_at(const char *where, const struct tmem_open_opts *opts,
		   const struct tmem_logger *l, struct tmem **ret)
{
	struct tmem_session_plan plan = { 0 };
	struct tmem_where w;
	int err = tmem_where_parse(where, l, &w);

	if (!err)
		err = plan_limit(&w, opts, l, &plan);
	if (!err)
		err = plan_agers(&w, opts, l, &plan);
	if (!err && w.kind == TMEM_WHERE_EMBEDDED)
		err = plan_aging(&w, l, &plan);
	if (err)
		return err;
	return w.kind == TMEM_WHERE_UNIX ? open_leased(&w, &plan, opts, l, ret)
					 : open_embedded(&plan, opts, l, ret);
}

int tmem_open(const char *where, const struct tmem_open_opts *opts,
	      struct tmem **ret)
{
	struct tmem_logger logger = { NULL, NULL };
	struct tmem_open_opts mine = { 0 };
	int err;

	if (!ret)
		return -EINVAL;
	if (opts) {
		err = check_size(opts, opts->size, OPEN_FIRST, sizeof(mine));
		if (err)
			return err;
		memcpy(&mine, opts,
		       opts->size < sizeof(mine) ? opts->size : sizeof(mine));
		opts = &mine;
		logger.fn = opts->log;
		logger.ctx = opts->log_ctx;
		if (opts->reserved)
			return complain(&logger, -EINVAL,
					"opts.reserved is not 0");
	}
	if (!where)
		where = secure_getenv("TMEM_STORE");
	if (where) {
		err = open_at(where, opts, &logger, ret);
		if (is_absence(err))
			tmem_logger_say(&logger, TMEM_LOG_ERR,
					"%s: no daemon answers: %s", where,
					strerror(-err));
	} else {
		err = open_at("unix:" TMEM_WIRE_SOCKET, opts, &logger, ret);
		if (is_absence(err))
			err = open_at("embedded:", opts, &logger, ret);
	}
	if (err == -ENOMEM)
		(void)complain(&logger, err, "out of memory");
	return err;
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
	int err = check_size(o, o->size, sizeof(*o), sizeof(*o));

	if (err)
		return err;
	if (o->flags & ~known)
		return complain(&t->logger, -EINVAL,
				"pool flags: there are PERSISTENT, SHARED, "
				"KEEP and TAKE");
	if ((o->flags & both) == both)
		return complain(&t->logger, -EINVAL,
				"pool flags: KEEP and TAKE exclude each other");
	if (o->page_size && (o->page_size < TMEM_PAGE_SIZE_MIN ||
			     o->page_size > TMEM_PAGE_SIZE_MAX ||
			     o->page_size & (o->page_size - 1)))
		return complain(&t->logger, -EINVAL,
				"page_size: want a power of two from 4096 to "
				"65536");
	if (o->flags & TMEM_POOL_SHARED)
		return complain(&t->logger, -EOPNOTSUPP,
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
	if (!ret && t->lease->ops->limit)
		t->lease->ops->limit(t->lease, limit_bytes);
	if (ret)
		return complain(&t->logger, ret,
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
	err = check_size(ret, ret->size, STATS_FIRST, sizeof(*ret));
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
	err = check_size(ret, ret->size, sizeof(*ret), sizeof(*ret));
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
