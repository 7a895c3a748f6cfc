/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.c - verbs for whoever runs the machine: status, list.
 *
 * What the daemon counts itself is exact. What a session says of itself is asked
 * for when somebody wants to know, and summed up as claimed: idle clients stay
 * asleep, and one that is stopped or lies spoils its own line only.
 */
#include "control.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "peer.h"
#include "policies.h"
#include "serve.h"
#include "tenant.h"

/* What sessions get to report in: a round trip takes a tenth of a millisecond,
 * and a person does not notice twenty. */
#define REPORT_US (20 * 1000)

/* The kernel's most; a list longer than this is not searched to its end. */
#define GROUPS_MAX 1024

static int in_group(const struct tmemd_peer *p, gid_t gid)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups);
	struct ucred cred;
	socklen_t cred_len = sizeof(cred);
	size_t i;

	if (!getsockopt(p->fd, SOL_SOCKET, SO_PEERCRED, &cred, &cred_len) &&
	    cred.gid == gid)
		return 1;
	if (getsockopt(p->fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len))
		return 0;
	for (i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == gid)
			return 1;
	return 0;
}

int tmemd_control_allowed(const struct tmemd *d, const struct tmemd_peer *p)
{
	const struct tmemd_group *g = &d->config->group;

	return !p->uid || p->uid == geteuid() ||
	       (g->known && in_group(p, g->gid));
}

static int send_status(struct tmemd *d, struct tmemd_peer *p)
{
	const struct tmemd_budget *b = &d->pressure.budget;
	struct tmem_wire_status_reply r = {
		.head = { TMEM_WIRE_STATUS_REPLY, sizeof(r) },
		.version = TMEM_WIRE_VERSION,
		.pid = (uint32_t)getpid(),
		.up_ns = tmem_clock_ns() - d->started_ns,
		.budget_bytes = d->ledger.budget_bytes,
		.domains = d->ledger.count,
		.sessions = d->tenants_count,
		.lent = d->counters.lent,
		.given = d->counters.given,
		.revoked = d->counters.revoked,
		.strays = d->counters.strays,
		.returned = d->counters.returned,
		.maximum_bytes = b->maximum_bytes,
		.floor_bytes = b->floor_bytes,
		.available_bytes = b->available_bytes,
		.budget_age_ns = tmem_clock_ns() - b->changed_ns,
		.budget_grown = b->grown,
		.budget_shrunk = b->shrunk,
		.stalls = b->stalls,
		.stalls_foreign = b->stalls_foreign,
		.budget_reason = b->reason,
	};

	memcpy(r.lent_bytes, d->ledger.lent_bytes, sizeof(r.lent_bytes));
	memcpy(r.reasons, d->counters.reasons, sizeof(r.reasons));
	(void)strncpy(r.policy, d->arbiter.policy->name, sizeof(r.policy) - 1);
	return tmemd_peer_send(p, &r, sizeof(r), NULL, 0) ? TMEM_WIRE_DEAF : 0;
}

static void add_claims(const struct tmemd *d, const struct tmemd_account *a,
		       struct tmem_wire_domain *e)
{
	const struct tmemd_tenant *t;

	TAILQ_FOREACH(t, &d->tenants, entry) {
		if (t->account != a)
			continue;
		e->claimed_raw_bytes += t->stats.raw_bytes;
		e->claimed_pages_ephemeral += t->stats.pages_ephemeral;
		e->claimed_pages_persistent += t->stats.pages_persistent;
		e->claimed_puts += t->stats.puts;
		e->claimed_gets += t->stats.gets;
		e->claimed_hits += t->stats.hits;
		e->claimed_ghost_hits += t->stats.ghost_hits;
	}
}

static void fill_entry(const struct tmemd *d, const struct tmemd_account *a,
		       struct tmem_wire_domain *e)
{
	memset(e, 0, sizeof(*e));
	memcpy(e->name, a->name, sizeof(e->name));
	e->uid = a->uid;
	e->sessions = a->sessions;
	e->cap_bytes = a->cap_bytes;
	e->persistent_bytes = a->persistent_bytes;
	memcpy(e->lent_bytes, a->lent_bytes, sizeof(e->lent_bytes));
	e->revoked = a->revoked;
	e->min_bytes = a->min_bytes;
	e->entitled_bytes = a->entitled_bytes;
	e->asked_bytes = a->asked_bytes;
	e->weight = a->weight;
	e->flags = a->frozen ? TMEM_WIRE_FROZEN : 0;
	add_claims(d, a, e);
}

int tmemd_control_answer_list(struct tmemd *d, struct tmemd_peer *p)
{
	struct tmem_wire_list_reply r;
	struct tmemd_account *a;
	uint32_t n = 0;

	memset(&r, 0, sizeof(r));
	TAILQ_FOREACH(a, &d->ledger.accounts, entry) {
		if (n++ < p->list_skip || r.count == TMEM_WIRE_ENTRIES_MAX)
			continue;
		fill_entry(d, a, &r.domains[r.count++]);
	}
	r.head.type = TMEM_WIRE_LIST_REPLY;
	r.head.len = (uint32_t)(offsetof(struct tmem_wire_list_reply, domains) +
				r.count * sizeof(r.domains[0]));
	return tmemd_peer_send(p, &r, r.head.len, NULL, 0) ? TMEM_WIRE_DEAF : 0;
}

static int list(struct tmemd *d, struct tmemd_peer *p, uint32_t skip)
{
	tmemd_serve_divide(d);
	p->list_skip = skip;
	if (skip || !d->tenants_count)
		return tmemd_control_answer_list(d, p);
	tmemd_tenants_ask_reports(d);
	(void)sd_event_source_set_time_relative(p->timer, REPORT_US);
	/* Left alone it comes up to 250 ms later, along with other timers. */
	(void)sd_event_source_set_time_accuracy(p->timer, REPORT_US / 8);
	(void)sd_event_source_set_enabled(p->timer, SD_EVENT_ONESHOT);
	return 0;
}

int tmemd_control_handle(struct tmemd *d, struct tmemd_peer *p,
			 const union tmemd_request *r)
{
	/* With leases it is looked at anyway, and who asks often shall not make
	 * that more often. */
	if (!d->tenants_count)
		tmemd_pressure_refresh(d);
	return r->head.type == TMEM_WIRE_STATUS ? send_status(d, p)
						: list(d, p, r->list.skip);
}
