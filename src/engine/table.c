/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.c - linear hashing over chunks of metadata.
 */
#include "table.h"

#include <errno.h>
#include <string.h>

#include "assertion.h"
#include "mem.h"

#define BUCKETS_PER_CHUNK (TMEM_CHUNK / (2 * sizeof(struct tmem_line)))
#define LINES_PER_CHUNK (TMEM_CHUNK / sizeof(struct tmem_line))
#define BUCKET_SLOTS (2 * TMEM_LINE_SLOTS)

/* Grow above, contract below; far apart, so that a count that hovers costs
 * nothing. */
#define GROW_PCT 80
#define CONTRACT_PCT 30

/* The tag gives out one bit to the bucket number at each doubling. */
#define BUCKETS_MAX (1u << (TMEM_TAG_SHIFT + 16))

_Static_assert(1u << TMEM_TAG_SHIFT == BUCKETS_PER_CHUNK,
	       "the tag begins where the smallest table's bucket number ends");

/* ---- Lines --------------------------------------------------------------- */

static struct tmem_line *overflow_line(const struct tmem_table *t, uint32_t n)
{
	struct tmem_line *lines =
		tmem_chunks_at(&t->overflow, t->space, n / LINES_PER_CHUNK);

	return &lines[n % LINES_PER_CHUNK];
}

static struct tmem_line *first_line(const struct tmem_table *t, uint32_t bucket)
{
	struct tmem_line *lines = tmem_chunks_at(&t->primary, t->space,
						 bucket / BUCKETS_PER_CHUNK);

	return &lines[2 * (bucket % BUCKETS_PER_CHUNK)];
}

/* The line after `line`, `step` lines into its bucket; NULL: none. */
static struct tmem_line *next_line(const struct tmem_table *t,
				   struct tmem_line *line, uint32_t step)
{
	if (step == 0)
		return line + 1;
	return line->next ? overflow_line(t, line->next - 1) : NULL;
}

static uint32_t line_used(const struct tmem_line *line)
{
	uint32_t n = 0;

	while (n < TMEM_LINE_SLOTS && line->object[n])
		n++;
	return n;
}

static int add_free_lines(struct tmem_table *t)
{
	uint32_t n, first = t->overflow.count * LINES_PER_CHUNK;

	if (tmem_chunks_add(&t->overflow, t->space))
		return -ENOMEM;
	for (n = first + LINES_PER_CHUNK; n-- > first;) {
		overflow_line(t, n)->next = t->line_free;
		t->line_free = n + 1;
	}
	t->lines_free += LINES_PER_CHUNK;
	return 0;
}

/* Makes sure that `n` lines are to be had. */
static int want_lines(struct tmem_table *t, uint32_t n)
{
	while (t->lines_free < n)
		if (add_free_lines(t))
			return -ENOMEM;
	return 0;
}

static uint32_t take_line(struct tmem_table *t)
{
	uint32_t link = t->line_free;
	struct tmem_line *line = overflow_line(t, link - 1);

	t->line_free = line->next;
	t->lines_free--;
	t->lines_used++;
	memset(line, 0, sizeof(*line));
	return link;
}

static void drop_line(struct tmem_table *t, uint32_t link)
{
	struct tmem_line *line = overflow_line(t, link - 1);

	memset(line, 0, sizeof(*line));
	line->next = t->line_free;
	t->line_free = link;
	t->lines_free++;
	t->lines_used--;
}

/* ---- Buckets ------------------------------------------------------------- */

static uint32_t level(uint32_t buckets)
{
	return 31 - (uint32_t)__builtin_clz(buckets);
}

static uint32_t bucket_of(const struct tmem_table *t, uint32_t hash)
{
	uint32_t buckets = __atomic_load_n(&t->buckets, __ATOMIC_ACQUIRE);
	uint32_t top = 1u << level(buckets);
	uint32_t b = hash & (top - 1);

	return b < buckets - top ? hash & (2 * top - 1) : b;
}

static void set_buckets(struct tmem_table *t, uint32_t buckets)
{
	__atomic_store_n(&t->buckets, buckets, __ATOMIC_RELEASE);
}

static uint16_t tag_of(uint32_t hash)
{
	return (uint16_t)(hash >> TMEM_TAG_SHIFT);
}

/* The last line of a bucket that has a slot in use, and the link to it. */
struct tail {
	struct tmem_line *line;
	struct tmem_line *before; /* holds the link when line is overflow */
	uint32_t step;
	uint32_t used;
};

static void find_tail(const struct tmem_table *t, uint32_t bucket,
		      struct tail *tail)
{
	struct tmem_line *line = first_line(t, bucket), *before = NULL;
	uint32_t step = 0;

