/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * segment.c - a store's segments: taken from the source, opened, sealed, emptied,
 * lost, given back; and metadata dealt out of some of them in chunks.
 */
#include "segment.h"

#include <errno.h>
#include <string.h>

#include "assertion.h"
#include "bounds.h"
#include "clock.h"
#include "mem.h"

#ifdef TMEM_PIN
#include <sched.h>
#endif

/*
 * Room that held_max leaves for what is charged later (pools, directories), so
 * that a store full of segments can still take it: 1/256 of the limit.
 */
#define HEADROOM_SHIFT 8

/* A lost segment is not filled again this many epochs later with slots unswept:
 * an 8-bit epoch would soon mean a page of its own past. */
#define EPOCHS_UNSWEPT_MAX 250

_Static_assert(TMEM_LIMIT_MAX >> TMEM_UNIT_SHIFT <= 1ull << 36,
	       "a location fits a slot");

static uint32_t get_state(const struct tmem_segment *g)
{
	return atomic_load_explicit(&g->state, memory_order_relaxed);
}

static void set_state(struct tmem_segment *g, enum tmem_segment_state state)
{
	atomic_store_explicit(&g->state, state, memory_order_release);
}

/* What the segment table takes at most under a limit. */
static uint64_t table_bytes(const struct tmem_space *s, uint64_t limit)
{
	return (limit >> s->segment_shift) * sizeof(struct tmem_segment);
}

static uint64_t outside_bytes(const struct tmem_space *s)
{
	return atomic_load(&s->heap_bytes) +
	       table_bytes(s, atomic_load(&s->limit_bytes));
}

static void set_held_max(struct tmem_space *s)
{
	uint64_t limit = atomic_load(&s->limit_bytes);
	uint64_t out = outside_bytes(s) + (limit >> HEADROOM_SHIFT);
	uint64_t max = out < limit ? (limit - out) >> s->segment_shift : 0;

	if (max > s->lease->segments_max)
		max = s->lease->segments_max;
	if (s->lease->ops->spare) {
		out = (uint64_t)atomic_load(&s->held) +
		      s->lease->ops->spare(s->lease);
		max = max < out ? max : out;
	}
	atomic_store(&s->held_max, (uint32_t)max);
}

int tmem_space_init(struct tmem_space *s, struct tmem_lease *lease,
		    uint64_t limit_bytes)
{
	memset(s, 0, sizeof(*s));
	s->lease = lease;
	s->segment_shift = (uint32_t)__builtin_ctzll(lease->segment_size);
	s->units = (uint32_t)(lease->segment_size >> TMEM_UNIT_SHIFT);
	s->segments_bytes = (lease->segments_max * sizeof(struct tmem_segment) +
			     TMEM_OS_PAGE - 1) &
			    ~(size_t)(TMEM_OS_PAGE - 1);
	s->segments = tmem_mem_map(s->segments_bytes, TMEM_OS_PAGE);
	if (!s->segments)
		return -ENOMEM;
	tmem_lock_init(&s->lock, TMEM_RANK_LOG);
	s->ready_head = TMEM_SEGMENT_NONE;
	s->chunk_head = TMEM_CHUNK_NONE;
	s->age_next = 1;
	atomic_store(&s->limit_bytes, limit_bytes);
	set_held_max(s);
	return 0;
}

void tmem_space_finish(struct tmem_space *s, int in_child)
{
	if (!s->segments)
		return;
	if (!in_child)
		tmem_mem_unmap(s->segments, s->segments_bytes);
	tmem_lock_finish(&s->lock);
}

uint64_t tmem_space_used(const struct tmem_space *s)
{
	return outside_bytes(s) +
	       ((uint64_t)atomic_load(&s->held) << s->segment_shift);
}

int tmem_space_charge(struct tmem_space *s, uint64_t bytes)
{
	int err = 0;

	tmem_lock_acquire(&s->lock);
	if (tmem_space_used(s) + bytes > atomic_load(&s->limit_bytes)) {
		err = -ENOMEM;
	} else {
		atomic_fetch_add(&s->heap_bytes, bytes);
		set_held_max(s);
	}
	tmem_lock_release(&s->lock);
	return err;
}

