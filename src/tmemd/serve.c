/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve.c - memory lent to those who asked, and taken from those who must give, a
 * bounded turn at a time.
 *
 * A turn: first whoever has too much loses ephemeral segments; when that is done
 * they are told, and tenants are served in a circle. For each segment the arbiter is asked anew. Nobody answers
 * a revocation, so none of this waits.
 */
#include "serve.h"

#include <errno.h>
#include <stddef.h>

#include "mem.h"
#include "peer.h"
#include "policies.h"
#include "tenant.h"

/* Lent in a turn: a millisecond's work on memory that was in use before. */
#define TURN_BYTES (8ull << 20)

/* Revoked in a turn: 512 segments of 2 MiB take 5 to 30 ms. */
#define TURN_REVOKES 512

/* Sweeps from one demand to the next, at most. Who could not give enough at first,
 * because pages were written meanwhile or a disk failed, can later; for those who
 * never give, being asked is packing in vain. */
#define DEMAND_PAUSE_MAX 64

/* ---- Taking -------------------------------------------------------------- */

static int revoke_of(struct tmemd *d, const struct tmemd_account *a)
{
	struct tmemd_tenant *t, *most = NULL;

	TAILQ_FOREACH(t, &d->tenants, entry)
		if (t->account == a && t->ready &&
		    t->loan.lent[TMEM_WIRE_EPHEMERAL] &&
		    (!most || t->loan.lent[TMEM_WIRE_EPHEMERAL] >
				      most->loan.lent[TMEM_WIRE_EPHEMERAL]))
			most = t;
	return most && tmemd_tenant_revoke(d, most);
}

void tmemd_serve_divide(struct tmemd *d)
{
	struct tmemd_account *a;
	struct tmemd_tenant *t;

	TAILQ_FOREACH(a, &d->ledger.accounts, entry) {
		a->asked_bytes = 0;
		a->passed_over = 0;
	}
	TAILQ_FOREACH(t, &d->tenants, entry)
		if (t->peer)
			t->account->asked_bytes += tmemd_tenant_asked_bytes(t);
	tmemd_arbiter_divide(&d->arbiter, &d->ledger);
}

/* No allocation, no message, no lock: memory is short. 1: there may be more to
 * take. */
static int take_excess(struct tmemd *d)
{
	struct tmemd_account *a;
	int n;

	for (n = 0; n < TURN_REVOKES; n++) {
		a = tmemd_arbiter_excess(&d->arbiter, &d->ledger);
		if (!a)
			return 0;
		/* One whose sessions have not come back yet must not be in the
		 * way of the others. */
		if (!revoke_of(d, a))
			a->passed_over = 1;
	}
	return 1;
}

void tmemd_serve_trim(struct tmemd *d)
{
	tmemd_serve_divide(d);
	(void)take_excess(d);
	d->demand = 1;
	d->demand_pause = 0;
	tmemd_tenants_wake(d);
}

/* Takes first. Who is to hear of it does in the next turn. */
void tmemd_serve_follow(struct tmemd *d, uint64_t before)
{
	if (tmemd_lent_sum(d->ledger.lent_bytes) > d->ledger.budget_bytes)
		tmemd_serve_trim(d);
	else if (d->ledger.budget_bytes > before)
		tmemd_tenants_wake(d);
	else
		tmemd_turns_soon(&d->turns);
}

/* What was taken shows in the control page; this only wakes the sleepers. */
static void tell_revoked(struct tmemd *d)
{
	struct tmem_wire_count m = {
		.head = { TMEM_WIRE_REVOKED, sizeof(m) },
		.cls = TMEM_WIRE_EPHEMERAL,
	};
	struct tmemd_tenant *t;

	TAILQ_FOREACH(t, &d->tenants, entry) {
		if (!t->untold || !t->peer)
			continue;
		m.count = t->untold;
		/* One that does not keep up is told with the next ones. */
		if (!tmemd_peer_send(t->peer, &m, sizeof(m), NULL, 0))
			t->untold = 0;
	}
}

