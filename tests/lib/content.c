/* SPDX-License-Identifier: BSD-2-Clause */
/* content.c - page contents of known compressibility. */
#include "content.h"

#include <stdio.h>
#include <string.h>

#include "rng.h"

/* Eighths of a page at which codecs and allocators like to draw a line. */
#define CUT_FIRST 4u
#define CUT_LAST 8u
#define CUT_SPREAD 33u /* bytes on which side of the line */

static const char *const phrases[] = {
	"connection accepted from peer 10.0.0.",
	"request served, status 200, id ",
	"cache entry replaced by newer one: ",
	"warning: slow reply, microseconds ",
	"session closed after bytes sent: ",
	"checkpoint reached at sequence no. ",
	"user authenticated, user number ",
	"garbage collected, objects freed: ",
};

static void fill_random(uint8_t *buf, size_t size, struct rng *rng)
{
	size_t at;

	for (at = 0; at + sizeof(uint64_t) <= size; at += sizeof(uint64_t)) {
		uint64_t word = rng_next(rng);

		memcpy(buf + at, &word, sizeof(word));
	}
	for (; at < size; at++)
		buf[at] = (uint8_t)rng_next(rng);
}

static void fill_same(uint8_t *buf, size_t size, struct rng *rng)
{
	uint64_t word = rng_next(rng);
	size_t at;

	for (at = 0; at < size; at += sizeof(word))
		memcpy(buf + at, &word, sizeof(word));
}

static void fill_text(uint8_t *buf, size_t size, struct rng *rng)
{
	char line[128];
	size_t at = 0;

	while (at < size) {
		uint64_t r = rng_next(rng);
		int len = snprintf(line, sizeof(line), "%s%u\n", phrases[r % 8],
				   (unsigned)(r >> 32) % 1000000u);
		size_t part = (size_t)len < size - at ? (size_t)len : size - at;

		memcpy(buf + at, line, part);
		at += part;
	}
}

static void fill_barely(uint8_t *buf, size_t size, struct rng *rng)
{
	size_t eighths = CUT_FIRST + rng_below(rng, CUT_LAST - CUT_FIRST + 1);
	size_t cut = size / 8 * eighths + rng_below(rng, CUT_SPREAD);

	cut -= CUT_SPREAD / 2;
	if (cut > size)
		cut = size;
	fill_random(buf, cut, rng);
	memset(buf + cut, 0, size - cut);
}

void page_fill(void *buf, size_t size, enum content_kind kind, uint64_t seed)
{
	struct rng rng = { .state = seed };

	switch (kind) {
	case CONTENT_SAME:
		fill_same(buf, size, &rng);
		break;
	case CONTENT_TEXT:
		fill_text(buf, size, &rng);
		break;
	case CONTENT_BARELY:
		fill_barely(buf, size, &rng);
		break;
	case CONTENT_RANDOM:
		fill_random(buf, size, &rng);
		break;
	case CONTENT_ZERO:
	case CONTENT_KINDS:
		memset(buf, 0, size);
		break;
	}
}

int page_equal(const void *buf, size_t size, enum content_kind kind,
	       uint64_t seed)
{
	static _Thread_local uint8_t made[65536];

	if (size > sizeof(made))
		return 0;
	page_fill(made, size, kind, seed);
	return !memcmp(buf, made, size);
}

int page_uniform(const void *buf, size_t size, uint8_t byte)
{
	const uint8_t *p = buf;
	size_t at;

	for (at = 0; at < size; at++)
		if (p[at] != byte)
			return 0;
	return 1;
}