	if (line[1].object[0]) {
		before = line++;
		step++;
		/* An overflow line is linked only while it has a slot in use. */
		for (; line->next; step++) {
			before = line;
			line = overflow_line(t, line->next - 1);
		}
	}
	tail->line = line;
	tail->before = before;
	tail->step = step;
	tail->used = line_used(line);
}

static void set_slot(struct tmem_line *line, uint32_t i, uint16_t tag,
		     uint32_t object, uint64_t place)
{
	line->tag[i] = tag;
	line->object[i] = object;
	line->place_hi[i] = (uint16_t)(place >> 32);
	line->place_lo[i] = (uint32_t)place;
}

static int append(struct tmem_table *t, uint32_t bucket, uint16_t tag,
		  uint32_t object, uint64_t place)
{
	struct tail tail;
	uint32_t link;

	find_tail(t, bucket, &tail);
	if (tail.used == TMEM_LINE_SLOTS) {
		if (tail.step == 0) {
			tail.line++;
		} else {
			if (want_lines(t, 1))
				return -ENOMEM;
			link = take_line(t);
			tail.line->next = link;
			tail.line = overflow_line(t, link - 1);
		}
		tail.used = 0;
	}
	set_slot(tail.line, tail.used, tag, object, place);
	return 0;
}

static void remove_at(struct tmem_table *t, uint32_t bucket,
		      struct tmem_line *line, uint32_t i)
{
	struct tail tail;
	uint32_t last;

	find_tail(t, bucket, &tail);
	TMEM_ASSERT(tail.used);
	last = tail.used - 1;
	if (tail.line != line || last != i) {
		line->tag[i] = tail.line->tag[last];
		line->object[i] = tail.line->object[last];
		line->place_hi[i] = tail.line->place_hi[last];
		line->place_lo[i] = tail.line->place_lo[last];
	}
	set_slot(tail.line, last, 0, 0, 0);
	if (!last && tail.step >= 2) {
		drop_line(t, tail.before->next);
		tail.before->next = 0;
	}
}

/* ---- Growing and contracting --------------------------------------------- */

static uint32_t bucket_lines(const struct tmem_table *t, uint32_t bucket)
{
	struct tail tail;

	find_tail(t, bucket, &tail);
	return tail.step + 1;
}

/* Splits the next bucket in turn; what cannot be paid is left for later. */
static void grow(struct tmem_table *t)
{
	uint32_t lev = level(t->buckets);
	uint32_t from = t->buckets - (1u << lev), to = t->buckets;
	uint32_t lines = bucket_lines(t, from);
	struct tmem_cursor c;
	int more;

	if (to == BUCKETS_MAX || (lines > 2 && want_lines(t, lines - 2)))
		return;
	if (to % BUCKETS_PER_CHUNK == 0 &&
	    tmem_chunks_add(&t->primary, t->space))
		return;
	set_buckets(t, t->buckets + 1);
	more = tmem_table_walk_first(t, from, &c);
	while (more) {
		if (!(c.line->tag[c.i] >> (lev - TMEM_TAG_SHIFT) & 1)) {
			more = tmem_table_walk_next(t, &c);
			continue;
		}
		/* Cannot fail: the lines were wanted above. */
		if (append(t, to, c.line->tag[c.i], tmem_cursor_object(&c),
			   tmem_cursor_place(&c)))
			TMEM_ASSERT(0);
		remove_at(t, from, c.line, c.i);
		more = tmem_table_walk_again(&c);
	}
}

int tmem_table_contract(struct tmem_table *t)
{
	uint32_t from = t->buckets - 1, to;
	struct tmem_cursor c;

	if (!t->slots && t->overflow.count) {
		while (t->overflow.count)
			tmem_chunks_drop(&t->overflow, t->space);
		t->line_free = t->lines_free = t->lines_used = 0;
	}
	if (t->buckets == BUCKETS_PER_CHUNK ||
	    t->slots * 100ull >
		    (uint64_t)CONTRACT_PCT * BUCKET_SLOTS * t->buckets)
		return 0;
	if (want_lines(t, bucket_lines(t, from)))
		return 0;
	to = from - (1u << level(from));
	while (tmem_table_walk_first(t, from, &c)) {
		if (append(t, to, c.line->tag[c.i], tmem_cursor_object(&c),
			   tmem_cursor_place(&c)))
			TMEM_ASSERT(0);
		remove_at(t, from, c.line, c.i);
	}
	set_buckets(t, t->buckets - 1);
	if (t->buckets % BUCKETS_PER_CHUNK == 0)
		tmem_chunks_drop(&t->primary, t->space);
	return 1;
}

/* ---- Entry points -------------------------------------------------------- */

int tmem_table_init(struct tmem_table *t, struct tmem_space *space)
{
	memset(t, 0, sizeof(*t));
	t->space = space;
	if (tmem_chunks_add(&t->primary, t->space)) {
		tmem_chunks_finish(&t->primary);
		return -ENOMEM;
	}
	set_buckets(t, BUCKETS_PER_CHUNK);
	return 0;
}

