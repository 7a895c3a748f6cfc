/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clean.c - emptying segments, a few entries at a time: packing, compacting,
 * evicting.
 *
 * One mechanism: walk the segment, find which entries live, and drop each or move
 * it.
 */
#include <errno.h>

#include "ager.h"
#include "assertion.h"
#include "clean-dense.h"
#include "clock.h"
#include "index.h"
#include "policy.h"

/* Segments that one caller in need compacts before it gives up: 98% live, fifty
 * make room for one. Other jobs are not counted: packing is tried once on each
 * segment, and evicting always frees one. */
#define HELP_COMPACT_MAX 64

/* ---- One entry ------------------------------------------------------------ */

/* Shard lock held. */
static void evict_now(struct tmem_store *st, const struct tmem_worker *w,
		      const struct tmem_ref *ref,
		      const struct tmem_cursor *cursor)
{
	struct tmem_tally *tally = tmem_index_tally(st, ref);

	if (tally)
		tally->evictions++;
	tmem_policy_note_full(st, ref);
	if (tmem_policy_marks(st, ref, w->job.queue))
		tmem_index_leave(st, ref, cursor, TMEM_LEFT_EVICTED);
	else
		tmem_index_drop(st, ref, cursor);
}

/* Gone, unless it has earned another turn and there is room to move to. */
static enum tmem_fate evict(struct tmem_store *st, struct tmem_worker *w,
			    const struct tmem_hit *hit)
{
	uint32_t use = tmem_place_use(hit->place);
	struct tmem_ref again;
	struct tmem_hit now;

	if (tmem_policy_spares(w->job.queue, &use) &&
	    tmem_move_as_is(st, w, hit, use) == TMEM_FATE_DONE)
		return TMEM_FATE_DONE;
	if (!tmem_index_find_entry(st, &hit->entry, hit->place, &again, &now))
		return TMEM_FATE_DONE;
	evict_now(st, w, &again, &now.cursor);
	tmem_index_unlock(st, &again);
	return TMEM_FATE_DONE;
}

static enum tmem_fate handle_entry(struct tmem_store *st, struct tmem_worker *w)
{
	struct tmem_walk *walk = &w->job.walk;
	struct tmem_ref ref;
	struct tmem_hit hit;

	if (!tmem_index_find_entry(st, &walk->entry, walk->place, &ref, &hit))
		return TMEM_FATE_DONE;
	tmem_index_unlock(st, &ref);
	switch (w->job.kind) {
	case TMEM_JOB_PACK:
		return tmem_move_packed(st, w, &hit);
	case TMEM_JOB_DENSE:
		return tmem_clean_dense(st, w, &hit);
	case TMEM_JOB_COMPACT:
		return tmem_move_as_is(st, w, &hit, tmem_place_use(hit.place));
	default:
		return evict(st, w, &hit);
	}
}

/* ---- Jobs ---------------------------------------------------------------- */

void tmem_ager_quit(struct tmem_store *st, struct tmem_worker *w)
{
	if (w->job.kind == TMEM_JOB_NONE)
		return;
	w->job.kind = TMEM_JOB_NONE;
	tmem_space_unclaim(&st->space, w->job.walk.segment, 0);
}

/* A job for the worker, or a dead segment freed at once. */
static int begin(struct tmem_store *st, struct tmem_worker *w,
		 enum tmem_need need)
{
	struct tmem_choice c;

	tmem_policy_choose(st, need, &c);
	if (c.kind == TMEM_JOB_NONE && need == TMEM_NEED_IDLE && !c.young)
		tmem_dense_rests(st);
	if (c.kind == TMEM_JOB_RETIRE)
		return tmem_space_retire(&st->space, c.segment);
	if (c.kind == TMEM_JOB_NONE ||
	    !tmem_space_claim(&st->space, c.segment, c.epoch))
		return 0;
	w->job.kind = c.kind;
	w->job.stream = c.stream;
	w->job.queue = c.queue;
	w->job.age = c.age;
	w->job.tried = w->job.gained = 0;
	tmem_walk_init(&st->log, c.segment, &w->job.walk);
	return 1;
}

static void end(struct tmem_store *st, struct tmem_worker *w)
{
	uint32_t n = w->job.walk.segment;
	int tried = 0;

	if (w->job.kind == TMEM_JOB_PACK)
		tried = TMEM_TRIED_PACK;
	/* Where no page becomes dense, packing is all there is to try. */
	if (w->job.kind == TMEM_JOB_DENSE || (tried && !st->dense.level))
		tried |= TMEM_TRIED_DENSE;

	w->compacted += w->job.kind == TMEM_JOB_COMPACT;
	w->job.kind = TMEM_JOB_NONE;
	if (!tmem_space_retire(&st->space, n))
		tmem_space_unclaim(&st->space, n, tried);
}

