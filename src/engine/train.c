/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * train.c - which parts of sampled pages become a dictionary.
 *
 *	sample  | page | page | page | ... each fifth is kept apart |
 *	count   in how many pages does each 8-byte string occur?
 *	select  the sample is cut into as many stretches as the dictionary has
 *		room for segments; of each, the segment whose strings occur in
 *		most other pages; these count no more in later ones
 *	finish  ZDICT_finalizeDictionary(): segments, best last, and entropy
 *		tables
 *
 * The choice is COVER's (Liao, Petri, Moffat, Wirth: Effective construction of
 * relative Lempel-Ziv dictionaries, WWW 2016) in the fast form that libzstd made
 * of it: strings are told apart by a hash only. Its own trainer is one call of 5
 * to 50 ms; this one is a sum of short steps and reaches the same sizes within 1%
 * (256 pages of a python3 heap: 650 bytes a page either way).
 */
#include "train.h"

#include <errno.h>
#include <string.h>
#include <zdict.h>

#include "dict.h"
#include "mem.h"
#include "segment.h"

/* Strings are told apart by so many bits: 2^15 counters stay in a second-level
 * cache, and 128 pages have about 2^16 strings worth counting. */
#define HASH_BITS 15
#define STRING 8u

/* Bytes of a segment. 200 to 1000 make no difference of more than 1%; larger
 * ones are fewer to choose. */
#define SEGMENT 1024u

/* Pages that a step looks at: 0.1 ms. */
#define STEP_PAGES 8u

/* Pages that the entropy tables are made from: 0.8 ms, and 1% worse with half. */
#define FINISH_PAGES 40u

/*
 * Bytes of a dictionary that are not content: its entropy tables take at least
 * so many; what they take above that is cut off the end. A full dictionary then
 * has exactly TMEM_DICT_BYTES: libzstd gives one that is 500 bytes smaller a hash
 * table four times as large, which takes 100 KiB more and packs slower.
 */
#define TABLES_BYTES 128u

#define SEGMENTS (TMEM_DICT_BYTES / SEGMENT)

struct tmem_train {
	struct tmem_space *space;
	uint64_t bytes; /* charged, of all this */
	uint32_t wanted, count;
	int level;
	uint32_t page; /* where counting and selecting are */
	int counted;
	uint32_t chosen; /* segments in content, from its end */
	uint32_t best;	 /* score of the stretch's best segment */
	const uint8_t *best_at;
	uint32_t len;			      /* of dict; 0: not done */
	uint16_t pages_with[1u << HASH_BITS]; /* pages a string occurs in */
	uint16_t seen[1u << HASH_BITS]; /* counting: page + 1 it was last seen
					 * in; selecting: times in segment */
	uint8_t content[SEGMENTS * SEGMENT];
	uint8_t dict[TMEM_DICT_BYTES];
	uint8_t sample[];
};

struct tmem_train *tmem_train_create(struct tmem_space *space, uint32_t samples,
				     int level)
{
	uint64_t bytes = sizeof(struct tmem_train) +
			 (uint64_t)samples * TMEM_SAMPLE_BYTES;
	struct tmem_train *t;

	if (tmem_space_charge(space, bytes))
		return NULL;
	t = tmem_mem_alloc(bytes);
	if (!t) {
		tmem_space_uncharge(space, bytes);
		return NULL;
	}
	t->space = space;
	t->bytes = bytes;
	t->wanted = samples;
	t->level = level;
	return t;
}

void tmem_train_discard(struct tmem_train *t)
{
	if (t)
		tmem_mem_free(t, t->bytes);
}

void tmem_train_destroy(struct tmem_train *t)
{
	if (t)
		tmem_space_uncharge(t->space, t->bytes);
	tmem_train_discard(t);
}

/* ---- The sample ----------------------------------------------------------- */

static uint8_t *sample(const struct tmem_train *t, uint32_t n)
{
	return (uint8_t *)t->sample + (uint64_t)n * TMEM_SAMPLE_BYTES;
}

uint8_t *tmem_train_slot(struct tmem_train *t)
{
	return t->count < t->wanted ? sample(t, t->count) : NULL;
}

void tmem_train_take(struct tmem_train *t)
{
	t->count++;
}

void tmem_train_close(struct tmem_train *t)
{
	t->wanted = t->count;
}

uint32_t tmem_train_count(const struct tmem_train *t)
{
	return t->count;
}

/* The last fifth is for judging; the sample has no order. */
static uint32_t learned(const struct tmem_train *t)
{
	return t->count - t->count / 5;
}

const uint8_t *tmem_train_judge(const struct tmem_train *t, uint32_t nth)
{
	return learned(t) + nth < t->count ? sample(t, learned(t) + nth) : NULL;
}

