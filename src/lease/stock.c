/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stock.c - where each segment of a daemon's lease is.
 */
#include "stock.h"

#include <errno.h>
#include <string.h>

#include "assertion.h"
#include "mem.h"

#define NONE UINT32_MAX

static void list_init(struct tmem_stock_list *l)
{
	l->head = l->tail = NONE;
}

static void list_add(struct tmem_stock *s, struct tmem_stock_list *l, uint32_t n)
{
	s->items[n].next = NONE;
	if (l->head == NONE)
		l->head = n;
	else
		s->items[l->tail].next = n;
	l->tail = n;
	atomic_fetch_add(&l->count, 1);
}

static uint32_t list_pop(struct tmem_stock *s, struct tmem_stock_list *l)
{
	uint32_t n = l->head;

	if (n == NONE)
		return NONE;
	l->head = s->items[n].next;
	if (l->head == NONE)
		l->tail = NONE;
	atomic_fetch_sub(&l->count, 1);
	return n;
}

/* Out of the middle: only for a segment that was revoked and lent again before
 * its old entry was met. Lists are short. */
static void list_del(struct tmem_stock *s, struct tmem_stock_list *l, uint32_t n)
{
	uint32_t i, before = NONE;

	for (i = l->head; i != NONE && i != n; i = s->items[i].next)
		before = i;
	TMEM_ASSERT(i == n);
	if (before == NONE)
		l->head = s->items[n].next;
	else
		s->items[before].next = s->items[n].next;
	if (l->tail == n)
		l->tail = before;
	atomic_fetch_sub(&l->count, 1);
}

int tmem_stock_init(struct tmem_stock *s, uint32_t segments_max,
		    const _Atomic uint32_t *epochs)
{
	int i;

	s->segments_max = segments_max;
	s->epochs = epochs;
	s->items_bytes = (segments_max * sizeof(*s->items) + TMEM_OS_PAGE - 1) &
			 ~(size_t)(TMEM_OS_PAGE - 1);
	s->items = tmem_mem_map(s->items_bytes, TMEM_OS_PAGE);
	if (!s->items)
		return -ENOMEM;
	for (i = 0; i < TMEM_CLASSES; i++)
		list_init(&s->kept[i]);
	list_init(&s->back);
	return 0;
}

void tmem_stock_finish(struct tmem_stock *s, int in_child)
{
	if (!in_child)
		tmem_mem_unmap(s->items, s->items_bytes);
	s->items = NULL;
}

static int is_current(const struct tmem_stock *s, uint32_t n)
{
	return atomic_load(&s->epochs[n]) == s->items[n].epoch;
}

void tmem_stock_put(struct tmem_stock *s, enum tmem_class cls, uint32_t n,
		    uint32_t epoch)
{
	struct tmem_stock_item *item = &s->items[n];

	if (item->state == TMEM_STOCK_KEPT)
		list_del(s, &s->kept[item->cls], n);
	else if (item->state == TMEM_STOCK_BACK)
		list_del(s, &s->back, n);
	item->epoch = epoch;
	item->cls = (uint8_t)cls;
	item->state = TMEM_STOCK_KEPT;
	list_add(s, &s->kept[cls], n);
}

int tmem_stock_take(struct tmem_stock *s, enum tmem_class cls,
		    struct tmem_lent *ret)
{
	uint32_t n;

	while ((n = list_pop(s, &s->kept[cls])) != NONE) {
		if (!is_current(s, n)) {
			s->items[n].state = TMEM_STOCK_NONE;
			continue;
		}
		s->items[n].state = TMEM_STOCK_USED;
		ret->segment = n;
		ret->epoch = s->items[n].epoch;
		return 1;
	}
	return 0;
}

int tmem_stock_return(struct tmem_stock *s, uint32_t n)
{
	struct tmem_stock_item *item = &s->items[n];

	/* Revoked, and perhaps lent again before the user had noticed. */
	if (item->state != TMEM_STOCK_USED)
		return 0;
	if (!is_current(s, n)) {
		item->state = TMEM_STOCK_NONE;
		return 0;
	}
	item->state = TMEM_STOCK_BACK;
	list_add(s, &s->back, n);
	return 1;
}

int tmem_stock_unused(struct tmem_stock *s, enum tmem_class cls)
{
	struct tmem_lent lent;

	return tmem_stock_take(s, cls, &lent) &&
	       tmem_stock_return(s, lent.segment);
}

int tmem_stock_next_back(struct tmem_stock *s, struct tmem_lent *ret)
{
	uint32_t n;

	while ((n = list_pop(s, &s->back)) != NONE) {
		s->items[n].state = TMEM_STOCK_NONE;
		if (!is_current(s, n))
			continue;
		ret->segment = n;
		ret->epoch = s->items[n].epoch;
		return 1;
	}
	return 0;
}

void tmem_stock_undo_back(struct tmem_stock *s, const struct tmem_lent *lent)
{
	s->items[lent->segment].state = TMEM_STOCK_BACK;
	list_add(s, &s->back, lent->segment);
}

int tmem_stock_known(const struct tmem_stock *s, uint32_t n, uint32_t epoch)
{
	return s->items[n].state != TMEM_STOCK_NONE &&
	       s->items[n].epoch == epoch;
}