void tmem_space_uncharge(struct tmem_space *s, uint64_t bytes)
{
	tmem_lock_acquire(&s->lock);
	atomic_fetch_sub(&s->heap_bytes, bytes);
	set_held_max(s);
	tmem_lock_release(&s->lock);
}

void tmem_space_refresh(struct tmem_space *s)
{
	tmem_lock_acquire(&s->lock);
	set_held_max(s);
	tmem_lock_release(&s->lock);
}

void tmem_space_limit(struct tmem_space *s, uint64_t limit_bytes)
{
	tmem_lock_acquire(&s->lock);
	atomic_store(&s->limit_bytes, limit_bytes);
	set_held_max(s);
	tmem_lock_release(&s->lock);
}

/* ---- Taking and giving back; space lock held ----------------------------- */

static void wait_for_readers(struct tmem_segment *g)
{
#ifdef TMEM_PIN
	while (atomic_load(&g->pins))
		(void)sched_yield();
#else
	(void)g;
#endif
}

/* Nothing of the segment is in use any more: nor are its dictionaries. */
static void unref_dicts(struct tmem_space *s, struct tmem_segment *g)
{
	uint32_t n, dicts = atomic_exchange(&g->dicts, 0);

	for (n = 1; n < TMEM_DICTS; n++)
		if (dicts & 1u << n)
			atomic_fetch_sub(&s->dict_refs[n], 1);
}

/* Empties the word and steps the epoch; 0: something is under way in it, or
 * something lives in it and that matters. */
static int step_epoch(struct tmem_segment *g, int must_be_empty, uint64_t *ret)
{
	uint64_t w = atomic_load(&g->word);
	uint64_t next;

	do {
		if (tmem_word_pending(w))
			return 0;
		if (must_be_empty && tmem_word_pages(w))
			return 0;
		next = (uint64_t)(uint8_t)(tmem_word_epoch(w) + 1) << 56;
	} while (!atomic_compare_exchange_weak(&g->word, &w, next));
	*ret = w;
	wait_for_readers(g);
	return 1;
}

/* What the source revoked and we still counted as held. */
static uint32_t strike_off(struct tmem_space *s, uint32_t n, uint64_t seq)
{
	struct tmem_segment *g = &s->segments[n];
	uint64_t w;

	if (!step_epoch(g, 0, &w))
		return 0;
	unref_dicts(s, g);
	if (!g->unswept) {
		g->unswept = 1;
		g->unswept_epoch = tmem_word_epoch(w);
	}
	g->unswept_seq = seq;
	set_state(g, TMEM_SEGMENT_ABSENT);
	atomic_fetch_sub(&s->held, 1);
	return tmem_word_pages(w);
}

static int is_revoked(const struct tmem_space *s, uint32_t n)
{
	return atomic_load(&s->lease->epochs[n]) !=
	       atomic_load(&s->segments[n].source_epoch);
}

static int lend(struct tmem_space *s, enum tmem_class cls, uint32_t *ret)
{
	struct tmem_segment *g;
	struct tmem_lent lent;
	uint32_t n;
	int err;

	if (atomic_load(&s->held) >= atomic_load(&s->held_max))
		return -ENOMEM;
	err = s->lease->ops->lend(s->lease, cls, &lent);
	if (err) {
		/* So that all who go by free segments know. */
		set_held_max(s);
		return err;
	}
	n = lent.segment;
	TMEM_ASSERT(n < s->lease->segments_max);
	g = &s->segments[n];
	/* Not yet noticed as revoked, or too many epochs ahead of its slots:
	 * hand it back and do without. Noticing and sweeping mend both. */
	if (get_state(g) != TMEM_SEGMENT_ABSENT ||
	    (g->unswept && (uint8_t)(tmem_word_epoch(atomic_load(&g->word)) -
				     g->unswept_epoch) >= EPOCHS_UNSWEPT_MAX)) {
		s->lease->ops->give_back(s->lease, n);
		return -ENOMEM;
	}
	atomic_store(&g->source_epoch, lent.epoch);
	g->cls = (uint8_t)cls;
	atomic_fetch_add(&s->held, 1);
	if (n >= s->high)
		s->high = n + 1;
	/* A source that shares may have come to its last ones. */
	if (s->lease->ops->spare)
		set_held_max(s);
	*ret = n;
	return 0;
}

