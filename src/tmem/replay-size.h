/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay-size.h - a cache's size: a share of a trace's pages, or bytes.
 */
#ifndef TMEM_COMMAND_REPLAY_SIZE_H
#define TMEM_COMMAND_REPLAY_SIZE_H

#include <stdint.h>

/** REPLAY_SIZE_TEXT - room for a size as it was typed, bytes. */
#define REPLAY_SIZE_TEXT 24

/** struct replay_size - as it was typed, and what it means. */
struct replay_size {
	uint32_t ppm;	/* millionths of the distinct pages; 0: bytes */
	uint64_t bytes; /* memory, everything included */
	char text[REPLAY_SIZE_TEXT];
};

/**
 * replay_size_parse() - "10%", "0.25%" or "256M".
 * @size: out; untouched on failure.
 *
 * Return: 0; -EINVAL, -ERANGE neither, or nothing, or over 100%, or less than a
 *	page.
 */
int replay_size_parse(struct replay_size *size, const char *s)
	__attribute__((warn_unused_result));

/** replay_size_pages() - for a trace with that many distinct pages; at least
 * 1. Of bytes: as many pages as would fit without anything beside them. */
uint32_t replay_size_pages(const struct replay_size *size, uint32_t distinct);

#endif
