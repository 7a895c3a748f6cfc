/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arbiter.c - who may have memory, and from whom it is taken for that.
 *
 * While there is memory that nobody has, whoever asks gets it. When there is none,
 * a domain gets some as long as it is below its entitlement, and whoever is most
 * over its own gives it: never merely the asker, and never somebody who is below.
 * The host's own need is served the same way.
 *
 * What cannot be taken back (promises, an index) is worth more than a cache: it is
 * bounded by the quota rather than by the entitlement. But it too comes from who is
 * over his own, or else from the asker's own ephemeral memory.
 */
#include "arbiter.h"

#include <errno.h>

#include "ledger.h"
#include "mem.h"
#include "policies.h"

/*
 * Metadata cannot be taken back either, so it counts as persistent, but for this
 * share of the cap: an index takes about a hundredth of the pages' memory, and an
 * account without a persistent quota shall still be able to keep a cache. The
 * least is for small caps: four segments of 64 KiB.
 */
#define METADATA_SHARE 8
#define METADATA_LEAST (256u << 10)

/* ---- Entitlements -------------------------------------------------------- */

int tmemd_arbiter_room(struct tmemd_arbiter *r, size_t accounts)
{
	size_t room = r->room ? r->room : 16;
	struct tmemd_claimant *more;

	while (room < accounts)
		room *= 2;
	if (room == r->room)
		return 0;
	more = tmem_mem_grow(r->claimants, r->room * sizeof(*more),
			     room * sizeof(*more));
	if (!more)
		return -ENOMEM;
	r->claimants = more;
	r->room = room;
	return 0;
}

void tmemd_arbiter_finish(struct tmemd_arbiter *r)
{
	tmem_mem_free(r->claimants, r->room * sizeof(*r->claimants));
	r->claimants = NULL;
	r->room = 0;
}

static void describe(const struct tmemd_account *a, struct tmemd_claimant *c)
{
	c->min = a->min_bytes;
	c->cap = a->cap_bytes;
	c->held = tmemd_lent_sum(a->lent_bytes);
	c->fixed = c->held - a->lent_bytes[TMEM_WIRE_EPHEMERAL];
	c->demand = c->held + a->asked_bytes;
	c->weight = a->weight;
	c->ghost_rate = a->ghost_rate;
	c->entitled = 0;
}

void tmemd_arbiter_divide(struct tmemd_arbiter *r, struct tmemd_ledger *l)
{
	struct tmemd_account *a;
	size_t n = 0;

	TAILQ_FOREACH(a, &l->accounts, entry)
		describe(a, &r->claimants[n++]);
	r->policy->divide(r->claimants, n, l->budget_bytes);
	n = 0;
	TAILQ_FOREACH(a, &l->accounts, entry)
		a->entitled_bytes = r->claimants[n++].entitled;
}

/* ---- Victims ------------------------------------------------------------- */

static int can_give(const struct tmemd_account *a)
{
	return a->lent_bytes[TMEM_WIRE_EPHEMERAL] && !a->passed_over;
}

/* Below 0: it has less than its entitlement. */
static int64_t over(const struct tmemd_account *a)
{
	return (int64_t)tmemd_lent_sum(a->lent_bytes) -
	       (int64_t)a->entitled_bytes;
}

struct tmemd_account *tmemd_arbiter_victim(const struct tmemd_ledger *l)
{
	struct tmemd_account *a, *most = NULL;

	TAILQ_FOREACH(a, &l->accounts, entry)
		if (can_give(a) && (!most || over(a) > over(most)))
			most = a;
	return most;
}

/* ---- Judging ------------------------------------------------------------- */

/* What it would hold for good, as far as the quota is concerned. */
static uint64_t bound_bytes(const struct tmemd_account *a, uint32_t cls,
			    uint64_t bytes)
{
	uint64_t free_metadata = a->cap_bytes / METADATA_SHARE;
	uint64_t metadata = a->lent_bytes[TMEM_WIRE_METADATA];
	uint64_t persistent = a->lent_bytes[TMEM_WIRE_PERSISTENT];

	if (cls == TMEM_WIRE_METADATA)
		metadata += bytes;
	else
		persistent += bytes;
	if (free_metadata < METADATA_LEAST)
		free_metadata = METADATA_LEAST;
	return persistent +
	       (metadata > free_metadata ? metadata - free_metadata : 0);
}

/* 1: held for good, it would leave the minimums of others uncovered. */
static int eats_minimums(const struct tmemd_ledger *l,
			 const struct tmemd_account *a, uint64_t bytes)
{
	const struct tmemd_account *other;
	uint64_t bound = bytes, fixed;

	TAILQ_FOREACH(other, &l->accounts, entry) {
		fixed = other->lent_bytes[TMEM_WIRE_PERSISTENT] +
			other->lent_bytes[TMEM_WIRE_METADATA];
		bound += other != a && fixed < other->min_bytes
				 ? other->min_bytes
				 : fixed;
	}
	return bound > l->budget_bytes;
}

/* Its own ephemeral memory must make room. */
static enum tmemd_verdict swap_own(struct tmemd_account *a, int ephemeral,
				   struct tmemd_account **victim)
{
	if (ephemeral || !can_give(a))
		return TMEMD_WAIT;
	*victim = a;
	return TMEMD_TAKE;
}

enum tmemd_verdict tmemd_arbiter_judge(const struct tmemd_arbiter *r,
				       const struct tmemd_ledger *l,
				       struct tmemd_account *a, uint32_t cls,
				       uint64_t bytes,
				       struct tmemd_account **victim)
{
	const uint64_t after = tmemd_lent_sum(a->lent_bytes) + bytes;
	const int ephemeral = cls == TMEM_WIRE_EPHEMERAL;

	/* Without an index no session could begin. */
	if (a->frozen && cls != TMEM_WIRE_METADATA)
		return TMEMD_WAIT;
	if (!ephemeral && (bound_bytes(a, cls, bytes) > a->persistent_bytes ||
			   eats_minimums(l, a, bytes)))
		return TMEMD_WAIT;
	if (after > a->cap_bytes ||
	    (r->policy->strict && after > a->entitled_bytes))
		return swap_own(a, ephemeral, victim);
	if (tmemd_lent_sum(l->lent_bytes) + bytes <= l->budget_bytes)
		return TMEMD_LEND;
	if (ephemeral && after > a->entitled_bytes)
		return TMEMD_WAIT;
	*victim = tmemd_arbiter_victim(l);
	if (*victim && over(*victim) > 0)
		return TMEMD_TAKE;
	return swap_own(a, ephemeral, victim);
}

struct tmemd_account *tmemd_arbiter_excess(const struct tmemd_arbiter *r,
					   const struct tmemd_ledger *l)
{
	struct tmemd_account *a;
	uint64_t most;

	TAILQ_FOREACH(a, &l->accounts, entry) {
		most = a->cap_bytes;
		if (r->policy->strict && a->entitled_bytes < most)
			most = a->entitled_bytes;
		if (can_give(a) && tmemd_lent_sum(a->lent_bytes) > most)
			return a;
	}
	return tmemd_lent_sum(l->lent_bytes) > l->budget_bytes
		       ? tmemd_arbiter_victim(l)
		       : NULL;
}
