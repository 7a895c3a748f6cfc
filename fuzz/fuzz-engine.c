/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz-engine.c - any bytes as operations on a store, judged by the model.
 *
 * The first byte chooses the store: its size, and whether its source revokes. The
 * walkers run at the end and, in small inputs, after every step.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "model.h"
#include "revocable.h"
#include <tmem/tmem.h>

#define MIB ((uint64_t)1 << 20)
#define SMALL_INPUT 2048u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void say(void *ctx, int level, const char *line)
{
	(void)ctx;
	(void)level;
	(void)fprintf(stderr, "store: %s\n", line);
}

static void walk(struct tmem *t)
{
	if (tmem_check(t))
		abort();
}

static void wrong(const struct model *m)
{
	(void)fprintf(stderr, "%s\n", model_fault(m));
	abort();
}

static int open_store(uint8_t how, struct model_opts *opts)
{
	uint64_t size = (how & 4 ? 4 : 2) * MIB;
	struct tmem_open_opts open_opts = {
		.size = sizeof(open_opts),
		.limit_bytes = size,
		.agers = TMEM_NO_AGERS,
		.log = say,
	};
	struct revocable_opts revocable_opts = {
		.limit_bytes = size,
		.limit_most = size * 2,
		.seed = how,
		.log = say,
	};
	struct revocable revocable;

	opts->limit_bytes = size;
	opts->limit_least = MIB;
	opts->limit_most = size * 2;
	opts->exact = !(how & 1);
	if (opts->exact)
		return tmem_open("embedded:", &open_opts, &opts->t);
	if (revocable_open(&revocable_opts, &revocable))
		return -1;
	opts->t = revocable.t;
	opts->source = revocable.source;
	lease_revoking_set_odds(revocable.source, how & 2 ? 4 : 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct model_bytes in = { .at = data + 1, .end = data + len };
	struct model_opts opts = { .t = NULL };
	struct model *m;
	int ret;

	if (!len || open_store(data[0], &opts))
		return 0;
	m = model_create(&opts);
	if (!m)
		abort();
	while ((ret = model_step(m, &in)) == 1)
		if (len <= SMALL_INPUT)
			walk(opts.t);
	if (ret < 0 || model_settle(m))
		wrong(m);
	walk(opts.t);
	model_destroy(m);
	tmem_close(opts.t);
	return 0;
}
