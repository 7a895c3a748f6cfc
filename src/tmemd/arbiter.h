/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arbiter.h - who may have memory, and from whom it is taken for that.
 *
 * A policy only reads the ledger. It is asked for one segment at a time, and
 * asked again after each that was taken.
 */
#ifndef TMEM_TMEMD_ARBITER_H
#define TMEM_TMEMD_ARBITER_H

#include <stdint.h>

struct tmemd_account;
struct tmemd_ledger;

enum tmemd_verdict {
	TMEMD_LEND,
	TMEMD_TAKE, /* first revoke an ephemeral segment of the victim */
	TMEMD_WAIT  /* until something is given back */
};

struct tmemd_arbiter {
	const char *name;

	/**
	 * judge() - may this domain have one more?
	 * @bytes: of the segment.
	 * @victim: out, with TMEMD_TAKE.
	 */
	enum tmemd_verdict (*judge)(const struct tmemd_ledger *l,
				    struct tmemd_account *a, uint32_t cls,
				    uint64_t bytes,
				    struct tmemd_account **victim);

	/** excess() - who must give an ephemeral segment because more is lent
	 * than may be; NULL: nobody, or nothing can be taken. */
	struct tmemd_account *(*excess)(const struct tmemd_ledger *l);
};

/** First come, first served, within one budget. */
extern const struct tmemd_arbiter tmemd_arbiter_first;

#endif