/* ---- Counting ------------------------------------------------------------- */

static uint32_t string_at(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return (uint32_t)((x * 0x9e3779b97f4a7c15ull) >> (64 - HASH_BITS));
}

static void count_page(struct tmem_train *t, uint32_t n)
{
	const uint8_t *p = sample(t, n), *end = p + TMEM_SAMPLE_BYTES - STRING;
	uint32_t s;

	for (; p <= end; p++) {
		s = string_at(p);
		if (t->seen[s] == n + 1)
			continue;
		t->seen[s] = (uint16_t)(n + 1);
		t->pages_with[s]++;
	}
}

/* ---- Selecting ------------------------------------------------------------ */

/* What a string adds: the other pages that have it. */
static uint32_t worth(const struct tmem_train *t, uint32_t string)
{
	return t->pages_with[string] ? t->pages_with[string] - 1u : 0;
}

/* Slides a segment over a page; each string in it counts once. */
static void rate_page(struct tmem_train *t, uint32_t n)
{
	const uint8_t *from = sample(t, n), *to = from;
	const uint8_t *end = from + TMEM_SAMPLE_BYTES - STRING;
	uint32_t score = 0, s;

	for (; to <= end; to++) {
		s = string_at(to);
		if (!t->seen[s]++)
			score += worth(t, s);
		if (to - from + STRING > SEGMENT) {
			s = string_at(from++);
			if (!--t->seen[s])
				score -= worth(t, s);
		}
		if (score > t->best) {
			t->best = score;
			t->best_at = from;
		}
	}
	for (; from < to; from++)
		t->seen[string_at(from)]--;
}

/* A segment at its page's end may be short of bytes: it begins sooner then. */
static const uint8_t *whole(const struct tmem_train *t, const uint8_t *at)
{
	uint64_t in = (uint64_t)(at - t->sample) % TMEM_SAMPLE_BYTES;

	return in + SEGMENT > TMEM_SAMPLE_BYTES
		       ? at - (in + SEGMENT - TMEM_SAMPLE_BYTES)
		       : at;
}

/* Best last: what is near the end is cheapest to refer to. */
static void take_best(struct tmem_train *t)
{
	const uint8_t *from;
	uint32_t i;

	if (!t->best)
		return;
	from = whole(t, t->best_at);
	t->chosen++;
	memcpy(t->content + (SEGMENTS - t->chosen) * SEGMENT, from, SEGMENT);
	for (i = 0; i + STRING <= SEGMENT; i++)
		t->pages_with[string_at(from + i)] = 0;
	t->best = 0;
}

/* Pages of a stretch: as many stretches as there are segments to choose. */
static uint32_t stretch(const struct tmem_train *t)
{
	return learned(t) / SEGMENTS ? learned(t) / SEGMENTS : 1;
}

/* ---- Finishing ------------------------------------------------------------ */

static int finish(struct tmem_train *t)
{
	ZDICT_params_t params = { .compressionLevel = t->level };
	size_t sizes[FINISH_PAGES], len;
	uint32_t i, n = learned(t);
	uint32_t bytes = t->chosen * SEGMENT;

	n = n < FINISH_PAGES ? n : FINISH_PAGES;
	for (i = 0; i < n; i++)
		sizes[i] = TMEM_SAMPLE_BYTES;
	if (!bytes)
		return -ENODATA;
	if (bytes > TMEM_DICT_BYTES - TABLES_BYTES)
		bytes = TMEM_DICT_BYTES - TABLES_BYTES;
	len = ZDICT_finalizeDictionary(t->dict, sizeof(t->dict),
				       t->content + sizeof(t->content) - bytes,
				       bytes, t->sample, sizes, n, params);
	if (ZDICT_isError(len))
		return -ENODATA;
	t->len = (uint32_t)len;
	return 0;
}

int tmem_train_step(struct tmem_train *t)
{
	uint32_t i;

	if (t->page == learned(t) && !t->counted) {
		memset(t->seen, 0, sizeof(t->seen));
		t->counted = 1;
		t->page = 0;
	}
	if (t->counted && (t->page == learned(t) || t->chosen == SEGMENTS))
		return finish(t);
	for (i = 0; i < STEP_PAGES && t->page < learned(t); i++, t->page++) {
		if (!t->counted) {
			count_page(t, t->page);
			continue;
		}
		rate_page(t, t->page);
		if ((t->page + 1) % stretch(t) == 0 && t->chosen < SEGMENTS)
			take_best(t);
	}
	return 1;
}

const uint8_t *tmem_train_bytes(const struct tmem_train *t, uint32_t *ret_len)
{
	*ret_len = t->len;
	return t->dict;
}
