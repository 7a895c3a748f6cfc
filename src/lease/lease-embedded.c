/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lease-embedded.c - segments of this process's own anonymous memory.
 *
 * One reservation of address space; a bitmap says which segments are lent. Giving
 * back is MADV_DONTNEED, so MemFree rises at once and the next touch reads zero.
 */
#include "lease.h"

#include <errno.h>
#include <sys/mman.h>

#include "assertion.h"
#include "fault.h"
#include "mem.h"

struct embedded {
	struct tmem_lease lease;
	size_t map_bytes;	      /* (c) */
	size_t self_bytes;	      /* (c) */
	uint32_t words;		      /* (c) of `lent` */
	uint32_t first_free_word;     /* no free bit below it */
	_Atomic uint64_t revocations; /* stays 0 */
	_Atomic uint32_t *epochs;     /* (c) stay 0; lazily backed */
	size_t epochs_bytes;	      /* (c) */
	uint64_t lent[];	      /* a bit per segment */
};

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

static struct embedded *of(struct tmem_lease *lease)
{
	return (struct embedded *)lease;
}

static int embedded_lend(struct tmem_lease *lease, enum tmem_class cls,
			 struct tmem_lent *ret)
{
	struct embedded *e = of(lease);
	uint32_t w, n;

	(void)cls;
	if (tmem_fault(TMEM_FAULT_SEGMENT))
		return -ENOMEM;
	for (w = e->first_free_word; w < e->words; w++)
		if (~e->lent[w])
			break;
	e->first_free_word = w;
	if (w == e->words)
		return -ENOMEM;
	n = w * 64 + (uint32_t)__builtin_ctzll(~e->lent[w]);
	if (n >= lease->segments_max)
		return -ENOMEM;
	e->lent[w] |= 1ull << (n % 64);
	ret->segment = n;
	ret->epoch = 0;
	return 0;
}

static void embedded_give_back_run(struct tmem_lease *lease, uint32_t first,
				   uint32_t count)
{
	struct embedded *e = of(lease);
	uint32_t n;

	TMEM_ASSERT(count && first + count <= lease->segments_max);
	/* Cannot fail on memory mapped as this is, unless the program has locked
	 * all of its own (mlockall): then it must be said twice (Linux 5.18). */
	if (madvise(tmem_lease_segment(lease, first),
		    count * lease->segment_size, MADV_DONTNEED))
		(void)madvise(tmem_lease_segment(lease, first),
			      count * lease->segment_size, MADV_DONTNEED_LOCKED);
	for (n = first; n < first + count; n++) {
		TMEM_ASSERT(e->lent[n / 64] & (1ull << (n % 64)));
		e->lent[n / 64] &= ~(1ull << (n % 64));
	}
	if (first / 64 < e->first_free_word)
		e->first_free_word = first / 64;
}

static void embedded_give_back(struct tmem_lease *lease, uint32_t segment)
{
	embedded_give_back_run(lease, segment, 1);
}

static void embedded_populate(struct tmem_lease *lease, uint32_t segment)
{
	/* Best effort: what is not backed now is backed on touch. */
	(void)madvise(tmem_lease_segment(lease, segment), lease->segment_size,
		      MADV_POPULATE_WRITE);
}

static void embedded_destroy(struct tmem_lease *lease, int in_child)
{
	struct embedded *e = of(lease);

	if (!in_child) {
		tmem_mem_unmap(lease->base, e->map_bytes);
		tmem_mem_unmap(e->epochs, e->epochs_bytes);
	}
	tmem_mem_free(e, e->self_bytes);
}

static const struct tmem_lease_ops embedded_ops = {
	.lend = embedded_lend,
	.give_back = embedded_give_back,
	.give_back_run = embedded_give_back_run,
	.populate = embedded_populate,
	.destroy = embedded_destroy,
};

int tmem_lease_embedded_create(const struct tmem_lease_opts *opts,
			       struct tmem_lease **ret)
{
	uint64_t segments = opts->bytes_max / opts->segment_size;
	uint32_t words = (uint32_t)((segments + 63) / 64);
	size_t self_bytes = sizeof(struct embedded) + words * sizeof(uint64_t);
	size_t map_bytes = segments * opts->segment_size;
	struct embedded *e;

	e = tmem_mem_alloc(self_bytes);
	if (!e)
		return -ENOMEM;
	e->self_bytes = self_bytes;
	e->map_bytes = map_bytes;
	e->words = words;
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
	*ret = &e->lease;
	return 0;
}
