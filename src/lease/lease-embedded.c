/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lease-embedded.c - segments of this process's own anonymous memory.
 *
 * One reservation of address space; a bitmap says which segments are lent. Giving
 * back is MADV_DONTNEED, so MemFree rises at once and the next touch reads zero.
 *
 * With a reserve, some of those that are free have their memory already: they are
 * lent first, and what is given back fills up for them. So whoever is lent one need
 * not wait for the kernel, which may be short because it waits for him.
 *
 *	free <--give back-- lent
 *	  |                 ^  |
 *	  replenish -> ahead   | as many as the reserve lacks
 *	                 ^-----+
 */
#include "lease.h"

#include <errno.h>
#include <sys/mman.h>

#include "assertion.h"
#include "fault.h"
#include "lock.h"
#include "mem.h"

struct embedded {
	struct tmem_lease lease;
	size_t map_bytes;	      /* (c) */
	size_t self_bytes;	      /* (c) */
	uint32_t words;		      /* (c) of `lent` */
	uint32_t first_free_word;     /* below it all are lent or ahead */
	_Atomic uint64_t revocations; /* stays 0 */
	_Atomic uint32_t *epochs;     /* (c) stay 0; lazily backed */
	size_t epochs_bytes;	      /* (c) */
	struct tmem_lock lock; /* TMEM_RANK_LEASE: of all below, and of the
				* bits, against replenish(), which nobody orders */
	uint32_t reserve;      /* (c) segments to have ahead */
	uint32_t limit;	       /* segments, lent and ahead */
	uint32_t lent_count;
	_Atomic uint32_t ahead_count; /* written under the lock */
	uint64_t *ahead; /* (c) a bit per segment: free, and has its memory */
	uint64_t lent[]; /* a bit per segment; those of `ahead` behind */
};

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

static struct embedded *of(struct tmem_lease *lease)
{
	return (struct embedded *)lease;
}

/* The lowest one that is free and not ahead. Return: 1, 0 there is none. */
static int find_free(struct embedded *e, uint32_t *ret)
{
	uint32_t w, n;

	for (w = e->first_free_word; w < e->words; w++)
		if (~(e->lent[w] | e->ahead[w]))
			break;
	e->first_free_word = w;
	if (w == e->words)
		return 0;
	n = w * 64 + (uint32_t)__builtin_ctzll(~(e->lent[w] | e->ahead[w]));
	*ret = n;
	return n < e->lease.segments_max;
}

/* The lowest one, not ahead any more. Return: 1, 0 there is none. */
static int take_ahead(struct embedded *e, uint32_t *ret)
{
	uint32_t w = 0;

	if (!e->ahead_count)
		return 0;
	while (!e->ahead[w])
		w++;
	*ret = w * 64 + (uint32_t)__builtin_ctzll(e->ahead[w]);
	e->ahead[w] &= e->ahead[w] - 1;
	e->ahead_count--;
	return 1;
}

static void mark_lent(struct embedded *e, uint32_t n)
{
	e->lent[n / 64] |= 1ull << (n % 64);
	e->lent_count++;
}

static void mark_free(struct embedded *e, uint32_t n)
{
	TMEM_ASSERT(e->lent[n / 64] & (1ull << (n % 64)));
	e->lent[n / 64] &= ~(1ull << (n % 64));
	e->lent_count--;
	if (n / 64 < e->first_free_word)
		e->first_free_word = n / 64;
}

static void mark_ahead(struct embedded *e, uint32_t n)
{
	e->ahead[n / 64] |= 1ull << (n % 64);
	e->ahead_count++;
}

static int wants_ahead(const struct embedded *e)
{
	return e->ahead_count < e->reserve &&
	       e->lent_count + e->ahead_count < e->limit;
}

static int embedded_lend(struct tmem_lease *lease, enum tmem_class cls,
			 struct tmem_lent *ret)
{
	struct embedded *e = of(lease);
	uint32_t n;
	int found;

	(void)cls;
	if (tmem_fault(TMEM_FAULT_SEGMENT))
		return -ENOMEM;
	tmem_lock_acquire(&e->lock);
	found = take_ahead(e, &n) || find_free(e, &n);
	if (found)
		mark_lent(e, n);
	tmem_lock_release(&e->lock);
	if (!found)
		return -ENOMEM;
	ret->segment = n;
	ret->epoch = 0;
	return 0;
}

static void drop_memory(struct tmem_lease *lease, uint32_t first, uint32_t count)
{
	/* Cannot fail on memory mapped as this is, unless the program has locked
	 * all of its own (mlockall): then it must be said twice (Linux 5.18). */
	if (madvise(tmem_lease_segment(lease, first),
		    count * lease->segment_size, MADV_DONTNEED))
		(void)madvise(tmem_lease_segment(lease, first),
			      count * lease->segment_size, MADV_DONTNEED_LOCKED);
}

