/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fill.c - in the guest: more memory than it has, each byte of it known.
 *
 *	fill MIB DEVICE
 *
 * writes MIB of pages, reads all of them from the last to the first, writes every
 * other anew, and reads all again. Then it gives back all but an eighth, has the
 * kernel bring that home from the swap on DEVICE, and reads it once more. What is
 * in a page follows from its number and how often it was written. Exit status 0:
 * every byte was right, and nothing was left behind.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/swap.h>

#define PAGE 4096u
#define WORDS (PAGE / sizeof(uint64_t))
#define PAGES_OF_MIB 256u

/* Of three times the RAM: more than there is beside it otherwise. */
#define KEPT_PART 8u

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/* As heaps are: a few words that differ, small numbers and zeros around them. */
static uint64_t word(uint64_t page, unsigned written, unsigned i)
{
	uint64_t x = mix(page << 8 | written);

	if (i % 8 == x % 8)
		return mix(x + i);
	return i % 3 ? i & 15 : page << 12;
}

static void write_page(uint64_t *p, uint64_t page, unsigned written)
{
	unsigned i;

	for (i = 0; i < WORDS; i++)
		p[i] = word(page, written, i);
}

static int is_right(const uint64_t *p, uint64_t page, unsigned written)
{
	unsigned i;

	for (i = 0; i < WORDS; i++) {
		if (p[i] != word(page, written, i))
			return 0;
	}
	return 1;
}

/* How often a page has been written in the end: every other twice. */
static unsigned written(uint64_t page, int again)
{
	return again && page % 2 ? 2 : 1;
}

static uint64_t count_wrong(const uint64_t *all, uint64_t pages, int again)
{
	uint64_t n = pages, wrong = 0;

	while (n--)
		wrong += !is_right(all + n * WORDS, n, written(n, again));
	return wrong;
}

/* Return: pages that are wrong; all, if the kernel could not bring them home. */
static uint64_t bring_home(uint64_t *all, uint64_t pages, const char *device)
{
	const uint64_t kept = pages / KEPT_PART;
	uint64_t wrong;

	(void)munmap(all + kept * WORDS, (pages - kept) * PAGE);
	if (swapoff(device)) {
		perror("guest: swapoff");
		return kept;
	}
	wrong = count_wrong(all, kept, 1);
	(void)printf("guest: pages at home %llu, wrong %llu\n",
		     (unsigned long long)kept, (unsigned long long)wrong);
	return wrong;
}

int main(int argc, char **argv)
{
	uint64_t pages = argc == 3 ? strtoull(argv[1], NULL, 10) : 0;
	uint64_t i, wrong;
	uint64_t *all;

	pages *= PAGES_OF_MIB;
	if (!pages) {
		(void)fprintf(stderr, "usage: fill MIB DEVICE\n");
		return 2;
	}
	all = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED) {
		perror("guest: fill");
		return 1;
	}
	for (i = 0; i < pages; i++)
		write_page(all + i * WORDS, i, 1);
	wrong = count_wrong(all, pages, 0);
	for (i = 1; i < pages; i += 2)
		write_page(all + i * WORDS, i, 2);
	wrong += count_wrong(all, pages, 1);
	(void)printf("guest: pages %llu, looked at twice, wrong %llu\n",
		     (unsigned long long)pages, (unsigned long long)wrong);
	wrong += bring_home(all, pages, argv[2]);
	return wrong != 0;
}