static void give_back(struct tmem_space *s, uint32_t n)
{
	set_state(&s->segments[n], TMEM_SEGMENT_ABSENT);
	if (!is_revoked(s, n))
		s->lease->ops->give_back(s->lease, n);
	atomic_fetch_sub(&s->held, 1);
}

static void push_ready(struct tmem_space *s, uint32_t n)
{
	struct tmem_segment *g = &s->segments[n];

	set_state(g, TMEM_SEGMENT_READY);
	g->fill = s->ready_head;
	s->ready_head = n;
	atomic_fetch_add(&s->ready, 1);
}

static uint32_t pop_ready(struct tmem_space *s)
{
	uint32_t n = s->ready_head;

	if (n != TMEM_SEGMENT_NONE) {
		s->ready_head = s->segments[n].fill;
		atomic_fetch_sub(&s->ready, 1);
	}
	return n;
}

/*
 * A free segment that was lent for a class; ready ones are of the class they
 * last had, and a change of class is a giving back and a lending.
 *
 * Return: 0; 1 it comes from the source; negative as lend().
 */
static int take(struct tmem_space *s, enum tmem_class cls, uint32_t *ret)
{
	uint32_t n;
	int err;

	while ((n = pop_ready(s)) != TMEM_SEGMENT_NONE) {
		if (s->segments[n].cls == cls && !is_revoked(s, n)) {
			*ret = n;
			return 0;
		}
		give_back(s, n);
		break;
	}
	*ret = TMEM_SEGMENT_NONE;
	err = lend(s, cls, ret);
	return err ? err : 1;
}

int tmem_space_open(struct tmem_space *s, const struct tmem_segment_plan *plan,
		    uint32_t *ret)
{
	struct tmem_segment *g;
	uint32_t n;
	int result = -ENOMEM;

	tmem_lock_acquire(&s->lock);
	if (tmem_space_free(s) > plan->reserve)
		result = take(s, plan->cls, &n);
	if (result >= 0) {
		g = &s->segments[n];
		s->last_cls = plan->cls;
		wait_for_readers(g);
		atomic_store(&g->layout, (uint8_t)plan->layout);
		g->queue = (uint8_t)plan->queue;
		g->pack_tried = 0;
		g->dense_tried = 0;
		g->packed = 0;
		g->dealt = 0;
		g->age = plan->age ? plan->age : s->age_next++;
		set_state(g, TMEM_SEGMENT_OPEN);
		atomic_fetch_add(&s->opens, 1);
		*ret = n;
	}
	tmem_lock_release(&s->lock);
	return result;
}

void tmem_space_seal(struct tmem_space *s, uint32_t n, uint32_t room)
{
	tmem_lock_acquire(&s->lock);
	s->segments[n].room = room;
	/* What died while it was open was not compared with its room. */
	atomic_store(&s->untidy, 1);
	s->segments[n].sealed_ms = (uint32_t)(tmem_clock_ns() / TMEM_NS_PER_MS);
	TMEM_ASSERT(get_state(&s->segments[n]) == TMEM_SEGMENT_OPEN);
	set_state(&s->segments[n], TMEM_SEGMENT_SEALED);
	atomic_fetch_sub(&s->opens, 1);
	tmem_lock_release(&s->lock);
}

/* Sealed, quiet, and in the life in which it was chosen. */
static int is_as_chosen(const struct tmem_space *s, uint32_t n, uint8_t epoch)
{
	const struct tmem_segment *g = &s->segments[n];
	uint64_t w = atomic_load(&g->word);

	return get_state(g) == TMEM_SEGMENT_SEALED && !is_revoked(s, n) &&
	       !tmem_word_pending(w) && tmem_word_epoch(w) == epoch;
}

int tmem_space_claim(struct tmem_space *s, uint32_t n, uint8_t epoch)
{
	int done;

	tmem_lock_acquire(&s->lock);
	done = is_as_chosen(s, n, epoch);
	if (done)
		set_state(&s->segments[n], TMEM_SEGMENT_BUSY);
	tmem_lock_release(&s->lock);
	return done;
}

