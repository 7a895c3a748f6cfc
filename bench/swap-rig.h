/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swap-rig.h - all that measuring swap changes on a machine: what is swapped to, a
 * cgroup, settings. In memory that the guard has (guard.h), who takes it down.
 */
#ifndef BENCH_SWAP_RIG_H
#define BENCH_SWAP_RIG_H

#include <stdint.h>

#include "memlimit.h"
#include "swap-peer.h"

struct swap_rig {
	struct swap_peers peers;
	struct memlimit limit; /* dir "": none */
};

/** swap_rig_limit() - a cgroup; ends the benchmark where there is none. */
void swap_rig_limit(struct swap_rig *rig, uint64_t bytes);

/** swap_rig_unlimit() - once its processes are gone. */
void swap_rig_unlimit(struct swap_rig *rig);

/** swap_rig_tidy() - all of it. */
void swap_rig_tidy(struct swap_rig *rig);

#endif
