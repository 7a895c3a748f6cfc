/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay-content.h - what is in a trace's pages: nothing that packs, or the
 * pages of a file.
 */
#ifndef TMEM_COMMAND_REPLAY_CONTENT_H
#define TMEM_COMMAND_REPLAY_CONTENT_H

#include <stdint.h>

/** struct content - where pages come from. */
struct content {
	uint8_t *corpus; /* NULL: random */
	uint64_t corpus_pages;
};

/**
 * content_init() - read the file.
 * @c: out: freed by content_finish(), also after a failure.
 * @path: NULL: random pages.
 *
 * Return: 0; -ENODATA not one page in it; -ENOMEM; what open(2), read(2) give.
 */
int content_init(struct content *c, const char *path)
	__attribute__((warn_unused_result));

void content_finish(struct content *c);

/**
 * content_fill() - a page's bytes.
 * @page: its number.
 * @version: another number, another page, if pages are random.
 * @buf: out: TMEM_PAGE_SIZE bytes.
 */
void content_fill(const struct content *c, uint64_t page, uint32_t version,
		  uint8_t *buf);

/**
 * content_holds() - are those the page's bytes?
 * @whole: look at all, not only at the first and last CONTENT_ENDS.
 */
int content_holds(const struct content *c, uint64_t page, uint32_t version,
		  const uint8_t *buf, int whole);

/** CONTENT_ENDS - bytes looked at on both ends: one cache line. */
#define CONTENT_ENDS 64

#endif
