/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer.c - connections: taken in, listened to, refused, dropped, closed.
 */
#include "peer.h"
#include "assertion.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "control.h"
#include "listener.h"
#include "mem.h"
#include "packet.h"
#include "tenant.h"

/* A client says hello at once; whoever says nothing this long never will. */
#define SILENCE_US (2 * 1000 * 1000)

/* Connections that have said nothing: a user's, and everybody's. Beyond, the
 * oldest goes, since a client that means it has spoken long before. */
#define NEWCOMERS_OF_USER_MAX 64
#define NEWCOMERS_MAX 256

/* Messages taken from one peer before the others have their turn. */
#define BURST 16

/* Lines about dropped clients in a second: a client could earn one a connection. */
#define DROPS_TOLD_MAX 10

/* ---- Saying -------------------------------------------------------------- */

int tmemd_peer_send(struct tmemd_peer *p, const void *message, size_t len,
		    const int *fds, unsigned count)
{
	return tmem_packet_send(p->fd, message, len, fds, count);
}

static const char *advice(int reason)
{
	static const char *const texts[TMEM_WIRE_REASONS] = {
		[TMEM_WIRE_BAD_MESSAGE] = "a message makes no sense",
		[TMEM_WIRE_BAD_FDS] = "descriptors came with a message that "
				      "has none",
		[TMEM_WIRE_BAD_ORDER] = "a message came at the wrong time",
		[TMEM_WIRE_VERSION_UNKNOWN] =
			"this daemon speaks version 1; update the older one "
			"of tmemd and libtmem",
		[TMEM_WIRE_BAD_NAME] =
			"a domain's name is 1 to 63 printable characters "
			"without ']'",
		[TMEM_WIRE_NOT_OWNER] =
			"the domain belongs to another user; choose another "
			"name",
		[TMEM_WIRE_CROWDED] = "too many sessions; close some, or raise "
				      "max-sessions in tmemd.conf",
		[TMEM_WIRE_NO_MEMORY] =
			"no room for the least store of 1M; raise budget or "
			"cap in tmemd.conf",
		[TMEM_WIRE_BAD_RETURN] =
			"what was handed back is not a lease of this daemon, "
			"or exceeds cap or quota",
		[TMEM_WIRE_NO_RIGHTS] =
			"control is for root, the daemon's user and its group; "
			"looking, for its watch-group too",
		[TMEM_WIRE_EVICTED] = "an operator ended the domain's sessions",
	};

	return texts[reason] ? texts[reason]
			     : tmem_wire_reason((uint32_t)reason);
}

static void send_refusal(struct tmemd_peer *p, int reason)
{
	struct tmem_wire_refused r = {
		.head = { TMEM_WIRE_REFUSED, sizeof(r) },
		.reason = (uint32_t)reason,
	};

	(void)snprintf(r.text, sizeof(r.text), "%s", advice(reason));
	/* One that does not read it need not know. */
	(void)tmemd_peer_send(p, &r, sizeof(r), NULL, 0);
}

static void tell_drop(struct tmemd *d, const struct tmemd_peer *p, int reason,
		      const char *domain)
{
	tmemd_turns_sweep(&d->turns);
	if (d->drops_told++ >= DROPS_TOLD_MAX)
		return;
	tmemd_log_say(
		&d->log, TMEM_LOG_WARNING,
		domain ? "client dropped" : "client refused",
		TMEMD_FIELDS(
			TMEMD_TEXT("reason", tmem_wire_reason((uint32_t)reason)),
			TMEMD_TEXT("domain", domain ? domain : "-"),
			TMEMD_UINT("pid", p->pid), TMEMD_UINT("uid", p->uid)));
}

void tmemd_peer_refuse(struct tmemd *d, struct tmemd_peer *p, int reason,
		       const char *domain)
{
	d->counters.reasons[reason]++;
	tell_drop(d, p, reason, domain);
	send_refusal(p, reason);
}

/* ---- Ending -------------------------------------------------------------- */

void tmemd_peer_close(struct tmemd *d, struct tmemd_peer *p)
{
	TMEM_ASSERT(!p->tenant);
	p->io = sd_event_source_disable_unref(p->io);
	p->timer = sd_event_source_disable_unref(p->timer);
	(void)close(p->fd);
	if (p->stage == TMEMD_STAGE_NEW) {
		TAILQ_REMOVE(&d->newcomers, p, entry);
		d->newcomers_count--;
	} else {
		TAILQ_REMOVE(&d->peers, p, entry);
	}
	d->peers_count--;
	d->lists -= (uint32_t)p->lists;
	tmem_mem_free(p, sizeof(*p));
	tmemd_listener_resume(d);
}

