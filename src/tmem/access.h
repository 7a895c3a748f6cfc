/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * access.h - the access list: which page is read next.
 *
 * The list is not kept but made on the go, the same again after each rewind,
 * from the seed and the data set alone and by whole numbers alone: the same on
 * every machine. See access.c for its shape.
 */
#ifndef TMEM_COMMAND_ACCESS_H
#define TMEM_COMMAND_ACCESS_H

#include <stdint.h>

struct dataset;
struct access_extent;

/** struct access_list - a list and the place in it. */
struct access_list {
	const struct dataset *data;   /* (c) */
	struct access_extent *extent; /* (c) by rank, the most popular first */
	uint64_t *sum;	   /* (c) weights of all ranks up to this one */
	uint32_t extents;  /* (c) */
	uint64_t seed;	   /* (c) */
	uint64_t random;   /* generator's state */
	uint32_t run_page; /* next page of the run under way */
	uint32_t run_left; /* pages left of it */
};

/**
 * access_init() - a list over a data set of at least one page, rewound.
 * @data: must outlive the list.
 *
 * Return: 0, -ENOMEM.
 */
int access_init(struct access_list *a, const struct dataset *data,
		uint64_t seed) __attribute__((warn_unused_result));

void access_finish(struct access_list *a);

/** access_rewind() - begin again. */
void access_rewind(struct access_list *a);

/** access_next() - a page's number in the data set. The list has no end. */
uint32_t access_next(struct access_list *a);

#endif