static void embedded_give_back_run(struct tmem_lease *lease, uint32_t first,
				   uint32_t count)
{
	struct embedded *e = of(lease);
	uint32_t n, kept = 0;

	TMEM_ASSERT(count && first + count <= lease->segments_max);
	tmem_lock_acquire(&e->lock);
	/* What comes back was filled, for the most part, and has its memory. */
	for (; kept < count && e->reserve; kept++) {
		mark_free(e, first + kept);
		if (!wants_ahead(e)) {
			mark_lent(e, first + kept);
			break;
		}
		mark_ahead(e, first + kept);
	}
	tmem_lock_release(&e->lock);
	if (kept == count)
		return;
	drop_memory(lease, first + kept, count - kept);
	tmem_lock_acquire(&e->lock);
	for (n = first + kept; n < first + count; n++)
		mark_free(e, n);
	tmem_lock_release(&e->lock);
}

static void embedded_give_back(struct tmem_lease *lease, uint32_t segment)
{
	embedded_give_back_run(lease, segment, 1);
}

static int back(struct tmem_lease *lease, uint32_t segment)
{
	return madvise(tmem_lease_segment(lease, segment), lease->segment_size,
		       MADV_POPULATE_WRITE);
}

static int embedded_replenish(struct tmem_lease *lease)
{
	struct embedded *e = of(lease);
	int found, err;
	uint32_t n;

	tmem_lock_acquire(&e->lock);
	found = wants_ahead(e) && find_free(e, &n);
	if (found)
		mark_lent(e, n); /* nobody else's meanwhile */
	tmem_lock_release(&e->lock);
	if (!found)
		return 0;
	err = back(lease, n);
	if (err)
		drop_memory(lease, n, 1);
	tmem_lock_acquire(&e->lock);
	mark_free(e, n);
	if (!err)
		mark_ahead(e, n);
	tmem_lock_release(&e->lock);
	return !err;
}

static void embedded_populate(struct tmem_lease *lease, uint32_t segment)
{
	/* Best effort: what is not backed now is backed on touch. */
	(void)back(lease, segment);
}

static void embedded_limit(struct tmem_lease *lease, uint64_t limit_bytes)
{
	struct embedded *e = of(lease);
	uint64_t n = limit_bytes / lease->segment_size;
	uint32_t i;

	tmem_lock_acquire(&e->lock);
	e->limit = n < lease->segments_max ? (uint32_t)n : lease->segments_max;
	while (e->lent_count + e->ahead_count > e->limit && take_ahead(e, &i))
		drop_memory(lease, i, 1);
	tmem_lock_release(&e->lock);
}

static void embedded_destroy(struct tmem_lease *lease, int in_child)
{
	struct embedded *e = of(lease);

	if (!in_child) {
		tmem_mem_unmap(lease->base, e->map_bytes);
		tmem_mem_unmap(e->epochs, e->epochs_bytes);
	}
	tmem_lock_finish(&e->lock);
	tmem_mem_free(e, e->self_bytes);
}

static const struct tmem_lease_ops embedded_ops = {
	.lend = embedded_lend,
	.give_back = embedded_give_back,
	.give_back_run = embedded_give_back_run,
	.populate = embedded_populate,
	.replenish = embedded_replenish,
	.limit = embedded_limit,
	.destroy = embedded_destroy,
};

int tmem_lease_embedded_create(const struct tmem_lease_opts *opts,
			       struct tmem_lease **ret)
{
	uint64_t segments = opts->bytes_max / opts->segment_size;
	uint32_t words = (uint32_t)((segments + 63) / 64);
	size_t self_bytes =
		sizeof(struct embedded) + 2 * words * sizeof(uint64_t);
	size_t map_bytes = segments * opts->segment_size;
	struct embedded *e;

	e = tmem_mem_alloc(self_bytes);
	if (!e)
		return -ENOMEM;
	e->self_bytes = self_bytes;
	e->map_bytes = map_bytes;
	e->words = words;
	e->ahead = e->lent + words;
	tmem_lock_init(&e->lock, TMEM_RANK_LEASE);
	e->epochs_bytes = (segments * sizeof(uint32_t) + TMEM_OS_PAGE - 1) &
			  ~(size_t)(TMEM_OS_PAGE - 1);
	e->epochs = tmem_mem_map(e->epochs_bytes, TMEM_OS_PAGE);
	if (e->epochs)
		e->lease.base = tmem_mem_map(map_bytes, opts->segment_size);
	if (!e->lease.base) {
		embedded_destroy(&e->lease, 0);
		return -ENOMEM;
	}
	/* Advice: a kernel without transparent huge pages says no to both. */
	(void)madvise(e->lease.base, map_bytes,
		      opts->huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	e->lease.ops = &embedded_ops;
	e->lease.segment_size = opts->segment_size;
	e->lease.segments_max = (uint32_t)segments;
	e->lease.epochs = e->epochs;
	e->lease.revocations = &e->revocations;
	e->lease.ahead = &e->ahead_count;
	e->reserve = (uint32_t)((opts->reserve_bytes + opts->segment_size - 1) /
				opts->segment_size);
	embedded_limit(&e->lease, opts->limit_bytes);
	while (embedded_replenish(&e->lease))
		;
	if (e->ahead_count < e->reserve) {
		embedded_destroy(&e->lease, 0);
		return -ENOSPC;
	}
	*ret = &e->lease;
	return 0;
}
