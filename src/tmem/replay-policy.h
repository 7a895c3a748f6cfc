/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay-policy.h - policies to compare with, exact to the page.
 *
 * Each plays a list of events through a cache of a number of pages and counts
 * the hits. All of them know what a get that takes its page means, and a flush.
 */
#ifndef TMEM_COMMAND_REPLAY_POLICY_H
#define TMEM_COMMAND_REPLAY_POLICY_H

#include <stdint.h>

struct stream;

/** enum - the rows of the table. */
enum {
	POLICY_LRU,
	POLICY_FIFO,
	POLICY_S3FIFO,
	POLICY_OPTIMAL,
	POLICIES
};

/** struct policy - a row. */
struct policy {
	const char *key;  /* in JSON */
	const char *name; /* for people */
	/**
	 * run() - play all events.
	 * @pages: room of the cache, at least 1.
	 * @ret_hits: out: gets that hit.
	 *
	 * Return: 0, -ENOMEM.
	 */
	int (*run)(const struct stream *s, uint32_t pages, uint64_t *ret_hits);
};

extern const struct policy policies[POLICIES];

int policy_lru_run(const struct stream *s, uint32_t pages, uint64_t *ret_hits);
int policy_fifo_run(const struct stream *s, uint32_t pages, uint64_t *ret_hits);
int policy_s3fifo_run(const struct stream *s, uint32_t pages,
		      uint64_t *ret_hits);
int policy_optimal_run(const struct stream *s, uint32_t pages,
		       uint64_t *ret_hits);

#endif
