/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer.h - a connection: who it is, how far it has come, and how it ends.
 */
#ifndef TMEM_TMEMD_PEER_H
#define TMEM_TMEMD_PEER_H

#include "request.h"
#include "tmemd.h"

struct tmemd_peer {
	TAILQ_ENTRY(tmemd_peer) entry;
	struct tmemd *d; /* (c) */
	int fd;		 /* (c) */
	uint32_t uid;	 /* (c) by SO_PEERCRED */
	uint32_t pid;	 /* (c) 0: out of sight */
	enum tmemd_stage stage;
	struct tmemd_tenant *tenant; /* set by tenant.c; NULL: it has none */
	uint64_t list_after;	     /* of the LIST that waits for reports */
	int lists; /* 1: its LIST waits for reports, or for the timer */
	sd_event_source *io;
	sd_event_source *timer; /* of silence, later of an answer */
};

/**
 * tmemd_peer_create() - somebody connected; takes @fd.
 * @on_io: called with the peer when it has said something or has gone, and when
 *	tmemd_peer_when_writable() is due.
 * @on_timer: called with the peer when it has been silent for too long, later when
 *	its timer, set anew, has run out.
 */
void tmemd_peer_create(struct tmemd *d, int fd, sd_event_io_handler_t on_io,
		       sd_event_time_handler_t on_timer);

/** tmemd_peer_arrive() - its first message made sense; without effect later. */
void tmemd_peer_arrive(struct tmemd *d, struct tmemd_peer *p,
		       enum tmemd_stage stage);

/** tmemd_peer_send() - 0, or negative errno; never waits. */
int tmemd_peer_send(struct tmemd_peer *p, const void *message, size_t len,
		    const int *fds, unsigned count);

/** tmemd_peer_when_writable() - serve it again once it has read something. */
void tmemd_peer_when_writable(struct tmemd_peer *p);

/**
 * tmemd_peer_refuse() - a reason to end it, counted, logged and told; it is not
 * closed yet.
 * @domain: of its session; NULL: it has none.
 */
void tmemd_peer_refuse(struct tmemd *d, struct tmemd_peer *p, int reason,
		       const char *domain);

/** tmemd_peer_close() - the connection is over. One that has a session ends with
 * that: see tmemd_tenant_end(). */
void tmemd_peer_close(struct tmemd *d, struct tmemd_peer *p);

/** tmemd_peer_drop() - close one that has no session, for a reason. */
void tmemd_peer_drop(struct tmemd *d, struct tmemd_peer *p, int reason);

/** tmemd_peers_finish() - the daemon goes, its tenants have gone. */
void tmemd_peers_finish(struct tmemd *d);

#endif
