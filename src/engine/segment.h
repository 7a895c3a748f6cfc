/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * segment.h - the segments a store holds, and how many it may hold.
 *
 * A segment's life:
 *
 *	lend -> READY -> OPEN -> SEALED -> (BUSY) -> retire -> READY or given back
 *	                   |       |  lose (shrink) ----------> given back
 *	                   +-------+- revoked by the source --> gone
 *
 * One atomic word per segment holds its own epoch beside the counts of what
 * lives in it, so that a count is never taken from a later life of the segment:
 *
 *	63      56 55       44 43            24 23             0
 *	| epoch  |  pending   |     pages      |     units      |
 *
 * pending: reservations not yet published or abandoned; pages and units (16
 * bytes): live entries. The epoch steps when the segment is emptied or lost, so a
 * slot or a reader from before can tell.
 */
#ifndef TMEM_ENGINE_SEGMENT_H
#define TMEM_ENGINE_SEGMENT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "bounds.h"
#include "dict.h"
#include "lease.h"
#include "lock.h"

#define TMEM_UNIT 16u /* bytes: the grain of locations and of entries */
#define TMEM_UNIT_SHIFT 4
#define TMEM_SEGMENT_NONE UINT32_MAX

/** Metadata is dealt out in chunks of one OS page. */
#define TMEM_CHUNK 4096u
#define TMEM_CHUNK_SHIFT 12
#define TMEM_CHUNK_NONE UINT32_MAX

enum tmem_segment_state {
	TMEM_SEGMENT_ABSENT, /* not held */
	TMEM_SEGMENT_COMING, /* held, being backed with memory */
	TMEM_SEGMENT_READY,  /* held, free */
	TMEM_SEGMENT_META,   /* holds metadata chunks */
	TMEM_SEGMENT_OPEN,   /* being filled */
	TMEM_SEGMENT_SEALED, /* full; the cleaner may take it */
	TMEM_SEGMENT_BUSY    /* a worker's job is on it */
};

enum tmem_layout {
	TMEM_LAYOUT_RAW, /* headers in an array at the head, page slots behind */
	TMEM_LAYOUT_LOG, /* entries of header and payload, one after the other */
	TMEM_LAYOUTS
};

enum tmem_queue {
	TMEM_QUEUE_PROBATION, /* ephemeral, not yet asked for again */
	TMEM_QUEUE_MAIN,      /* ephemeral, worth keeping */
	TMEM_QUEUE_NONE	      /* persistent */
};

struct tmem_segment {
	_Atomic uint64_t word;	       /* (a) see above */
	_Atomic uint32_t source_epoch; /* (a) the lease's epoch when it was lent */
	_Atomic uint8_t layout;	       /* (a) set when opened */
	_Atomic uint8_t state;	       /* (a) written under the space lock */
	_Atomic uint8_t cls;	       /* (a) written under the space lock */
	_Atomic uint8_t queue;	/* (a) as cls; a hint to who holds no lock */
	uint8_t pack_tried;	/* (l) what is raw in it does not pack */
	uint8_t unswept;	/* (l) lost with slots left behind ... */
	uint8_t unswept_epoch;	/* (l) ... in this epoch */
	uint8_t dense_tried;	/* (l) what is in it gets no denser */
	_Atomic uint16_t dicts; /* (a) bit n: dictionary n is referred to; set
				 * under the head lock */
	uint32_t packed;    /* units of packed entries that were not yet tried
			       * to be made dense; head lock while open */
	uint32_t sealed_ms; /* (l) when, of tmem_clock_ns() */
	uint32_t fill;	    /* units dealt out; head lock while open */
	uint32_t dealt;	    /* units of entries; head lock while open */
	_Atomic uint32_t room; /* (a) units that could live in it */
	uint32_t chunks_used;  /* (l) metadata: chunks dealt out */
	uint64_t age;	       /* (l) the lower the colder */
	uint64_t unswept_seq;  /* (l) the sweep that frees `unswept` */
#ifdef TMEM_PIN
	_Atomic uint32_t pins; /* (a) readers inside; sanitizer builds only */
#endif
};

