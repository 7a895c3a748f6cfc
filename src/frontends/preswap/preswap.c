/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * preswap.c - a swap area's pages put, got and given up, and a bit for each.
 *
 *	no bit --put, stored--> bit --put, refused--> no bit
 *	                        bit --flush---------> no bit
 *
 * The bit is the only word on whether the store has a slot's page. Only what changes
 * is written: under the caller's lock of the slot nobody sees it lag behind.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "area.h"

/* What struct tmem_preswap_stats had in the first release. */
#define STATS_FIRST sizeof(struct tmem_preswap_stats)

/* ---- Structs that begin with `size`: see tmem.h --------------------------- */

static int tail_is_zero(const void *p, size_t known, size_t size)
{
	const unsigned char *bytes = p;
	size_t i;

	for (i = known; i < size; i++)
		if (bytes[i])
			return 0;
	return 1;
}

static int check_opts(const struct tmem_preswap_opts *o)
{
	if (!o || o->size < sizeof(*o))
		return -EINVAL;
	if (!tail_is_zero(o, sizeof(*o), o->size))
		return -E2BIG;
	if (o->flags & ~(uint32_t)TMEM_PRESWAP_WRITETHROUGH || o->reserved ||
	    !o->slots || o->slots > TMEM_PRESWAP_SLOTS_MAX)
		return -EINVAL;
	if (o->ops && (!o->ops->lock || !o->ops->unlock || !o->ops->take_home))
		return -EINVAL;
	return 0;
}

/* ---- Beginning and end ---------------------------------------------------- */

static int make_pool(struct tmem *t, const char *name)
{
	const struct tmem_pool_opts opts = { .size = sizeof(opts),
					     .flags = TMEM_POOL_PERSISTENT,
					     .page_size = TMEM_PRESWAP_PAGE,
					     .name = name };

	return tmem_pool_create(t, &opts);
}

int tmem_preswap_init(struct tmem *t, const struct tmem_preswap_opts *opts,
		      struct tmem_preswap **ret)
{
	struct tmem_preswap *a;
	int err = check_opts(opts);
	uint64_t words;

	if (err || !t || !ret)
		return err ? err : -EINVAL;
	words = (opts->slots + PRESWAP_WORD - 1) / PRESWAP_WORD;
	a = aligned_alloc(_Alignof(struct tmem_preswap), sizeof(*a));
	if (!a)
		return -ENOMEM;
	memset(a, 0, sizeof(*a));
	a->stored = calloc(words, sizeof(*a->stored));
	a->pool = a->stored ? make_pool(t, opts->name) : -ENOMEM;
	if (a->pool < 0) {
		err = a->pool;
		free(a->stored);
		free(a);
		return err;
	}
	a->session = t;
	a->writethrough = !!(opts->flags & TMEM_PRESWAP_WRITETHROUGH);
	a->slots = opts->slots;
	a->ops = opts->ops;
	a->ctx = opts->ctx;
	(void)pthread_mutex_init(&a->shrink_lock, NULL);
	*ret = a;
	return 0;
}

void tmem_preswap_finish(struct tmem_preswap *area)
{
	if (!area)
		return;
	/* -EPERM in a forked child: the pool is not its to end. */
	(void)tmem_pool_destroy(area->session, area->pool);
	(void)pthread_mutex_destroy(&area->shrink_lock);
	free(area->stored);
	free(area);
}

/* ---- Slots ---------------------------------------------------------------- */

static struct tmem_key key_of(uint64_t slot)
{
	return tmem_key(slot % PRESWAP_LANES, slot);
}

static struct preswap_lane *lane_of(struct tmem_preswap *a, uint64_t slot)
{
	return &a->lanes[slot % PRESWAP_LANES];
}

