/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tmemd.h - the daemon: everything it has, and what its rooms share of it.
 *
 *	a message:  conversation --> control --> steer, recorder
 *	                 |                         |
 *	a turn:          |       serve <-----------+
 *	                 |         |  \
 *	                 v         v   `--> arbiter --> ledger
 *	               tenant (a lease) --> loan (memfds)
 *	                      |
 *	                      v
 *	               peer (a connection) --> listener
 *
 * One thread, one event loop. Nothing in it waits for a client. Calls go one way,
 * and ARCHITECTURE.md tells which.
 */
#ifndef TMEM_TMEMD_TMEMD_H
#define TMEM_TMEMD_TMEMD_H

#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include <tmem/tmem.h>
#include <tmem/wire.h>

#include "arbiter.h"
#include "backing.h"
#include "config.h"
#include "ending.h"
#include "ledger.h"
#include "logline.h"
#include "margin.h"
#include "pressure.h"
#include "psi.h"
#include "recorder.h"
#include "turns.h"

struct tmemd_peer;
struct tmemd_tenant;

TAILQ_HEAD(tmemd_peers, tmemd_peer);
TAILQ_HEAD(tmemd_tenants, tmemd_tenant);

struct tmemd_counters {
	uint64_t lent; /* segments */
	uint64_t given;
	uint64_t revoked;
	uint64_t strays;   /* OS pages */
	uint64_t returned; /* leases */
	uint64_t reasons[TMEM_WIRE_REASONS];
	uint64_t doubts[TMEM_WIRE_DOUBTS]; /* reports */
};

struct tmemd {
	sd_event *event;
	struct tmemd_log log;
	struct tmemd_config *config;
	struct tmemd_arbiter arbiter;
	struct tmemd_pressure pressure;
	struct tmemd_psi psi;
	struct tmemd_ledger ledger;
	struct tmemd_backing backing;
	struct tmemd_margin margin;
	struct tmemd_endings endings;
	struct tmemd_recorder recorder;
	struct tmemd_turns turns;
	struct tmemd_peers newcomers; /* have said nothing yet, oldest first */
	struct tmemd_peers peers;     /* all others */
	struct tmemd_tenants tenants; /* in the order of their turns */
	uint32_t newcomers_count;
	uint32_t peers_count;
	uint32_t tenants_count;
	int listen_fd;
	sd_event_source *listener;
	struct tmemd_counters counters;
	uint64_t number;     /* (c) of this run, drawn by lot */
	uint64_t started_ns; /* (c) */
	uint64_t cpus;	     /* (c) of the machine */
	uint64_t lease_next; /* the next lease's number, for the fd store */
	dev_t memfd_dev;     /* (c) where the kernel keeps memfds */
	int keeps_fds;	     /* (c) the service manager stores them for us */
	int demand;	     /* persistent segments are to be asked for */
	uint32_t demand_pause; /* sweeps from the last time to the next; 0: none */
	uint32_t demand_sweeps; /* of these, still to come */
	uint32_t drops_told;	/* lines since the last sweep */
	uint32_t reports_due; /* sessions that were asked and did not answer */
	uint32_t lists;	      /* peers whose LIST waits for reports */
};

#endif
