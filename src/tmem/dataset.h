/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dataset.h - the pages of the sampled files, numbered, and their hashes.
 */
#ifndef TMEM_COMMAND_DATASET_H
#define TMEM_COMMAND_DATASET_H

#include <stddef.h>
#include <stdint.h>

struct file;
struct files;
struct progress;

/** struct dataset - what the experiment reads. */
struct dataset {
	struct file **file; /* files that take part; owned by a struct files */
	size_t files;
	uint32_t pages;	 /* numbered from 0, file after file */
	uint32_t room;	 /* pages that the arrays below have room for */
	uint32_t *owner; /* by page: index into file */
	uint64_t *hash; /* by page: of its 4 KiB, the tail padded with zeroes */
	uint64_t bytes; /* in those pages, without the padding */
	uint32_t plain; /* files that were not read by O_DIRECT */
	int cut;	/* time was up before pages_max was reached */
};

/** struct dataset_plan - how much to take. */
struct dataset_plan {
	uint32_t pages_max;
	uint64_t seed;	      /* chooses the part of a large file */
	uint64_t deadline_ns; /* of tmem_clock_ns() */
	struct progress *progress;
};

/**
 * dataset_read() - read files from the front until there are enough pages.
 * @d: out: freed by dataset_finish(), also on failure.
 * @fs: what cannot be read is noted there; must live longer than @d.
 *
 * A large file gives a part of itself, in one piece: see DATASET_SHARE.
 *
 * Return: 0, -ENOMEM.
 */
int dataset_read(struct dataset *d, struct files *fs,
		 const struct dataset_plan *plan)
	__attribute__((warn_unused_result));

void dataset_finish(struct dataset *d);

/** dataset_matches() - 1: `buf` holds the page as it was first read. */
int dataset_matches(const struct dataset *d, uint32_t page, const void *buf);

/**
 * DATASET_SHARE - a file gives at most this part of all pages, so that a few
 * large ones are not all; where there are fewer files, an equal part.
 */
#define DATASET_SHARE 16u

/** DATASET_PAGES_MAX - most pages, 1 TiB: page numbers must fit 32 bits. */
#define DATASET_PAGES_MAX (1u << 28)

#endif