static void count(_Atomic uint64_t *counter, uint64_t n)
{
	if (n)
		atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static uint32_t ones(unsigned count)
{
	return count < PRESWAP_WORD ? (1u << count) - 1 : UINT32_MAX;
}

/* A run as bits of the word it begins in, and of the next. */
static uint64_t spread(uint32_t bits, uint64_t slot)
{
	return (uint64_t)bits << (slot % PRESWAP_WORD);
}

static void set_bits(struct tmem_preswap *a, uint64_t slot, uint32_t bits)
{
	_Atomic uint32_t *word = &a->stored[slot / PRESWAP_WORD];
	uint64_t wide = spread(bits, slot);

	if ((uint32_t)wide)
		atomic_fetch_or_explicit(word, (uint32_t)wide,
					 memory_order_release);
	if (wide >> PRESWAP_WORD)
		atomic_fetch_or_explicit(word + 1,
					 (uint32_t)(wide >> PRESWAP_WORD),
					 memory_order_release);
	count(&lane_of(a, slot)->curr_pages, (uint64_t)__builtin_popcount(bits));
}

/* @bits: some that are set. */
static void clear_bits(struct tmem_preswap *a, uint64_t slot, uint32_t bits)
{
	_Atomic uint32_t *word = &a->stored[slot / PRESWAP_WORD];
	uint64_t wide = spread(bits, slot);

	if ((uint32_t)wide)
		atomic_fetch_and_explicit(word, ~(uint32_t)wide,
					  memory_order_release);
	if (wide >> PRESWAP_WORD)
		atomic_fetch_and_explicit(word + 1,
					  ~(uint32_t)(wide >> PRESWAP_WORD),
					  memory_order_release);
	count(&lane_of(a, slot)->curr_pages,
	      -(uint64_t)__builtin_popcount(bits));
}

static int has_run(const struct tmem_preswap *a, uint64_t slot, unsigned n)
{
	return a && n && n <= TMEM_PRESWAP_RUN_MAX && slot < a->slots &&
	       n <= a->slots - slot;
}

uint32_t tmem_preswap_stored(const struct tmem_preswap *area, uint64_t slot,
			     unsigned count)
{
	const _Atomic uint32_t *word;
	uint64_t wide;

	if (!area || slot >= area->slots || !count ||
	    count > TMEM_PRESWAP_RUN_MAX)
		return 0;
	if (count > area->slots - slot)
		count = (unsigned)(area->slots - slot);
	word = &area->stored[slot / PRESWAP_WORD];
	wide = atomic_load_explicit(word, memory_order_acquire);
	if (slot % PRESWAP_WORD + count > PRESWAP_WORD)
		wide |= (uint64_t)atomic_load_explicit(word + 1,
						       memory_order_acquire)
			<< PRESWAP_WORD;
	return (uint32_t)(wide >> slot % PRESWAP_WORD) & ones(count);
}

/* ---- Batches -------------------------------------------------------------- */

/** struct batch - operations on some slots of a run. */
struct batch {
	struct tmem_op ops[TMEM_PRESWAP_RUN_MAX];
	unsigned count;
};

/* @pages: of the run; NULL for a flush. */
static void batch_fill(struct batch *b, const struct tmem_preswap *a,
		       uint32_t code, uint64_t slot, uint32_t bits,
		       uint8_t *pages)
{
	b->count = 0;
	while (bits) {
		unsigned i = (unsigned)__builtin_ctz(bits);

		bits &= bits - 1;
		b->ops[b->count++] = (struct tmem_op){
			.code = code,
			.pool = a->pool,
			.key = key_of(slot + i),
			.page = pages ? pages + (size_t)i * TMEM_PRESWAP_PAGE
				      : NULL,
			.user_data = i,
		};
	}
}

/* Return: 0, -EPERM. @ret_yes: slots whose operation said 1. */
static int batch_run(struct batch *b, struct tmem *t, uint32_t *ret_yes)
{
	int err = tmem_submit(t, b->ops, b->count);
	unsigned i;

	*ret_yes = 0;
	for (i = 0; !err && i < b->count; i++)
		if (b->ops[i].result == 1)
			*ret_yes |= 1u << b->ops[i].user_data;
	return err;
}

/* ---- Runs ----------------------------------------------------------------- */

int tmem_preswap_put_run(struct tmem_preswap *area, uint64_t slot, unsigned n,
			 const void *pages, uint32_t *ret_done)
{
	struct preswap_lane *lane;
	uint32_t had, yes;
	struct batch b;
	int err;

	if (!has_run(area, slot, n) || !pages || !ret_done)
		return -EINVAL;
	had = tmem_preswap_stored(area, slot, n);
	batch_fill(&b, area, TMEM_OP_PUT, slot, ones(n),
		   (uint8_t *)(uintptr_t)pages);
	err = batch_run(&b, area->session, &yes);
	if (err)
		return err;
	/* Only what changes: a bit that stays says the truth all the while. */
	if (had & ~yes)
		clear_bits(area, slot, had & ~yes);
	if (yes & ~had)
		set_bits(area, slot, yes & ~had);
	lane = lane_of(area, slot);
	count(&lane->succ_stores, (uint64_t)__builtin_popcount(yes));
	count(&lane->failed_stores, n - (uint64_t)__builtin_popcount(yes));
	*ret_done = area->writethrough ? 0 : yes;
	return 0;
}

int tmem_preswap_get_run(struct tmem_preswap *area, uint64_t slot, unsigned n,
			 void *pages, uint32_t *ret_hits, uint32_t *ret_lost)
{
	uint32_t want, hits = 0;
	struct batch b;
	int err = 0;

	if (!has_run(area, slot, n) || !pages || !ret_hits || !ret_lost)
		return -EINVAL;
	want = tmem_preswap_stored(area, slot, n);
	if (want) {
		batch_fill(&b, area, TMEM_OP_GET, slot, want, pages);
		err = batch_run(&b, area->session, &hits);
	}
	if (err)
		return err;
	count(&lane_of(area, slot)->loads, (uint64_t)__builtin_popcount(hits));
	*ret_hits = hits;
	*ret_lost = area->writethrough ? 0 : want & ~hits;
	return 0;
}

int tmem_preswap_flush_run(struct tmem_preswap *area, uint64_t slot, unsigned n)
{
	uint32_t had, yes;
	struct batch b;
	int err;

	if (!has_run(area, slot, n))
		return -EINVAL;
	had = tmem_preswap_stored(area, slot, n);
	if (!had)
		return 0;
	batch_fill(&b, area, TMEM_OP_FLUSH_PAGE, slot, had, NULL);
	err = batch_run(&b, area->session, &yes);
	if (err)
		return err;
	clear_bits(area, slot, had);
	count(&lane_of(area, slot)->invalidates,
	      (uint64_t)__builtin_popcount(had));
	return __builtin_popcount(had);
}

/* ---- Single pages: the same without a batch -------------------------------- */

int tmem_preswap_put(struct tmem_preswap *area, uint64_t slot, const void *page)
{
	struct preswap_lane *lane;
	struct tmem_key key;
	int had, result;

	if (!has_run(area, slot, 1) || !page)
		return -EINVAL;
	lane = lane_of(area, slot);
	had = (int)tmem_preswap_stored(area, slot, 1);
	key = key_of(slot);
	result = tmem_put(area->session, area->pool, &key, page);
	if (result == -EPERM)
		return result;
	/* No pool any more, which is its daemon's operator's doing: refused. */
	result = result == 1;
	if (had && !result)
		clear_bits(area, slot, 1);
	if (result && !had)
		set_bits(area, slot, 1);
	count(result ? &lane->succ_stores : &lane->failed_stores, 1);
	return area->writethrough ? 0 : result;
}

int tmem_preswap_get(struct tmem_preswap *area, uint64_t slot, void *page)
{
	struct tmem_key key;
	int result;

	if (!has_run(area, slot, 1) || !page)
		return -EINVAL;
	if (!tmem_preswap_stored(area, slot, 1))
		return 0;
	key = key_of(slot);
	result = tmem_get(area->session, area->pool, &key, page);
	if (result == 1)
		count(&lane_of(area, slot)->loads, 1);
	if (result == 1 || result == -EPERM)
		return result;
	return area->writethrough ? 0 : -EIO;
}

int tmem_preswap_flush(struct tmem_preswap *area, uint64_t slot)
{
	return tmem_preswap_flush_run(area, slot, 1);
}

int tmem_preswap_flush_area(struct tmem_preswap *area)
{
	struct tmem_key key;
	uint64_t had, words, i;
	int result = 0;

	if (!area)
		return -EINVAL;
	had = tmem_preswap_curr_pages(area);
	for (i = 0; i < PRESWAP_LANES && result >= 0; i++) {
		key = key_of(i);
		result = tmem_flush_object(area->session, area->pool, &key);
	}
	if (result < 0)
		return result;
	words = (area->slots + PRESWAP_WORD - 1) / PRESWAP_WORD;
	for (i = 0; i < words; i++)
		atomic_store_explicit(&area->stored[i], 0, memory_order_relaxed);
	count(&area->lanes[0].curr_pages, -had);
	count(&area->lanes[0].invalidates, had);
	return had > 0;
}

/* ---- Looking inside ------------------------------------------------------- */

uint64_t tmem_preswap_curr_pages(const struct tmem_preswap *area)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; area && i < PRESWAP_LANES; i++)
		sum += atomic_load_explicit(&area->lanes[i].curr_pages,
					    memory_order_relaxed);
	/* One that was put and flushed while they were added up. */
	return sum > (area ? area->slots : 0) ? 0 : sum;
}

int tmem_preswap_stats(const struct tmem_preswap *area,
		       struct tmem_preswap_stats *ret)
{
	struct tmem_preswap_stats s = { 0 };
	unsigned i;

	if (!area || !ret || ret->size < STATS_FIRST)
		return -EINVAL;
	if (!tail_is_zero(ret, sizeof(*ret), ret->size))
		return -E2BIG;
	s.size = ret->size;
	s.curr_pages = tmem_preswap_curr_pages(area);
	s.taken_home =
		atomic_load_explicit(&area->taken_home, memory_order_relaxed);
	for (i = 0; i < PRESWAP_LANES; i++) {
		const struct preswap_lane *l = &area->lanes[i];

		s.loads += l->loads;
		s.succ_stores += l->succ_stores;
		s.failed_stores += l->failed_stores;
		s.invalidates += l->invalidates;
	}
	*ret = s;
	return 0;
}
