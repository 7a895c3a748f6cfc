/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * object.h - objects interned to numbers.
 *
 * A number stands for (pool, 192-bit id) in slots and entry headers. It lives as
 * long as a slot of the page index refers to it: made with an object's first page
 * and freed with its last. A condemned number's object is gone for every caller;
 * its slots are swept, and a new object of the same name gets a new number.
 *
 *	number >> 6 -> ranges[] -> metadata chunk of 64 records
 *
 * Whoever read a number from a slot under the shard lock that the slot is in may
 * read the record's pool and id without another lock. Others may read garbage and
 * must find the slot before they believe it.
 */
#ifndef TMEM_ENGINE_OBJECT_H
#define TMEM_ENGINE_OBJECT_H

#include <stdatomic.h>
#include <stdint.h>

#include "lock.h"
#include "segment.h"
#include "table.h"

struct tmem_object {
	_Atomic uint64_t id[3];	    /* (c) while in use */
	_Atomic uint32_t pool;	    /* (c) while in use: pool id; 0: free */
	_Atomic uint32_t condemned; /* (a) set under the object lock */
	_Atomic uint64_t refs; /* (a) life:32 | slots that refer to it:32; from
				* and to no slots under the object lock */
	uint32_t next;	       /* (o) object lock: free list of the shard */
	uint32_t spare[5];
};
_Static_assert(sizeof(struct tmem_object) == 64, "64 records fill a chunk");

#define TMEM_OBJECTS_PER_RANGE 64u

/** struct tmem_object_name - what is interned, and its hash. */
struct tmem_object_name {
	uint64_t id[3];
	uint32_t pool;
	uint64_t hash;
};

struct tmem_object_shard {
	struct tmem_lock lock;	 /* TMEM_RANK_OBJECTS */
	struct tmem_table table; /* hash -> number; place unused */
	uint32_t free_head;	 /* numbers, linked by next */
	uint32_t in_use;	 /* condemned ones too */
	uint32_t numbers;	 /* in use or free */
} __attribute__((aligned(64)));

struct tmem_objects {
	struct tmem_space *space;	  /* (c) */
	struct tmem_object_shard *shards; /* (c) */
	uint32_t shards_count;		  /* (c) */
	uint64_t seed;			  /* (c) */
	_Atomic uint32_t *ranges;	  /* (a) chunk + 1; lazily backed */
	size_t ranges_bytes;		  /* (c) */
	_Atomic uint32_t ranges_count;	  /* (a) ever used */
	struct tmem_lock lock;		  /* TMEM_RANK_HEAD: next line */
	uint32_t range_free;		  /* freed range numbers, linked */
	uint32_t charged; /* OS pages of `ranges` accounted for */
};

int tmem_objects_init(struct tmem_objects *o, struct tmem_space *space,
		      uint32_t shards, uint64_t seed);
void tmem_objects_finish(struct tmem_objects *o, int in_child);

/** tmem_object_name() - fill in a name; hashes it with the store's seed. */
void tmem_object_name(const struct tmem_objects *o, uint32_t pool,
		      const uint64_t id[3], struct tmem_object_name *ret);

/**
 * tmem_object_peek() - the number that a name probably has; 0: no idea. Starts
 * loading its record. Needs no lock.
 */
uint32_t tmem_object_peek(const struct tmem_objects *o,
			  const struct tmem_object_name *name);

/**
 * tmem_object_ref() - the number of an object, made if there is none; one page
 * more.
 * @guess: from tmem_object_peek(), or 0; a right one saves lock and search.
 * @ret_new: out: 1 it was made.
 *
 * Context: takes the object shard's lock.
 * Return: 0, -ENOMEM.
 */
int tmem_object_ref(struct tmem_objects *o, const struct tmem_object_name *name,
		    uint32_t guess, uint32_t *ret, int *ret_new);

/**
 * tmem_object_unref() - one page less; the last one frees the number.
 *
 * Return: 1 an object that was not condemned is gone, else 0.
 */
int tmem_object_unref(struct tmem_objects *o, uint32_t number);

/** tmem_object_condemn() - 1 it was there and is now condemned, 0 none. */
int tmem_object_condemn(struct tmem_objects *o,
			const struct tmem_object_name *name);

/** tmem_object_at() - a record; the number came from a slot or was checked. */
static inline struct tmem_object *tmem_object_at(const struct tmem_objects *o,
						 uint32_t number)
{
	uint32_t chunk =
		atomic_load_explicit(&o->ranges[number / TMEM_OBJECTS_PER_RANGE],
				     memory_order_relaxed);
	struct tmem_object *records = tmem_chunk_at(o->space, chunk - 1);

	return &records[number % TMEM_OBJECTS_PER_RANGE];
}

/** tmem_object_pages() - slots that refer to it. */
static inline uint32_t tmem_object_pages(const struct tmem_object *r)
{
	return (uint32_t)atomic_load_explicit(&r->refs, memory_order_relaxed);
}

/**
 * tmem_object_guess() - whatever name a number from a header might have.
 *
 * Return: 1 and a name to look for, 0 certainly none.
 */
int tmem_object_guess(const struct tmem_objects *o, uint32_t number,
		      struct tmem_object_name *ret);

static inline int tmem_object_is(const struct tmem_object *r, uint32_t pool,
				 const uint64_t id[3])
{
	return atomic_load_explicit(&r->pool, memory_order_relaxed) == pool &&
	       atomic_load_explicit(&r->id[0], memory_order_relaxed) == id[0] &&
	       atomic_load_explicit(&r->id[1], memory_order_relaxed) == id[1] &&
	       atomic_load_explicit(&r->id[2], memory_order_relaxed) == id[2];
}

static inline int tmem_object_condemned(const struct tmem_object *r)
{
	return (int)atomic_load_explicit(&r->condemned, memory_order_acquire);
}

#endif
