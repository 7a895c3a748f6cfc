/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * open.c - tmem_open(): which store, how large, and with how much work behind it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tmem/tmem.h>
#include <tmem/wire.h>

#include "agers.h"
#include "bounds.h"
#include "dense.h"
#include "lease-daemon.h"
#include "lease.h"
#include "session.h"
#include "where.h"

/* What a daemon's memory that was asked for ahead may take to come. */
#define EXPECT_RESERVE_MS 5000

/* What struct tmem_open_opts had in the first release. */
#define OPEN_FIRST offsetof(struct tmem_open_opts, wanted)

/* ---- Planning ------------------------------------------------------------ */

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
		return tmem_session_complain(
			l, -EINVAL,
			"the limit is given twice: by size= and by "
			"limit_bytes; leave one out");
	if (limit && (limit < TMEM_LIMIT_MIN || limit > TMEM_LIMIT_MAX))
		return tmem_session_complain(
			l, -EINVAL, "limit_bytes: the least is 1M, the most 1T");
	plan->limit_bytes = limit ? limit : w->size;
	if (!plan->limit_bytes && w->kind == TMEM_WHERE_EMBEDDED)
		plan->limit_bytes = default_limit();
	plan->limit_pages = opts ? opts->limit_pages : 0;
	plan->reserve_bytes = opts ? opts->reserve_bytes : 0;
	plan->pages = w->pages;
	if (w->pages == TMEM_PAGES_HUGE &&
	    plan->limit_bytes < TMEM_HUGE_LIMIT_MIN)
		return tmem_session_complain(
			l, -EINVAL, "pages=huge: the least store is 64M");
	return 0;
}

static int plan_agers(const struct tmem_where *w,
		      const struct tmem_open_opts *opts,
		      const struct tmem_logger *l,
		      struct tmem_session_plan *plan)
{
	uint32_t agers = opts ? opts->agers : 0;

	if (agers && w->agers_said)
		return tmem_session_complain(
			l, -EINVAL,
			"agers are given twice: by agers= and by "
			"opts.agers; leave one out");
	if (agers > TMEM_AGERS_MAX && agers != TMEM_NO_AGERS)
		return tmem_session_complain(l, -EINVAL,
					     "opts.agers: the most is 64");
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
		return tmem_session_complain(
			l, -EINVAL,
			"level= is zstd's; leave it out with codec=lz4");
	if (w->codec == TMEM_CODEC_ZSTD &&
	    plan->limit_bytes < TMEM_DENSE_LIMIT_MIN)
		return tmem_session_complain(
			l, -EINVAL, "codec=zstd: the least store is 4M");
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
		return tmem_session_complain(
			l, -EINVAL, "reserve_bytes: the most is half the limit");
	return 0;
}

/* ---- Opening ------------------------------------------------------------- */

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
		return tmem_session_complain(
			l, err, "reserve_bytes: the kernel has not as much");
	return err ? err : tmem_session_create(lease, plan, opts, ret);
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
static int await_reserve(struct tmem *t, struct tmem_lease *lease,
			 const struct tmem_session_plan *plan,
			 const struct tmem_logger *l)
{
	const uint64_t size = lease->segment_size;
	uint32_t count = (uint32_t)((plan->reserve_bytes + size - 1) / size);

	if (!count)
		return 0;
	if (tmem_lease_daemon_expect(lease, TMEM_CLASS_PERSISTENT, count,
				     EXPECT_RESERVE_MS) >= count)
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
	struct tmem *t;
	int err;

	if (!opts || !opts->domain)
		default_domain(name);
	else if (strlen(opts->domain) < sizeof(name))
		strcpy(name, opts->domain);
	else
		return tmem_session_complain(
			l, -EINVAL, "opts.domain: the longest is 63 characters");
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
	err = tmem_session_create(lease, plan, opts, &t);
	if (!err)
		err = await_reserve(t, lease, plan, l);
	if (!err)
		*ret = t;
	if (err != -ENOMEM)
		return err;
	/* What an index takes at first, if nothing else, comes from there. */
	return tmem_session_complain(
		l, -ENOSPC, "the daemon has no memory to lend at this moment");
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
		err = tmem_struct_check(opts, opts->size, OPEN_FIRST,
					sizeof(mine));
		if (err)
			return err;
		memcpy(&mine, opts,
		       opts->size < sizeof(mine) ? opts->size : sizeof(mine));
		opts = &mine;
		logger.fn = opts->log;
		logger.ctx = opts->log_ctx;
		if (opts->reserved)
			return tmem_session_complain(&logger, -EINVAL,
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
		(void)tmem_session_complain(&logger, err, "out of memory");
	return err;
}
