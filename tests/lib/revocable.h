/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * revocable.h - a session whose ephemeral memory can be taken back at any moment.
 */
#ifndef TESTS_LIB_REVOCABLE_H
#define TESTS_LIB_REVOCABLE_H

#include <stdint.h>

#include "lease-revoking.h"
#include <tmem/tmem.h>

struct revocable {
	struct tmem *t;		       /* closed by tmem_close() */
	struct lease_revoking *source; /* gone with it */
};

/** struct revocable_opts - how to open one. */
struct revocable_opts {
	uint64_t limit_bytes;
	uint64_t limit_most; /* it may be raised to; 0: limit_bytes */
	size_t segment_size; /* bytes; 0: 64 KiB */
	uint32_t agers;	     /* threads */
	int dense;     /* 1: pages are made dense as soon as there is time */
	uint64_t seed; /* of what is revoked */
	void (*log)(void *ctx, int level, const char *line);
	void *log_ctx;
};

/** revocable_open() - Return: 0, or what the session's making returned. */
int revocable_open(const struct revocable_opts *opts, struct revocable *ret);

#endif