int tmemd_serve_flush(struct tmemd *d, struct tmemd_account *of, uint64_t bytes,
		      uint64_t *ret_taken)
{
	const uint64_t before = d->ledger.lent_bytes[TMEM_WIRE_EPHEMERAL];
	struct tmemd_account *a;
	int n;

	*ret_taken = 0;
	tmemd_serve_divide(d);
	for (n = 0; n < TURN_REVOKES && *ret_taken < bytes; n++) {
		a = of ? of : tmemd_arbiter_victim(&d->ledger);
		if (!a || a->passed_over)
			break;
		if (!revoke_of(d, a))
			a->passed_over = 1;
		*ret_taken = before - d->ledger.lent_bytes[TMEM_WIRE_EPHEMERAL];
	}
	tell_revoked(d);
	tmemd_tenants_wake(d);
	return n == TURN_REVOKES && *ret_taken < bytes;
}

/* What cannot be taken, only asked for. */
static uint64_t fixed_sum(const uint64_t lent[TMEM_WIRE_CLASSES])
{
	return lent[TMEM_WIRE_PERSISTENT] + lent[TMEM_WIRE_METADATA];
}

/* Of what is lent beyond @most, as much as @own is of what is fixed. */
static uint64_t over_share(const uint64_t lent[TMEM_WIRE_CLASSES],
			   uint64_t most, uint64_t own)
{
	const uint64_t sum = tmemd_lent_sum(lent), fixed = fixed_sum(lent);
	const uint64_t over = sum > most ? sum - most : 0;

	/* In pages: products of bytes need more than 64 bits. */
	return own < fixed ? over / TMEM_OS_PAGE * (own / TMEM_OS_PAGE) /
				     (fixed / TMEM_OS_PAGE) * TMEM_OS_PAGE
			   : over;
}

/* At first each is asked for his share. Whoever is asked again is asked for all that
 * is lacking: others may have nothing that they can do without. */
static uint64_t lacking(const struct tmemd *d, const struct tmemd_tenant *t)
{
	const uint64_t own = (uint64_t)(t->loan.lent[TMEM_WIRE_PERSISTENT] +
					t->loan.lent[TMEM_WIRE_METADATA]) *
			     t->loan.segment_size;
	const uint64_t part = d->demand_pause ? UINT64_MAX : own;
	const uint64_t host =
		over_share(d->ledger.lent_bytes, d->ledger.budget_bytes, part);
	const uint64_t domain =
		over_share(t->account->lent_bytes, t->account->cap_bytes, part);

	return !own ? 0 : host > domain ? host : domain;
}

/* Where more is lent than may be, and nothing that can be taken is left. Return: 1
 * somebody was asked, 0. */
static int demand(struct tmemd *d)
{
	struct tmem_wire_count m = {
		.head = { TMEM_WIRE_DEMAND, sizeof(m) },
		.cls = TMEM_WIRE_PERSISTENT,
	};
	struct tmemd_tenant *t;
	uint64_t over;
	int asked = 0;

	TAILQ_FOREACH(t, &d->tenants, entry) {
		over = lacking(d, t);
		if (!over || !t->peer)
			continue;
		m.count = (uint32_t)(over / t->loan.segment_size) + 1;
		(void)tmemd_peer_send(t->peer, &m, sizeof(m), NULL, 0);
		asked = 1;
	}
	return asked;
}

/* Asking may do nothing or too little: it is done again, less and less often, until
 * nobody is over. */
static void demand_and_again(struct tmemd *d)
{
	d->demand = 0;
	if (!demand(d))
		d->demand_pause = 0;
	else if (!d->demand_pause)
		d->demand_pause = 1;
	else if (d->demand_pause < DEMAND_PAUSE_MAX)
		d->demand_pause *= 2;
	d->demand_sweeps = d->demand_pause;
}

/* ---- Lending ------------------------------------------------------------- */

