/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conversation.c - what clients say, passed on to the room that it is for: a
 * tenant's own matters to tenant.c, control verbs to control.c.
 *
 * All that a client causes begins here, and nothing below calls back: what comes of
 * a message is a return value, 0 or the reason to drop who sent it.
 */
#include "conversation.h"

#include <errno.h>
#include <sys/epoll.h>

#include "assertion.h"
#include "control.h"
#include "listener.h"
#include "packet.h"
#include "peer.h"
#include "tenant.h"

/* Taken in before others have their turn. */
#define CONNECTS 16

/* Messages taken from one peer before the others have their turn. */
#define BURST 16

/* ---- Ending -------------------------------------------------------------- */

static void end(struct tmemd *d, struct tmemd_peer *p)
{
	if (p->tenant)
		tmemd_tenant_end(d, p->tenant);
	else
		tmemd_peer_close(d, p);
}

static void drop(struct tmemd *d, struct tmemd_peer *p, int reason)
{
	if (p->tenant)
		tmemd_tenant_drop(d, p->tenant, reason);
	else
		tmemd_peer_drop(d, p, reason);
}

/* ---- A message ----------------------------------------------------------- */

static int handle_hello(struct tmemd *d, struct tmemd_peer *p,
			const struct tmem_wire_hello *hello, const int *fds)
{
	int reason = tmemd_tenant_open(d, p, hello, fds);

	if (reason)
		return reason;
	tmemd_peer_arrive(d, p, TMEMD_STAGE_SESSION);
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
		tmemd_peer_arrive(d, p, TMEMD_STAGE_CONTROL);
		return tmemd_control_handle(d, p, r);
	}
}

/* ---- Listening ----------------------------------------------------------- */

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
		end(d, p);
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
	drop(d, p, reason);
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

static int on_connect(sd_event_source *source, int fd, uint32_t revents,
		      void *ctx)
{
	struct tmemd *d = ctx;
	int i, peer;

	(void)source;
	(void)revents;
	for (i = 0; i < CONNECTS; i++) {
		peer = tmemd_listener_accept(d, fd);
		if (peer < 0)
			break;
		tmemd_peer_create(d, peer, on_io, on_timer);
	}
	return 0;
}

int tmemd_conversation_start(struct tmemd *d, int fd)
{
	return tmemd_listener_start(d, fd, on_connect);
}
