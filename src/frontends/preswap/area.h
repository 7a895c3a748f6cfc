/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * area.h - what a swap area is made of.
 *
 *	slot	63          4 3  0
 *		[ ...        | o  ]	o: one of 16 objects, and lane of counters
 *
 * Neighbouring slots are of different objects, as frontswap's shims had it: the
 * store's per-object work, and the counters here, spread.
 *
 * Who calls for a slot holds the caller's lock of it, so that the slot's bit and
 * the slot's page are of one mind. Bits of a word are of several slots: changed
 * by atomic operations.
 */
#ifndef TMEM_PRESWAP_AREA_H
#define TMEM_PRESWAP_AREA_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include <tmem/preswap.h>

enum {
	PRESWAP_LANES = 16, /* objects, and sets of counters */
	PRESWAP_WORD = 32   /* slots of a word of the bitmap: a run's most */
};

_Static_assert((int)PRESWAP_WORD == (int)TMEM_PRESWAP_RUN_MAX,
	       "a run is a word, or parts of two");

/** struct preswap_lane - counters, a cache line of their own. */
struct preswap_lane {
	_Atomic uint64_t curr_pages; /* (a) a difference: their sum counts */
	_Atomic uint64_t loads;
	_Atomic uint64_t succ_stores;
	_Atomic uint64_t failed_stores;
	_Atomic uint64_t invalidates;
} __attribute__((aligned(64)));

/** struct tmem_preswap - one area. */
struct tmem_preswap {
	struct tmem *session;		    /* (c) */
	int pool;			    /* (c) */
	int writethrough;		    /* (c) */
	uint64_t slots;			    /* (c) */
	const struct tmem_preswap_ops *ops; /* (c) NULL: no way home */
	void *ctx;			    /* (c) */
	_Atomic uint32_t *stored; /* (c) the pointer; (a) a bit a slot */
	struct preswap_lane lanes[PRESWAP_LANES];

	pthread_mutex_t shrink_lock; /* taken before any slot's */
	uint64_t cursor; /* (k) shrink_lock: the next slot to look at */
	_Atomic uint64_t taken_home; /* (a) written under shrink_lock */
};

#endif
