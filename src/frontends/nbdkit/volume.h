/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * volume.h - a disk whose pages lie in a store, and at home where it refuses.
 *
 * Each page is in one of four states; two bitmaps here, and preswap's own:
 *
 *	stored	the store has it; what home has of it, if anything, is old
 *	home	home has it
 *	lost	nobody has it: a write failed, or what kept it did. Reading it
 *		is an I/O error until all of it is written anew or given up
 *	none	of these: zeros
 *
 * A page's state and bytes change under its lock (pagelock.h) alone, so that
 * "offered, refused, written home" is one step. I/O at home is done under it.
 */
#ifndef TMEM_NBDKIT_VOLUME_H
#define TMEM_NBDKIT_VOLUME_H

#include <stdatomic.h>
#include <stdint.h>

#include <tmem/preswap.h>

#include "home.h"
#include "pagelock.h"

/** struct volume_opts - what a volume is of. */
struct volume_opts {
	struct tmem *session;
	struct home *home; /* NULL: none */
	uint64_t first;	   /* its first page at home */
	uint64_t pages;
	const char *name;
};

/** struct volume - one disk. */
struct volume {
	struct tmem_preswap *area; /* (c) */
	struct home *home;	   /* (c) */
	uint64_t first;		   /* (c) */
	uint64_t pages;		   /* (c) */
	_Atomic uint32_t *at_home; /* (c) the pointer; (a) a bit a page */
	_Atomic uint32_t *lost;	   /* (c) the pointer; (a) a bit a page */
	_Atomic uint32_t *written; /* (c) the pointer; (a) home has room for it */
	_Atomic uint32_t hopeless; /* (a) the last refusal outlasted patience */
	struct pagelocks locks;
};

/** volume_init() - all zeros. Return: 0; negative errno of tmem_preswap_init(). */
int volume_init(struct volume *v, const struct volume_opts *opts);
void volume_finish(struct volume *v);

/**
 * volume_read(), volume_write(), volume_zero(), volume_trim() - any bytes of it.
 * @count: bytes; the range lies inside the volume.
 *
 * volume_trim() gives up whole pages alone; they are zeros then.
 *
 * Return: 0; -EIO a page is lost; -ENOSPC refused, and there is no home, or home is
 *	full; other errors of home. A write that failed leaves the pages that it
 *	did not get to as they were, and loses those that failed.
 */
int volume_read(struct volume *v, void *bytes, uint32_t count, uint64_t offset);
int volume_write(struct volume *v, const void *bytes, uint32_t count,
		 uint64_t offset);
int volume_zero(struct volume *v, uint32_t count, uint64_t offset);
int volume_trim(struct volume *v, uint32_t count, uint64_t offset);

/**
 * volumes_sync() - what was written at home until now, of all disks, is on the medium.
 * @volumes: at least one; all have the same home, or none.
 *
 * Whoever waits here for another's sync shares its outcome.
 *
 * Return: 0; negative errno: what is at home can no longer be trusted, and is lost.
 */
int volumes_sync(struct volume *volumes, unsigned count);

/**
 * volume_extent() - the longest range of one kind, within reason. Waits for requests
 * under way: a page that is being written is in no state.
 * @ret_data: out: 1 it may hold something, 0 it is zeros.
 *
 * Return: its bytes, from @offset on; at least 1.
 */
uint64_t volume_extent(struct volume *v, uint64_t offset, uint64_t bytes_max,
		       int *ret_data);

#endif
