/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.c - who may look at the daemon, and what they see: status, domains,
 * sessions.
 *
 * What the daemon counts itself is exact. What a session says of itself is asked
 * for when somebody wants to know (and now and then for the history), and summed up
 * as far as it can be so: idle clients stay asleep, and one that is stopped or lies
 * spoils its own line, and not the sums.
 */
#include "control.h"

#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "figures.h"
#include "peer.h"
#include "policies.h"
#include "recorder.h"
#include "serve.h"
#include "steer.h"
#include "tenant.h"

/* What sessions get to report in: a round trip takes a tenth of a millisecond,
 * and a person does not notice twenty. */
#define REPORT_US (20 * 1000)

/* The kernel's most; a list longer than this is not searched to its end. */
#define GROUPS_MAX 1024

/* ---- Who may ------------------------------------------------------------- */

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

static int is_of(const struct tmemd_peer *p, const struct tmemd_group *g)
{
	return g->known && in_group(p, g->gid);
}

static int only_looks(uint32_t type)
{
	return type == TMEM_WIRE_STATUS || type == TMEM_WIRE_LIST ||
	       type == TMEM_WIRE_SESSIONS || type == TMEM_WIRE_HISTORY;
}

int tmemd_control_allowed(const struct tmemd *d, const struct tmemd_peer *p,
			  uint32_t type)
{
	return !p->uid || p->uid == geteuid() || is_of(p, &d->config->group) ||
	       (only_looks(type) && is_of(p, &d->config->watch_group));
}

/* ---- The daemon ---------------------------------------------------------- */

static uint64_t freeable_bytes(const struct tmemd *d)
{
	const struct tmemd_tenant *t;
	uint64_t sum = 0;

	TAILQ_FOREACH(t, &d->tenants, entry)
		sum += tmemd_tenant_freeable_bytes(t);
	return sum;
}

static uint64_t cpu_ns(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * TMEM_NS_PER_SEC + (uint64_t)t.tv_nsec;
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
		.flags = d->config->frozen ? TMEM_WIRE_FROZEN : 0,
		.freeable_bytes = freeable_bytes(d),
		.margin_bytes = tmemd_margin_bytes(&d->margin),
		.cpu_ns = cpu_ns(),
		.connections = d->peers_count,
	};

	memcpy(r.lent_bytes, d->ledger.lent_bytes, sizeof(r.lent_bytes));
	memcpy(r.reasons, d->counters.reasons, sizeof(r.reasons));
	memcpy(r.doubts, d->counters.doubts, sizeof(r.doubts));
	tmemd_psi_look(&d->psi, &r.psi);
	(void)strncpy(r.policy, d->arbiter.policy->name, sizeof(r.policy) - 1);
	return tmemd_peer_send(p, &r, sizeof(r), NULL, 0) ? TMEM_WIRE_DEAF : 0;
}

/* ---- Domains ------------------------------------------------------------- */

static void describe(const struct tmemd_account *a, struct tmem_wire_domain *e)
{
	memcpy(e->name, a->name, sizeof(e->name));
	e->number = a->number;
	e->uid = a->uid;
	e->sessions = a->sessions;
	e->cap_bytes = a->cap_bytes;
	e->persistent_bytes = a->persistent_bytes;
	memcpy(e->lent_bytes, a->lent_bytes, sizeof(e->lent_bytes));
	e->revoked = a->revoked;
	e->doubted = a->doubted;
	e->min_bytes = a->min_bytes;
	e->entitled_bytes = a->entitled_bytes;
	e->asked_bytes = a->asked_bytes;
	e->ghost_rate = a->ghost_rate;
	e->weight = a->weight;
	e->flags = a->frozen ? TMEM_WIRE_FROZEN : 0;
	e->report_age_ns = UINT64_MAX;
	e->claimed = a->past;
}

static void add_session(const struct tmemd_tenant *t, uint64_t now,
			struct tmem_wire_domain *e)
{
	const uint64_t age = now - t->reported_ns;

	e->freeable_bytes += tmemd_tenant_freeable_bytes(t);
	e->emptying += (uint32_t)t->emptying;
	if (!t->reported_ns)
		return;
	if (!e->reported++ || age > e->report_age_ns)
		e->report_age_ns = age;
	tmemd_figures_add(&e->claimed, &t->figures);
}

/* One way through the domains and one through the sessions for each message,
 * however many of both there are. */
static int send_list(struct tmemd *d, struct tmemd_peer *p)
{
	const uint64_t now = tmem_clock_ns();
	struct tmem_wire_list_reply r;
	struct tmemd_account *a;
	struct tmemd_tenant *t;

	d->lists -= (uint32_t)p->lists;
	p->lists = 0;
	memset(&r, 0, sizeof(r));
	TAILQ_FOREACH(a, &d->ledger.accounts, entry) {
		a->line = NULL;
		if (a->number <= p->list_after ||
		    r.count == TMEM_WIRE_ENTRIES_MAX)
			continue;
		a->line = &r.domains[r.count++];
		describe(a, a->line);
	}
	TAILQ_FOREACH(t, &d->tenants, entry)
		if (t->account->line)
			add_session(t, now, t->account->line);
	r.head.type = TMEM_WIRE_LIST_REPLY;
	r.head.len = (uint32_t)(offsetof(struct tmem_wire_list_reply, domains) +
				r.count * sizeof(r.domains[0]));
	return tmemd_peer_send(p, &r, r.head.len, NULL, 0) ? TMEM_WIRE_DEAF : 0;
}

