/* SPDX-License-Identifier: BSD-2-Clause */
/* model.c - the interpreter of bytes, and the judgements. */
#include "model.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "lease-revoking.h"
#include "reference.h"

/* A piece of background work. */
#define AGE_US 1000

/* ---- Types -------------------------------------------------------------- */

enum {
	POOLS = 6,
	BATCH_MAX = 6
};

/* One operation, as it is asked for and as it is judged. */
struct ask {
	struct tmem_op op;
	struct ref_pool *pool;
	unsigned object, index;
	int wrong; /* errno it must give, 0: none */
};

struct model {
	struct model_opts opts;
	struct model_counts counts;
	struct ref_pool pools[POOLS];
	uint64_t limit_bytes;
	uint64_t refused, flushes;
	int frozen;
	char doing[160];
	char fault[400];
	struct ask asks[BATCH_MAX];
	uint8_t pages[BATCH_MAX][TMEM_PAGE_SIZE_MAX];
};

/* ---- Helpers ------------------------------------------------------------ */

static unsigned byte(struct model_bytes *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static uint64_t number(struct model_bytes *in, unsigned bytes)
{
	uint64_t n = 0;

	while (bytes--)
		n = n << 8 | byte(in);
	return n;
}

__attribute__((format(printf, 2, 3))) static int wrong(struct model *m,
						       const char *format, ...)
{
	char what[200];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	(void)snprintf(m->fault, sizeof(m->fault), "step %" PRIu64 ": %s: %s",
		       m->counts.steps, m->doing, what);
	return -1;
}

__attribute__((format(printf, 2, 3))) static void doing(struct model *m,
							const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(m->doing, sizeof(m->doing), format, args);
	va_end(args);
}

/* ---- Pages: asking ------------------------------------------------------ */

/* A range of the page, seldom one that is not inside it. */
static void ask_part(struct ask *ask, struct model_bytes *in)
{
	uint32_t size = ask->pool->size;
	uint32_t offset = (uint32_t)number(in, 2) % size;
	uint32_t len = 1 + (uint32_t)number(in, 2) % (size - offset);

	if (!offset && len == size)
		len--; /* a part, not the whole */
	ask->op.offset = offset;
	ask->op.len = len;
	if (byte(in) < 250)
		return;
	if (byte(in) & 1)
		ask->op.offset = (uint32_t)-len - byte(in) % 2;
	else
		ask->op.len = size - offset + 1 + (byte(in) << 24);
	ask->wrong = EINVAL;
}

static void ask_one(struct model *m, unsigned n, struct model_bytes *in)
{
	static const enum content_kind kinds[8] = {
		CONTENT_ZERO,	CONTENT_SAME,	CONTENT_TEXT,	CONTENT_TEXT,
		CONTENT_BARELY, CONTENT_BARELY, CONTENT_RANDOM, CONTENT_RANDOM,
	};
	struct ask *ask = &m->asks[n];
	unsigned what = byte(in), kind = byte(in);
	struct ref_pool *pool = &m->pools[byte(in) % POOLS];
	uint64_t seed = number(in, 2) << 16;

	*ask = (struct ask){ .pool = pool };
	ask->object = byte(in) % OBJECTS;
	ask->index = byte(in) % INDEXES;
	ask->op.key = ref_key(ask->object, ask->index);
	ask->op.page = m->pages[n];
	ask->op.pool = pool->id;
	ask->op.user_data = seed;
	ask->op.result = 12345;
	if (pool->id < 0) {
		ask->op.pool = pool->stale;
		ask->wrong = EBADF;
	}
	if (what < 115)
		ask->op.code = TMEM_OP_PUT;
	else if (what < 235)
		ask->op.code = TMEM_OP_GET;
	else if (what < 254)
		ask->op.code = TMEM_OP_FLUSH_PAGE;
	else
		ask->op.code = TMEM_OP_FLUSH_OBJECT;
	if (ask->op.code <= TMEM_OP_GET && what % 8 == 0 && !ask->wrong)
		ask_part(ask, in);
	if (ask->op.code == TMEM_OP_PUT)
		page_fill(m->pages[n], pool->size, kinds[kind % 8],
			  seed + m->counts.steps);
	else
		memset(m->pages[n], 0xa5, TMEM_PAGE_SIZE_MAX);
}

static int call(struct tmem *t, const struct tmem_op *op)
{
	switch (op->code) {
	case TMEM_OP_PUT:
		return tmem_put(t, op->pool, &op->key, op->page);
	case TMEM_OP_GET:
		return tmem_get(t, op->pool, &op->key, op->page);
	case TMEM_OP_FLUSH_PAGE:
		return tmem_flush_page(t, op->pool, &op->key);
	default:
		return tmem_flush_object(t, op->pool, &op->key);
	}
}

/* ---- Pages: judging ----------------------------------------------------- */

static int judge_put(struct model *m, struct ask *ask, struct ref *ref)
{
	const struct tmem_op *op = &ask->op;
	int ret = op->result;

	m->counts.puts++;
	if (ret != 0 && ret != 1)
		return wrong(m, "returned %d", ret);
	if (!ret) {
		m->refused++;
		ref_flush(ref);
		return 0;
	}
	if (m->frozen)
		return wrong(m, "stored in a frozen store");
	if (op->len) {
		if (ref->state == ABSENT)
			return wrong(m, "changed a page that is not there");
		memcpy(ref->want + op->offset, op->page, op->len);
		m->counts.parts++;
	} else if (ref_put(ask->pool, ref, op->page)) {
		return wrong(m, "the test has no memory");
	}
	m->counts.stored++;
	m->counts.stored_persistent += ref->state == MUST;
	return 0;
}

static int judge_get(struct model *m, struct ask *ask, struct ref *ref)
{
	const struct tmem_op *op = &ask->op;
	uint32_t len = op->len ? op->len : ask->pool->size;
	const uint8_t *got = op->page;
	uint32_t at = 0;

	m->counts.gets++;
	if (op->result != 0 && op->result != 1)
		return wrong(m, "returned %d", op->result);
	if (!op->result) {
		if (ref->state == MUST)
			return wrong(m, "a persistent page is lost");
		ref_flush(ref);
		return 0;
	}
	m->counts.hits++;
	if (ref->state == ABSENT)
		return wrong(m, "hit what was gone");
	while (at < len && got[at] == ref->want[op->offset + at])
		at++;
	if (at < len)
		return wrong(m, "byte %u is %02x, not %02x", op->offset + at,
			     got[at], ref->want[op->offset + at]);
	if (!page_uniform(got + len, TMEM_PAGE_SIZE_MAX - len, 0xa5))
		return wrong(m, "wrote beyond the page");
	if (op->len)
		m->counts.parts++;
	else if (ref_takes(ask->pool))
		ref_flush(ref);
	return 0;
}

static int judge_flush(struct model *m, struct ask *ask, struct ref *ref)
{
	int ret = ask->op.result;
	int whole = ask->op.code == TMEM_OP_FLUSH_OBJECT;
	enum ref_state state = whole ? ref_object(ask->pool, ask->object)
				     : ref->state;

	m->flushes++;
	if (ret != 0 && ret != 1)
		return wrong(m, "returned %d", ret);
	if (ret && state == ABSENT)
		return wrong(m, "found what was gone");
	if (!ret && state == MUST)
		return wrong(m, "did not find a persistent page");
	m->counts.flushed += (uint64_t)ret;
	if (whole)
		ref_flush_object(ask->pool, ask->object);
	else
		ref_flush(ref);
	return 0;
}

static int judge(struct model *m, struct ask *ask)
{
	struct ref *ref = &ask->pool->refs[ask->object][ask->index];
	static const char *const names[] = { "?", "put", "get", "flush page",
					     "flush object" };

	doing(m, "%s pool %d (flags %u, page size %u) %u/%u part %u+%u",
	      names[ask->op.code], ask->op.pool, ask->pool->flags,
	      ask->pool->size, ask->object, ask->index, ask->op.offset,
	      ask->op.len);
	if (ask->wrong) {
		if (ask->op.result != -ask->wrong)
			return wrong(m, "returned %d, not %d", ask->op.result,
				     -ask->wrong);
		return 0;
	}
	switch (ask->op.code) {
	case TMEM_OP_PUT:
		return judge_put(m, ask, ref);
	case TMEM_OP_GET:
		return judge_get(m, ask, ref);
	default:
		return judge_flush(m, ask, ref);
	}
}

/* ---- Operations --------------------------------------------------------- */

/* One to BATCH_MAX operations, by single calls or as a batch. */
static int do_pages(struct model *m, struct model_bytes *in)
{
	unsigned shape = byte(in);
	unsigned n = shape < 160 ? 1 : 1 + shape % BATCH_MAX, i;
	struct tmem_op ops[BATCH_MAX];
	int parts = 0, err;

	for (i = 0; i < n; i++) {
		ask_one(m, i, in);
		parts |= m->asks[i].op.len != 0;
		ops[i] = m->asks[i].op;
	}
	if (n > 1 || parts || shape % 16 == 0) {
		doing(m, "a batch of %u", n);
		err = tmem_submit(m->opts.t, ops, n);
		if (err)
			return wrong(m, "returned %d", err);
	} else {
		ops[0].result = call(m->opts.t, &ops[0]);
	}
	for (i = 0; i < n; i++) {
		m->asks[i].op.result = ops[i].result;
		if (judge(m, &m->asks[i]))
			return -1;
	}
	return 0;
}

static int do_destroy(struct model *m, struct ref_pool *pool)
{
	int err;

	doing(m, "destroy pool %d", pool->id);
	err = tmem_pool_destroy(m->opts.t, pool->id);
	if (err)
		return wrong(m, "returned %d", err);
	ref_flush_pool(pool);
	pool->stale = pool->id;
	pool->id = -1;
	err = tmem_pool_destroy(m->opts.t, pool->stale);
	return err == -EBADF ? 0 : wrong(m, "again: returned %d", err);
}

static int do_create(struct model *m, struct ref_pool *pool, unsigned kind,
		     unsigned size)
{
	static const uint32_t kinds[] = {
		0,
		TMEM_POOL_PERSISTENT,
		TMEM_POOL_PERSISTENT,
		TMEM_POOL_KEEP,
		TMEM_POOL_TAKE,
		TMEM_POOL_PERSISTENT | TMEM_POOL_TAKE,
	};
	struct tmem_pool_opts opts = {
		.size = sizeof(opts),
		.flags = kinds[kind % 6],
		.page_size = 4096u << (size < 160 ? 0 : size % 5),
	};
	int id = tmem_pool_create(m->opts.t, &opts);

	doing(m, "create a pool, page size %u", opts.page_size);
	/* The smallest stores' segments do not hold the largest pages, and a
	 * full store may have no room for what a pool needs. */
	if ((id == -EINVAL && opts.page_size > 4096) || id == -ENOMEM)
		return 0;
	if (id < 0 || id == pool->stale)
		return wrong(m, "returned %d", id);
	pool->id = id;
	pool->flags = opts.flags;
	pool->size = opts.page_size;
	m->counts.pools++;
	return 0;
}

static int do_pool(struct model *m, struct model_bytes *in)
{
	struct ref_pool *pool = &m->pools[byte(in) % POOLS];
	unsigned kind = byte(in), size = byte(in);

	if (pool->id >= 0 && do_destroy(m, pool))
		return -1;
	/* Seldom leave the place empty. */
	return kind < 240 ? do_create(m, pool, kind, size) : 0;
}

static int do_freeze(struct model *m, struct model_bytes *in)
{
	int frozen = byte(in) < 32;
	int err;

	doing(m, "freeze %d", frozen);
	err = tmem_freeze(m->opts.t, frozen);
	if (err)
		return wrong(m, "returned %d", err);
	m->frozen = frozen;
	return 0;
}

static int do_shrink(struct model *m, struct model_bytes *in)
{
	unsigned shift = byte(in) % 40;
	uint64_t bytes = number(in, 3) << shift, freed = 0;
	int err;

	doing(m, "shrink by %" PRIu64, bytes);
	err = tmem_shrink(m->opts.t, bytes, shift & 1 ? &freed : NULL);
	return err ? wrong(m, "returned %d", err) : 0;
}

static int do_limit(struct model *m, struct model_bytes *in)
{
	uint64_t span = m->opts.limit_most - m->opts.limit_least + 1;
	uint64_t bytes = m->opts.limit_least + number(in, 4) % span;
	int err;

	if (byte(in) < 128)
		bytes = m->opts.limit_bytes;
	doing(m, "set the limit to %" PRIu64, bytes);
	err = tmem_set_limit(m->opts.t, bytes);
	if (err)
		return wrong(m, "returned %d", err);
	m->limit_bytes = bytes;
	return 0;
}

static int do_age(struct model *m, struct model_bytes *in)
{
	uint64_t budget_us = byte(in);
	int ret;

	doing(m, "age");
	ret = tmem_age(m->opts.t, budget_us * budget_us / 16);
	return ret != 0 && ret != 1 ? wrong(m, "returned %d", ret) : 0;
}

static int do_revoke(struct model *m)
{
	if (m->opts.source)
		m->counts.revoked +=
			(uint64_t)lease_revoking_revoke(m->opts.source);
	return 0;
}

/* ---- Figures ------------------------------------------------------------ */

static int judge_tally(struct model *m, const char *what, uint64_t figure,
		       uint64_t least, uint64_t most)
{
	if (figure >= least && figure <= most)
		return 0;
	return wrong(m, "%s is %" PRIu64 ", not from %" PRIu64 " to %" PRIu64,
		     what, figure, least, most);
}

static int judge_stats(struct model *m, const struct tmem_stats *s,
		       const struct ref_tally *must,
		       const struct ref_tally *may, uint64_t live)
{
	uint64_t pages = s->pages_ephemeral + s->pages_persistent;
	uint64_t forms =
		s->pages_same + s->pages_raw + s->pages_packed + s->pages_dense;
	uint64_t refused = s->refused_full + s->refused_quota +
			   s->refused_frozen + s->refused_nomem;

	if (judge_tally(m, "pools", s->pools, live, live) ||
	    judge_tally(m, "limit_bytes", s->limit_bytes, m->limit_bytes,
			m->limit_bytes) ||
	    judge_tally(m, "puts", s->puts, m->counts.puts, m->counts.puts) ||
	    judge_tally(m, "refused", refused, m->refused, m->refused) ||
	    judge_tally(m, "gets", s->gets, m->counts.gets, m->counts.gets) ||
	    judge_tally(m, "hits", s->hits, m->counts.hits, m->counts.hits) ||
	    judge_tally(m, "flushes", s->flushes, m->flushes, m->flushes) ||
	    judge_tally(m, "pages_persistent", s->pages_persistent, must->pages,
			must->pages))
		return -1;
	if (!m->opts.exact)
		return 0;
	if (judge_tally(m, "forms", forms, pages, pages) ||
	    judge_tally(m, "pages_ephemeral", s->pages_ephemeral, 0,
			may->pages - must->pages) ||
	    judge_tally(m, "objects", s->objects, must->objects, may->objects) ||
	    judge_tally(m, "raw_bytes", s->raw_bytes, must->bytes, may->bytes))
		return -1;
	return 0;
}

/* Only persistent pages may outstay a limit that was lowered; what held them goes
 * with background work. */
static int judge_limit(struct model *m, struct tmem_stats *s)
{
	if (!m->opts.exact || s->pages_persistent ||
	    s->used_bytes <= s->limit_bytes)
		return 0;
	while (tmem_age(m->opts.t, AGE_US) == 1)
		;
	if (tmem_stats(m->opts.t, s) || s->used_bytes > s->limit_bytes)
		return wrong(m, "%" PRIu64 " bytes used of %" PRIu64,
			     s->used_bytes, s->limit_bytes);
	return 0;
}

static int do_stats(struct model *m)
{
	struct tmem_stats s = { .size = sizeof(s) };
	struct ref_tally must = { 0, 0, 0 }, may = { 0, 0, 0 };
	uint64_t live = 0;
	unsigned p;
	int err;

	doing(m, "stats");
	err = tmem_stats(m->opts.t, &s);
	if (err)
		return wrong(m, "returned %d", err);
	for (p = 0; p < POOLS; p++) {
		live += m->pools[p].id >= 0;
		ref_count(&m->pools[p], MUST, &must);
		ref_count(&m->pools[p], MAY, &may);
	}
	if (judge_stats(m, &s, &must, &may, live))
		return -1;
	return judge_limit(m, &s);
}

static int do_pool_stats(struct model *m, const struct ref_pool *pool)
{
	struct tmem_pool_stats s = { .size = sizeof(s) };
	struct ref_tally must = { 0, 0, 0 }, may = { 0, 0, 0 };
	int id = pool->id >= 0 ? pool->id : pool->stale;
	int err = tmem_pool_stats(m->opts.t, id, &s);

	doing(m, "stats of pool %d", id);
	if (pool->id < 0)
		return err == -EBADF ? 0 : wrong(m, "returned %d", err);
	if (err)
		return wrong(m, "returned %d", err);
	ref_count(pool, MUST, &must);
	ref_count(pool, MAY, &may);
	if (judge_tally(m, "flags", s.flags, pool->flags, pool->flags) ||
	    judge_tally(m, "page_size", s.page_size, pool->size, pool->size) ||
	    judge_tally(m, "pages_persistent", s.pages_persistent, must.pages,
			must.pages))
		return -1;
	if (!m->opts.exact)
		return 0;
	if (judge_tally(m, "pages_ephemeral", s.pages_ephemeral, 0,
			may.pages - must.pages) ||
	    judge_tally(m, "objects", s.objects, must.objects, may.objects) ||
	    judge_tally(m, "raw_bytes", s.raw_bytes, must.bytes, may.bytes))
		return -1;
	return 0;
}

/* ---- Entry points ------------------------------------------------------- */

struct model *model_create(const struct model_opts *opts)
{
	struct model *m = calloc(1, sizeof(*m));
	unsigned p;

	if (!m)
		return NULL;
	m->opts = *opts;
	m->limit_bytes = opts->limit_bytes;
	for (p = 0; p < POOLS; p++) {
		m->pools[p].id = -1;
		m->pools[p].stale = -1;
		m->pools[p].size = TMEM_PAGE_SIZE;
	}
	/* Half of the pools from the start, one kind each. */
	for (p = 0; p < POOLS / 2; p++)
		(void)do_create(m, &m->pools[p], p == 2 ? 3 : p, 0);
	return m;
}

void model_destroy(struct model *m)
{
	unsigned p;

	if (!m)
		return;
	for (p = 0; p < POOLS; p++)
		ref_flush_pool(&m->pools[p]);
	free(m);
}

int model_step(struct model *m, struct model_bytes *in)
{
	unsigned what = byte(in);
	int err;

	if (in->at >= in->end)
		return 0;
	m->counts.steps++;
	if (what < 224)
		err = do_pages(m, in);
	else if (what < 230)
		err = do_age(m, in);
	else if (what < 234)
		err = do_stats(m);
	else if (what < 238)
		err = do_pool_stats(m, &m->pools[byte(in) % POOLS]);
	else if (what < 240)
		err = do_shrink(m, in);
	else if (what < 242)
		err = do_limit(m, in);
	else if (what < 246)
		err = do_freeze(m, in);
	else if (what < 254)
		err = do_revoke(m);
	else
		err = do_pool(m, in);
	return err ? -1 : 1;
}

int model_settle(struct model *m)
{
	unsigned p, o, i;

	if (m->frozen && tmem_freeze(m->opts.t, 0))
		return wrong(m, "cannot be thawed");
	m->frozen = 0;
	for (p = 0; p < POOLS; p++) {
		struct ref_pool *pool = &m->pools[p];

		for (o = 0; pool->id >= 0 && o < OBJECTS; o++) {
			for (i = 0; i < INDEXES; i++) {
				struct ask *ask = &m->asks[0];

				*ask = (struct ask){ .pool = pool,
						     .object = o,
						     .index = i };
				ask->op.code = TMEM_OP_GET;
				ask->op.pool = pool->id;
				ask->op.key = ref_key(o, i);
				ask->op.page = memset(m->pages[0], 0xa5,
						      TMEM_PAGE_SIZE_MAX);
				ask->op.result = call(m->opts.t, &ask->op);
				if (judge(m, ask))
					return -1;
			}
		}
		if (do_pool_stats(m, pool))
			return -1;
	}
	return do_stats(m);
}

const char *model_fault(const struct model *m)
{
	return m->fault;
}

struct model_counts model_counts(const struct model *m)
{
	return m->counts;
}
