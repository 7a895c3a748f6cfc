/* SPDX-License-Identifier: BSD-2-Clause */
/* swap-rig.c - all that measuring swap changes on a machine. */
#include "swap-rig.h"

#include "private.h"

void swap_rig_limit(struct swap_rig *rig, uint64_t bytes)
{
	if (memlimit_init(&rig->limit, bytes))
		private_die("no memory limits for cgroups here");
}

void swap_rig_unlimit(struct swap_rig *rig)
{
	memlimit_finish(&rig->limit);
	rig->limit.dir[0] = 0;
}

void swap_rig_tidy(struct swap_rig *rig)
{
	swap_peers_tidy(&rig->peers);
	if (rig->limit.dir[0])
		swap_rig_unlimit(rig);
}