void tmem_space_unclaim(struct tmem_space *s, uint32_t n, int tried)
{
	tmem_lock_acquire(&s->lock);
	s->segments[n].pack_tried |= !!(tried & TMEM_TRIED_PACK);
	s->segments[n].dense_tried |= !!(tried & TMEM_TRIED_DENSE);
	TMEM_ASSERT(get_state(&s->segments[n]) == TMEM_SEGMENT_BUSY);
	set_state(&s->segments[n], TMEM_SEGMENT_SEALED);
	tmem_lock_release(&s->lock);
}

int tmem_space_retire(struct tmem_space *s, uint32_t n)
{
	struct tmem_segment *g = &s->segments[n];
	uint64_t w;
	int done = 0;

	tmem_lock_acquire(&s->lock);
	if (get_state(g) == TMEM_SEGMENT_BUSY ||
	    get_state(g) == TMEM_SEGMENT_SEALED)
		done = !is_revoked(s, n) && step_epoch(g, 1, &w);
	if (done)
		unref_dicts(s, g);
	if (done && atomic_load(&s->ready) < tmem_space_free_target(s) &&
	    atomic_load(&s->held) <= atomic_load(&s->held_max))
		push_ready(s, n);
	else if (done)
		give_back(s, n);
	tmem_lock_release(&s->lock);
	return done;
}

static void give_back_run(struct tmem_space *s, uint32_t first, uint32_t count)
{
	if (s->lease->ops->give_back_run) {
		s->lease->ops->give_back_run(s->lease, first, count);
		return;
	}
	while (count--)
		s->lease->ops->give_back(s->lease, first++);
}

uint32_t tmem_space_lose(struct tmem_space *s, const struct tmem_victim *victims,
			 uint32_t count, uint64_t seq, uint64_t *ret_pages)
{
	uint32_t i, n, first = 0, run = 0, lost = 0;

	*ret_pages = 0;
	tmem_lock_acquire(&s->lock);
	for (i = 0; i < count; i++) {
		n = victims[i].segment;
		/* One that was free when it was chosen may hold promises now,
		 * in the same epoch. */
		if (!is_as_chosen(s, n, victims[i].epoch) ||
		    s->segments[n].cls != TMEM_CLASS_EPHEMERAL)
			continue;
		*ret_pages += strike_off(s, n, seq);
		if (run && first + run != n) {
			give_back_run(s, first, run);
			run = 0;
		}
		if (!run++)
			first = n;
		lost++;
	}
	if (run)
		give_back_run(s, first, run);
	tmem_lock_release(&s->lock);
	return lost;
}

void tmem_space_drain(struct tmem_space *s, uint32_t keep)
{
	tmem_lock_acquire(&s->lock);
	while (atomic_load(&s->ready) > keep)
		give_back(s, pop_ready(s));
	tmem_lock_release(&s->lock);
}

int tmem_space_populate(struct tmem_space *s)
{
	uint32_t n = TMEM_SEGMENT_NONE;

	tmem_lock_acquire(&s->lock);
	if (!atomic_load(&s->ready) && lend(s, s->last_cls, &n))
		n = TMEM_SEGMENT_NONE;
	if (n != TMEM_SEGMENT_NONE)
		set_state(&s->segments[n], TMEM_SEGMENT_COMING);
	tmem_lock_release(&s->lock);
	if (n == TMEM_SEGMENT_NONE)
		return s->lease->ops->replenish &&
		       s->lease->ops->replenish(s->lease);
	s->lease->ops->populate(s->lease, n);
	tmem_lock_acquire(&s->lock);
	push_ready(s, n);
	tmem_lock_release(&s->lock);
	return 1;
}

uint32_t tmem_space_notice(struct tmem_space *s, uint64_t seq,
			   uint32_t *ret_pages)
{
	uint64_t now = atomic_load(s->lease->revocations);
	uint32_t n, state, struck = 0, left = 0;

	*ret_pages = 0;
	if (now == atomic_load(&s->revocations_seen))
		return 0;
	tmem_lock_acquire(&s->lock);
	for (n = 0; n < s->high; n++) {
		state = get_state(&s->segments[n]);
		if (state == TMEM_SEGMENT_ABSENT || !is_revoked(s, n))
			continue;
		/* BUSY: its worker gives up and unclaims; READY and COMING are
		 * seen by take(). */
		if (state != TMEM_SEGMENT_SEALED ||
		    tmem_word_pending(atomic_load(&s->segments[n].word))) {
			left += state != TMEM_SEGMENT_READY &&
				state != TMEM_SEGMENT_COMING;
			continue;
		}
		*ret_pages += strike_off(s, n, seq);
		struck++;
	}
	if (!left)
		atomic_store(&s->revocations_seen, now);
	tmem_lock_release(&s->lock);
	return struck;
}

