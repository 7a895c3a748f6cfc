/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * object.c - interning objects to numbers, counting their pages, condemning them.
 */
#include "object.h"

#include <errno.h>
#include <string.h>

#include "assertion.h"
#include "hash.h"
#include "mem.h"

/* A record's next life; it begins with no page. */
#define LIFE (1ull << 32)

/* A freed entry of ranges[] links to the next by this bit and the number. */
#define RANGE_FREE 0x80000000u
#define RANGE_NONE 0x7fffffffu

static struct tmem_object_shard *shard_of(const struct tmem_objects *o,
					  uint64_t hash)
{
	return &o->shards[(hash >> 32) * o->shards_count >> 32];
}

int tmem_objects_init(struct tmem_objects *o, struct tmem_space *space,
		      uint32_t shards, uint64_t seed)
{
	/* At most one range for each chunk of memory there can ever be. */
	uint64_t ranges = (uint64_t)space->lease->segments_max
			  << (space->segment_shift - TMEM_CHUNK_SHIFT);
	uint32_t i;

	memset(o, 0, sizeof(*o));
	o->space = space;
	o->seed = seed;
	o->range_free = RANGE_NONE;
	tmem_lock_init(&o->lock, TMEM_RANK_HEAD);
	o->ranges_bytes = (ranges * sizeof(uint32_t) + TMEM_OS_PAGE - 1) &
			  ~(size_t)(TMEM_OS_PAGE - 1);
	if (tmem_space_charge(space, shards * sizeof(*o->shards)))
		return -ENOMEM;
	o->shards = tmem_mem_alloc(shards * sizeof(*o->shards));
	if (!o->shards) {
		tmem_space_uncharge(space, shards * sizeof(*o->shards));
		return -ENOMEM;
	}
	o->shards_count = shards;
	for (i = 0; i < shards; i++) {
		tmem_lock_init(&o->shards[i].lock, TMEM_RANK_OBJECTS);
		if (tmem_table_init(&o->shards[i].table, space))
			return -ENOMEM;
	}
	o->ranges = tmem_mem_map(o->ranges_bytes, TMEM_OS_PAGE);
	return o->ranges ? 0 : -ENOMEM;
}

void tmem_objects_finish(struct tmem_objects *o, int in_child)
{
	uint32_t i;

	if (!o->space)
		return;
	for (i = 0; o->shards && i < o->shards_count; i++)
		tmem_table_finish(&o->shards[i].table);
	tmem_mem_free(o->shards, o->shards_count * sizeof(*o->shards));
	if (!in_child)
		tmem_mem_unmap(o->ranges, o->ranges_bytes);
	tmem_lock_finish(&o->lock);
}

void tmem_object_name(const struct tmem_objects *o, uint32_t pool,
		      const uint64_t id[3], struct tmem_object_name *ret)
{
	uint64_t words[4] = { id[0], id[1], id[2], pool };

	memcpy(ret->id, id, sizeof(ret->id));
	ret->pool = pool;
	ret->hash = tmem_hash(words, sizeof(words), o->seed);
}

/* ---- Numbers; the shard's lock is held ----------------------------------- */

/* Number 0 means none, so range 0 is never handed out. */
static int new_range_number(struct tmem_objects *o, uint32_t *ret)
{
	uint32_t n = o->range_free, pages;

	if (n != RANGE_NONE) {
		o->range_free = atomic_load(&o->ranges[n]) & ~RANGE_FREE;
		*ret = n;
		return 0;
	}
	n = atomic_load(&o->ranges_count) + 1;
	if ((n + 1) * sizeof(uint32_t) > o->ranges_bytes)
		return -ENOMEM;
	pages = (uint32_t)((n + 1) * sizeof(uint32_t) / TMEM_OS_PAGE) + 1;
	if (pages > o->charged) {
		if (tmem_space_charge(o->space, TMEM_OS_PAGE))
			return -ENOMEM;
		o->charged++;
	}
	atomic_store(&o->ranges_count, n);
	*ret = n;
	return 0;
}

