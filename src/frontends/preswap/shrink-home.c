/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shrink-home.c - pages of an area brought home to the device.
 *
 * One pass over the bitmap from where the last one stopped, so that a device that
 * is asked again and again gives up all of its parts in turn. A slot is locked
 * from before its page is read until its bit is cleared: whoever reads it then
 * finds it at the device.
 */
#include <errno.h>

#include "area.h"

/* Return: 1 it is home, 0 it was not stored; -EIO lost; take_home's error. */
static int bring(struct tmem_preswap *a, uint64_t slot, int *ret_home_err)
{
	uint8_t page[TMEM_PRESWAP_PAGE] __attribute__((aligned(4096)));
	int result;

	a->ops->lock(a->ctx, slot);
	result = tmem_preswap_get(a, slot, page);
	if (result == 1) {
		*ret_home_err = a->ops->take_home(a->ctx, slot, page);
		if (!*ret_home_err)
			result = tmem_preswap_flush(a, slot);
	}
	a->ops->unlock(a->ctx, slot);
	return result;
}

/* The next slot from @slot on, below @end, that seems to be stored; else @end. */
static uint64_t find(const struct tmem_preswap *a, uint64_t slot, uint64_t end)
{
	while (slot < end) {
		uint32_t bits = tmem_preswap_stored(a, slot, PRESWAP_WORD);

		if (bits) {
			slot += (uint64_t)__builtin_ctz(bits);
			return slot < end ? slot : end;
		}
		slot += PRESWAP_WORD;
	}
	return end;
}

/** struct pass - over the area, once. */
struct pass {
	uint64_t target_pages;
	uint64_t home_pages;
	int err; /* the first */
};

/* From @slot to @end. Return: where it stopped. */
static uint64_t walk(struct tmem_preswap *a, struct pass *p, uint64_t slot,
		     uint64_t end)
{
	for (; tmem_preswap_curr_pages(a) > p->target_pages; slot++) {
		int home_err = 0, result;

		slot = find(a, slot, end);
		if (slot == end)
			break;
		result = bring(a, slot, &home_err);
		if (home_err || (result < 0 && result != -EIO)) {
			p->err = home_err ? home_err : result;
			break;
		}
		if (result < 0 && !p->err)
			p->err = result;
		p->home_pages += result == 1;
	}
	return slot;
}

int tmem_preswap_shrink(struct tmem_preswap *area, uint64_t target_pages,
			uint64_t *ret_pages)
{
	struct pass p = { .target_pages = target_pages };
	uint64_t from, at;

	if (!area)
		return -EINVAL;
	if (!area->ops)
		return -EOPNOTSUPP;
	(void)pthread_mutex_lock(&area->shrink_lock);
	from = area->cursor;
	at = walk(area, &p, from, area->slots);
	if (at == area->slots)
		at = walk(area, &p, 0, from);
	area->cursor = at < area->slots ? at : 0;
	atomic_fetch_add_explicit(&area->taken_home, p.home_pages,
				  memory_order_relaxed);
	(void)pthread_mutex_unlock(&area->shrink_lock);
	if (ret_pages)
		*ret_pages = p.home_pages;
	return p.err;
}
