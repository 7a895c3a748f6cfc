/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bounds.h - every bound of the engine, with its reason.
 */
#ifndef TMEM_ENGINE_BOUNDS_H
#define TMEM_ENGINE_BOUNDS_H

#include <stdint.h>

#define TMEM_KIB 1024ull
#define TMEM_MIB (1024 * TMEM_KIB)
#define TMEM_GIB (1024 * TMEM_MIB)

/*
 * The least store: sixteen of the smallest segments. Two are the cleaner's, one
 * holds the index, two or three are open; fewer than that leaves nothing to
 * keep pages in.
 */
#define TMEM_LIMIT_MIN (1 * TMEM_MIB)

/* Locations have 36 bits of 16-byte units. */
#define TMEM_LIMIT_MAX (1024 * TMEM_GIB)

/*
 * How far a limit can be raised later: shards and segment size stay what they
 * were, and a shard of 16 MiB worth of pages still works with 64 times as many.
 */
#define TMEM_LIMIT_GROWTH 64

/*
 * Segments of 2 MiB from here on: one huge page each. With less memory, 2 MiB
 * would be too coarse for what is open at once (TMEM_OPEN_PCT).
 */
#define TMEM_HUGE_FROM (512 * TMEM_MIB)
#define TMEM_SEGMENT_HUGE (2 * TMEM_MIB)

/** tmem_segment_size() - of a store with this limit, bytes. */
static inline uint64_t tmem_segment_size(uint64_t limit_bytes)
{
	if (limit_bytes >= TMEM_HUGE_FROM)
		return TMEM_SEGMENT_HUGE;
	if (limit_bytes >= 64 * TMEM_MIB)
		return 256 * TMEM_KIB;
	return limit_bytes >= 8 * TMEM_MIB ? 128 * TMEM_KIB : 64 * TMEM_KIB;
}

/* `pages=huge` by name still needs sixteen segments' worth, twice over. */
#define TMEM_HUGE_LIMIT_MIN (64 * TMEM_MIB)

/* Share of the segments that may be open for filling at a time, percent. */
#define TMEM_OPEN_PCT 10

/* Whatever the share says: a head per class and layout, or a store with pools of
 * both kinds closes half-empty segments all the time. */
#define TMEM_OPEN_MIN 4

/*
 * Segments that only the cleaner may take: one for what it writes raw, one for
 * what it writes packed. With them it can always finish a job it began.
 */
#define TMEM_RESERVE 2

/*
 * Share of the room for persistent pages that live ones may fill, percent. At 90
 * the emptiest of the segments is at most 90% live, so cleaning always gains.
 */
#define TMEM_PERSISTENT_PCT 90

/* Segments that are open and on average half full, so not to be counted on. */
#define TMEM_OPEN_SLACK 2

/* Page index: one shard per this much limit; about 4096 raw pages each. */
#define TMEM_SHARD_BYTES (16 * TMEM_MIB)
#define TMEM_SHARDS_MIN 2
#define TMEM_SHARDS_MAX 4096

/*
 * Pages that ways of keeping pages are tried on, per shard, and shards that try:
 * some 500 pages for 80 MiB, 4096 at most. A shard may by chance hold more in one
 * way or another, up to TMEM_TRIAL_ROOM.
 */
#define TMEM_TRIAL_PAGES 128
#define TMEM_TRIAL_ROOM 192
#define TMEM_TRIALS_MAX 32

/* Object table: one shard for this many of the index. */
#define TMEM_SHARDS_PER_OBJECT_SHARD 4

/* Codec contexts for putters that pack inline: one is busy, one is free. */
#define TMEM_CODECS 2

/*
 * A packed entry larger than this share of the page is kept raw instead: what it
 * would save is less than what moving it costs. zram draws the line at 80%.
 */
#define TMEM_PACKED_MAX(page_size) ((page_size) - (page_size) / 8)

/* Entries a unit of background work looks at: 16 packs take about 80 us. */
#define TMEM_UNIT_ENTRIES 16

/* Index buckets a unit of sweeping looks at under one lock: about 10 us. */
#define TMEM_UNIT_BUCKETS 256

/* Times a put starts over because its segment was revoked under it. */
#define TMEM_PUT_TRIES 4

/*
 * Segments that background work keeps free, and backed with memory, beyond the
 * cleaner's own: per cent of all, and at most as many as a burst of puts fills
 * while an ager thread wakes up (64 of 2 MiB: 30 ms of one putter).
 */
#define TMEM_FREE_PCT 3
#define TMEM_FREE_MAX 64

/*
 * Largest segment that a putter backs with memory in one call when it is new: 64
 * OS pages take 100 us, where 64 faults take 140. One of a huge page is backed by
 * its first fault, and where there is no huge page, 512 at once would be felt.
 */
#define TMEM_BACK_MAX (256 * TMEM_KIB)

#endif
