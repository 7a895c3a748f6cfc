/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tmem/preswap.h - pages on their way to a swap device that need not get there.
 *
 * Stability: everything in this header is stable. Structs that begin with
 * `size` grow only at the end; enumerators are only added.
 *
 * The idea. Whoever writes pages to a device that is slower than memory offers
 * each to a store first (put). One that is refused goes to the device as ever:
 * that is the normal path and no error. One that is stored is read from the store
 * (get) until it is written anew or given up (flush); nothing else holds it.
 *
 *	struct tmem_preswap_opts opts = {
 *		.size = sizeof(opts), .slots = device_bytes / 4096 };
 *	struct tmem_preswap *area;
 *
 *	if (tmem_preswap_init(session, &opts, &area) < 0)
 *		...					do without
 *	if (tmem_preswap_put(area, slot, page) != 1)
 *		...					write it to the device
 *
 *	switch (tmem_preswap_get(area, slot, page)) {
 *	case 1:	...					there it is
 *	case 0:	...					read it from the device
 *	default: ...					lost: an I/O error
 *	}
 *
 * One area stands for one device. A bit a slot says whether the store has the
 * slot's newest page, so asking for one that it does not have costs a load, and
 * read-ahead knows which slots it need not read.
 *
 * Threads: every call from any thread at any time, but flush_area and finish,
 * beside which there is none. Calls on one slot at once are ordered by the caller, as a page lock does:
 * "put, refused, written to the device" is one step for everybody else.
 */
#ifndef TMEM_PRESWAP_H
#define TMEM_PRESWAP_H

#include <tmem/tmem.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Types -------------------------------------------------------------- */

/** struct tmem_preswap - one area; opaque. */
struct tmem_preswap;

enum {
	TMEM_PRESWAP_PAGE = 4096, /* bytes: what a slot holds */
	/* Slots of one tmem_preswap_*_run(): its bits fit a word. */
	TMEM_PRESWAP_RUN_MAX = 32
};

/** TMEM_PRESWAP_SLOTS_MAX - slots of an area: 16 TiB, a bitmap of 512 MiB. */
#define TMEM_PRESWAP_SLOTS_MAX (UINT64_C(1) << 32)

/** enum - struct tmem_preswap_opts.flags. */
enum {
	/* What is stored goes to the device as well: a put answers 0 when it
	 * stored, too. Then the store only saves reads, and may be lost. */
	TMEM_PRESWAP_WRITETHROUGH = 1
};

/**
 * struct tmem_preswap_ops - how pages come home to the device.
 * @lock: nobody else puts, gets or flushes @slot until
 * @unlock.
 * @take_home: write @page to the device at @slot. Return: 0, or a negative errno,
 *	and the page stays where it is.
 *
 * Called by tmem_preswap_shrink() in its caller's thread, in this order.
 */
struct tmem_preswap_ops {
	void (*lock)(void *ctx, uint64_t slot);
	void (*unlock)(void *ctx, uint64_t slot);
	int (*take_home)(void *ctx, uint64_t slot, const void *page);
};

/**
 * struct tmem_preswap_opts - how to begin.
 * @size: sizeof(struct tmem_preswap_opts).
 * @flags: TMEM_PRESWAP_*; unknown bits: -EINVAL.
 * @reserved: 0.
 * @slots: pages of the device, 1 to TMEM_PRESWAP_SLOTS_MAX.
 * @name: for people, in statistics; NULL is fine. Copied.
 * @ops: NULL: there is no way home, and tmem_preswap_shrink() says so.
 * @ctx: first argument of @ops' functions.
 */
struct tmem_preswap_opts {
	size_t size;
	uint32_t flags;
	uint32_t reserved;
	uint64_t slots;
	const char *name;
	const struct tmem_preswap_ops *ops;
	void *ctx;
};