static int add_numbers(struct tmem_objects *o, struct tmem_object_shard *s)
{
	uint32_t chunk = tmem_chunk_alloc(o->space);
	struct tmem_object *records;
	uint32_t range, i;
	int err;

	if (chunk == TMEM_CHUNK_NONE)
		return -ENOMEM;
	tmem_lock_acquire(&o->lock);
	err = new_range_number(o, &range);
	if (!err)
		atomic_store_explicit(&o->ranges[range], chunk + 1,
				      memory_order_release);
	tmem_lock_release(&o->lock);
	if (err) {
		tmem_chunk_free(o->space, chunk);
		return err;
	}
	records = tmem_chunk_at(o->space, chunk);
	for (i = TMEM_OBJECTS_PER_RANGE; i-- > 0;) {
		records[i].next = s->free_head;
		s->free_head = range * TMEM_OBJECTS_PER_RANGE + i;
	}
	s->numbers += TMEM_OBJECTS_PER_RANGE;
	return 0;
}

#ifdef TMEM_PIN
/* A race detector cannot see why guessing at a freed chunk is harmless. */
static void drop_numbers(struct tmem_objects *o, struct tmem_object_shard *s)
{
	(void)o;
	(void)s;
}
#else
/* With nothing in use, the shard's ranges go: all their numbers are free. */
static void drop_numbers(struct tmem_objects *o, struct tmem_object_shard *s)
{
	uint32_t number, next, chunk, range, firsts = 0;

	/* Unlink first: the links lie in what is freed. */
	for (number = s->free_head; number; number = next) {
		next = tmem_object_at(o, number)->next;
		if (number % TMEM_OBJECTS_PER_RANGE)
			continue;
		tmem_object_at(o, number)->next = firsts;
		firsts = number;
	}
	s->free_head = 0;
	s->numbers = 0;
	for (number = firsts; number; number = next) {
		next = tmem_object_at(o, number)->next;
		range = number / TMEM_OBJECTS_PER_RANGE;
		tmem_lock_acquire(&o->lock);
		chunk = atomic_load(&o->ranges[range]) - 1;
		atomic_store(&o->ranges[range], RANGE_FREE | o->range_free);
		o->range_free = range;
		tmem_lock_release(&o->lock);
		tmem_chunk_free(o->space, chunk);
	}
}
#endif

static void set_record(struct tmem_object *r, const struct tmem_object_name *n)
{
	uint32_t i;

	for (i = 0; i < 3; i++)
		atomic_store_explicit(&r->id[i], n->id[i], memory_order_relaxed);
	atomic_store_explicit(&r->condemned, 0, memory_order_relaxed);
	atomic_store_explicit(&r->pool, n->pool, memory_order_release);
	atomic_fetch_add(&r->refs, LIFE);
}

static uint32_t find(const struct tmem_objects *o,
		     const struct tmem_object_shard *s,
		     const struct tmem_object_name *name, struct tmem_cursor *c)
{
	int more;

	for (more = tmem_table_first(&s->table, (uint32_t)name->hash, c); more;
	     more = tmem_table_next(&s->table, c))
		if (tmem_object_is(tmem_object_at(o, tmem_cursor_object(c)),
				   name->pool, name->id))
			return tmem_cursor_object(c);
	return 0;
}

static int make(struct tmem_objects *o, struct tmem_object_shard *s,
		const struct tmem_object_name *name, uint32_t *ret)
{
	struct tmem_object *r;
	uint32_t number;
	int err;

	if (!s->free_head && add_numbers(o, s))
		return -ENOMEM;
	number = s->free_head;
	r = tmem_object_at(o, number);
	err = tmem_table_insert(&s->table, (uint32_t)name->hash, number, 0);
	if (err)
		return err;
	s->free_head = r->next;
	s->in_use++;
	set_record(r, name);
	*ret = number;
	return 0;
}

/* The record of any number at all, if there could be one. */
static struct tmem_object *record_of(const struct tmem_objects *o,
				     uint32_t number)
{
	uint32_t range = number / TMEM_OBJECTS_PER_RANGE, chunk;

	if (!range || range > atomic_load(&o->ranges_count))
		return NULL;
	chunk = atomic_load_explicit(&o->ranges[range], memory_order_acquire);
	if (!chunk || chunk & RANGE_FREE)
		return NULL;
	return (struct tmem_object *)tmem_chunk_at(o->space, chunk - 1) +
	       number % TMEM_OBJECTS_PER_RANGE;
}

/*
 * One page more, if the number is the name's and has pages. Without the lock: a
 * record with pages keeps its name, and one that lost them all meanwhile, even if
 * it has new ones since, is in another life. A record whose range was dropped
 * right now shows 28 other bytes than the name's.
 */
