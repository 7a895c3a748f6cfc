/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * volume.c - a disk read, written and given up in runs of pages.
 *
 * A request is cut where a word of page locks ends, and where a page is not all
 * meant. Runs of whole pages go between the caller's buffer and the store without
 * a stop; a part of a page is read, changed and written under the page's lock.
 */
#include "volume.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAGE TMEM_PRESWAP_PAGE
#define RUN PAGELOCK_WORD

_Static_assert((int)RUN == (int)TMEM_PRESWAP_RUN_MAX, "a run is a word");
_Static_assert((int)PAGE == (int)HOME_PAGE, "pages are pages");

/* Without a home a refusal would be an error: ask again so long, as memory may be
 * on its way from the daemon, or being cleaned. The kernel's own limit for a
 * request of swap is 30 s. */
#define PATIENCE_MS 2000

/* ---- Bits ----------------------------------------------------------------- */

static uint32_t ones(unsigned count)
{
	return count < RUN ? (1u << count) - 1 : UINT32_MAX;
}

/* Of a run, which lies in one word: as bits of the run. */
static uint32_t bits_of(const _Atomic uint32_t *map, uint64_t page,
			unsigned count)
{
	return atomic_load_explicit(&map[page / RUN], memory_order_relaxed) >>
		       page % RUN &
	       ones(count);
}

/* @bits: of the run; set to @value. */
static void set_bits(_Atomic uint32_t *map, uint64_t page, uint32_t bits,
		     int value)
{
	_Atomic uint32_t *word = &map[page / RUN];
	uint32_t mask = bits << page % RUN;

	if (value && mask)
		atomic_fetch_or_explicit(word, mask, memory_order_relaxed);
	else if (mask & atomic_load_explicit(word, memory_order_relaxed))
		atomic_fetch_and_explicit(word, ~mask, memory_order_relaxed);
}

/* The first group of neighbouring bits. Return: 1; 0 there is none left. */
static int next_group(uint32_t *bits, unsigned *ret_first, unsigned *ret_count)
{
	unsigned first, count;

	if (!*bits)
		return 0;
	first = (unsigned)__builtin_ctz(*bits);
	count = *bits >> first == UINT32_MAX
			? RUN
			: (unsigned)__builtin_ctz(~(*bits >> first));
	*bits &= ~(ones(count) << first);
	*ret_first = first;
	*ret_count = count;
	return 1;
}

/* ---- Beginning and end ---------------------------------------------------- */

static void area_lock(void *ctx, uint64_t slot)
{
	struct volume *v = ctx;

	pagelock_take(&v->locks, slot, 1);
}

static void area_unlock(void *ctx, uint64_t slot)
{
	struct volume *v = ctx;

	pagelock_drop(&v->locks, slot, 1);
}

static int area_take_home(void *ctx, uint64_t slot, const void *page)
{
	struct volume *v = ctx;
	int err = home_write(v->home, v->first + slot, 1, page);

	set_bits(v->written, slot, 1, 1);
	if (!err)
		set_bits(v->at_home, slot, 1, 1);
	return err;
}

static const struct tmem_preswap_ops area_ops = {
	.lock = area_lock,
	.unlock = area_unlock,
	.take_home = area_take_home,
};

int volume_init(struct volume *v, const struct volume_opts *opts)
{
	const struct tmem_preswap_opts area = {
		.size = sizeof(area),
		.slots = opts->pages,
		.name = opts->name,
		.ops = opts->home ? &area_ops : NULL,
		.ctx = v,
	};
	size_t words = (opts->pages + RUN - 1) / RUN;
	int err;

	memset(v, 0, sizeof(*v));
	v->home = opts->home;
	v->first = opts->first;
	v->pages = opts->pages;
	v->at_home = calloc(words, sizeof(*v->at_home));
	v->lost = calloc(words, sizeof(*v->lost));
	v->written = calloc(words, sizeof(*v->written));
	err = pagelocks_init(&v->locks, opts->pages);
	if (!err)
		err = v->at_home && v->lost && v->written
			      ? tmem_preswap_init(opts->session, &area, &v->area)
			      : -ENOMEM;
	if (err)
		volume_finish(v);
	return err;
}

void volume_finish(struct volume *v)
{
	tmem_preswap_finish(v->area);
	pagelocks_finish(&v->locks);
	free(v->at_home);
	free(v->lost);
	free(v->written);
	memset(v, 0, sizeof(*v));
}

/* ---- Runs, locked --------------------------------------------------------- */

/* What the store does not have. */
static int read_rest(struct volume *v, uint64_t page, uint32_t rest,
		     uint8_t *bytes)
{
	uint32_t home = bits_of(v->at_home, page, RUN - page % RUN) & rest;
	unsigned first, n;
	int err = 0;

	if (bits_of(v->lost, page, RUN - page % RUN) & rest)
		return -EIO;
	rest &= ~home;
	while (next_group(&rest, &first, &n))
		memset(bytes + (size_t)first * PAGE, 0, (size_t)n * PAGE);
	while (!err && next_group(&home, &first, &n))
		err = home_read(v->home, v->first + page + first, n,
				bytes + (size_t)first * PAGE);
	return err;
}

