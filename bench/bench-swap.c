/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-swap.c - what it costs the kernel to swap to a store, beside zram, zswap
 * and a disk: first page by page, then as programs meet it.
 */
#include <stdlib.h>

#include "guard.h"
#include "options.h"
#include "swap-cost.h"
#include "swap-rig.h"
#include "swap-shares.h"

#define MIB (1ull << 20)

/** struct scale - how much of everything. */
struct scale {
	uint64_t corpus_bytes;	/* of each of four, for page by page */
	uint64_t program_bytes; /* all RAM that a program wants */
};

static const struct scale scale_full = { 12 * MIB, 64 * MIB };
static const struct scale scale_tiny = { 1 * MIB, 16 * MIB };

/** struct bench - what the guard and the worker share. */
struct bench {
	struct options options;
	struct swap_rig rig;
	struct bench_report report;
};

static void work(void *ctx)
{
	struct bench *b = ctx;
	const struct scale *scale = b->options.tiny ? &scale_tiny : &scale_full;

	swap_peers_init(&b->rig.peers);
	swap_cost_measure(&b->rig, scale->corpus_bytes, &b->report);
	swap_shares_measure(&b->rig, scale->program_bytes, b->options.out,
			    &b->report);
	b->report.request.corpora = getenv("TMEM_CORPORA");
	options_tell(&b->options, &b->report, scale->program_bytes, 1);
}

static void tidy(void *ctx)
{
	struct bench *b = ctx;

	swap_rig_tidy(&b->rig);
}

int main(int argc, char **argv)
{
	struct bench *b = guard_share(sizeof(*b));
	const struct guard_task task = { .work = work, .tidy = tidy, .ctx = b };

	b->options.name = "swap";
	b->options.doc = "Swapping to a store beside zram, zswap and a disk; "
			 "programs with half their RAM.";
	options_parse(&b->options, argc, argv);
	return guard_run(&task);
}
