/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arbiter.h - who may have memory, and from whom it is taken for that.
 *
 * A policy (policies.h) says how much of the budget each domain is entitled to; the
 * arbiter decides by that, a segment at a time, and is asked again after each
 * that was taken. It reads the ledger and writes nothing there but entitlements.
 */
#ifndef TMEM_TMEMD_ARBITER_H
#define TMEM_TMEMD_ARBITER_H

#include <stddef.h>
#include <stdint.h>

struct tmemd_account;
struct tmemd_claimant;
struct tmemd_ledger;
struct tmemd_policy;

enum tmemd_verdict {
	TMEMD_LEND,
	TMEMD_TAKE, /* first revoke an ephemeral segment of the victim */
	TMEMD_WAIT  /* until something is given back */
};

struct tmemd_arbiter {
	const struct tmemd_policy *policy;
	struct tmemd_claimant *claimants; /* room for one of each account */
	size_t room;
};

/** tmemd_arbiter_room() - for so many accounts; ahead, because memory may be
 * short when they are divided among. Return: 0, -ENOMEM. */
int tmemd_arbiter_room(struct tmemd_arbiter *r, size_t accounts)
	__attribute__((warn_unused_result));
void tmemd_arbiter_finish(struct tmemd_arbiter *r);

/** tmemd_arbiter_divide() - set each account's entitlement, as things are. */
void tmemd_arbiter_divide(struct tmemd_arbiter *r, struct tmemd_ledger *l);

/**
 * tmemd_arbiter_judge() - may this domain have one more?
 * @bytes: of the segment.
 * @victim: out, with TMEMD_TAKE.
 */
enum tmemd_verdict tmemd_arbiter_judge(const struct tmemd_arbiter *r,
				       const struct tmemd_ledger *l,
				       struct tmemd_account *a, uint32_t cls,
				       uint64_t bytes,
				       struct tmemd_account **victim);

/** tmemd_arbiter_victim() - who has most beyond its entitlement, or is least below
 * it, of those who can give an ephemeral segment; NULL: nobody can. */
struct tmemd_account *tmemd_arbiter_victim(const struct tmemd_ledger *l);

/** tmemd_arbiter_excess() - who must give an ephemeral segment because more is
 * lent than may be; NULL: nobody, or nothing can be taken. */
struct tmemd_account *tmemd_arbiter_excess(const struct tmemd_arbiter *r,
					   const struct tmemd_ledger *l);

#endif
