/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-sane.c - whether bytes can be a page of a database: what a disk has made of
 * a page in zeros or noise is not worth keeping, and is what SQLite is about to
 * call malformed.
 *
 * What a page is for is told by the page that points to it, which is not at hand. It
 * must look like one of these (https://sqlite.org/fileformat2.html):
 *
 *	tree		type 2, 5, 10 or 13; 1: free block, 3: cells,
 *			5: where cells begin (16 bits each, the high byte first)
 *	overflow, free	0: number of the next one, 32 bits, or 0
 *	pointer map	0: type 1 to 5, 1: number of the parent, 32 bits
 *
 * A page that begins with zeros may be an overflow chain's last, but it is also what
 * a hole in a file reads as: it is left out. So are a few that are in order, such
 * as free pages that point beyond the end of a file that was cut. That costs a
 * read of the file each time.
 */
#include "sqlite-sane.h"

enum {
	TREE_HEAD = 8,
	TREE_HEAD_INNER = 12,
	MAP_TYPE_MAX = 5
};

static uint32_t get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) << 16 | get16(at + 2);
}

static int is_tree(const uint8_t *page, uint32_t bytes)
{
	int inner = page[0] == 2 || page[0] == 5;
	uint32_t cells = get16(page + 3), from = get16(page + 5);
	uint32_t head = inner ? TREE_HEAD_INNER : TREE_HEAD;

	if (!inner && page[0] != 10 && page[0] != 13)
		return 0;
	if (!from) /* 65536 does not fit */
		from = 65536;
	return get16(page + 1) < bytes && from <= bytes &&
	       head + 2 * cells <= from;
}

int sqlite_sane(const uint8_t *page, uint32_t bytes, uint32_t count)
{
	uint32_t next = get32(page);

	if (is_tree(page, bytes))
		return 1;
	if (page[0] >= 1 && page[0] <= MAP_TYPE_MAX && get32(page + 1) <= count)
		return 1;
	return next <= count && (next || get32(page + 4));
}