void tmemd_control_answer_list(struct tmemd *d, struct tmemd_peer *p)
{
	if (send_list(d, p))
		tmemd_peer_drop(d, p, TMEM_WIRE_DEAF);
}

void tmemd_control_reported(struct tmemd *d)
{
	struct tmemd_peer *p, *next;

	for (p = TAILQ_FIRST(&d->peers); p; p = next) {
		next = TAILQ_NEXT(p, entry);
		if (p->lists) {
			(void)sd_event_source_set_enabled(p->timer,
							  SD_EVENT_OFF);
			tmemd_control_answer_list(d, p);
		}
	}
}

static int list(struct tmemd *d, struct tmemd_peer *p, uint64_t after)
{
	p->list_after = after;
	if (after)
		return send_list(d, p);
	tmemd_serve_divide(d);
	tmemd_tenants_ask_reports(d);
	if (!d->reports_due)
		return send_list(d, p);
	d->lists += !p->lists;
	p->lists = 1;
	(void)sd_event_source_set_time_relative(p->timer, REPORT_US);
	/* Left alone it comes up to 250 ms later, along with other timers. */
	(void)sd_event_source_set_time_accuracy(p->timer, REPORT_US / 8);
	(void)sd_event_source_set_enabled(p->timer, SD_EVENT_ONESHOT);
	return 0;
}

/* ---- Sessions ------------------------------------------------------------ */

static void describe_session(const struct tmemd_tenant *t, uint64_t now,
			     struct tmem_wire_session *e)
{
	uint32_t cls;

	memset(e, 0, sizeof(*e));
	e->number = t->id + 1;
	e->pid = t->pid;
	e->uid = t->loan.control->uid;
	e->segment_size = t->loan.segment_size;
	e->flags = (t->peer ? 0 : TMEM_WIRE_AWAY) |
		   (t->waits ? TMEM_WIRE_SHORT : 0) |
		   (t->emptying ? TMEM_WIRE_EMPTYING : 0);
	e->most_bytes = (uint64_t)t->loan.segments_max * t->loan.segment_size;
	for (cls = 0; cls < TMEM_WIRE_CLASSES; cls++)
		e->lent_bytes[cls] =
			(uint64_t)t->loan.lent[cls] * t->loan.segment_size;
	e->freeable_bytes = tmemd_tenant_freeable_bytes(t);
	e->report_age_ns = t->reported_ns ? now - t->reported_ns : UINT64_MAX;
	e->claimed = t->figures;
}

/* Into its place by number, if that is among the lowest: tenants are kept in the
 * order of their turns. Return: how many there are now. */
static uint32_t place(const struct tmemd_tenant **lowest, uint32_t count,
		      const struct tmemd_tenant *t)
{
	uint32_t n = count;

	if (count == TMEM_WIRE_SESSIONS_MAX) {
		if (lowest[count - 1]->id < t->id)
			return count;
		n = --count;
	}
	for (; n && lowest[n - 1]->id > t->id; n--)
		lowest[n] = lowest[n - 1];
	lowest[n] = t;
	return count + 1;
}

static int send_sessions(struct tmemd *d, struct tmemd_peer *p,
			 const struct tmem_wire_sessions *m)
{
	const struct tmemd_tenant *lowest[TMEM_WIRE_SESSIONS_MAX], *t;
	const uint64_t now = tmem_clock_ns();
	struct tmem_wire_sessions_reply r;
	uint32_t i, count = 0;

	TAILQ_FOREACH(t, &d->tenants, entry)
		if (t->id + 1 > m->after && !strcmp(t->account->name, m->domain))
			count = place(lowest, count, t);
	memset(&r, 0, offsetof(struct tmem_wire_sessions_reply, sessions));
	r.count = count;
	for (i = 0; i < count; i++)
		describe_session(lowest[i], now, &r.sessions[i]);
	r.head.type = TMEM_WIRE_SESSIONS_REPLY;
	r.head.len =
		(uint32_t)(offsetof(struct tmem_wire_sessions_reply, sessions) +
			   count * sizeof(r.sessions[0]));
	return tmemd_peer_send(p, &r, r.head.len, NULL, 0) ? TMEM_WIRE_DEAF : 0;
}

int tmemd_control_handle(struct tmemd *d, struct tmemd_peer *p,
			 const union tmemd_request *r)
{
	/* With leases it is looked at anyway, and who asks often shall not make
	 * that more often. */
	if (!d->tenants_count)
		tmemd_pressure_refresh(d);
	switch (r->head.type) {
	case TMEM_WIRE_STATUS:
		return send_status(d, p);
	case TMEM_WIRE_LIST:
		return list(d, p, r->list.after);
	case TMEM_WIRE_SESSIONS:
		return send_sessions(d, p, &r->sessions);
	case TMEM_WIRE_HISTORY:
		return tmemd_recorder_answer(d, p, &r->history);
	default:
		return tmemd_steer_handle(d, p, r);
	}
}
