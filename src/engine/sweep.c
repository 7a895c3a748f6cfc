/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sweep.c - passes over the index that take out slots of condemned objects,
 * destroyed pools and lost segments.
 *
 * Whoever makes garbage raises `wanted` afterwards. A pass that starts then sees
 * all of it: slots are written under the shard's lock by whoever found object,
 * pool and segment alive under the same lock.
 */
#include "ager.h"
#include "index.h"

uint64_t tmem_sweep_want(struct tmem_store *st)
{
	return atomic_fetch_add(&st->sweep.wanted, 1) + 1;
}

int tmem_sweep_pending(const struct tmem_store *st)
{
	return atomic_load_explicit(&st->sweep.wanted, memory_order_relaxed) !=
	       atomic_load_explicit(&st->sweep.done, memory_order_relaxed);
}

/* Some buckets of the pass under way, or of a new one. Sweep lock held. */
static int step(struct tmem_store *st)
{
	struct tmem_sweep *sw = &st->sweep;

	if (!sw->active) {
		if (!tmem_sweep_pending(st))
			return 0;
		sw->pass = atomic_load(&sw->wanted);
		sw->shard = sw->bucket = 0;
		sw->active = 1;
	}
	if (tmem_index_sweep(st, sw->shard, &sw->bucket, TMEM_UNIT_BUCKETS)) {
		sw->shard++;
		sw->bucket = 0;
	}
	if (sw->shard == st->shards_count) {
		sw->active = 0;
		tmem_space_swept(&st->space, sw->pass);
		atomic_store(&sw->done, sw->pass);
	}
	return 1;
}

int tmem_sweep_unit(struct tmem_store *st)
{
	int done;

	if (!tmem_sweep_pending(st) || !tmem_lock_try(&st->sweep.lock))
		return 0;
	done = step(st);
	tmem_lock_release(&st->sweep.lock);
	return done;
}

void tmem_sweep_finish(struct tmem_store *st)
{
	uint64_t target;

	(void)tmem_notice_losses(st);
	target = atomic_load(&st->sweep.wanted);
	while (atomic_load(&st->sweep.done) < target) {
		tmem_lock_acquire(&st->sweep.lock);
		(void)step(st);
		tmem_lock_release(&st->sweep.lock);
	}
}

int tmem_notice_losses(struct tmem_store *st)
{
	struct tmem_space *s = &st->space;
	uint32_t pages, struck;

	if (atomic_load_explicit(s->lease->revocations, memory_order_relaxed) ==
	    atomic_load_explicit(&s->revocations_seen, memory_order_relaxed))
		return 0;
	(void)tmem_log_seal(&st->log, TMEM_CLASS_EPHEMERAL, 1);
	/* Losing and saying so are one step to a walker. */
	tmem_lock_acquire(&st->sweep.lock);
	struck = tmem_space_notice(s, atomic_load(&st->sweep.wanted) + 1,
				   &pages);
	if (struck) {
		atomic_fetch_add(&st->lost, pages);
		(void)tmem_sweep_want(st);
	}
	tmem_lock_release(&st->sweep.lock);
	return struck != 0;
}
