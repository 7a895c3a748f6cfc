/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy.h - which segment is worked on next, and what is done to it.
 */
#ifndef TMEM_ENGINE_POLICY_H
#define TMEM_ENGINE_POLICY_H

#include "ager.h"

struct tmem_choice {
	enum tmem_job_kind kind; /* NONE: nothing is worth doing */
	uint32_t segment;
	enum tmem_stream stream; /* for what stays alive */
	uint64_t age;
};

/**
 * tmem_policy_choose() - the next job.
 *
 * One look at every segment, so its cost grows with their number: 1 us for a
 * store of 1 GiB, paid once per segment cleaned.
 */
void tmem_policy_choose(struct tmem_store *st, enum tmem_need need,
			struct tmem_choice *ret);

/** tmem_policy_coldest() - the sealed ephemeral segment to lose first;
 * TMEM_SEGMENT_NONE: there is none. */
uint32_t tmem_policy_coldest(struct tmem_store *st);

#endif
