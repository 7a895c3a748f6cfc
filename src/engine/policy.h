/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy.h - which segment is worked on next, and what is done to it.
 */
#ifndef TMEM_ENGINE_POLICY_H
#define TMEM_ENGINE_POLICY_H

#include "ager.h"
#include "index.h"

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

/** tmem_policy_stream() - where a page is put that left in this way lately. */
enum tmem_stream tmem_policy_stream(const struct tmem_store *st,
				    const struct tmem_view *pool,
				    const struct tmem_ref *ref,
				    enum tmem_left how);

/** tmem_policy_marks() - 1: a page that is evicted leaves a mark; shard lock
 * held. */
int tmem_policy_marks(const struct tmem_store *st, const struct tmem_ref *ref,
		      enum tmem_queue queue);

/** tmem_policy_tries() - 1: other ways of keeping pages are tried on this page. */
int tmem_policy_tries(const struct tmem_store *st, const struct tmem_ref *ref);

/**
 * tmem_policy_try_get() - a get that takes a page comes, whether it hits or not.
 *
 * Shard lock held, for this and the others; they do nothing for pages that are not
 * tried. This is where the store learns which way to go.
 */
void tmem_policy_try_get(struct tmem_store *st, const struct tmem_ref *ref);

/** tmem_policy_try_put() - a page comes to a pool whose gets take it. */
void tmem_policy_try_put(struct tmem_store *st, const struct tmem_ref *ref);

/** tmem_policy_try_flush() - a page is flushed, whether it is there or not. */
void tmem_policy_try_flush(struct tmem_store *st, const struct tmem_ref *ref);

/** tmem_policy_note_full() - a page of this shard has to go. */
void tmem_policy_note_full(struct tmem_store *st, const struct tmem_ref *ref);

#endif