void tmemd_peer_drop(struct tmemd *d, struct tmemd_peer *p, int reason)
{
	tmemd_peer_refuse(d, p, reason, NULL);
	tmemd_peer_close(d, p);
}

void tmemd_peers_finish(struct tmemd *d)
{
	struct tmemd_peer *p;

	while ((p = TAILQ_FIRST(&d->newcomers)))
		tmemd_peer_close(d, p);
	while ((p = TAILQ_FIRST(&d->peers)))
		tmemd_peer_close(d, p);
}

/* ---- Listening ----------------------------------------------------------- */

static void arrive(struct tmemd *d, struct tmemd_peer *p, enum tmemd_stage stage)
{
	if (p->stage != TMEMD_STAGE_NEW)
		return;
	(void)sd_event_source_set_enabled(p->timer, SD_EVENT_OFF);
	TAILQ_REMOVE(&d->newcomers, p, entry);
	d->newcomers_count--;
	TAILQ_INSERT_TAIL(&d->peers, p, entry);
	p->stage = stage;
}

static int handle_hello(struct tmemd *d, struct tmemd_peer *p,
			const struct tmem_wire_hello *hello, const int *fds)
{
	int reason = tmemd_tenant_open(d, p, hello, fds);

	if (reason)
		return reason;
	arrive(d, p, TMEMD_STAGE_SESSION);
	tmemd_log_say(
		&d->log, TMEM_LOG_INFO,
		hello->flags & TMEM_WIRE_RETURNING ? "session returned"
						   : "session opened",
		TMEMD_FIELDS(TMEMD_TEXT("domain", p->tenant->account->name),
			     TMEMD_UINT("pid", p->pid),
			     TMEMD_UINT("uid", p->uid)));
	return 0;
}

static int handle_ready(struct tmemd *d, struct tmemd_tenant *t)
{
	t->ready = 1;
	/* Its ephemeral memory may be what others wait for. */
	tmemd_tenants_wake(d);
	return 0;
}

static int handle_ask(struct tmemd *d, struct tmemd_tenant *t,
		      const struct tmem_wire_ask *ask)
{
	/* Less than was lent is no more than nothing to ask. */
	t->asked[ask->cls] = ask->total;
	t->waits &= ~(1u << ask->cls);
	tmemd_turns_soon(&d->turns);
	return 0;
}

/* Who says what only sessions may has one: tmemd_request_check() asked the stage. */
static struct tmemd_tenant *tenant_of(const struct tmemd_peer *p)
{
	TMEM_ASSERT(p->tenant);
	return p->tenant;
}

/* Return: 0, or the reason to drop it. */
static int handle(struct tmemd *d, struct tmemd_peer *p,
		  const union tmemd_request *r, const int *fds)
{
	switch (r->head.type) {
	case TMEM_WIRE_HELLO:
		return handle_hello(d, p, &r->hello, fds);
	case TMEM_WIRE_READY:
		return handle_ready(d, tenant_of(p));
	case TMEM_WIRE_ASK:
		return handle_ask(d, tenant_of(p), &r->ask);
	case TMEM_WIRE_GIVE:
		return tmemd_tenant_give(d, tenant_of(p), &r->give);
	case TMEM_WIRE_DESTROYED:
		tenant_of(p)->emptying = 0;
		return 0;
	case TMEM_WIRE_STATS:
		tmemd_tenant_report(tenant_of(p), &r->stats);
		if (!d->reports_due)
			tmemd_control_reported(d);
		return 0;
	case TMEM_WIRE_HINT:
		tmemd_loan_hint(&tenant_of(p)->loan, r->hint.segments,
				r->hint.count);
		return 0;
	default:
		if (!tmemd_control_allowed(d, p, r->head.type))
			return TMEM_WIRE_NO_RIGHTS;
		arrive(d, p, TMEMD_STAGE_CONTROL);
		return tmemd_control_handle(d, p, r);
	}
}

static void close_either(struct tmemd *d, struct tmemd_peer *p)
{
	if (p->tenant)
		tmemd_tenant_end(d, p->tenant);
	else
		tmemd_peer_close(d, p);
}