static int is_empty(const struct tmem_store *st, uint32_t segment)
{
	return !tmem_word_pages(atomic_load_explicit(
		&st->space.segments[segment].word, memory_order_relaxed));
}

/* Some entries of the worker's job; 0: it is stuck for want of room. */
static int go_on(struct tmem_store *st, struct tmem_worker *w, uint32_t entries)
{
	struct tmem_walk before;

	while (entries-- && w->job.kind != TMEM_JOB_NONE) {
		before = w->job.walk;
		if (is_empty(st, before.segment) ||
		    !tmem_walk_next(&st->log, &w->job.walk)) {
			end(st, w);
			return 1;
		}
		if (handle_entry(st, w) == TMEM_FATE_STUCK) {
			w->job.walk = before;
			tmem_ager_quit(st, w);
			return 0;
		}
	}
	return 1;
}

static int has_enough_free(const struct tmem_store *st)
{
	return tmem_space_free(&st->space) >= tmem_space_free_target(&st->space);
}

int tmem_ager_short(struct tmem_store *st)
{
	uint32_t free = tmem_space_free(&st->space);
	uint32_t target = tmem_space_free_target(&st->space);
	int now = atomic_load_explicit(&st->shortage, memory_order_relaxed);

	/* On below half of what is kept free, off when all of it is back. */
	if (!now && free < TMEM_RESERVE + (target - TMEM_RESERVE + 1) / 2)
		atomic_fetch_add(&st->shortages,
				 !atomic_exchange(&st->shortage, now = 1));
	else if (now && free >= target)
		atomic_store(&st->shortage, now = 0);
	return now;
}

/* Is what the worker is at of use for this need? */
static int suits(const struct tmem_worker *w, enum tmem_need need)
{
	if (need == TMEM_NEED_PAGE)
		return w->job.kind == TMEM_JOB_EVICT;
	if (need == TMEM_NEED_DENSITY)
		return w->job.kind == TMEM_JOB_PACK &&
		       w->job.stream == TMEM_STREAM_KEPT;
	return need == TMEM_NEED_IDLE || w->job.kind != TMEM_JOB_DENSE;
}

static int seal_for(struct tmem_store *st, enum tmem_need need)
{
	switch (need) {
	case TMEM_NEED_ROOM:
		return tmem_log_seal(&st->log, TMEM_CLASS_EPHEMERAL, 0) +
			       tmem_log_seal(&st->log, TMEM_CLASS_PERSISTENT,
					     0) >
		       0;
	case TMEM_NEED_PAGE:
		return tmem_log_seal(&st->log, TMEM_CLASS_EPHEMERAL, 0) > 0;
	default:
		return 0;
	}
}

int tmem_ager_unit(struct tmem_store *st, struct tmem_worker *w,
		   enum tmem_need need, uint32_t entries)
{
	int swept;

	if (tmem_notice_losses(st))
		return 1;
	swept = tmem_sweep_unit(st);
	if ((need == TMEM_NEED_NONE || need == TMEM_NEED_IDLE) && swept)
		return 1;
	if (need == TMEM_NEED_IDLE && w->job.kind == TMEM_JOB_NONE &&
	    has_enough_free(st) && !tmem_dense_wants(st))
		return 0;
	if (need == TMEM_NEED_NONE && w->job.kind == TMEM_JOB_NONE &&
	    has_enough_free(st)) {
		if (!atomic_exchange(&st->space.untidy, 0))
			return 0;
		need = TMEM_NEED_TIDY;
	}
	if (w->job.kind != TMEM_JOB_NONE && !suits(w, need))
		tmem_ager_quit(st, w);
	if (w->job.kind == TMEM_JOB_NONE && !begin(st, w, need) &&
	    !(seal_for(st, need) && begin(st, w, need)))
		return swept;
	/* There may be more where that came from. */
	if (need == TMEM_NEED_TIDY)
		atomic_store(&st->space.untidy, 1);
	return go_on(st, w, entries) || swept;
}

struct tmem_worker *tmem_ager_worker(struct tmem_store *st, int wait)
{
	uint32_t i, first = atomic_fetch_add(&st->worker_next, 1);
	struct tmem_worker *w;

