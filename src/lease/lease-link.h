/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lease-link.h - a daemon's lease from inside: what lease-daemon.c keeps and
 * lease-link.c says.
 */
#ifndef TMEM_LEASE_LEASE_LINK_H
#define TMEM_LEASE_LEASE_LINK_H

#include <sys/un.h>

#include <tmem/wire.h>

#include "lease-daemon.h"
#include "lock.h"
#include "stock.h"

struct tmem_daemon_lease {
	struct tmem_lease lease;   /* (c) first: ops get a pointer to it */
	struct tmem_logger logger; /* (c) */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* (c) */
	char domain[TMEM_WIRE_NAME_MAX];			/* (c) */
	uint64_t limit_asked;	/* (c) bytes; 0: any */
	uint32_t reserve_asked; /* (c) persistent segments to have in stock */
	uint32_t daemon_uid; /* (c) who answered first; nobody else gets it */
	int data_fd;	     /* (c) */
	int wake_fd;	     /* (c) eventfd: there is something to say */
	int control_fd;	     /* of the keeper alone */
	int takes_hints;     /* of the keeper alone: the daemon does */
	int socket;	     /* of the keeper alone; -1: the daemon is gone */
	int destroyed; /* of the keeper alone: pools were, and it is not said */
	struct tmem_wire_control *control; /* (c) read-only, replaced in place */
	size_t control_bytes;		   /* (c) */
	size_t map_bytes;		   /* (c) */
	struct tmem_lock lock;		   /* TMEM_RANK_LEASE: what is below */
	struct tmem_stock stock;
	_Atomic uint32_t reserve;     /* (a) the same, within half of `limit` */
	_Atomic int has_reserved;     /* (a) the reserve was full once */
	_Atomic int linked;	      /* (a) there is a daemon; lock to write */
	uint32_t limit;		      /* segments that the user wants at most */
	uint32_t lent;		      /* segments, in all states */
	uint32_t least[TMEM_CLASSES]; /* segments to have in stock */
	uint32_t target[TMEM_CLASSES]; /* the same, grown by need */
	uint64_t asked[TMEM_CLASSES];  /* of this daemon, ever */
	uint64_t got[TMEM_CLASSES];    /* from this daemon, ever */
	uint64_t grows[TMEM_CLASSES];  /* the target may, at that much got */
};

/** tmem_link_open() - connect, say hello, take the lease. Return: 0, negative
 * errno as tmem_lease_daemon_create(). */
int tmem_link_open(struct tmem_daemon_lease *l,
		   struct tmem_wire_welcome *ret_welcome);

/** tmem_link_wants() - segments of a class to ask for now; lock held. */
uint32_t tmem_link_wants(const struct tmem_daemon_lease *l, enum tmem_class cls);

/** tmem_link_lent() - segments lent, as the daemon has them. */
uint32_t tmem_link_lent(const struct tmem_daemon_lease *l);

#endif