static int read_run(struct volume *v, uint64_t page, unsigned count,
		    uint8_t *bytes)
{
	uint32_t hits = 0, lost = 0;
	int err;

	if (count == 1) {
		err = tmem_preswap_get(v->area, page, bytes);
		if (err == 1)
			return 0;
	} else {
		err = tmem_preswap_get_run(v->area, page, count, bytes, &hits,
					   &lost);
		if (lost)
			return -EIO;
	}
	if (err)
		return err;
	hits = ones(count) & ~hits;
	return hits ? read_rest(v, page, hits, bytes) : 0;
}

/* Return: pages that are stored at last. */
static uint32_t insist(struct volume *v, uint64_t page, uint32_t refused,
		       const uint8_t *bytes)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	unsigned waited_ms = 0;
	uint32_t done = 0;

	while (refused) {
		unsigned i = (unsigned)__builtin_ctz(refused);

		if (tmem_preswap_put(v->area, page + i,
				     bytes + (size_t)i * PAGE) == 1) {
			refused &= refused - 1;
			done |= 1u << i;
			atomic_store(&v->hopeless, 0);
			continue;
		}
		/* One request waits in vain; those after it need not. */
		if (atomic_load(&v->hopeless) || waited_ms == PATIENCE_MS) {
			atomic_store(&v->hopeless, 1);
			break;
		}
		(void)nanosleep(&ms, NULL);
		waited_ms++;
	}
	return done;
}

/* What the store refused, to home. Return: the first error; all are tried. */
static int write_rest(struct volume *v, uint64_t page, uint32_t rest,
		      const uint8_t *bytes)
{
	unsigned first, n;
	int result = 0;

	while (next_group(&rest, &first, &n)) {
		uint32_t group = ones(n) << first;
		int err = v->home ? home_write(v->home, v->first + page + first,
					       n, bytes + (size_t)first * PAGE)
				  : -ENOSPC;

		set_bits(v->written, page, group, !!v->home);
		set_bits(v->at_home, page, group, !err);
		set_bits(v->lost, page, group, !!err);
		if (!result)
			result = err;
	}
	return result;
}

static int write_run(struct volume *v, uint64_t page, unsigned count,
		     const uint8_t *bytes)
{
	uint32_t done = 0;
	int err;

	if (count == 1) {
		err = tmem_preswap_put(v->area, page, bytes);
		done = err == 1;
	} else {
		err = tmem_preswap_put_run(v->area, page, count, bytes, &done);
	}
	if (err < 0)
		return err;
	/* One that is taken at once is reason for patience with the next. */
	if (done && atomic_load_explicit(&v->hopeless, memory_order_relaxed))
		atomic_store(&v->hopeless, 0);
	if (!v->home && done != ones(count))
		done |= insist(v, page, ones(count) & ~done, bytes);
	set_bits(v->at_home, page, done, 0);
	set_bits(v->lost, page, done, 0);
	if (done == ones(count))
		return 0;
	return write_rest(v, page, ones(count) & ~done, bytes);
}

/* @discard: home need not keep room for them, even if what it has is old. */
static int clear_run(struct volume *v, uint64_t page, unsigned count,
		     int discard)
{
	uint32_t home = bits_of(v->written, page, count);
	int err = tmem_preswap_flush_run(v->area, page, count);
	unsigned first, n;

	if (err < 0)
		return err;
	set_bits(v->at_home, page, ones(count), 0);
	set_bits(v->lost, page, ones(count), 0);
	if (!discard)
		return 0;
	set_bits(v->written, page, home, 0);
	while (next_group(&home, &first, &n))
		home_discard(v->home, v->first + page + first, n);
	return 0;
}

/* @from: NULL: zeros. */
static int write_part(struct volume *v, uint64_t page, const void *from,
		      uint32_t in, uint32_t len)
{
	uint8_t whole[PAGE] __attribute__((aligned(PAGE)));
	int err = read_run(v, page, 1, whole);

	if (err)
		return err;
	if (from)
		memcpy(whole + in, from, len);
	else
		memset(whole + in, 0, len);
	return write_run(v, page, 1, whole);
}

static int read_part(struct volume *v, uint64_t page, void *to, uint32_t in,
		     uint32_t len)
{
	uint8_t whole[PAGE] __attribute__((aligned(PAGE)));
	int err = read_run(v, page, 1, whole);

	if (!err)
		memcpy(to, whole + in, len);
	return err;
}

/* ---- Requests ------------------------------------------------------------- */

/** struct piece - of a request: whole pages of one word, or a part of a page. */
struct piece {
	uint64_t page;
	unsigned pages; /* 0: a part */
	uint32_t in;
	uint32_t len; /* bytes */
};

static struct piece first_piece(uint64_t offset, uint32_t count)
{
	struct piece p = { .page = offset / PAGE,
			   .in = (uint32_t)(offset % PAGE) };

