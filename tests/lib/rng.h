/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rng.h - random numbers that a seed repeats, and where the seed comes from.
 */
#ifndef TESTS_LIB_RNG_H
#define TESTS_LIB_RNG_H

#include <stdint.h>

struct rng {
	uint64_t state;
};

/** rng_next() - 64 random bits (splitmix64). */
static inline uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/** rng_below() - a number from 0 to @limit - 1; @limit is not 0. */
static inline uint64_t rng_below(struct rng *rng, uint64_t limit)
{
	return rng_next(rng) % limit;
}

/**
 * rng_seed() - the run's seed.
 * @name: environment variable that fixes it; else it is drawn from the clock.
 *
 * Prints it as NAME=SEED, so that a failure can be repeated.
 */
uint64_t rng_seed(const char *name);

/** rng_setting() - a number from the environment, else @otherwise. */
uint64_t rng_setting(const char *name, uint64_t otherwise);

#endif
