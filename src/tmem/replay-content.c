/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay-content.c - page bytes, made when they are wanted.
 *
 * Random pages are a hash of page, version and position, word by word, so that
 * any part of one can be told without the rest: 0.2 us a page, which is not
 * measured.
 */
#include "replay-content.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "hash.h"

#define WORDS (TMEM_PAGE_SIZE / sizeof(uint64_t))
#define CORPUS_FIRST (1024 * (size_t)TMEM_PAGE_SIZE)

/* One round of Vigna's splitmix64: bytes that no codec gets smaller. */
static uint64_t word_at(uint64_t seed, size_t i)
{
	uint64_t z = seed + (i + 1) * 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	return z ^ (z >> 27);
}

static const uint8_t *corpus_page(const struct content *c, uint64_t page)
{
	uint64_t n = tmem_mix(page, page) % c->corpus_pages;

	return c->corpus + n * TMEM_PAGE_SIZE;
}

void content_fill(const struct content *c, uint64_t page, uint32_t version,
		  uint8_t *buf)
{
	uint64_t seed = tmem_mix(page, version), word;
	size_t i;

	if (c->corpus) {
		memcpy(buf, corpus_page(c, page), TMEM_PAGE_SIZE);
		return;
	}
	for (i = 0; i < WORDS; i++) {
		word = word_at(seed, i);
		memcpy(buf + i * sizeof(word), &word, sizeof(word));
	}
}

static int words_hold(uint64_t seed, const uint8_t *buf, size_t from, size_t to)
{
	uint64_t word, differ = 0;
	size_t i;

	for (i = from; i < to; i++) {
		memcpy(&word, buf + i * sizeof(word), sizeof(word));
		differ |= word ^ word_at(seed, i);
	}
	return !differ;
}

int content_holds(const struct content *c, uint64_t page, uint32_t version,
		  const uint8_t *buf, int whole)
{
	size_t ends = whole ? TMEM_PAGE_SIZE / 2 : CONTENT_ENDS;
	size_t tail = TMEM_PAGE_SIZE - ends;
	uint64_t seed = tmem_mix(page, version);
	const uint8_t *want;

	if (c->corpus) {
		want = corpus_page(c, page);
		return !memcmp(buf, want, ends) &&
		       !memcmp(buf + tail, want + tail, ends);
	}
	return words_hold(seed, buf, 0, ends / sizeof(uint64_t)) &&
	       words_hold(seed, buf, tail / sizeof(uint64_t), WORDS);
}

/* All of it, doubling the room as it comes. */
static int read_all(int fd, uint8_t **buf, size_t *ret_len)
{
	size_t room = 0, len = 0;
	uint8_t *more;
	ssize_t n;

	for (;;) {
		if (len == room) {
			room = room ? room * 2 : CORPUS_FIRST;
			more = realloc(*buf, room);
			if (!more)
				return -ENOMEM;
			*buf = more;
		}
		n = read(fd, *buf + len, room - len);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (!n)
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	*ret_len = len;
	return 0;
}

int content_init(struct content *c, const char *path)
{
	size_t len = 0;
	int fd, err;

	memset(c, 0, sizeof(*c));
	if (!path)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = read_all(fd, &c->corpus, &len);
	(void)close(fd);
	c->corpus_pages = len / TMEM_PAGE_SIZE;
	return err ? err : c->corpus_pages ? 0 : -ENODATA;
}

void content_finish(struct content *c)
{
	free(c->corpus);
	memset(c, 0, sizeof(*c));
}