/* Return: 0; -EAGAIN there is none for it now; -EPERM it spoiled its memory. */
static int lend_one(struct tmemd *d, struct tmemd_tenant *t, uint32_t cls,
		    struct tmem_wire_loan *ret)
{
	struct tmemd_account *victim = NULL;
	enum tmemd_verdict verdict;
	int err;

	for (;;) {
		verdict = tmemd_arbiter_judge(&d->arbiter, &d->ledger,
					      t->account, cls,
					      t->loan.segment_size, &victim);
		if (verdict != TMEMD_TAKE)
			break;
		if (!revoke_of(d, victim))
			victim->passed_over = 1;
	}
	if (verdict != TMEMD_LEND)
		return -EAGAIN;
	err = tmemd_loan_lend(&t->loan, &d->backing, cls, ret);
	if (err)
		return err == -EPERM ? err : -EAGAIN;
	tmemd_ledger_charge(&d->ledger, t->account, cls, t->loan.segment_size);
	return 0;
}

static void take_back(struct tmemd *d, struct tmemd_tenant *t,
		      const struct tmem_wire_loans *m)
{
	uint32_t i;

	for (i = 0; i < m->count; i++)
		if (tmemd_loan_take(&t->loan, &m->loans[i]) >= 0)
			tmemd_ledger_charge(&d->ledger, t->account, m->cls,
					    -(int64_t)t->loan.segment_size);
}

static int wants(const struct tmemd_tenant *t, uint32_t cls)
{
	/* What could not be taken back yet is not lent as such. */
	return t->peer && (t->ready || cls != TMEM_WIRE_EPHEMERAL) &&
	       !(t->waits & 1u << cls) && t->asked[cls] > t->granted[cls];
}

/* Sends what it got. Return: 0, -EPERM. */
static int serve_class(struct tmemd *d, struct tmemd_tenant *t, uint32_t cls,
		       uint64_t *bytes)
{
	struct tmem_wire_loans m = { .head = { TMEM_WIRE_LENT, 0 }, .cls = cls };
	int err = 0;

	while (!err && *bytes && wants(t, cls) &&
	       m.count < TMEM_WIRE_LOANS_MAX &&
	       t->asked[cls] - t->granted[cls] > m.count) {
		err = lend_one(d, t, cls, &m.loans[m.count]);
		if (err)
			break;
		m.count++;
		*bytes -= t->loan.segment_size < *bytes ? t->loan.segment_size
							: *bytes;
	}
	if (err == -EAGAIN)
		t->waits |= 1u << cls;
	m.head.len = (uint32_t)(offsetof(struct tmem_wire_loans, loans) +
				m.count * sizeof(m.loans[0]));
	/* The client learns of what it gets, and of that there is no more, in
	 * this order. */
	if (m.count && tmemd_peer_send(t->peer, &m, m.head.len, NULL, 0)) {
		take_back(d, t, &m);
		t->waits |= 1u << cls;
		tmemd_peer_when_writable(t->peer);
		m.count = 0;
	}
	t->granted[cls] += m.count;
	d->counters.lent += m.count;
	return err == -EPERM ? err : 0;
}

/* Metadata first: without it no page can be found. */
static const uint32_t order[] = { TMEM_WIRE_METADATA, TMEM_WIRE_PERSISTENT,
				  TMEM_WIRE_EPHEMERAL };

static int serve_tenant(struct tmemd *d, struct tmemd_tenant *t, uint64_t *bytes)
{
	size_t i;
	int err = 0;

	for (i = 0; i < TMEM_WIRE_CLASSES && !err; i++)
		err = serve_class(d, t, order[i], bytes);
	tmemd_loan_set_limit(&t->loan, t->waits ? tmemd_loan_lent(&t->loan)
						: t->loan.segments_max);
	return err;
}

static int wants_any(const struct tmemd_tenant *t)
{
	return wants(t, TMEM_WIRE_EPHEMERAL) ||
	       wants(t, TMEM_WIRE_PERSISTENT) || wants(t, TMEM_WIRE_METADATA);
}

static struct tmemd_tenant *next_tenant(struct tmemd *d)
{
	struct tmemd_tenant *t;