/**
 * struct tmem_preswap_stats - what an area did, by frontswap's names.
 * @size: set by the caller to sizeof(struct tmem_preswap_stats).
 * @curr_pages: slots whose page is in the store now.
 * @loads: gets that found their page.
 * @succ_stores: puts that stored.
 * @failed_stores: puts that were refused.
 * @invalidates: flushes of slots that were stored, also those in areas flushed.
 * @taken_home: pages that tmem_preswap_shrink() gave to the device.
 */
struct tmem_preswap_stats {
	size_t size;
	uint64_t curr_pages;
	uint64_t loads;
	uint64_t succ_stores;
	uint64_t failed_stores;
	uint64_t invalidates;
	uint64_t taken_home;
};

/* ---- Beginning and end -------------------------------------------------- */

/**
 * tmem_preswap_init() - begin for a device.
 * @t: a session that outlives the area.
 * @opts: not NULL.
 * @ret: out: the area, with nothing stored; ended by tmem_preswap_finish().
 *
 * The area is a private persistent pool of its own.
 *
 * Context: any thread.
 * Return: 0; -EINVAL a bad argument; -E2BIG @opts is newer than this library and
 *	uses what it does not know; -ENOMEM; -ENOSPC no pool is left; -EPERM a
 *	forked child.
 * Source: frontswap's init.
 * Since: 0.1
 */
int tmem_preswap_init(struct tmem *t, const struct tmem_preswap_opts *opts,
		      struct tmem_preswap **ret)
	__attribute__((warn_unused_result));

/**
 * tmem_preswap_finish() - end: every page of the area goes.
 * @area: an area, or NULL.
 *
 * Context: the last call on @area; before its session's tmem_close().
 * Since: 0.1
 */
void tmem_preswap_finish(struct tmem_preswap *area);

/* ---- Pages -------------------------------------------------------------- */

/**
 * tmem_preswap_put() - offer a slot's new page.
 * @area: an area.
 * @slot: below opts.slots.
 * @page: 4096 readable bytes; copied.
 *
 * Context: any thread; no I/O, no allocation.
 * Return: 1 stored, and the device's copy is old; 0 refused, or stored in an area
 *	that writes through: write it to the device. An older page of the slot is
 *	gone either way. -EINVAL; -EPERM a forked child.
 * Source: frontswap's store; a failed duplicate clears the bit.
 * Since: 0.1
 */
int tmem_preswap_put(struct tmem_preswap *area, uint64_t slot, const void *page);

/**
 * tmem_preswap_get() - ask for a slot's page before reading the device.
 * @page: 4096 writable bytes.
 *
 * Context: any thread; no I/O, no allocation.
 * Return: 1 hit; 0 it is not in the store, which was not asked; -EIO it was stored
 *	and cannot be read: no other copy is new (in an area that writes through the
 *	device's is, and this is 0); -EINVAL; -EPERM. After anything but 1 the page
 *	buffer's content is undefined.
 * Source: frontswap's load.
 * Since: 0.1
 */
int tmem_preswap_get(struct tmem_preswap *area, uint64_t slot, void *page);

/**
 * tmem_preswap_flush() - give up a slot's page.
 *
 * Context: any thread; works on a frozen store, needs no memory.
 * Return: 1 it was stored, 0 not; -EINVAL; -EPERM.
 * Source: frontswap's invalidate_page.
 * Since: 0.1
 */
int tmem_preswap_flush(struct tmem_preswap *area, uint64_t slot);

/**
 * tmem_preswap_flush_area() - give up all pages, as swapoff does.
 *
 * The store forgets them in the same short time however many there are; beyond
 * that, the bitmap is cleared.
 *
 * Context: no other call on the area may be under way; needs no memory.
 * Return: 1 something was stored, 0 nothing; -EPERM.
 * Source: frontswap's invalidate_area.
 * Since: 0.1
 */
int tmem_preswap_flush_area(struct tmem_preswap *area);

/* ---- Runs of slots ------------------------------------------------------- */

