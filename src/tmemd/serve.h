/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * serve.h - memory lent to those who asked, and taken from those who must give, a
 * bounded turn at a time.
 */
#ifndef TMEM_TMEMD_SERVE_H
#define TMEM_TMEMD_SERVE_H

#include "tmemd.h"

int tmemd_serve_init(struct tmemd *d);
void tmemd_serve_finish(struct tmemd *d);

/** tmemd_serve_divide() - entitlements, as things are now. */
void tmemd_serve_divide(struct tmemd *d);

/** tmemd_serve_trim() - there may be too much lent: take what can be taken, at
 * once; then ask for the rest. */
void tmemd_serve_trim(struct tmemd *d);

/** tmemd_serve_follow() - the budget is what the ledger says, and was @before: take
 * at once what is too much, or wake who waits. */
void tmemd_serve_follow(struct tmemd *d, uint64_t before);

/**
 * tmemd_serve_flush() - take ephemeral memory because an operator says so; a turn's
 * worth at most.
 * @of: of this domain; NULL: of whoever has most beyond its entitlement.
 * @bytes: most to take, rounded up to a segment.
 * @ret_taken: out: bytes.
 *
 * Return: 1 there may be more to take, 0.
 */
int tmemd_serve_flush(struct tmemd *d, struct tmemd_account *of, uint64_t bytes,
		      uint64_t *ret_taken);

#endif
