/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tenant.h - who has a lease: of which domain, for how much, and what it asked.
 *
 * A tenant has a connection, or is waited for: after a restart its lease is there
 * before it has come back.
 */
#ifndef TMEM_TMEMD_TENANT_H
#define TMEM_TMEMD_TENANT_H

#include "loan.h"
#include "tmemd.h"

struct tmemd_tenant {
	TAILQ_ENTRY(tmemd_tenant) entry;
	struct tmemd *d;	       /* (c) */
	struct tmemd_peer *peer;       /* NULL: waited for */
	struct tmemd_account *account; /* (c) */
	struct tmemd_loan loan;
	uint64_t id;	/* (c) of the lease, in the fd store */
	int control_fd; /* waited for: to be handed over; else -1 */
	int ready; /* reads the control page that we write: may be revoked */
	uint64_t asked[TMEM_WIRE_CLASSES];   /* segments, ever */
	uint64_t granted[TMEM_WIRE_CLASSES]; /* segments, ever */
	unsigned waits;	  /* bits of classes for which there was nothing */
	uint32_t untold;  /* segments revoked since it was told */
	uint32_t revoked; /* segments since the last sweep */
	uint32_t strikes; /* sweeps in a row that found too much */
	uint32_t pid;	  /* 0: not known here */
	int pidfd;	  /* -1: none */
	sd_event_source *death;
	struct tmem_wire_figures figures; /* claimed, as far as believed */
	uint64_t reported_ns;		  /* when; 0: never */
	uint64_t since_ns;		  /* (c) it counts; 0: before we were */
	int report_due;			  /* it was asked, and did not answer */
	int emptying; /* it is to destroy its pools, and has not yet */
};

/**
 * tmemd_tenant_open() - HELLO: a new lease, or the return of one.
 * @fds: two of them if the hello says RETURNING.
 *
 * Answers WELCOME.
 *
 * Return: 0, or the reason to refuse.
 */
int tmemd_tenant_open(struct tmemd *d, struct tmemd_peer *p,
		      const struct tmem_wire_hello *hello, const int *fds);

/**
 * tmemd_tenant_restore() - a lease out of the fd store, its owner not here yet.
 * @data, @control: its memfds; taken in any case.
 *
 * Return: 0, negative errno: it was ended.
 */
int tmemd_tenant_restore(struct tmemd *d, uint64_t id, int data, int control);

/** tmemd_tenant_end() - all its memory goes back, whoever else holds the fd, and
 * its connection is closed. */
void tmemd_tenant_end(struct tmemd *d, struct tmemd_tenant *t);

/** tmemd_tenant_drop() - the same, for a reason that is counted and told if it has
 * a connection. */
void tmemd_tenant_drop(struct tmemd *d, struct tmemd_tenant *t, int reason);

/** tmemd_tenants_finish() - the daemon goes; clients keep what they hold. */
void tmemd_tenants_finish(struct tmemd *d);

/** tmemd_tenant_give() - GIVE. Return: 0, or the reason to drop it. */
int tmemd_tenant_give(struct tmemd *d, struct tmemd_tenant *t,
		      const struct tmem_wire_loans *give);

/** tmemd_tenant_revoke() - take an ephemeral segment. Return: 1, 0 none. */
int tmemd_tenant_revoke(struct tmemd *d, struct tmemd_tenant *t);

/** tmemd_tenants_wake() - memory may have become free: who waited asks again. */
void tmemd_tenants_wake(struct tmemd *d);

/** tmemd_tenant_report() - STATS. */
void tmemd_tenant_report(struct tmemd_tenant *t,
			 const struct tmem_wire_stats *stats);

/** tmemd_tenants_ask_reports() - have all sessions say how they do. */
void tmemd_tenants_ask_reports(struct tmemd *d);

/** tmemd_tenants_refreeze() - tell those whose domain was frozen or thawed. */
void tmemd_tenants_refreeze(struct tmemd *d);

/** tmemd_tenant_asked_bytes() - asked for, not lent yet, and what it may have of
 * that: persistent memory within the quota, frozen nothing but an index. */
uint64_t tmemd_tenant_asked_bytes(const struct tmemd_tenant *t);

/** tmemd_tenant_freeable_bytes() - lent, and can be taken at this moment. */
static inline uint64_t tmemd_tenant_freeable_bytes(const struct tmemd_tenant *t)
{
	return t->ready ? (uint64_t)t->loan.lent[TMEM_WIRE_EPHEMERAL] *
				  t->loan.segment_size
			: 0;
}

/** tmemd_tenant_sweep() - look for more than was lent. Return: 0, or the reason
 * to drop it. */
int tmemd_tenant_sweep(struct tmemd *d, struct tmemd_tenant *t);

#endif
