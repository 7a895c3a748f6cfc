/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * supply.c - a session opened for disks.
 *
 * A store of its own makes pages dense from the beginning, not only when they
 * fill most of the limit: without a home, the limit is as large as what can be
 * written, and would never be reached.
 */
#include "supply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <tmem/wire.h>

#define OWN_STORE "embedded:raw=5"

/*
 * Room for a page of noise, percent of its size: its header and place in the index
 * (about 50 bytes), and the tenth that a store keeps free of persistent pages so
 * that cleaning gains. Beside that, segments that are open or in reserve.
 */
#define NEEDED_PCT 116
#define NEEDED_BESIDE_PCT 10
#define NEEDED_BESIDE_MIN (UINT64_C(4) << 20)
#define NEEDED_BESIDE_MAX (UINT64_C(64) << 20)

uint64_t supply_needed(uint64_t pages)
{
	uint64_t bytes = pages * TMEM_PAGE_SIZE;
	uint64_t beside = bytes / 100 * NEEDED_BESIDE_PCT;

	if (beside < NEEDED_BESIDE_MIN)
		beside = NEEDED_BESIDE_MIN;
	if (beside > NEEDED_BESIDE_MAX)
		beside = NEEDED_BESIDE_MAX;
	return bytes / 100 * NEEDED_PCT + beside;
}

/* As tmem_open() has it; what is said for that is the user's business. */
static const char *where_of(const struct supply_wish *w)
{
	if (w->store)
		return strcmp(w->store, "embedded") ? w->store : OWN_STORE;
	if (secure_getenv("TMEM_STORE") || !access(TMEM_WIRE_SOCKET, W_OK))
		return NULL;
	return OWN_STORE;
}

static int has_size(const char *where)
{
	if (!where)
		where = secure_getenv("TMEM_STORE");
	return where && strstr(where, "size=");
}

/* ---- A daemon's word ------------------------------------------------------ */

/* Memory that is on its way comes within milliseconds. */
#define PROOF_WAIT_MS 1000

static int is_own(const char *where)
{
	if (!where)
		where = secure_getenv("TMEM_STORE");
	return where && !strncmp(where, "embedded:", strlen("embedded:"));
}

/* What no codec makes smaller (splitmix64). */
static void fill_with_noise(uint64_t *words, uint64_t *state)
{
	size_t i;

	for (i = 0; i < TMEM_PAGE_SIZE / sizeof(*words); i++) {
		uint64_t z = *state += 0x9e3779b97f4a7c15u;

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
		words[i] = z ^ (z >> 31);
	}
}

/* Return: 1, 0 refused for too long; negative errno. */
static int put_in_time(struct tmem *t, int pool, uint64_t n, const void *page)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	struct tmem_key key = tmem_key(0, n);
	int result = tmem_put(t, pool, &key, page);
	unsigned i;

	for (i = 0; !result && i < PROOF_WAIT_MS; i++) {
		(void)nanosleep(&ms, NULL);
		result = tmem_put(t, pool, &key, page);
	}
	return result;
}

int supply_prove(const struct supply_wish *w, struct tmem *t,
		 char line[SUPPLY_LINE_MAX])
{
	const struct tmem_pool_opts opts = { .size = sizeof(opts),
					     .flags = TMEM_POOL_PERSISTENT };
	uint64_t page[TMEM_PAGE_SIZE / sizeof(uint64_t)], state = w->pages, n;
	int pool, result = 1;

	if (w->has_home || is_own(where_of(w)))
		return 0;
	pool = tmem_pool_create(t, &opts);
	if (pool < 0)
		result = pool;
	for (n = 0; n < w->pages && result == 1; n++) {
		fill_with_noise(page, &state);
		result = put_in_time(t, pool, n, page);
	}
	if (result == 1)
		return 0;
	if (result < 0) {
		(void)snprintf(line, SUPPLY_LINE_MAX,
			       "size: whether it can be kept was being tried: "
			       "%s; is the daemon still there?",
			       strerror(-result));
		return result;
	}
	(void)snprintf(line, SUPPLY_LINE_MAX,
		       "size: the daemon lends no more than %" PRIu64
		       " bytes of pages that may not vanish; give "
		       "backing=FILE, a larger quota or a smaller size",
		       (n ? n - 1 : 0) * TMEM_PAGE_SIZE);
	return -ENOSPC;
}

/* ---- Opening -------------------------------------------------------------- */

/** struct hearing - what the session had to complain of while it was opened. */
struct hearing {
	char line[SUPPLY_LINE_MAX];
};

static void hear(void *ctx, int level, const char *line)
{
	struct hearing *h = ctx;

	if (level <= TMEM_LOG_ERR)
		(void)snprintf(h->line, sizeof(h->line), "%s", line);
}

/* Can it keep what it will be given? */
static int check(const struct supply_wish *w, struct tmem *t, char *line)
{
	struct tmem_stats s = { .size = sizeof(s) };
	uint64_t needed = supply_needed(w->pages);
	int err = tmem_stats(t, &s);

	if (err)
		return err;
	if (w->limit_bytes > s.limit_bytes) {
		(void)snprintf(line, SUPPLY_LINE_MAX,
			       "limit=%" PRIu64 ": the store allows %" PRIu64
			       " bytes",
			       w->limit_bytes, s.limit_bytes);
		return -ENOSPC;
	}
	if (!w->has_home && s.limit_bytes < needed) {
		(void)snprintf(line, SUPPLY_LINE_MAX,
			       "size: %" PRIu64 " bytes of memory are needed to "
			       "keep all that may be written, and the limit is "
			       "%" PRIu64
			       "; give backing=FILE, a larger limit= or a "
			       "smaller size",
			       needed, s.limit_bytes);
		return -ENOSPC;
	}
	return 0;
}

int supply_open(const struct supply_wish *w, struct tmem **ret,
		char line[SUPPLY_LINE_MAX])
{
	const char *where = where_of(w);
	struct hearing heard = { "" };
	struct tmem_open_opts opts = {
		.size = sizeof(opts),
		.limit_bytes = w->limit_bytes,
		.domain = w->domain,
		.log = hear,
		.log_ctx = &heard,
		.wanted = w->wanted,
		.wanted_ctx = w->ctx,
		.reserve_bytes = w->reserve_bytes,
	};
	struct tmem *t;
	int err;

	if (!opts.limit_bytes && !w->has_home && !has_size(where))
		opts.limit_bytes = supply_needed(w->pages);
	err = tmem_open(where, &opts, &t);
	if ((err == -ENOSPC || err == -EINVAL) && w->reserve_may_lack &&
	    opts.reserve_bytes) {
		opts.reserve_bytes = 0;
		err = tmem_open(where, &opts, &t);
	}
	if (err) {
		(void)snprintf(line, SUPPLY_LINE_MAX, "%s",
			       heard.line[0] ? heard.line : strerror(-err));
		return err;
	}
	err = check(w, t, line);
	if (err)
		tmem_close(t);
	else
		*ret = t;
	return err;
}