void tmem_table_finish(struct tmem_table *t)
{
	if (!t->space)
		return;
	tmem_chunks_finish(&t->primary);
	tmem_chunks_finish(&t->overflow);
}

void tmem_table_prefetch(const struct tmem_table *t, uint32_t hash)
{
#ifndef TMEM_PIN
	/* The count is read before the directory, and published after it: what
	 * is read here exists, and at worst a line is loaded for nothing. */
	struct tmem_line *line = first_line(t, bucket_of(t, hash));

	__builtin_prefetch(line, 1);
	__builtin_prefetch(line + 1, 1);
#else
	(void)t;
	(void)hash;
#endif
}

uint32_t tmem_table_peek(const struct tmem_table *t, uint32_t hash)
{
#ifndef TMEM_PIN
	/* As above; overflow lines may be gone by now, so they are left alone. */
	const struct tmem_line *line = first_line(t, bucket_of(t, hash));
	uint32_t i;

	for (i = 0; i < 2 * TMEM_LINE_SLOTS; i++, line += i == TMEM_LINE_SLOTS)
		if (line->tag[i % TMEM_LINE_SLOTS] == tag_of(hash))
			return line->object[i % TMEM_LINE_SLOTS];
#else
	(void)t;
	(void)hash;
#endif
	return 0;
}

static int scan(const struct tmem_table *t, struct tmem_cursor *c)
{
	for (;;) {
		for (; c->i < TMEM_LINE_SLOTS; c->i++) {
			if (!c->line->object[c->i])
				return 0;
			if (c->line->tag[c->i] == c->tag)
				return 1;
		}
		c->line = next_line(t, c->line, c->step++);
		if (!c->line)
			return 0;
		c->i = 0;
	}
}

int tmem_table_first(const struct tmem_table *t, uint32_t hash,
		     struct tmem_cursor *c)
{
	c->bucket = bucket_of(t, hash);
	c->line = first_line(t, c->bucket);
	c->i = 0;
	c->step = 0;
	c->tag = tag_of(hash);
	return scan(t, c);
}

int tmem_table_next(const struct tmem_table *t, struct tmem_cursor *c)
{
	c->i++;
	return scan(t, c);
}

int tmem_table_insert(struct tmem_table *t, uint32_t hash, uint32_t object,
		      uint64_t place)
{
	int err;

	TMEM_ASSERT(object);
	if ((t->slots + 1) * 100ull >
	    (uint64_t)GROW_PCT * BUCKET_SLOTS * t->buckets)
		grow(t);
	err = append(t, bucket_of(t, hash), tag_of(hash), object, place);
	if (!err)
		t->slots++;
	return err;
}

void tmem_table_remove(struct tmem_table *t, const struct tmem_cursor *c)
{
	remove_at(t, c->bucket, c->line, c->i);
	t->slots--;
}

int tmem_table_walk_again(const struct tmem_cursor *c)
{
	return c->line->object[c->i] != 0;
}

int tmem_table_walk_first(const struct tmem_table *t, uint32_t bucket,
			  struct tmem_cursor *c)
{
	c->bucket = bucket;
	c->line = first_line(t, bucket);
	c->i = 0;
	c->step = 0;
	return tmem_table_walk_again(c);
}

int tmem_table_walk_next(const struct tmem_table *t, struct tmem_cursor *c)
{
	if (++c->i == TMEM_LINE_SLOTS) {
		c->line = next_line(t, c->line, c->step++);
		if (!c->line)
			return 0;
		c->i = 0;
	}
	return tmem_table_walk_again(c);
}

int tmem_table_check(const struct tmem_table *t)
{
	uint32_t b, lev = level(t->buckets), top = 1u << lev, lines = 0, n = 0;
	uint32_t bits;
	struct tmem_cursor c;
	int more;

	for (b = 0; b < t->buckets; b++) {
		lines += bucket_lines(t, b) > 2 ? bucket_lines(t, b) - 2 : 0;
		bits = b >= top || b < t->buckets - top ? lev + 1 : lev;
		for (more = tmem_table_walk_first(t, b, &c); more;
		     more = tmem_table_walk_next(t, &c), n++) {
			uint32_t low = (uint32_t)c.line->tag[c.i]
				       << TMEM_TAG_SHIFT;

			if ((low ^ b) >> TMEM_TAG_SHIFT &
			    ((1u << (bits - TMEM_TAG_SHIFT)) - 1))
				return -EUCLEAN;
		}
	}
	if (n != t->slots || lines != t->lines_used)
		return -EUCLEAN;
	return t->lines_used + t->lines_free ==
			       t->overflow.count * LINES_PER_CHUNK
		       ? 0
		       : -EUCLEAN;
}
