/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * index.h - from key to page: the slots of all pages, in shards.
 *
 * Hashed over pool, full object id and index, so a miss is one look-up. A slot's
 * epoch is compared with its segment's before the entry's header is believed,
 * and again after it was read; a slot that is found stale or condemned on the way
 * is taken out before a miss is answered.
 */
#ifndef TMEM_ENGINE_INDEX_H
#define TMEM_ENGINE_INDEX_H

#include "store.h"

/** struct tmem_ref - a key in the form in which the index is asked. */
struct tmem_ref {
	struct tmem_object_name object;
	uint64_t index;
	uint64_t hash;
	uint32_t shard;
};

/** struct tmem_hit - a slot that was found. */
struct tmem_hit {
	struct tmem_cursor cursor;
	struct tmem_entry entry; /* its header, as it was under the lock */
	uint64_t place;
	uint32_t object;
};

int tmem_index_init(struct tmem_store *st);
void tmem_index_finish(struct tmem_store *st);

/** tmem_index_ref() - hash a key and start loading its bucket. */
void tmem_index_ref(const struct tmem_store *st, uint32_t pool,
		    const struct tmem_key *key, struct tmem_ref *ret);

/** tmem_index_lock() - the shard of a ref; tmem_index_unlock() undoes it. */
void tmem_index_lock(struct tmem_store *st, const struct tmem_ref *ref);
void tmem_index_unlock(struct tmem_store *st, const struct tmem_ref *ref);

/** tmem_index_find() - 1 found, 0 none. Shard lock held. */
int tmem_index_find(struct tmem_store *st, const struct tmem_ref *ref,
		    struct tmem_hit *hit);

/** tmem_index_find_page() - the same for who will read the page's bytes: they are
 * being loaded. */
int tmem_index_find_page(struct tmem_store *st, const struct tmem_ref *ref,
			 struct tmem_hit *hit);

/**
 * tmem_index_find_entry() - the slot of an entry that a walk came upon.
 * @entry, @place: the walk's.
 * @ref: out, also when nothing is found; its shard is locked on return 1 only.
 *
 * Return: 1 it lives, in @hit, shard locked; 0 dead.
 */
int tmem_index_find_entry(struct tmem_store *st, const struct tmem_entry *entry,
			  uint64_t place, struct tmem_ref *ref,
			  struct tmem_hit *hit);

/** tmem_index_same() - 1: a slot still is where @place says. */
int tmem_index_same(uint64_t a, uint64_t b);

/** tmem_index_drop() - take a slot out and undo its counts. Shard lock held. */
void tmem_index_drop(struct tmem_store *st, const struct tmem_ref *ref,
		     const struct tmem_cursor *cursor);

/** tmem_index_leave() - drop an ephemeral page and leave a mark of it. Shard lock
 * held. */
void tmem_index_leave(struct tmem_store *st, const struct tmem_ref *ref,
		      const struct tmem_cursor *cursor, enum tmem_left how);

/** tmem_index_left() - how the page left, if it did lately; the mark is removed.
 * Shard lock held. */
enum tmem_left tmem_index_left(struct tmem_store *st,
			       const struct tmem_ref *ref);

/** tmem_index_evicted() - 1: the page was evicted lately. Shard lock held. */
int tmem_index_evicted(struct tmem_store *st, const struct tmem_ref *ref);

/**
 * tmem_index_store() - point a key at its new entry. Shard lock held.
 * @tally: from tmem_index_tally(), under the same lock: the pool may be on its
 *	way out by now, its tallies are not.
 * @hit: what tmem_index_find() found; NULL: it found nothing.
 * @guess: from tmem_object_peek(), or 0.
 *
 * Return: 0; nothing changed: -ENOMEM index or objects cannot grow, -EDQUOT one
 * page more would pass limit_pages.
 */
int tmem_index_store(struct tmem_store *st, const struct tmem_ref *ref,
		     struct tmem_tally *tally, const struct tmem_hit *hit,
		     const struct tmem_room *room, uint32_t guess);

/** tmem_index_move() - a page's entry is in a new place. Shard lock held. */
void tmem_index_move(struct tmem_store *st, const struct tmem_ref *ref,
		     const struct tmem_hit *hit, const struct tmem_room *room,
		     uint32_t use);

/** tmem_index_tally() - the counts of a ref's pool here; NULL: the pool is gone.
 * Shard lock held. */
struct tmem_tally *tmem_index_tally(struct tmem_store *st,
				    const struct tmem_ref *ref);

/**
 * tmem_index_sweep() - look for garbage in some buckets of a shard.
 * @bucket: in, out: where to go on.
 *
 * Return: 1 the shard is done.
 */
int tmem_index_sweep(struct tmem_store *st, uint32_t shard, uint32_t *bucket,
		     uint32_t count);

#endif
