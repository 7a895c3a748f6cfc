/* SPDX-License-Identifier: BSD-2-Clause */
/* bench-copy.c - a page written past the caches, by processor. */
#include "bench-copy.h"

#include <stddef.h>
#include <string.h>

#include <tmem/tmem.h>

#ifdef __x86_64__
#include <immintrin.h>

__attribute__((target("avx512f"))) static void copy_avx512(void *to,
							   const void *from)
{
	size_t i;

	for (i = 0; i < TMEM_PAGE_SIZE; i += 64)
		_mm512_stream_si512((void *)((char *)to + i),
				    _mm512_loadu_si512((const char *)from + i));
	_mm_sfence();
}

__attribute__((target("avx2"))) static void copy_avx2(void *to, const void *from)
{
	size_t i;

	for (i = 0; i < TMEM_PAGE_SIZE; i += 32)
		_mm256_stream_si256(
			(void *)((char *)to + i),
			_mm256_loadu_si256(
				(const void *)((const char *)from + i)));
	_mm_sfence();
}

static void copy_sse2(void *to, const void *from)
{
	size_t i;

	for (i = 0; i < TMEM_PAGE_SIZE; i += 16)
		_mm_stream_si128(
			(void *)((char *)to + i),
			_mm_loadu_si128((const void *)((const char *)from + i)));
	_mm_sfence();
}

bench_copy_fn bench_copy_pick(void)
{
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f"))
		return copy_avx512;
	return __builtin_cpu_supports("avx2") ? copy_avx2 : copy_sse2;
}

#else

static void copy_plain(void *to, const void *from)
{
	memcpy(to, from, TMEM_PAGE_SIZE);
}

bench_copy_fn bench_copy_pick(void)
{
	return copy_plain;
}

#endif
