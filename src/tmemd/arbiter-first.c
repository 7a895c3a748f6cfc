/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arbiter-first.c - first come, first served, within budget, caps and quotas.
 *
 * Ephemeral memory is lent while there is some. What a promise or an index needs
 * is worth more than a cache: for that, ephemeral memory is taken, from the
 * asker if its own cap is in the way, else from whoever has most of it.
 */
#include "arbiter.h"

#include <stddef.h>

#include "ledger.h"

/*
 * Metadata cannot be taken back either, so it counts as persistent, but for this
 * share of the cap: an index takes about a hundredth of the pages' memory, and an
 * account without a persistent quota shall still be able to keep a cache. The
 * least is for small caps: four segments of 64 KiB.
 */
#define METADATA_SHARE 8
#define METADATA_LEAST (256u << 10)

static uint64_t bound_bytes(const struct tmemd_account *a, uint32_t cls,
			    uint64_t bytes)
{
	uint64_t free_metadata = a->cap_bytes / METADATA_SHARE;
	uint64_t metadata = a->lent_bytes[TMEM_WIRE_METADATA];
	uint64_t persistent = a->lent_bytes[TMEM_WIRE_PERSISTENT];

	if (cls == TMEM_WIRE_METADATA)
		metadata += bytes;
	else
		persistent += bytes;
	if (free_metadata < METADATA_LEAST)
		free_metadata = METADATA_LEAST;
	return persistent +
	       (metadata > free_metadata ? metadata - free_metadata : 0);
}

static struct tmemd_account *most_ephemeral(const struct tmemd_ledger *l)
{
	struct tmemd_account *a, *most = NULL;

	TAILQ_FOREACH(a, &l->accounts, entry)
		if (a->lent_bytes[TMEM_WIRE_EPHEMERAL] &&
		    (!most || a->lent_bytes[TMEM_WIRE_EPHEMERAL] >
				      most->lent_bytes[TMEM_WIRE_EPHEMERAL]))
			most = a;
	return most;
}

static enum tmemd_verdict first_judge(const struct tmemd_ledger *l,
				      struct tmemd_account *a, uint32_t cls,
				      uint64_t bytes,
				      struct tmemd_account **victim)
{
	int ephemeral = cls == TMEM_WIRE_EPHEMERAL;

	if (!ephemeral && bound_bytes(a, cls, bytes) > a->persistent_bytes)
		return TMEMD_WAIT;
	if (tmemd_lent_sum(a->lent_bytes) + bytes > a->cap_bytes)
		*victim = a->lent_bytes[TMEM_WIRE_EPHEMERAL] ? a : NULL;
	else if (tmemd_lent_sum(l->lent_bytes) + bytes > l->budget_bytes)
		*victim = most_ephemeral(l);
	else
		return TMEMD_LEND;
	return ephemeral || !*victim ? TMEMD_WAIT : TMEMD_TAKE;
}

static struct tmemd_account *first_excess(const struct tmemd_ledger *l)
{
	struct tmemd_account *a;

	TAILQ_FOREACH(a, &l->accounts, entry)
		if (a->lent_bytes[TMEM_WIRE_EPHEMERAL] &&
		    tmemd_lent_sum(a->lent_bytes) > a->cap_bytes)
			return a;
	return tmemd_lent_sum(l->lent_bytes) > l->budget_bytes
		       ? most_ephemeral(l)
		       : NULL;
}

const struct tmemd_arbiter tmemd_arbiter_first = {
	.name = "first",
	.judge = first_judge,
	.excess = first_excess,
};
