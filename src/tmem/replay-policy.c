/* SPDX-License-Identifier: BSD-2-Clause */
/* replay-policy.c - the table of policies to compare with. */
#include "replay-policy.h"

const struct policy policies[POLICIES] = {
	[POLICY_LRU] = { "lru", "LRU", policy_lru_run },
	[POLICY_FIFO] = { "fifo", "FIFO", policy_fifo_run },
	[POLICY_S3FIFO] = { "s3fifo", "S3-FIFO", policy_s3fifo_run },
	[POLICY_OPTIMAL] = { "optimal", "optimal", policy_optimal_run },
};
