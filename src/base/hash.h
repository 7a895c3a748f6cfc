/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hash.h - hashes for tables and checksums; none of them resists an attacker
 * who knows the seed.
 */
#ifndef TMEM_BASE_HASH_H
#define TMEM_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Odd, half of the bits set, nothing up the sleeve: pi and e, in hex. */
#define TMEM_MIX_A 0x243f6a8885a308d3ull
#define TMEM_MIX_B 0xb7e151628aed2a6bull

/** tmem_hash() - 64 bits over bytes (XXH3); the same on every machine. */
static inline uint64_t tmem_hash(const void *p, size_t len, uint64_t seed)
{
	return XXH3_64bits_withSeed(p, len, seed);
}

/**
 * tmem_mix() - two words to one: a 128-bit product, its halves folded.
 *
 * Three or four times cheaper than tmem_hash(), good in all bits for counters
 * and ids. Collides for all @b when @a is TMEM_MIX_A, and the other way about.
 */
static inline uint64_t tmem_mix(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	wide product = (wide)(a ^ TMEM_MIX_A) * (b ^ TMEM_MIX_B);

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#endif
