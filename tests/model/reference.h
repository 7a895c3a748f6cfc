/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reference.h - the trivial store: per pool, a table of what was last put.
 */
#ifndef TESTS_MODEL_REFERENCE_H
#define TESTS_MODEL_REFERENCE_H

#include <stdint.h>

#include <tmem/tmem.h>

enum {
	OBJECTS = 4,
	INDEXES = 28
};

/* What a get may find, in rising certainty. */
enum ref_state {
	ABSENT, /* nothing */
	MAY,	/* these bytes, or nothing */
	MUST	/* these bytes */
};

/* What is known of a key. */
struct ref {
	enum ref_state state;
	uint8_t *want; /* the page; NULL if absent */
};

struct ref_pool {
	int id;	   /* of the live pool; -1: none */
	int stale; /* of one that went; -1: none yet */
	uint32_t flags;
	uint32_t size; /* of a page */
	struct ref refs[OBJECTS][INDEXES];
};

/** struct ref_tally - how much there is, counting from some state on. */
struct ref_tally {
	uint64_t pages, objects, bytes;
};

/** ref_key() - the key that stands for an object and an index. */
struct tmem_key ref_key(unsigned object, unsigned index);

/** ref_takes() - 1: a get removes what it hits. */
int ref_takes(const struct ref_pool *pool);

/** ref_put() - Return: 0, -1 no memory. */
int ref_put(struct ref_pool *pool, struct ref *ref, const uint8_t *page);

void ref_flush(struct ref *ref);
void ref_flush_object(struct ref_pool *pool, unsigned object);
void ref_flush_pool(struct ref_pool *pool);

/** ref_object() - the most that is known of any page of an object. */
enum ref_state ref_object(const struct ref_pool *pool, unsigned object);

/** ref_count() - add what is at least @least. */
void ref_count(const struct ref_pool *pool, enum ref_state least,
	       struct ref_tally *sum);

#endif
