/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lease-daemon.h - a segment source whose memory a daemon lends.
 *
 *	engine --- lend, give_back ---> stock <--- listen, speak ---> daemon
 *	           any thread, never waits          one thread, may wait
 *
 * Segments are asked for ahead and kept in stock, so that lending one is taking
 * it from a list. Somebody (the client's keeper thread) must wait for the two
 * descriptors and then listen and speak; without it the stock runs out.
 *
 * When the daemon goes, what is held stays held and is all there is, until
 * tmem_lease_daemon_return() finds another daemon at the same place.
 */
#ifndef TMEM_LEASE_LEASE_DAEMON_H
#define TMEM_LEASE_LEASE_DAEMON_H

#include <stdint.h>

#include "lease.h"
#include "logger.h"

struct tmem_wire_stats;

/** struct tmem_lease_daemon_opts - whom to ask, and for how much. */
struct tmem_lease_daemon_opts {
	const char *path;	/* of the daemon's socket; copied */
	const char *domain;	/* copied */
	uint64_t limit_bytes;	/* 0: as much as the daemon allows */
	uint64_t reserve_bytes; /* for persistent pages, to have in stock */
	const struct tmem_logger *logger; /* is told what is wrong; copied */
};

/**
 * tmem_lease_daemon_create() - say hello, and get a lease with a little in stock.
 * @ret: out: the source; ends by its ops->destroy().
 * @ret_limit: out: bytes that the daemon allows it; at most what was asked for.
 *
 * Context: waits for the daemon, some seconds at most.
 * Return: 0; as tmem_packet_connect(), nothing told; told: -ETIMEDOUT, -EPROTO,
 *	-EPERM, -EINVAL, -ENOSPC, -ENOMEM.
 */
int tmem_lease_daemon_create(const struct tmem_lease_daemon_opts *opts,
			     struct tmem_lease **ret, uint64_t *ret_limit);

/** tmem_lease_daemon_fds() - what to poll for reading; @ret_socket -1: the daemon
 * is gone. */
void tmem_lease_daemon_fds(struct tmem_lease *lease, int *ret_socket,
			   int *ret_wake);

/** tmem_lease_daemon_wake() - whoever polls returns. */
void tmem_lease_daemon_wake(struct tmem_lease *lease);

/** enum - what listening may have brought; bits. */
enum {
	TMEM_LEASE_CHANGED = 1, /* more was lent, or some revoked */
	TMEM_LEASE_DEMAND = 2,	/* please give back */
	TMEM_LEASE_REPORT = 4,	/* please say how it goes */
	TMEM_LEASE_GONE = 8,	/* the daemon is */
	TMEM_LEASE_DESTROY = 16 /* destroy all pools */
};

/**
 * tmem_lease_daemon_listen() - take in what the daemon says.
 * @ret_demand: out with TMEM_LEASE_DEMAND: segments.
 */
unsigned tmem_lease_daemon_listen(struct tmem_lease *lease,
				  uint32_t *ret_demand);

/** tmem_lease_daemon_speak() - say what is given back and what is wanted. Return:
 * 0; -EAGAIN not all of it, the daemon is behind. */
int tmem_lease_daemon_speak(struct tmem_lease *lease);

/** tmem_lease_daemon_destroyed() - all pools are: the stock goes back, and then it
 * is said. */
void tmem_lease_daemon_destroyed(struct tmem_lease *lease);

/** tmem_lease_daemon_report() - @stats: its head is filled in here. */
void tmem_lease_daemon_report(struct tmem_lease *lease,
			      struct tmem_wire_stats *stats);

/** tmem_lease_daemon_hint() - which ephemeral segments would be missed least, the
 * first one first; @count: at most TMEM_WIRE_HINTS_MAX. */
void tmem_lease_daemon_hint(struct tmem_lease *lease, const uint32_t *segments,
			    uint32_t count);

/**
 * tmem_lease_daemon_expect() - a class will be used: wait until @count segments of it
 * are in stock, @wait_ms at most.
 *
 * Return: how many are.
 */
uint32_t tmem_lease_daemon_expect(struct tmem_lease *lease, enum tmem_class cls,
				  uint32_t count, unsigned wait_ms);

/** tmem_lease_daemon_settle() - nothing was lent for a while: keep the least in
 * stock. */
void tmem_lease_daemon_settle(struct tmem_lease *lease);

/** tmem_lease_daemon_limit() - the user's limit has changed. */
void tmem_lease_daemon_limit(struct tmem_lease *lease, uint64_t limit_bytes);

/** tmem_lease_daemon_frozen() - 1: the daemon wants puts refused. */
int tmem_lease_daemon_frozen(struct tmem_lease *lease);

/**
 * tmem_lease_daemon_return() - hand the lease to the daemon that is there now.
 *
 * Return: 0; negative errno: none, or it does not want it.
 */
int tmem_lease_daemon_return(struct tmem_lease *lease);

#endif
