/* SPDX-License-Identifier: BSD-2-Clause */
/* swap-cost.h - what a page costs that is swapped, out and in. */
#ifndef BENCH_SWAP_COST_H
#define BENCH_SWAP_COST_H

#include <stdint.h>

#include "bench-report.h"
#include "swap-rig.h"

/** swap_cost_measure() - by each peer that this host has. @corpus_bytes: of each of
 * four corpora. The kernel reads no page ahead meanwhile. */
void swap_cost_measure(struct swap_rig *rig, uint64_t corpus_bytes,
		       struct bench_report *r);

#endif
