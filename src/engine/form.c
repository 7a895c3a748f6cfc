/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * form.c - same-filled pages, and the probe for pages that will not compress.
 */
#include "form.h"

#include <string.h>

int tmem_form_same(const void *page, size_t size, uint64_t *ret_word)
{
	const char *p = page;
	uint64_t first, last;

	memcpy(&first, p, sizeof(first));
	memcpy(&last, p + size - sizeof(last), sizeof(last));
	if (first != last)
		return 0;
	/* All words equal their predecessor: the page equals itself, shifted. */
	if (memcmp(p, p + sizeof(first), size - sizeof(first)))
		return 0;
	*ret_word = first;
	return 1;
}

/*
 * Of 256 random bytes, 162 values differ on average, with a deviation of about
 * 6: under 1 in 1000 random pages shows fewer than 143. Pages that lz4 brings
 * below the limit show 30 to 130 (text, pointers, machine code). What is random
 * and also repeats itself at a distance is called random here: lost density,
 * never lost correctness.
 */
#define PROBE_RUNS 32
#define PROBE_RUN 8
#define PROBE_RANDOM_MIN 143

int tmem_form_probe(const void *page, size_t size)
{
	const uint8_t *p = page;
	uint64_t seen[4] = { 0, 0, 0, 0 };
	size_t run, i, stride = size / PROBE_RUNS;

	/* The runs are staggered, so that columns of a table don't line up. */
	for (run = 0; run < PROBE_RUNS; run++) {
		const uint8_t *at = p + run * stride + (run * 24) % (stride - 8);

		for (i = 0; i < PROBE_RUN; i++)
			seen[at[i] >> 6] |= 1ull << (at[i] & 63);
	}
	return __builtin_popcountll(seen[0]) + __builtin_popcountll(seen[1]) +
		       __builtin_popcountll(seen[2]) +
		       __builtin_popcountll(seen[3]) <
	       PROBE_RANDOM_MIN;
}