/**
 * tmem_preswap_put_run() - offer pages of neighbouring slots.
 * @area: an area.
 * @slot: the first one.
 * @count: 1 to TMEM_PRESWAP_RUN_MAX.
 * @pages: @count pages, one after another.
 * @ret_done: out: bit i is set if page i need not go to the device.
 *
 * As so many tmem_preswap_put(), in one batch.
 *
 * Context: any thread; no I/O, no allocation.
 * Return: 0; -EINVAL; -EPERM, and nothing was done.
 * Since: 0.1
 */
int tmem_preswap_put_run(struct tmem_preswap *area, uint64_t slot,
			 unsigned count, const void *pages, uint32_t *ret_done);

/**
 * tmem_preswap_get_run() - ask for pages of neighbouring slots.
 * @pages: room for @count pages; of those not hit, the content is undefined.
 * @ret_hits: out: bit i is set if page i is there now.
 * @ret_lost: out: bit i is set if page i was stored and cannot be read.
 *
 * Context: any thread; no I/O, no allocation.
 * Return: 0; -EINVAL; -EPERM, and nothing was done.
 * Since: 0.1
 */
int tmem_preswap_get_run(struct tmem_preswap *area, uint64_t slot,
			 unsigned count, void *pages, uint32_t *ret_hits,
			 uint32_t *ret_lost);

/**
 * tmem_preswap_flush_run() - give up pages of neighbouring slots.
 *
 * Context: any thread; works on a frozen store, needs no memory.
 * Return: how many were stored; -EINVAL; -EPERM.
 * Since: 0.1
 */
int tmem_preswap_flush_run(struct tmem_preswap *area, uint64_t slot,
			   unsigned count);

/* ---- Looking inside ------------------------------------------------------ */

/**
 * tmem_preswap_stored() - whether slots' newest pages are in the store.
 * @area: an area.
 * @slot: the first one.
 * @count: 1 to TMEM_PRESWAP_RUN_MAX.
 *
 * Context: any thread; touches no store. Exact for slots that the caller has
 *	locked.
 * Return: bit i is set if slot + i is stored; slots beyond the area are not.
 * Since: 0.1
 */
uint32_t tmem_preswap_stored(const struct tmem_preswap *area, uint64_t slot,
			     unsigned count);

/**
 * tmem_preswap_curr_pages() - slots whose page is in the store.
 *
 * Context: any thread.
 * Return: pages.
 * Source: frontswap_curr_pages().
 * Since: 0.1
 */
uint64_t tmem_preswap_curr_pages(const struct tmem_preswap *area);

/**
 * tmem_preswap_stats() - read an area's counters.
 * @ret: in: size; out: the rest.
 *
 * Context: any thread.
 * Return: 0; -EINVAL size is smaller than the first release's; -E2BIG it is larger
 *	than known and the tail is not zero.
 * Since: 0.1
 */
int tmem_preswap_stats(const struct tmem_preswap *area,
		       struct tmem_preswap_stats *ret);

/* ---- Bringing home ------------------------------------------------------- */

/**
 * tmem_preswap_shrink() - have pages brought home until so few are left.
 * @area: an area with ops.
 * @target_pages: stop when tmem_preswap_curr_pages() is this or less.
 * @ret_pages: out: how many came home; NULL is fine.
 *
 * Goes on where the last one stopped. What is put meanwhile may be taken home, or
 * be left beyond the target; one pass over the area is made. tmem_shrink() then
 * gives the memory to the kernel, or to the daemon.
 *
 * Context: any thread; one at a time for an area, another waits.
 * Return: 0, also when short; -EOPNOTSUPP the area has no ops; the first error of
 *	take_home, at which it stops; -EIO a page was lost and all others were
 *	tried; -EINVAL; -EPERM.
 * Source: frontswap_shrink(), a partial swapoff.
 * Since: 0.1
 */
int tmem_preswap_shrink(struct tmem_preswap *area, uint64_t target_pages,
			uint64_t *ret_pages);

#ifdef __cplusplus
}
#endif

#endif /* TMEM_PRESWAP_H */
