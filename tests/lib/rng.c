/* SPDX-License-Identifier: BSD-2-Clause */
/* rng.c - seeds from the environment or the clock, always printed. */
#include "rng.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "machine.h"

uint64_t rng_setting(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

uint64_t rng_seed(const char *name)
{
	struct rng clock = { .state = machine_now_ns() };
	uint64_t seed = rng_setting(name, rng_next(&clock) >> 32);

	(void)printf("%s=%" PRIu64 "\n", name, seed);
	(void)fflush(stdout);
	return seed;
}
