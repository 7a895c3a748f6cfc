/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.h - a hash table that grows and shrinks a bucket at a time.
 *
 * Linear hashing (Litwin, VLDB 1980) over buckets of two cache lines:
 *
 *	bucket b:  line 2b   | tag[5] place_hi[5] place_lo[5] object[5] next |
 *	           line 2b+1 | ...                                     next -+->
 *	overflow lines, chained, as needed  <------------------------------+
 *
 * A slot is a 16-bit tag, a 48-bit place that means something to the caller, and
 * an object number that is never 0. Lines fill in order, so the first line with
 * an empty slot ends the bucket. The tag holds the hash bits from TAG_SHIFT up;
 * the bits below are the number of the bucket, so a slot can be moved to its new
 * bucket without its key being known, and growing never touches a page.
 *
 * The tables grow when they are 80% full. Measured by simulation over a doubling
 * of the load: 17.2 to 18.4 bytes a slot and 1.05 to 1.1 lines a hit, overflow
 * lines included; 75%: 18.3 to 19.2 bytes; 64-byte buckets: 19.5 to 20.2 bytes.
 *
 * Callers hold the lock of the shard that the table belongs to.
 */
#ifndef TMEM_ENGINE_TABLE_H
#define TMEM_ENGINE_TABLE_H

#include <stdint.h>

#include "chunks.h"

#define TMEM_LINE_SLOTS 5
#define TMEM_TAG_SHIFT 5

struct tmem_line {
	uint16_t tag[TMEM_LINE_SLOTS];
	uint16_t place_hi[TMEM_LINE_SLOTS];
	uint32_t place_lo[TMEM_LINE_SLOTS];
	uint32_t object[TMEM_LINE_SLOTS]; /* 0: empty */
	uint32_t next; /* overflow line's number + 1; 0: none */
};
_Static_assert(sizeof(struct tmem_line) == 64, "a line is a cache line");

struct tmem_table {
	struct tmem_space *space;    /* (c) */
	struct tmem_chunks primary;  /* 32 buckets each */
	struct tmem_chunks overflow; /* 64 lines each */
	uint32_t buckets;
	uint32_t slots;	    /* in use */
	uint32_t line_free; /* overflow lines, linked by next */
	uint32_t lines_free;
	uint32_t lines_used;
};

/** struct tmem_cursor - a slot, valid until the table changes. */
struct tmem_cursor {
	struct tmem_line *line;
	uint32_t i;
	uint32_t bucket;
	uint32_t step; /* lines passed in the bucket */
	uint16_t tag;
};

int tmem_table_init(struct tmem_table *t, struct tmem_space *space);
void tmem_table_finish(struct tmem_table *t);

/** tmem_table_prefetch() - start loading a hash's bucket; needs no lock. */
void tmem_table_prefetch(const struct tmem_table *t, uint32_t hash);

/** tmem_table_peek() - the object of a slot with the hash's tag, near the start
 * of its bucket; 0: none there. Needs no lock, so it may be wrong. */
uint32_t tmem_table_peek(const struct tmem_table *t, uint32_t hash);

/** tmem_table_first() - first slot with the hash's tag; 1 found, 0 none. */
int tmem_table_first(const struct tmem_table *t, uint32_t hash,
		     struct tmem_cursor *c);
/** tmem_table_next() - the next one. */
int tmem_table_next(const struct tmem_table *t, struct tmem_cursor *c);

/** tmem_table_insert() - 0, or -ENOMEM with nothing changed. */
int tmem_table_insert(struct tmem_table *t, uint32_t hash, uint32_t object,
		      uint64_t place);

/**
 * tmem_table_remove() - take a slot out.
 *
 * The bucket's last slot fills the hole: a walk looks at the cursor again.
 */
void tmem_table_remove(struct tmem_table *t, const struct tmem_cursor *c);

/** tmem_table_contract() - one bucket fewer if the table is sparse; 1 did. */
int tmem_table_contract(struct tmem_table *t);

/** tmem_table_walk_first() - first slot of a bucket; 1 there is one. */
int tmem_table_walk_first(const struct tmem_table *t, uint32_t bucket,
			  struct tmem_cursor *c);
int tmem_table_walk_next(const struct tmem_table *t, struct tmem_cursor *c);
/** tmem_table_walk_again() - after a remove: 1 the cursor has a slot still. */
int tmem_table_walk_again(const struct tmem_cursor *c);

/** tmem_table_check() - 0, or -EUCLEAN: counts and places of slots disagree. */
int tmem_table_check(const struct tmem_table *t);

static inline uint64_t tmem_cursor_place(const struct tmem_cursor *c)
{
	return (uint64_t)c->line->place_hi[c->i] << 32 | c->line->place_lo[c->i];
}

static inline uint32_t tmem_cursor_object(const struct tmem_cursor *c)
{
	return c->line->object[c->i];
}

static inline void tmem_cursor_set_place(const struct tmem_cursor *c,
					 uint64_t place)
{
	c->line->place_hi[c->i] = (uint16_t)(place >> 32);
	c->line->place_lo[c->i] = (uint32_t)place;
}

#endif
