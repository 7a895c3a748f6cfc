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

static int check_hello(const union tmemd_request *r)
{
	const struct tmem_wire_hello *h = &r->hello;
	const char *end = memchr(h->domain, 0, sizeof(h->domain));

	if (h->magic != TMEM_WIRE_MAGIC || h->pad ||
	    h->flags & ~(uint32_t)TMEM_WIRE_RETURNING ||
	    h->version_min > h->version_max)
		return TMEM_WIRE_BAD_MESSAGE;
	if (!end)
		return TMEM_WIRE_BAD_NAME;
	for (; end < h->domain + sizeof(h->domain); end++)
		if (*end)
			return TMEM_WIRE_BAD_MESSAGE;
	return 0;
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

static int check_list(const union tmemd_request *r)
{
	return r->list.pad ? TMEM_WIRE_BAD_MESSAGE : 0;
}

struct row {
	uint32_t type;
	uint32_t len_min, len_max; /* bytes */
	unsigned stages;	   /* TMEMD_STAGE_* in which it may come */
	int (*check)(const union tmemd_request *r); /* NULL: nothing to check */
};

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
	{ TMEM_WIRE_HINT, offsetof(struct tmem_wire_hint, segments),
	  sizeof(struct tmem_wire_hint), TMEMD_STAGE_SESSION, check_hint },
	{ TMEM_WIRE_STATUS, sizeof(struct tmem_wire_status),
	  sizeof(struct tmem_wire_status),
	  TMEMD_STAGE_NEW | TMEMD_STAGE_CONTROL, NULL },
	{ TMEM_WIRE_LIST, sizeof(struct tmem_wire_list),
	  sizeof(struct tmem_wire_list), TMEMD_STAGE_NEW | TMEMD_STAGE_CONTROL,
	  check_list },
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