	if (p.in || count < PAGE) {
		p.len = PAGE - p.in < count ? PAGE - p.in : count;
		return p;
	}
	p.pages = (unsigned)(RUN - p.page % RUN);
	if (p.pages > count / PAGE)
		p.pages = count / PAGE;
	p.len = p.pages * PAGE;
	return p;
}

static void lock_piece(struct volume *v, const struct piece *p)
{
	pagelock_take(&v->locks, p->page, p->pages ? p->pages : 1);
}

static void unlock_piece(struct volume *v, const struct piece *p)
{
	pagelock_drop(&v->locks, p->page, p->pages ? p->pages : 1);
}

int volume_read(struct volume *v, void *bytes, uint32_t count, uint64_t offset)
{
	uint8_t *to = bytes;
	int err = 0;

	while (count && !err) {
		struct piece p = first_piece(offset, count);

		lock_piece(v, &p);
		err = p.pages ? read_run(v, p.page, p.pages, to)
			      : read_part(v, p.page, to, p.in, p.len);
		unlock_piece(v, &p);
		to += p.len;
		offset += p.len;
		count -= p.len;
	}
	return err;
}

int volume_write(struct volume *v, const void *bytes, uint32_t count,
		 uint64_t offset)
{
	const uint8_t *from = bytes;
	int err = 0;

	while (count && !err) {
		struct piece p = first_piece(offset, count);

		lock_piece(v, &p);
		err = p.pages ? write_run(v, p.page, p.pages, from)
			      : write_part(v, p.page, from, p.in, p.len);
		unlock_piece(v, &p);
		from += p.len;
		offset += p.len;
		count -= p.len;
	}
	return err;
}

/* A part of a page that is zeros anyway is not written. */
static int zero_part(struct volume *v, const struct piece *p)
{
	if (!tmem_preswap_stored(v->area, p->page, 1) &&
	    !bits_of(v->at_home, p->page, 1) && !bits_of(v->lost, p->page, 1))
		return 0;
	return write_part(v, p->page, NULL, p->in, p->len);
}

int volume_zero(struct volume *v, uint32_t count, uint64_t offset)
{
	int err = 0;

	while (count && !err) {
		struct piece p = first_piece(offset, count);

		lock_piece(v, &p);
		err = p.pages ? clear_run(v, p.page, p.pages, 0)
			      : zero_part(v, &p);
		unlock_piece(v, &p);
		offset += p.len;
		count -= p.len;
	}
	return err;
}

int volume_trim(struct volume *v, uint32_t count, uint64_t offset)
{
	int err = 0;

	while (count && !err) {
		struct piece p = first_piece(offset, count);

		if (p.pages) {
			lock_piece(v, &p);
			err = clear_run(v, p.page, p.pages, 1);
			unlock_piece(v, &p);
		}
		offset += p.len;
		count -= p.len;
	}
	return err;
}

static void lose_home(struct volume *v)
{
	uint64_t page;

	for (page = 0; page < v->pages; page += RUN) {
		uint32_t home;

		pagelock_take(&v->locks, page, RUN);
		home = bits_of(v->at_home, page, RUN);
		set_bits(v->lost, page, home, 1);
		set_bits(v->at_home, page, home, 0);
		pagelock_drop(&v->locks, page, RUN);
	}
}

int volumes_sync(struct volume *volumes, unsigned count)
{
	struct home *h = volumes[0].home;
	uint32_t failures;
	unsigned i;
	int err;

	if (!h)
		return 0;
	failures = atomic_load(&h->failures);
	(void)pthread_mutex_lock(&h->lock);
	if (atomic_load(&h->failures) != failures) {
		err = -EIO;
	} else {
		err = home_sync(h);
		atomic_fetch_add(&h->failures, !!err);
		for (i = 0; err && i < count; i++)
			lose_home(&volumes[i]);
	}
	(void)pthread_mutex_unlock(&h->lock);
	return err;
}

/* ---- Extents -------------------------------------------------------------- */

/* Of what is left of a word: which hold something. */
static uint32_t held_bits(struct volume *v, uint64_t page, unsigned count)
{
	uint32_t bits;

	pagelock_take(&v->locks, page, count);
	bits = tmem_preswap_stored(v->area, page, count) |
	       bits_of(v->at_home, page, count) | bits_of(v->lost, page, count);
	pagelock_drop(&v->locks, page, count);
	return bits;
}

uint64_t volume_extent(struct volume *v, uint64_t offset, uint64_t bytes_max,
		       int *ret_data)
{
	uint64_t page = offset / PAGE, end = page;
	uint64_t last = (offset + bytes_max - 1) / PAGE;
	int data = -1;

	while (end <= last && end < v->pages) {
		unsigned count = (unsigned)(RUN - end % RUN);
		uint32_t bits = held_bits(v, end, count);
		unsigned same;

		if (data < 0)
			data = bits & 1;
		if (data)
			bits = ~bits & ones(count);
		same = bits ? (unsigned)__builtin_ctz(bits) : count;
		end += same;
		if (same < count)
			break;
	}
	*ret_data = data;
	end = end * PAGE - offset;
	return end < bytes_max ? end : bytes_max;
}
