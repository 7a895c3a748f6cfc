/* SPDX-License-Identifier: BSD-2-Clause */
/* swap-shares.h - programs with half the RAM they want, and something to swap to. */
#ifndef BENCH_SWAP_SHARES_H
#define BENCH_SWAP_SHARES_H

#include <stdint.h>

#include "bench-report.h"
#include "swap-rig.h"

/**
 * swap_shares_measure() - every program of machek.h with every share.
 * @bytes: what a program wants.
 * @out: a directory for a drawing; NULL: none.
 */
void swap_shares_measure(struct swap_rig *rig, uint64_t bytes, const char *out,
			 struct bench_report *r);

#endif