void tmem_space_swept(struct tmem_space *s, uint64_t seq)
{
	uint32_t n;

	tmem_lock_acquire(&s->lock);
	for (n = 0; n < s->high; n++)
		if (s->segments[n].unswept && s->segments[n].unswept_seq <= seq)
			s->segments[n].unswept = 0;
	tmem_lock_release(&s->lock);
}

/* ---- Metadata chunks ----------------------------------------------------- */

static uint32_t chunk_segment(const struct tmem_space *s, uint32_t chunk)
{
	return chunk >> (s->segment_shift - TMEM_CHUNK_SHIFT);
}

/* A free chunk's first word links the list. */
static void push_chunk(struct tmem_space *s, uint32_t chunk)
{
	*(uint32_t *)tmem_chunk_at(s, chunk) = s->chunk_head;
	s->chunk_head = chunk;
	atomic_fetch_add(&s->chunks_free, 1);
}

static int add_chunks(struct tmem_space *s)
{
	uint32_t per = 1u << (s->segment_shift - TMEM_CHUNK_SHIFT);
	uint32_t n, i;

	/* The index may not starve the cleaner; who needs it makes room first. */
	if (tmem_space_free(s) <= TMEM_RESERVE ||
	    take(s, TMEM_CLASS_METADATA, &n) < 0)
		return -ENOMEM;
	set_state(&s->segments[n], TMEM_SEGMENT_META);
	s->segments[n].chunks_used = 0;
	atomic_fetch_add(&s->held_meta, 1);
	for (i = per; i-- > 0;)
		push_chunk(s, n * per + i);
	return 0;
}

uint32_t tmem_chunk_alloc(struct tmem_space *s)
{
	uint32_t chunk = TMEM_CHUNK_NONE;

	tmem_lock_acquire(&s->lock);
	if (s->chunk_head != TMEM_CHUNK_NONE || !add_chunks(s)) {
		chunk = s->chunk_head;
		s->chunk_head = *(uint32_t *)tmem_chunk_at(s, chunk);
		atomic_fetch_sub(&s->chunks_free, 1);
		s->segments[chunk_segment(s, chunk)].chunks_used++;
	}
	tmem_lock_release(&s->lock);
	if (chunk != TMEM_CHUNK_NONE)
		memset(tmem_chunk_at(s, chunk), 0, TMEM_CHUNK);
	return chunk;
}

void tmem_chunk_free(struct tmem_space *s, uint32_t chunk)
{
	tmem_lock_acquire(&s->lock);
	TMEM_ASSERT(s->segments[chunk_segment(s, chunk)].chunks_used);
	s->segments[chunk_segment(s, chunk)].chunks_used--;
	push_chunk(s, chunk);
	tmem_lock_release(&s->lock);
}

uint32_t tmem_chunk_trim(struct tmem_space *s)
{
	uint32_t *link, chunk, n, trimmed = 0;

	tmem_lock_acquire(&s->lock);
	for (link = &s->chunk_head; *link != TMEM_CHUNK_NONE;) {
		chunk = *link;
		if (s->segments[chunk_segment(s, chunk)].chunks_used) {
			link = tmem_chunk_at(s, chunk);
			continue;
		}
		*link = *(uint32_t *)tmem_chunk_at(s, chunk);
		atomic_fetch_sub(&s->chunks_free, 1);
	}
	for (n = 0; n < s->high; n++) {
		if (get_state(&s->segments[n]) != TMEM_SEGMENT_META ||
		    s->segments[n].chunks_used)
			continue;
		atomic_fetch_sub(&s->held_meta, 1);
		give_back(s, n);
		trimmed++;
	}
	tmem_lock_release(&s->lock);
	return trimmed;
}
