/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lease-revoking.h - a segment source that takes ephemeral segments back.
 *
 * It wraps an embedded source and follows lease.h to the letter: a revocation
 * raises the segment's epoch, then takes its memory and makes it free to be lent
 * again, then raises `revocations`. It comes
 *
 *  - on demand, lease_revoking_revoke(), from any thread;
 *  - by chance inside the user's own calls, lease_revoking_set_odds(), where it
 *    may well hit the segment that the call is about.
 *
 * The segment most likely to be lent next is the one just revoked, so a user
 * that still writes into what it lost soon writes into what it holds anew.
 *
 * What the user may do before it has noticed: give_back() and populate() of a
 * revoked segment are ignored and counted as `late`. Once lend() has returned a
 * number the user has been told that any older lending of it is over; from then
 * on give_back() means the new one.
 *
 * The session owns the source: do not use it after tmem_close().
 */
#ifndef TESTS_LIB_LEASE_REVOKING_H
#define TESTS_LIB_LEASE_REVOKING_H

#include <stdint.h>

#include "lease.h"

struct lease_revoking;

/** lease_revoking_create() - Return: 0, -ENOMEM. */
int lease_revoking_create(const struct tmem_lease_opts *opts, uint64_t seed,
			  struct lease_revoking **ret);

/** lease_revoking_lease() - what a session is made over. */
struct tmem_lease *lease_revoking_lease(struct lease_revoking *source);

/** lease_revoking_revoke() - take one, drawn by lot: 1; none is lent: 0. */
int lease_revoking_revoke(struct lease_revoking *source);

/** lease_revoking_revoke_segment() - take this one: 1; it is not lent for ephemeral
 * pages: 0. */
int lease_revoking_revoke_segment(struct lease_revoking *source,
				  uint32_t segment);

/** lease_revoking_set_odds() - revoke in one of @one_in calls; 0: never. */
void lease_revoking_set_odds(struct lease_revoking *source, unsigned one_in);

/** struct lease_revoking_counts - what has happened. */
struct lease_revoking_counts {
	uint64_t revoked;
	uint64_t late;		     /* calls on segments revoked before */
	uint64_t lent[TMEM_CLASSES]; /* now */
};

void lease_revoking_counts(struct lease_revoking *source,
			   struct lease_revoking_counts *ret);

/**
 * lease_revoking_class() - what a segment is lent for.
 *
 * Return: an enum tmem_class, or -1: it is not lent.
 */
int lease_revoking_class(struct lease_revoking *source, uint32_t segment);

#endif