static void drop_either(struct tmemd *d, struct tmemd_peer *p, int reason)
{
	if (p->tenant)
		tmemd_tenant_drop(d, p->tenant, reason);
	else
		tmemd_peer_drop(d, p, reason);
}

/* One message. Return: 1 there may be more, 0 none is there, -1 the peer is gone. */
static int listen_once(struct tmemd *d, struct tmemd_peer *p)
{
	union tmemd_request r;
	struct tmem_packet packet;
	int ret = tmem_packet_receive(p->fd, &r, sizeof(r), &packet);
	int reason;

	if (ret == -EAGAIN)
		return 0;
	if (ret <= 0) {
		close_either(d, p);
		return -1;
	}
	reason = packet.cut ? packet.fds_count ? TMEM_WIRE_BAD_FDS
					       : TMEM_WIRE_BAD_MESSAGE
			    : tmemd_request_check(&r, packet.len,
						  packet.fds_count, p->stage);
	if (!reason)
		reason = handle(d, p, &r, packet.fds);
	tmem_packet_close(&packet);
	if (!reason)
		return 1;
	drop_either(d, p, reason);
	return -1;
}

/* A thousand reports come at once, and the event loop asks the kernel about all of
 * them again behind each: 90 ms, where this takes 15. Only while somebody waits. */
static void hear_reports(struct tmemd *d)
{
	struct tmemd_tenant *t, *next;

	for (t = TAILQ_FIRST(&d->tenants); t && d->reports_due; t = next) {
		next = TAILQ_NEXT(t, entry);
		if (t->report_due && t->peer)
			(void)listen_once(d, t->peer);
	}
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *ctx)
{
	struct tmemd_peer *p = ctx;
	struct tmemd *d = p->d;
	int i, more = 1;

	(void)fd;
	if (revents & EPOLLOUT) {
		(void)sd_event_source_set_io_events(source, EPOLLIN);
		if (p->tenant)
			p->tenant->waits = 0;
		tmemd_turns_soon(&d->turns);
	}
	if (!(revents & ~(uint32_t)EPOLLOUT))
		return 0;
	for (i = 0; i < BURST && more > 0; i++)
		more = listen_once(d, p);
	if (d->lists)
		hear_reports(d);
	return 0;
}

void tmemd_peer_when_writable(struct tmemd_peer *p)
{
	(void)sd_event_source_set_io_events(p->io, EPOLLIN | EPOLLOUT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *ctx)
{
	struct tmemd_peer *p = ctx;

	(void)source;
	(void)usec;
	if (p->stage == TMEMD_STAGE_NEW)
		tmemd_peer_drop(p->d, p, TMEM_WIRE_SILENT);
	else
		tmemd_control_answer_list(p->d, p);
	return 0;
}

/* ---- Arriving ------------------------------------------------------------ */

/* Makes place among those who have said nothing. */
static void thin_out(struct tmemd *d, uint32_t uid)
{
	struct tmemd_peer *p, *oldest = NULL;
	uint32_t own = 0;

	TAILQ_FOREACH(p, &d->newcomers, entry) {
		own += p->uid == uid;
		if (p->uid == uid && !oldest)
			oldest = p;
	}
	if (own > NEWCOMERS_OF_USER_MAX)
		tmemd_peer_drop(d, oldest, TMEM_WIRE_CROWDED);
	else if (d->newcomers_count > NEWCOMERS_MAX)
		tmemd_peer_drop(d, TAILQ_FIRST(&d->newcomers),
				TMEM_WIRE_CROWDED);
}

void tmemd_peer_create(struct tmemd *d, int fd)
{
	struct tmemd_peer *p = tmem_mem_alloc(sizeof(*p));
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (!p || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len)) {
		(void)close(fd);
		tmem_mem_free(p, sizeof(*p));
		return;
	}
	p->d = d;
	p->fd = fd;
	p->uid = cred.uid;
	p->pid = cred.pid > 0 ? (uint32_t)cred.pid : 0;
	p->stage = TMEMD_STAGE_NEW;
	TAILQ_INSERT_TAIL(&d->newcomers, p, entry);
	d->newcomers_count++;
	d->peers_count++;
	if (sd_event_add_io(d->event, &p->io, fd, EPOLLIN, on_io, p) < 0 ||
	    sd_event_add_time_relative(d->event, &p->timer, CLOCK_MONOTONIC,
				       SILENCE_US, 0, on_timer, p) < 0) {
		tmemd_peer_close(d, p);
		return;
	}
	thin_out(d, cred.uid);
}
