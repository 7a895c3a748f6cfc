/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stock.h - where each segment of a daemon's lease is: in stock, in use, or on its
 * way back.
 *
 *	lent -> STOCK (a list a class) -> USED -> BACK -> given back
 *	          ^________________________________|  while there is no daemon
 *
 * A segment may be revoked in any of these states, which shows in its epoch; an
 * entry of an older epoch is passed over when it is met.
 */
#ifndef TMEM_LEASE_STOCK_H
#define TMEM_LEASE_STOCK_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "lease.h"

enum tmem_stock_state {
	TMEM_STOCK_NONE, /* not lent */
	TMEM_STOCK_KEPT, /* in the list of its class */
	TMEM_STOCK_USED, /* the engine has it */
	TMEM_STOCK_BACK	 /* in the list of those to be given back */
};

struct tmem_stock_item {
	uint32_t epoch;
	uint32_t next; /* in its list */
	uint8_t state; /* enum tmem_stock_state */
	uint8_t cls;
};

/** struct tmem_stock_list - first in, first out. */
struct tmem_stock_list {
	uint32_t head, tail;
	_Atomic uint32_t count; /* written under the lock */
};

/** struct tmem_stock - guarded by its user's lock, counts aside. */
struct tmem_stock {
	struct tmem_stock_item *items;	/* (c) lazily backed */
	size_t items_bytes;		/* (c) */
	uint32_t segments_max;		/* (c) */
	const _Atomic uint32_t *epochs; /* (c) as the lender has them */
	struct tmem_stock_list kept[TMEM_CLASSES];
	struct tmem_stock_list back;
};

int tmem_stock_init(struct tmem_stock *s, uint32_t segments_max,
		    const _Atomic uint32_t *epochs);
void tmem_stock_finish(struct tmem_stock *s, int in_child);

/** tmem_stock_put() - a segment that was lent, or comes back to be used again. */
void tmem_stock_put(struct tmem_stock *s, enum tmem_class cls, uint32_t segment,
		    uint32_t epoch);

/** tmem_stock_take() - for use. Return: 1, 0 there is none. */
int tmem_stock_take(struct tmem_stock *s, enum tmem_class cls,
		    struct tmem_lent *ret);

/** tmem_stock_return() - out of use, to be given back. Return: 1; 0 it was
 * revoked meanwhile, and is nobody's. */
int tmem_stock_return(struct tmem_stock *s, uint32_t segment);

/** tmem_stock_unused() - out of stock, to be given back. Return: 1, 0 none. */
int tmem_stock_unused(struct tmem_stock *s, enum tmem_class cls);

/** tmem_stock_next_back() - the next to be given back; it is out of the list. */
int tmem_stock_next_back(struct tmem_stock *s, struct tmem_lent *ret);

/** tmem_stock_undo_back() - it could not be said; in the list again. */
void tmem_stock_undo_back(struct tmem_stock *s, const struct tmem_lent *lent);

/** tmem_stock_known() - 1: this lending of the segment is accounted for. */
int tmem_stock_known(const struct tmem_stock *s, uint32_t segment,
		     uint32_t epoch);

#endif
