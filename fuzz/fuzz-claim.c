/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz-claim.c - any bytes as the control page of a lease that is handed back:
 * what is accepted lies inside of them, and its sums are right.
 *
 * Inputs are short: what is behind them is 0, as in a file with holes, up to the
 * length that the head asks for.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "claim.h"

/* Heads of larger leases are tried with a file that is too short. */
#define BYTES_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int ok)
{
	if (!ok)
		abort();
}

static void check_accepted(const struct tmemd_claim *c, const uint8_t *copy,
			   size_t bytes)
{
	uint64_t lent[TMEM_WIRE_CLASSES] = { 0 };
	uint32_t n = c->head.segments_max;

	must((const uint8_t *)(c->epochs + n) <= copy + bytes);
	must(c->classes + n <= copy + bytes);
	must(memchr(c->head.domain, 0, sizeof(c->head.domain)) != NULL);
	while (n--)
		if (c->classes[n])
			lent[c->classes[n] - 1] += c->head.segment_size;
	must(!memcmp(lent, c->lent_bytes, sizeof(lent)));
	must(tmemd_claim_fits(c, UINT64_MAX, UINT64_MAX));
	must(!tmemd_claim_fits(c, 0, UINT64_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct tmem_wire_control head = { 0 };
	size_t bytes = len;
	struct tmemd_claim c;
	uint8_t *copy;

	if (len > BYTES_MAX)
		return 0;
	if (len >= sizeof(head)) {
		memcpy(&head, data, sizeof(head));
		if (head.segments_max < BYTES_MAX / 8)
			bytes = (TMEM_WIRE_CONTROL_BYTES(head.segments_max) +
				 4095) &
				~(size_t)4095;
	}
	if (bytes < len)
		bytes = len;
	copy = calloc(1, bytes ? bytes : 1);
	if (!copy)
		return 0;
	memcpy(copy, data, len);
	if (!tmemd_claim_parse(copy, bytes, &c))
		check_accepted(&c, copy, bytes);
	free(copy);
	return 0;
}
