/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request.c - a client's message, checked for everything that needs no state.
 *
 * A row a type: how long, when, with what. Nothing here has a side effect; this
 * is what fuzz/fuzz-request.c aims at.
 */
#include "request.h"

#include <string.h>

/* Descriptors of a lease that is handed back: data and control. */
#define RETURNED_FDS 2

/* Ended, and nothing behind the end. */
static int check_name(const char name[TMEM_WIRE_NAME_MAX])
{
	const char *end = memchr(name, 0, TMEM_WIRE_NAME_MAX);

	if (!end)
		return TMEM_WIRE_BAD_NAME;
	for (; end < name + TMEM_WIRE_NAME_MAX; end++)
		if (*end)
			return TMEM_WIRE_BAD_MESSAGE;
	return 0;
}

static int check_hello(const union tmemd_request *r)
{
	const struct tmem_wire_hello *h = &r->hello;

	if (h->magic != TMEM_WIRE_MAGIC || h->pad ||
	    h->flags & ~(uint32_t)TMEM_WIRE_RETURNING ||
	    h->version_min > h->version_max)
		return TMEM_WIRE_BAD_MESSAGE;
	return check_name(h->domain);
}

static int check_ask(const union tmemd_request *r)
{
	return r->ask.cls < TMEM_WIRE_CLASSES && !r->ask.pad
		       ? 0
		       : TMEM_WIRE_BAD_MESSAGE;
}

static int check_give(const union tmemd_request *r)
{
	const struct tmem_wire_loans *g = &r->give;

	if (g->cls || !g->count || g->count > TMEM_WIRE_LOANS_MAX ||
	    g->head.len != offsetof(struct tmem_wire_loans, loans) +
				   g->count * sizeof(g->loans[0]))
		return TMEM_WIRE_BAD_MESSAGE;
	return 0;
}

/* Which segments are whose, the loan knows. */
static int check_hint(const union tmemd_request *r)
{
	const struct tmem_wire_hint *h = &r->hint;

	if (h->pad || h->count > TMEM_WIRE_HINTS_MAX ||
	    h->head.len != offsetof(struct tmem_wire_hint, segments) +
				   h->count * sizeof(h->segments[0]))
		return TMEM_WIRE_BAD_MESSAGE;
	return 0;
}

static int check_sessions(const union tmemd_request *r)
{
	return check_name(r->sessions.domain);
}

/* As many texts as it says, each ended, in printable ASCII: an answer quotes
 * them. */
static int check_set(const union tmemd_request *r)
{
	const struct tmem_wire_set *m = &r->set;
	const size_t len = m->head.len - offsetof(struct tmem_wire_set, pairs);
	uint32_t texts = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		if (m->pairs[i] && (m->pairs[i] < ' ' || m->pairs[i] > '~'))
			return TMEM_WIRE_BAD_MESSAGE;
		texts += !m->pairs[i];
	}
	if (m->pad || !texts || m->pairs[len - 1] || texts != m->count)
		return TMEM_WIRE_BAD_MESSAGE;
	return check_name(m->domain);
}

static int check_flush(const union tmemd_request *r)
{
	return check_name(r->flush.domain);
}

static int check_evict(const union tmemd_request *r)
{
	return r->evict.pad || r->evict.flags & ~(uint32_t)TMEM_WIRE_FORCE
		       ? TMEM_WIRE_BAD_MESSAGE
		       : check_name(r->evict.domain);
}

static int check_history(const union tmemd_request *r)
{
	return r->history.pad ? TMEM_WIRE_BAD_MESSAGE : 0;
}

struct row {
	uint32_t type;
	uint32_t len_min, len_max; /* bytes */
	unsigned stages;	   /* TMEMD_STAGE_* in which it may come */
	int (*check)(const union tmemd_request *r); /* NULL: nothing to check */
};

/* Of control verbs: no session, be it the first word or not. */
#define ANYTIME (TMEMD_STAGE_NEW | TMEMD_STAGE_CONTROL)

static const struct row rows[] = {
	{ TMEM_WIRE_HELLO, sizeof(struct tmem_wire_hello),
	  sizeof(struct tmem_wire_hello), TMEMD_STAGE_NEW, check_hello },
	{ TMEM_WIRE_READY, sizeof(struct tmem_wire_ready),
	  sizeof(struct tmem_wire_ready), TMEMD_STAGE_SESSION, NULL },
	{ TMEM_WIRE_ASK, sizeof(struct tmem_wire_ask),
	  sizeof(struct tmem_wire_ask), TMEMD_STAGE_SESSION, check_ask },
	{ TMEM_WIRE_GIVE, offsetof(struct tmem_wire_loans, loans),
	  sizeof(struct tmem_wire_loans), TMEMD_STAGE_SESSION, check_give },
	{ TMEM_WIRE_STATS, sizeof(struct tmem_wire_stats),
	  sizeof(struct tmem_wire_stats), TMEMD_STAGE_SESSION, NULL },
	{ TMEM_WIRE_DESTROYED, sizeof(struct tmem_wire_ready),
	  sizeof(struct tmem_wire_ready), TMEMD_STAGE_SESSION, NULL },
	{ TMEM_WIRE_HINT, offsetof(struct tmem_wire_hint, segments),
	  sizeof(struct tmem_wire_hint), TMEMD_STAGE_SESSION, check_hint },
	{ TMEM_WIRE_STATUS, sizeof(struct tmem_wire_status),
	  sizeof(struct tmem_wire_status), ANYTIME, NULL },
	{ TMEM_WIRE_LIST, sizeof(struct tmem_wire_list),
	  sizeof(struct tmem_wire_list), ANYTIME, NULL },
	{ TMEM_WIRE_SESSIONS, sizeof(struct tmem_wire_sessions),
	  sizeof(struct tmem_wire_sessions), ANYTIME, check_sessions },
	{ TMEM_WIRE_HISTORY, sizeof(struct tmem_wire_history),
	  sizeof(struct tmem_wire_history), ANYTIME, check_history },
	{ TMEM_WIRE_SET, offsetof(struct tmem_wire_set, pairs) + 1,
	  sizeof(struct tmem_wire_set), ANYTIME, check_set },
	{ TMEM_WIRE_FLUSH, sizeof(struct tmem_wire_flush),
	  sizeof(struct tmem_wire_flush), ANYTIME, check_flush },
	{ TMEM_WIRE_EVICT, sizeof(struct tmem_wire_evict),
	  sizeof(struct tmem_wire_evict), ANYTIME, check_evict },
};

static const struct row *find(uint32_t type)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].type == type)
			return &rows[i];
	return NULL;
}

static unsigned fds_of(const union tmemd_request *r)
{
	return r->head.type == TMEM_WIRE_HELLO &&
			       r->hello.flags & TMEM_WIRE_RETURNING
		       ? RETURNED_FDS
		       : 0;
}

int tmemd_request_check(const union tmemd_request *r, size_t len, unsigned fds,
			enum tmemd_stage stage)
{
	const struct row *row;
	int reason;

	if (len < sizeof(r->head) || r->head.len != len)
		return TMEM_WIRE_BAD_MESSAGE;
	row = find(r->head.type);
	if (!row || len < row->len_min || len > row->len_max)
		return TMEM_WIRE_BAD_MESSAGE;
	reason = row->check ? row->check(r) : 0;
	if (reason)
		return reason;
	if (fds != fds_of(r))
		return TMEM_WIRE_BAD_FDS;
	return row->stages & stage ? 0 : TMEM_WIRE_BAD_ORDER;
}
