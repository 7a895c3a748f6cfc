/* SPDX-License-Identifier: BSD-2-Clause */
/* test-hash.c - hashes are stable, use their seed, and spread their input. */
#include <stdint.h>

#include "hash.h"
#include "unit.h"

static void known_values(void **state)
{
	(void)state;
	/* From the specification of XXH3: the empty input, seed 0. */
	assert_true(tmem_hash("", 0, 0) == 0x2d06800538d394c2ull);
}

static void seed_and_length_matter(void **state)
{
	static const char page[4096];
	size_t len;

	(void)state;
	for (len = 0; len < sizeof(page); len++) {
		assert_true(tmem_hash(page, len, 1) != tmem_hash(page, len, 2));
		assert_true(tmem_hash(page, len, 1) !=
			    tmem_hash(page, len + 1, 1));
	}
}

/* Flipping one bit of either word flips about half of the result's. */
static void mix_spreads(void **state)
{
	const unsigned words = 256;
	unsigned bit, n;

	(void)state;
	for (bit = 0; bit < 64; bit++) {
		unsigned flips_a = 0, flips_b = 0;

		for (n = 0; n < words; n++) {
			uint64_t a = n, b = n * 4096ull;
			uint64_t h = tmem_mix(a, b);
			uint64_t ha = tmem_mix(a ^ (1ull << bit), b);
			uint64_t hb = tmem_mix(a, b ^ (1ull << bit));

			flips_a += (unsigned)__builtin_popcountll(h ^ ha);
			flips_b += (unsigned)__builtin_popcountll(h ^ hb);
		}
		assert_in_range(flips_a / words, 20, 44);
		assert_in_range(flips_b / words, 20, 44);
	}
}

/* Small numbers, as ids and indexes are, fill a table evenly from either end. */
static void mix_fills_buckets(void **state)
{
	unsigned low[256] = { 0 }, high[256] = { 0 };
	unsigned a, b, n;

	(void)state;
	for (a = 0; a < 256; a++) {
		for (b = 0; b < 256; b++) {
			uint64_t h = tmem_mix(a, b);

			low[h & 255]++;
			high[h >> 56]++;
		}
	}
	for (n = 0; n < 256; n++) {
		assert_in_range(low[n], 256 - 96, 256 + 96);
		assert_in_range(high[n], 256 - 96, 256 + 96);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_values),
		cmocka_unit_test(seed_and_length_matter),
		cmocka_unit_test(mix_spreads),
		cmocka_unit_test(mix_fills_buckets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