/** struct tmem_space - all segments of a store. */
struct tmem_space {
	struct tmem_lease *lease;      /* (c) */
	struct tmem_segment *segments; /* (c) lazily backed, segments_max */
	size_t segments_bytes;	       /* (c) */
	uint32_t segment_shift;	       /* (c) log2 of its size */
	uint32_t units;		       /* (c) 16-byte units in a segment */
	struct tmem_lock lock;	       /* TMEM_RANK_LOG: what is marked (l) */
	uint32_t high;		    /* (l) segments ever held: numbers below */
	uint32_t ready_head;	    /* (l) free list through `fill` */
	_Atomic uint32_t ready;	    /* (a) its length */
	_Atomic uint32_t held;	    /* (a) segments held, ready ones too */
	_Atomic uint32_t held_max;  /* (a) as many as the limit allows */
	_Atomic uint32_t held_meta; /* (a) of those, metadata */
	_Atomic uint32_t opens;	    /* (a) open ones */
	_Atomic uint64_t limit_bytes; /* (a) */
	_Atomic uint64_t heap_bytes;  /* (a) bytes outside segments */
	uint64_t age_next;	      /* (l) */
	enum tmem_class last_cls;     /* (l) what was opened last */
	uint32_t chunk_head;	      /* (l) free metadata chunks, linked */
	_Atomic uint32_t chunks_free; /* (a) their number */
	_Atomic uint64_t revocations_seen; /* (a) of the lease's */
	_Atomic int untidy; /* (a) a segment became mostly dead */
	_Atomic uint32_t dict_refs[TMEM_DICTS]; /* (a) see dict.h */
};

int tmem_space_init(struct tmem_space *s, struct tmem_lease *lease,
		    uint64_t limit_bytes);
void tmem_space_finish(struct tmem_space *s, int in_child);

/**
 * tmem_space_charge() - account for memory about to be taken outside segments.
 *
 * Return: 0, -ENOMEM it would pass the limit.
 */
int tmem_space_charge(struct tmem_space *s, uint64_t bytes);
void tmem_space_uncharge(struct tmem_space *s, uint64_t bytes);

/** tmem_space_used() - bytes held, all told. */
uint64_t tmem_space_used(const struct tmem_space *s);

/** tmem_space_limit() - change the limit; what is held stays held. */
void tmem_space_limit(struct tmem_space *s, uint64_t limit_bytes);

/** tmem_space_refresh() - the source has more, or less, to lend than before. */
void tmem_space_refresh(struct tmem_space *s);

/** tmem_space_free() - segments that could be taken now, the reserve included. */
static inline uint32_t tmem_space_free(const struct tmem_space *s)
{
	uint32_t held = atomic_load_explicit(&s->held, memory_order_relaxed);
	uint32_t max = atomic_load_explicit(&s->held_max, memory_order_relaxed);
	uint32_t ready = atomic_load_explicit(&s->ready, memory_order_relaxed);

	return (held < max ? max - held : 0) + (held <= max ? ready : 0);
}

/** tmem_space_free_target() - how many of them background work wants. */
static inline uint32_t tmem_space_free_target(const struct tmem_space *s)
{
	uint32_t n = atomic_load_explicit(&s->held_max, memory_order_relaxed) *
		     TMEM_FREE_PCT / 100;

	n = n < TMEM_FREE_MAX ? n : TMEM_FREE_MAX;
	return TMEM_RESERVE + (n ? n : 1);
}

struct tmem_segment_plan {
	enum tmem_class cls;
	enum tmem_layout layout;
	enum tmem_queue queue;
	uint64_t age;	  /* 0: the youngest */
	uint32_t reserve; /* leave at least so many free */
};

/**
 * tmem_space_open() - take a free segment for filling.
 * @ret: out: its number; state OPEN, fill at its first entry.
 *
 * Return: 0; 1 it was lent for this, and no memory may back it yet; -ENOMEM none
 * to be had; -EAGAIN not at this moment.
 */
int tmem_space_open(struct tmem_space *s, const struct tmem_segment_plan *plan,
		    uint32_t *ret);

/**
 * tmem_space_seal() - an open segment takes no more.
 * @room: units that live entries could fill in it: what was dealt out if it is
 *	full, else what a full one has.
 */
void tmem_space_seal(struct tmem_space *s, uint32_t segment, uint32_t room);

/**
 * tmem_space_claim() - SEALED -> BUSY.
 * @epoch: of the word when the segment was chosen.
 *
 * Return: 1 done; 0 somebody else's, not quiet, or no longer what was chosen.
 */
int tmem_space_claim(struct tmem_space *s, uint32_t segment, uint8_t epoch);

/** What was tried on a segment's entries; bits. */
enum {
	TMEM_TRIED_PACK = 1,
	TMEM_TRIED_DENSE = 2
};

/** tmem_space_unclaim() - BUSY -> SEALED; @tried: TMEM_TRIED_*. */
void tmem_space_unclaim(struct tmem_space *s, uint32_t segment, int tried);

/**
 * tmem_space_retire() - a BUSY or SEALED segment in which nothing lives becomes
 * free.
 *
 * Return: 1 done, 0 something lives in it or is under way.
 */
int tmem_space_retire(struct tmem_space *s, uint32_t segment);

/** struct tmem_victim - a segment to lose. */
struct tmem_victim {
	uint32_t segment;
	uint8_t epoch; /* as for tmem_space_claim() */
};

/**
 * tmem_space_lose() - give SEALED segments back with all that lives in them.
 * @victims: sorted by segment: neighbours go back in one call.
 * @seq: sweep that removes the slots left behind.
 * @ret_pages: out: pages lost.
 *
 * What is not sealed, or has something under way in it, stays.
 * Return: segments lost.
 */
