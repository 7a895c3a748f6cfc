/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer.c - connections: taken in, spoken to, refused, dropped, closed.
 */
#include "peer.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "assertion.h"
#include "listener.h"
#include "mem.h"
#include "packet.h"

/* A client says hello at once; whoever says nothing this long never will. */
#define SILENCE_US (2 * 1000 * 1000)

/* Connections that have said nothing: a user's, and everybody's. Beyond, the
 * oldest goes, since a client that means it has spoken long before. */
#define NEWCOMERS_OF_USER_MAX 64
#define NEWCOMERS_MAX 256

/* Lines about dropped clients in a second: a client could earn one a connection. */
#define DROPS_TOLD_MAX 10

/* ---- Saying -------------------------------------------------------------- */

int tmemd_peer_send(struct tmemd_peer *p, const void *message, size_t len,
		    const int *fds, unsigned count)
{
	return tmem_packet_send(p->fd, message, len, fds, count);
}

void tmemd_peer_when_writable(struct tmemd_peer *p)
{
	(void)sd_event_source_set_io_events(p->io, EPOLLIN | EPOLLOUT);
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

/* ---- Arriving ------------------------------------------------------------ */

void tmemd_peer_arrive(struct tmemd *d, struct tmemd_peer *p,
		       enum tmemd_stage stage)
{
	if (p->stage != TMEMD_STAGE_NEW)
		return;
	(void)sd_event_source_set_enabled(p->timer, SD_EVENT_OFF);
	TAILQ_REMOVE(&d->newcomers, p, entry);
	d->newcomers_count--;
	TAILQ_INSERT_TAIL(&d->peers, p, entry);
	p->stage = stage;
}

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

void tmemd_peer_create(struct tmemd *d, int fd, sd_event_io_handler_t on_io,
		       sd_event_time_handler_t on_timer)
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
