/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sample.c - pages drawn at random: some bucket of some index shard, one of its
 * slots, whatever form its page has by now.
 */
#include "sample.h"

#include <errno.h>

#include "form.h"
#include "index.h"
#include "read.h"
#include "train.h"

/* Slots of a bucket that are passed over at most: about what it holds. */
#define STEPS 8u

static int is_wanted(struct tmem_space *s, uint64_t place, enum tmem_class cls,
		     uint64_t age)
{
	uint32_t segment = tmem_place_segment(s, place);
	int is;

	tmem_lock_acquire(&s->lock);
	is = s->segments[segment].cls == cls && s->segments[segment].age >= age;
	tmem_lock_release(&s->lock);
	return is;
}

/* Some slot's page, pinned; 1 found. */
static int draw(struct tmem_store *st, enum tmem_class cls, uint64_t age,
		uint64_t random, uint64_t *ret_place, struct tmem_entry *ret)
{
	struct tmem_ref ref = { .shard = (uint32_t)random % st->shards_count };
	struct tmem_table *t = &st->shards[ref.shard].table;
	uint32_t segment, steps = (uint32_t)(random >> 56) % STEPS;
	struct tmem_cursor c;
	int found;

	tmem_index_lock(st, &ref);
	found = tmem_table_walk_first(t, (uint32_t)(random >> 20) % t->buckets,
				      &c);
	while (found && steps--)
		found = tmem_table_walk_next(t, &c);
	if (found) {
		*ret_place = tmem_cursor_place(&c);
		found = tmem_place_form(*ret_place) != TMEM_FORM_SAME &&
			is_wanted(&st->space, *ret_place, cls, age);
	}
	if (found) {
		/* No lock is taken while it is pinned: who waits for that may
		 * have it. */
		segment = tmem_place_segment(&st->space, *ret_place);
		tmem_segment_pin(&st->space, segment);
		found = tmem_segment_alive(&st->space, segment,
					   tmem_place_epoch(*ret_place));
		if (found)
			*ret = *tmem_place_entry(&st->space, *ret_place);
		else
			tmem_segment_unpin(&st->space, segment);
	}
	tmem_index_unlock(st, &ref);
	return found;
}

int tmem_sample_page(struct tmem_store *st, enum tmem_class cls, uint64_t age,
		     uint64_t random, uint8_t *to)
{
	struct tmem_part part = { 0, TMEM_SAMPLE_BYTES };
	struct tmem_entry entry;
	uint64_t place;
	int err;

	if (!draw(st, cls, age, random, &place, &entry))
		return 0;
	/* A header read while its segment went may say any size. */
	part.offset = (uint32_t)(random >> 40) %
		      (1u << (TMEM_ENTRY_PAGE_SHIFT(entry.info) - 12)) *
		      TMEM_SAMPLE_BYTES;
	err = tmem_place_form(place) == TMEM_FORM_RAW &&
			      part.offset + part.len > TMEM_ENTRY_LEN(entry.info)
		      ? -ESTALE
		      : tmem_read(st, place, &entry, &part, to);
	tmem_segment_unpin(&st->space, tmem_place_segment(&st->space, place));
	return !err && tmem_form_probe(to, TMEM_SAMPLE_BYTES);
}