	for (i = 0; i < st->workers_count; i++) {
		w = &st->workers[(first + i) % st->workers_count];
		if (tmem_lock_try(&w->lock))
			return w;
	}
	if (!wait)
		return NULL;
	w = &st->workers[first % st->workers_count];
	tmem_lock_acquire(&w->lock);
	return w;
}

/* What the need is about; whoever waits for it asks after each unit. */
static uint64_t gauge(const struct tmem_store *st, enum tmem_need need)
{
	if (need == TMEM_NEED_PAGE)
		return ~atomic_load(&st->pages);
	if (need == TMEM_NEED_DENSITY)
		return ~TMEM_LIVE_UNITS(atomic_load(&st->live));
	return tmem_space_free(&st->space);
}

int tmem_ager_help(struct tmem_store *st, enum tmem_need need, uint32_t entries)
{
	uint64_t start, before = gauge(st, need);
	struct tmem_worker *w = tmem_ager_worker(st, 1);
	uint32_t jobs = w->compacted;
	int done = 1;

	/* Wall clock: asking for CPU time costs as much as evicting a page. Not
	 * the wait for a worker: a hundred putters that wait do no work. */
	start = tmem_clock_ns();
	while (done && gauge(st, need) <= before &&
	       w->compacted - jobs < HELP_COMPACT_MAX)
		done = tmem_ager_unit(st, w, need, entries);
	tmem_lock_release(&w->lock);
	atomic_fetch_add(&st->ager_ns, tmem_clock_ns() - start);
	return gauge(st, need) > before;
}

/* Backed segments for the putters, if any are about. */
static int populate(struct tmem_store *st)
{
	uint32_t clock = atomic_load(&st->log.clock);

	if (clock == atomic_load(&st->populated) || tmem_ager_short(st))
		return 0;
	if (tmem_space_populate(&st->space))
		return 1;
	atomic_store(&st->populated, clock);
	return 0;
}

/* What can wait: pages become smaller. Not begun while anything is urgent. */
static int idle_unit(struct tmem_store *st, struct tmem_worker *w,
		     uint64_t start, uint64_t budget_us)
{
	uint64_t past_us = (tmem_clock_ns() - start) / 1000;

	if (!tmem_dense_prepare(st, w)) {
		tmem_dense_rests(st);
		return 0;
	}
	return tmem_dense_learn(
		       st, w, past_us < budget_us ? budget_us - past_us : 0) ||
	       tmem_ager_unit(st, w, TMEM_NEED_IDLE, TMEM_UNIT_ENTRIES);
}

int tmem_store_age_slice(struct tmem_store *st, uint64_t budget_us,
			 uint64_t *ret_idle_ns)
{
	uint64_t start = tmem_clock_ns(), cpu = tmem_clock_thread_ns();
	uint64_t idle = 0, from;
	struct tmem_worker *w = tmem_ager_worker(st, 0);
	int done;

	*ret_idle_ns = 0;
	if (!w)
		return tmem_store_wants_age(st);
	do {
		if (tmem_store_is_pressed(st) || !tmem_dense_wants(st)) {
			done = tmem_ager_unit(st, w, TMEM_NEED_NONE,
					      TMEM_UNIT_ENTRIES) ||
			       populate(st);
		} else {
			from = tmem_clock_thread_ns();
			done = idle_unit(st, w, start, budget_us) ||
			       populate(st);
			idle += tmem_clock_thread_ns() - from;
		}
	} while (done && tmem_clock_ns() - start < budget_us * 1000);
	tmem_lock_release(&w->lock);
	atomic_fetch_add(&st->ager_ns, tmem_clock_thread_ns() - cpu);
	(void)tmem_ager_short(st);
	*ret_idle_ns = idle;
	return done && tmem_store_wants_age(st);
}

int tmem_store_age(struct tmem_store *st, uint64_t budget_us)
{
	uint64_t idle_ns;

	return tmem_store_age_slice(st, budget_us, &idle_ns);
}

int tmem_store_is_pressed(const struct tmem_store *st)
{
	return tmem_sweep_pending(st) ||
	       tmem_space_free(&st->space) < tmem_space_free_target(&st->space);
}

int tmem_store_wants_age(const struct tmem_store *st)
{
	return tmem_store_is_pressed(st) || tmem_dense_wants(st) ||
	       atomic_load(&st->space.untidy) ||
	       atomic_load_explicit(st->space.lease->revocations,
				    memory_order_relaxed) !=
		       atomic_load_explicit(&st->space.revocations_seen,
					    memory_order_relaxed);
}