uint32_t tmem_space_lose(struct tmem_space *s, const struct tmem_victim *victims,
			 uint32_t count, uint64_t seq, uint64_t *ret_pages);

/** tmem_space_drain() - give free segments back until `keep` are ready. */
void tmem_space_drain(struct tmem_space *s, uint32_t keep);

/** tmem_space_populate() - have a ready, backed segment, and what the source is to
 * have ahead; 1 one more, 0 no. */
int tmem_space_populate(struct tmem_space *s);

/**
 * tmem_space_notice() - strike off what the source has revoked.
 * @ret_pages: out: pages lost.
 *
 * Open segments are struck off once sealed; the caller detaches them from heads
 * first (TMEM_SEGMENT_OPEN with a changed epoch).
 *
 * Return: segments struck off.
 */
uint32_t tmem_space_notice(struct tmem_space *s, uint64_t seq,
			   uint32_t *ret_pages);

/** tmem_space_swept() - slots of all losses up to `seq` are gone. */
void tmem_space_swept(struct tmem_space *s, uint64_t seq);

/** tmem_chunk_alloc() - a zeroed metadata chunk, or TMEM_CHUNK_NONE. */
uint32_t tmem_chunk_alloc(struct tmem_space *s);
void tmem_chunk_free(struct tmem_space *s, uint32_t chunk);

/** tmem_chunk_trim() - metadata segments without a used chunk become free. */
uint32_t tmem_chunk_trim(struct tmem_space *s);

static inline void *tmem_chunk_at(const struct tmem_space *s, uint32_t chunk)
{
	return s->lease->base + ((size_t)chunk << TMEM_CHUNK_SHIFT);
}

/* ---- The word ----------------------------------------------------------- */

#define TMEM_WORD_PENDING (1ull << 44)
#define TMEM_WORD_PAGE (1ull << 24)

static inline uint8_t tmem_word_epoch(uint64_t w)
{
	return (uint8_t)(w >> 56);
}

static inline uint32_t tmem_word_pending(uint64_t w)
{
	return (uint32_t)(w >> 44) & 0xfff;
}

static inline uint32_t tmem_word_pages(uint64_t w)
{
	return (uint32_t)(w >> 24) & 0xfffff;
}

static inline uint32_t tmem_word_units(uint64_t w)
{
	return (uint32_t)w & 0xffffff;
}

/** tmem_segment_alive() - 1: what was written in this epoch is still there. */
static inline int tmem_segment_alive(const struct tmem_space *s,
				     uint32_t segment, uint8_t epoch)
{
	const struct tmem_segment *g = &s->segments[segment];
	uint64_t w = atomic_load_explicit(&g->word, memory_order_acquire);

	return tmem_word_epoch(w) == epoch &&
	       atomic_load_explicit(&s->lease->epochs[segment],
				    memory_order_acquire) ==
		       atomic_load_explicit(&g->source_epoch,
					    memory_order_relaxed);
}

/** tmem_segment_forget() - an entry of this epoch is dead; 1 counted, 0 stale. */
static inline int tmem_segment_forget(struct tmem_space *s, uint32_t segment,
				      uint8_t epoch, uint32_t units)
{
	struct tmem_segment *g = &s->segments[segment];
	uint32_t half = atomic_load_explicit(&g->room, memory_order_relaxed) / 2;
	uint64_t w = atomic_load_explicit(&g->word, memory_order_relaxed);

	do {
		if (tmem_word_epoch(w) != epoch)
			return 0;
	} while (!atomic_compare_exchange_weak_explicit(
		&g->word, &w, w - TMEM_WORD_PAGE - units, memory_order_acq_rel,
		memory_order_relaxed));
	if (tmem_word_units(w) == units ||
	    (tmem_word_units(w) >= half && tmem_word_units(w) - units < half))
		atomic_store(&s->untidy, 1);
	return 1;
}

/*
 * Readers of a segment's bytes. Elsewhere they read and then ask whether the
 * epoch stood still; a race detector cannot know that, so its builds pin the
 * segment and its next user waits.
 */
static inline void tmem_segment_pin(struct tmem_space *s, uint32_t segment)
{
#ifdef TMEM_PIN
	atomic_fetch_add(&s->segments[segment].pins, 1);
#else
	(void)s;
	(void)segment;
#endif
}

static inline void tmem_segment_unpin(struct tmem_space *s, uint32_t segment)
{
#ifdef TMEM_PIN
	atomic_fetch_sub(&s->segments[segment].pins, 1);
#else
	(void)s;
	(void)segment;
#endif
}

/** tmem_segment_fence() - between reading bytes and asking tmem_segment_alive(). */
static inline void tmem_segment_fence(void)
{
#ifndef TMEM_PIN
	atomic_thread_fence(memory_order_acquire);
#endif
}

#endif
