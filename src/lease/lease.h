/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lease.h - where a store's memory comes from: whole segments, lent by a source.
 *
 *	base                                                    base + max * size
 *	| segment 0 | segment 1 | segment 2 | ...                             |
 *	   lent        free        revoked
 *
 * A source lends a segment for a class, and the class stays until it is given
 * back. It may revoke an ephemeral segment at any moment and asks nobody: first
 * it raises the segment's epoch, then it takes the memory, then it raises
 * `revocations`. So whoever reads a segment reads the epoch before and after, and
 * believes nothing if it changed. A touch of a revoked segment is harmless; what
 * is read there is zero or garbage. Persistent and metadata segments are never
 * revoked.
 *
 * After a revocation the segment is the source's again; the user neither gives it
 * back nor touches it, and it may be lent again before the user has noticed.
 *
 * Calls are serialised by the user, revocations are not. No call waits for
 * another process.
 */
#ifndef TMEM_LEASE_LEASE_H
#define TMEM_LEASE_LEASE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum tmem_class {
	TMEM_CLASS_EPHEMERAL,
	TMEM_CLASS_PERSISTENT,
	TMEM_CLASS_METADATA,
	TMEM_CLASSES
};

struct tmem_lease;

/**
 * struct tmem_lent - a segment, and its epoch when it was lent.
 *
 * The epoch comes with the loan: a segment may be revoked again before its user
 * has read it from `epochs`.
 */
struct tmem_lent {
	uint32_t segment;
	uint32_t epoch;
};

struct tmem_lease_ops {
	/**
	 * lend() - one more segment.
	 * @ret: out: its number, the lowest there is, and its epoch.
	 *
	 * Content: undefined, but never another owner's.
	 * Return: 0; -ENOMEM none; -EAGAIN none at hand, and more is on its way:
	 *	not worth making room for.
	 */
	int (*lend)(struct tmem_lease *lease, enum tmem_class cls,
		    struct tmem_lent *ret);

	/**
	 * spare() - as many more as can be lent of, as things are now; only from a
	 * source that shares its memory with others. NULL: any number.
	 */
	uint32_t (*spare)(struct tmem_lease *lease);

	/** give_back() - the segment's memory goes back to the kernel at once, unless
	 * it is kept `ahead`. */
	void (*give_back)(struct tmem_lease *lease, uint32_t segment);

	/** give_back_run() - the same for `count` in a row; NULL: one by one. */
	void (*give_back_run)(struct tmem_lease *lease, uint32_t first,
			      uint32_t count);

	/** populate() - back a lent segment with memory before it is touched. */
	void (*populate)(struct tmem_lease *lease, uint32_t segment);

	/** replenish() - back one more free segment that is to be ahead of lending.
	 * Return: 1; 0 there are enough, or no memory. NULL: there are never any. */
	int (*replenish)(struct tmem_lease *lease);

	/** limit() - the user's limit has changed; NULL: no matter. */
	void (*limit)(struct tmem_lease *lease, uint64_t limit_bytes);

	/** destroy() - everything goes; in_child: only what a fork copied. */
	void (*destroy)(struct tmem_lease *lease, int in_child);
};

/** struct tmem_lease - what a source shows its user; all (c). */
struct tmem_lease {
	const struct tmem_lease_ops *ops;
	uint8_t *base;			     /* segment n at base + n * size */
	size_t segment_size;		     /* bytes, a power of two */
	uint32_t segments_max;		     /* as many as can ever be lent */
	const _Atomic uint32_t *epochs;	     /* a word per segment */
	const _Atomic uint64_t *revocations; /* raised after each */
	const _Atomic uint32_t *ahead; /* free, and have their memory; NULL: none */
};

/** struct tmem_lease_opts - an embedded source. */
struct tmem_lease_opts {
	uint64_t bytes_max;  /* most that will ever be lent, bytes */
	size_t segment_size; /* bytes, a power of two */
	int huge; /* back with huge pages where the kernel has them */
	uint64_t limit_bytes; /* most that will be lent for now; for the reserve */
	uint64_t reserve_bytes; /* to be backed with memory ahead of lending */
};

/**
 * tmem_lease_embedded_create() - a source that lends this process's own memory.
 * @opts: read during the call.
 * @ret: out: the source; ends by its ops->destroy().
 *
 * Never revokes. Takes address space for bytes_max; memory only as it is lent, but
 * for the reserve: as much as was asked for is backed before it is lent, within the
 * limit, and filled up again by replenish().
 *
 * Return: 0; -ENOMEM; -ENOSPC not as much for the reserve.
 */
int tmem_lease_embedded_create(const struct tmem_lease_opts *opts,
			       struct tmem_lease **ret);

/** tmem_lease_segment() - where a segment is. */
static inline uint8_t *tmem_lease_segment(const struct tmem_lease *lease,
					  uint32_t segment)
{
	return lease->base + (size_t)segment * lease->segment_size;
}

#endif
