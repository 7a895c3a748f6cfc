/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * content.h - what tests put into pages: a kind and a seed name it wholly.
 */
#ifndef TESTS_LIB_CONTENT_H
#define TESTS_LIB_CONTENT_H

#include <stddef.h>
#include <stdint.h>

enum content_kind {
	CONTENT_ZERO, /* all bytes zero, whatever the seed */
	CONTENT_SAME, /* one 64-bit word, over and over */
	CONTENT_TEXT, /* lines of a log: shrinks to about a third */
	CONTENT_BARELY, /* random head, zero tail, cut near a codec's thresholds */
	CONTENT_RANDOM, /* does not compress */
	CONTENT_KINDS
};

/**
 * page_fill() - make a page.
 * @buf: @size bytes, @size a multiple of 8.
 */
void page_fill(void *buf, size_t size, enum content_kind kind, uint64_t seed);

/** page_equal() - 1: @buf is byte for byte what page_fill() makes. */
int page_equal(const void *buf, size_t size, enum content_kind kind,
	       uint64_t seed);

/** page_uniform() - 1: every byte of @buf is @byte. */
int page_uniform(const void *buf, size_t size, uint8_t byte);

#endif