static int ref_guess(const struct tmem_objects *o,
		     const struct tmem_object_name *name, uint32_t number)
{
	struct tmem_object *r = record_of(o, number);
	uint64_t refs;

	if (!r)
		return 0;
	refs = atomic_load_explicit(&r->refs, memory_order_acquire);
	do {
		if (!(uint32_t)refs ||
		    !tmem_object_is(r, name->pool, name->id) ||
		    tmem_object_condemned(r))
			return 0;
	} while (!atomic_compare_exchange_weak(&r->refs, &refs, refs + 1));
	return 1;
}

/* One page less, unless it is the last one. */
static int unref_shared(struct tmem_object *r)
{
	uint64_t refs = atomic_load(&r->refs);

	while ((uint32_t)refs > 1)
		if (atomic_compare_exchange_weak(&r->refs, &refs, refs - 1))
			return 1;
	return 0;
}

/* ---- Entry points -------------------------------------------------------- */

uint32_t tmem_object_peek(const struct tmem_objects *o,
			  const struct tmem_object_name *name)
{
	uint32_t number = tmem_table_peek(&shard_of(o, name->hash)->table,
					  (uint32_t)name->hash);

	if (number)
		__builtin_prefetch(record_of(o, number), 1);
	return number;
}

int tmem_object_ref(struct tmem_objects *o, const struct tmem_object_name *name,
		    uint32_t guess, uint32_t *ret, int *ret_new)
{
	struct tmem_object_shard *s = shard_of(o, name->hash);
	struct tmem_cursor c;
	uint32_t number;
	int err = 0;

	*ret_new = 0;
	*ret = guess;
	if (guess && ref_guess(o, name, guess))
		return 0;
	tmem_lock_acquire(&s->lock);
	number = find(o, s, name, &c);
	*ret_new = !number;
	if (!number)
		err = make(o, s, name, &number);
	if (!err) {
		atomic_fetch_add(&tmem_object_at(o, number)->refs, 1);
		*ret = number;
	}
	tmem_lock_release(&s->lock);
	return err;
}

int tmem_object_unref(struct tmem_objects *o, uint32_t number)
{
	struct tmem_object *r = tmem_object_at(o, number);
	struct tmem_object_name name;
	struct tmem_object_shard *s;
	struct tmem_cursor c;
	int gone = 0;

	if (unref_shared(r))
		return 0;
	if (!tmem_object_guess(o, number, &name))
		TMEM_ASSERT(0); /* a slot refers to it */
	s = shard_of(o, name.hash);
	tmem_lock_acquire(&s->lock);
	TMEM_ASSERT(tmem_object_pages(r));
	if ((uint32_t)atomic_fetch_sub(&r->refs, 1) == 1) {
		gone = !tmem_object_condemned(r);
		if (gone) {
			TMEM_ASSERT(find(o, s, &name, &c) == number);
			tmem_table_remove(&s->table, &c);
			(void)tmem_table_contract(&s->table);
		}
		atomic_store_explicit(&r->pool, 0, memory_order_relaxed);
		r->next = s->free_head;
		s->free_head = number;
		/* The last range stays: one page put and taken in turn would
		 * make and drop it each time. */
		if (!--s->in_use && s->numbers > TMEM_OBJECTS_PER_RANGE)
			drop_numbers(o, s);
	}
	tmem_lock_release(&s->lock);
	return gone;
}

int tmem_object_condemn(struct tmem_objects *o,
			const struct tmem_object_name *name)
{
	struct tmem_object_shard *s = shard_of(o, name->hash);
	struct tmem_cursor c;
	uint32_t number;

	tmem_lock_acquire(&s->lock);
	number = find(o, s, name, &c);
	if (number) {
		tmem_table_remove(&s->table, &c);
		atomic_store_explicit(&tmem_object_at(o, number)->condemned, 1,
				      memory_order_release);
	}
	tmem_lock_release(&s->lock);
	return number != 0;
}

int tmem_object_guess(const struct tmem_objects *o, uint32_t number,
		      struct tmem_object_name *ret)
{
	const struct tmem_object *r = record_of(o, number);
	uint32_t i, pool;
	uint64_t id[3];

	if (!r)
		return 0;
	pool = atomic_load_explicit(&r->pool, memory_order_relaxed);
	for (i = 0; i < 3; i++)
		id[i] = atomic_load_explicit(&r->id[i], memory_order_relaxed);
	if (!pool)
		return 0;
	tmem_object_name(o, pool, id, ret);
	return 1;
}
