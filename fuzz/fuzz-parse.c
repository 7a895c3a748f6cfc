/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz-parse.c - any text: accepted ones survive a round trip, none crashes. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

#define TEXT_MAX 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char text[TEXT_MAX + 1], again[TEXT_MAX + 1];
	uint64_t bytes, back;

	if (len > TEXT_MAX)
		return 0;
	memcpy(text, data, len);
	text[len] = 0;
	if (tmem_parse_size(text, &bytes))
		return 0;
	(void)snprintf(again, sizeof(again), "%llu", (unsigned long long)bytes);
	if (tmem_parse_uint(again, UINT64_MAX, &back) || back != bytes)
		abort();
	if (tmem_format_size(bytes, again, sizeof(again)) >=
	    TMEM_FORMAT_SIZE_MAX)
		abort();
	return 0;
}
