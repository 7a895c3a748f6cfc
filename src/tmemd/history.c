/* SPDX-License-Identifier: BSD-2-Clause */
/* history.c - how things were, for as long as an hour. */
#include "history.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "mem.h"

#define SERIES (TMEMD_HISTORY_PLACES + 1)
#define BYTES (SERIES * TMEMD_HISTORY_SAMPLES * sizeof(struct tmem_wire_sample))

int tmemd_history_init(struct tmemd_history *h)
{
	memset(h, 0, sizeof(*h));
	/* Mapped: what no domain has needed stays a promise of the kernel's. */
	h->samples = tmem_mem_map(BYTES, TMEM_OS_PAGE);
	return h->samples ? 0 : -ENOMEM;
}

void tmemd_history_finish(struct tmemd_history *h)
{
	if (h->samples)
		tmem_mem_unmap(h->samples, BYTES);
	h->samples = NULL;
}

/* While it is kept, age_ns is the moment itself; 0: there was no such domain. */
static struct tmem_wire_sample *sample_at(const struct tmemd_history *h,
					  uint32_t place, uint64_t number)
{
	return &h->samples[(size_t)place * TMEMD_HISTORY_SAMPLES +
			   number % TMEMD_HISTORY_SAMPLES];
}

/* ---- Places -------------------------------------------------------------- */

static uint64_t lent_last(const struct tmemd_history *h, uint32_t place)
{
	return tmemd_lent_sum(
		sample_at(h, place, h->places[place - 1].last - 1)->lent_bytes);
}

/* Of two places the one that is the lesser loss: unused before gone, gone for long
 * before gone lately, small before large. */
static int is_lesser(const struct tmemd_history *h, uint32_t a, uint32_t b)
{
	const struct tmemd_place *p = &h->places[a - 1], *q = &h->places[b - 1];

	if (p->last != q->last)
		return p->last < q->last;
	return p->last && lent_last(h, a) < lent_last(h, b);
}

static uint32_t find(const struct tmemd_history *h, const char *name)
{
	uint32_t place;

	for (place = 1; place <= TMEMD_HISTORY_PLACES; place++)
		if (!strcmp(h->places[place - 1].name, name))
			return place;
	return 0;
}

/* Those who have one have been sampled already: what is not gone has last == end
 * and 1. */
static uint32_t settle(struct tmemd_history *h, const struct tmemd_account *a)
{
	uint32_t least = 1, place = find(h, a->name);

	if (place)
		return place;
	for (place = 2; place <= TMEMD_HISTORY_PLACES; place++)
		if (is_lesser(h, place, least))
			least = place;
	if (h->places[least - 1].last == h->end + 1 &&
	    tmemd_lent_sum(a->lent_bytes) / 2 <= lent_last(h, least))
		return 0;
	memset(sample_at(h, least, 0), 0,
	       TMEMD_HISTORY_SAMPLES * sizeof(struct tmem_wire_sample));
	memcpy(h->places[least - 1].name, a->name, sizeof(a->name));
	h->places[least - 1].last = 0;
	return least;
}

/* ---- Taking -------------------------------------------------------------- */

static void write_flow(struct tmem_wire_sample *s, const struct tmemd_flow *f)
{
	s->raw_bytes = f->raw_bytes;
	s->used_bytes = f->used_bytes;
	s->puts = f->puts;
	s->gets = f->gets;
	s->hits = f->hits;
	s->ghost_hits = f->ghost_hits;
	s->evictions = f->evictions;
	s->ager_ns = f->ager_ns;
}

static void write_domain(struct tmemd_history *h, const struct tmemd_account *a,
			 uint64_t now_ns)
{
	struct tmem_wire_sample *s = sample_at(h, a->place, h->end);

	s->age_ns = now_ns;
	memcpy(s->lent_bytes, a->lent_bytes, sizeof(s->lent_bytes));
	s->may_bytes = a->entitled_bytes;
	s->available_bytes = UINT64_MAX;
	s->waiting_us = UINT64_MAX;
	s->revoked = a->revoked;
	write_flow(s, &a->flow);
	h->places[a->place - 1].last = h->end + 1;
}

static void write_whole(struct tmemd_history *h, const struct tmemd_ledger *l,
			const struct tmem_wire_sample *whole, uint64_t now_ns)
{
	struct tmem_wire_sample *s = sample_at(h, 0, h->end);

	*s = *whole;
	s->age_ns = now_ns;
	memcpy(s->lent_bytes, l->lent_bytes, sizeof(s->lent_bytes));
	s->may_bytes = l->budget_bytes;
	write_flow(s, &l->flow);
}

/* The account remembers its place; whether the place still is its own, the name
 * there says. */
static int has_place(const struct tmemd_history *h,
		     const struct tmemd_account *a)
{
	return a->place && !strcmp(h->places[a->place - 1].name, a->name);
}

void tmemd_history_take(struct tmemd_history *h, struct tmemd_ledger *l,
			const struct tmem_wire_sample *whole, uint64_t now_ns)
{
	struct tmemd_account *a;
	uint32_t place;

	write_whole(h, l, whole, now_ns);
	for (place = 1; place <= TMEMD_HISTORY_PLACES; place++)
		if (h->places[place - 1].last)
			sample_at(h, place, h->end)->age_ns = 0;
	TAILQ_FOREACH(a, &l->accounts, entry)
		if (has_place(h, a))
			write_domain(h, a, now_ns);
	h->left_out = 0;
	TAILQ_FOREACH(a, &l->accounts, entry) {
		if (has_place(h, a))
			continue;
		a->place = settle(h, a);
		if (a->place)
			write_domain(h, a, now_ns);
	}
	TAILQ_FOREACH(a, &l->accounts, entry)
		h->left_out += !has_place(h, a);
	h->end++;
}

/* ---- Reading ------------------------------------------------------------- */

void tmemd_history_read(const struct tmemd_history *h,
			const struct tmem_wire_history *verb, uint64_t now_ns,
			struct tmem_wire_history_reply *r)
{
	const uint64_t oldest = h->end > TMEMD_HISTORY_SAMPLES
					? h->end - TMEMD_HISTORY_SAMPLES
					: 0;
	struct tmem_wire_sample *s;

	memset(r, 0, sizeof(*r));
	r->place = verb->place;
	r->from = verb->from > oldest ? verb->from : oldest;
	r->end = h->end;
	r->places = TMEMD_HISTORY_PLACES;
	r->left_out = h->left_out;
	r->interval_ns = TMEMD_HISTORY_NS;
	if (r->place > TMEMD_HISTORY_PLACES)
		return;
	if (r->place)
		memcpy(r->name, h->places[r->place - 1].name, sizeof(r->name));
	if (r->place && !r->name[0])
		return;
	while (r->count < TMEM_WIRE_SAMPLES_MAX && r->from + r->count < h->end) {
		s = &r->samples[r->count];
		*s = *sample_at(h, r->place, r->from + r->count);
		s->age_ns = s->age_ns ? now_ns - s->age_ns : UINT64_MAX;
		r->count++;
	}
}
