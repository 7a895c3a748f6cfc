/* SPDX-License-Identifier: BSD-2-Clause */
/* revocable.c - a session over the revoking source. */
#include "revocable.h"

#include "lease.h"
#include "session.h"

#define SEGMENT_SIZE (64u << 10)

int revocable_open(const struct revocable_opts *opts, struct revocable *ret)
{
	uint64_t most = opts->limit_most ? opts->limit_most : opts->limit_bytes;
	struct tmem_lease_opts lease_opts = {
		.bytes_max = most,
		.segment_size = opts->segment_size ? opts->segment_size
						   : SEGMENT_SIZE,
	};
	struct tmem_session_plan plan = {
		.limit_bytes = opts->limit_bytes,
		.agers = opts->agers,
		.dense_level = opts->dense,
		.raw_pct = opts->dense ? 0 : 100,
	};
	struct tmem_open_opts open_opts = {
		.size = sizeof(open_opts),
		.log = opts->log,
		.log_ctx = opts->log_ctx,
	};
	struct lease_revoking *source;
	struct tmem *t;
	int err;

	err = lease_revoking_create(&lease_opts, opts->seed, &source);
	if (err)
		return err;
	err = tmem_session_create(lease_revoking_lease(source), &plan,
				  &open_opts, &t);
	if (err)
		return err;
	ret->source = source;
	ret->t = t;
	return 0;
}
