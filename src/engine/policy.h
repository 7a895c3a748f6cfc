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
	uint8_t epoch; /* of the segment's word, when chosen */
	enum tmem_queue queue;
	enum tmem_stream stream; /* for what stays alive */
	int young;		 /* NONE: something may be, when it is older */
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

/**
 * tmem_policy_spares() - whether a page's turn to be evicted passes it by.
 * @use: in: how often it was asked for; out: what is left of that.
 */
int tmem_policy_spares(enum tmem_queue queue, uint32_t *use);

/**
 * tmem_policy_stream() - where a page is put that left in this way lately.
 * @pages: about as many as the store holds.
 *
 * This is also what the probation share learns from.
 */
enum tmem_stream tmem_policy_stream(struct tmem_store *st,
				    const struct tmem_view *pool,
				    enum tmem_left how, uint64_t pages);

/** tmem_policy_taken() - a get takes an ephemeral page from a place; shard lock
 * held. */
void tmem_policy_taken(struct tmem_store *st, uint64_t place, uint64_t pages);

/** tmem_policy_coldest() - the sealed ephemeral segment to lose first, as a job
 * of evicting it; kind NONE: there is none. */
void tmem_policy_coldest(struct tmem_store *st, struct tmem_choice *ret);

#endif