	TAILQ_FOREACH(t, &d->tenants, entry)
		if (wants_any(t))
			return t;
	return NULL;
}

static int on_turn(sd_event_source *source, uint64_t usec, void *ctx)
{
	struct tmemd *d = ctx;
	struct tmemd_tenant *t;
	uint64_t bytes;
	int broke;

	(void)source;
	(void)usec;
	tmemd_pressure_refresh(d);
	tmemd_serve_divide(d);
	/* Nobody is spoken to before all that must be taken is. */
	if (take_excess(d)) {
		tmemd_turns_soon(&d->turns);
		return 0;
	}
	bytes = tmemd_margin_bytes(&d->margin);
	broke = bytes < TURN_BYTES;
	if (bytes > TURN_BYTES)
		bytes = TURN_BYTES;
	while (bytes && (t = next_tenant(d))) {
		TAILQ_REMOVE(&d->tenants, t, entry);
		TAILQ_INSERT_TAIL(&d->tenants, t, entry);
		if (serve_tenant(d, t, &bytes))
			tmemd_tenant_drop(d, t, TMEM_WIRE_BAD_MEMORY);
	}
	tell_revoked(d);
	tmemd_pressure_tell(d);
	if (d->demand)
		demand_and_again(d);
	/* Near the own cgroup's limit the next look is the sweep's. */
	if (!broke && next_tenant(d))
		tmemd_turns_go_on(&d->turns);
	else
		tmemd_turns_rest(&d->turns);
	return 0;
}

/* ---- Every second -------------------------------------------------------- */

/* What a second can bring, of a hundred CPUs that do nothing else. What a liar has
 * saved up in a day is more than a rate has room for. */
#define GHOST_HITS_MAX (1ull << 32)

/* Ghost hits of the last seconds, the last one counting a quarter. While nobody
 * is short of memory, and the host is not about to be, nobody is asked: with the
 * report comes a hint of what to take. */
static void follow_ghosts(struct tmemd *d)
{
	struct tmemd_account *a;
	struct tmemd_tenant *t;
	unsigned waits = 0;

	TAILQ_FOREACH(a, &d->ledger.accounts, entry) {
		if (a->ghost_hits > GHOST_HITS_MAX)
			a->ghost_hits = GHOST_HITS_MAX;
		a->ghost_rate =
			(3 * a->ghost_rate + a->ghost_hits * TMEMD_GHOST_UNIT) /
			4;
		a->ghost_hits = 0;
	}
	TAILQ_FOREACH(t, &d->tenants, entry)
		waits |= t->waits;
	if (waits || tmemd_pressure_looms(d))
		tmemd_tenants_ask_reports(d);
	if (waits && d->arbiter.policy->asks_reports)
		tmemd_tenants_wake(d);
}

static int on_sweep(sd_event_source *source, uint64_t usec, void *ctx)
{
	struct tmemd *d = ctx;
	struct tmemd_tenant *t, *next;
	int reason, idle;

	(void)source;
	(void)usec;
	follow_ghosts(d);
	idle = !d->drops_told;
	d->drops_told = 0;
	for (t = TAILQ_FIRST(&d->tenants); t; t = next) {
		next = TAILQ_NEXT(t, entry);
		reason = tmemd_tenant_sweep(d, t);
		if (reason && t->peer)
			tmemd_tenant_drop(d, t, reason);
	}
	if (d->demand_sweeps && !--d->demand_sweeps)
		d->demand = 1;
	if (d->demand || next_tenant(d))
		tmemd_turns_soon(&d->turns);
	if (d->tenants_count || !idle)
		tmemd_turns_sweep(&d->turns);
	return 0;
}

/* ---- The room ------------------------------------------------------------ */

int tmemd_serve_init(struct tmemd *d)
{
	return tmemd_turns_init(&d->turns, d->event, on_turn, on_sweep, d);
}

void tmemd_serve_finish(struct tmemd *d)
{
	tmemd_turns_finish(&d->turns);
}
