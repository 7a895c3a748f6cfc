/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copy.c - non-temporal page copies, by processor.
 */
#include "copy.h"

#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>

__attribute__((target("avx512f"))) static void
copy_avx512(void *to, const void *from, size_t len)
{
	char *t = to;
	const char *f = from;
	size_t i;

	for (i = 0; i < len; i += 256) {
		__m512i a = _mm512_loadu_si512(f + i);
		__m512i b = _mm512_loadu_si512(f + i + 64);
		__m512i c = _mm512_loadu_si512(f + i + 128);
		__m512i d = _mm512_loadu_si512(f + i + 192);

		_mm512_stream_si512((void *)(t + i), a);
		_mm512_stream_si512((void *)(t + i + 64), b);
		_mm512_stream_si512((void *)(t + i + 128), c);
		_mm512_stream_si512((void *)(t + i + 192), d);
	}
}

__attribute__((target("avx2"))) static void copy_avx2(void *to, const void *from,
						      size_t len)
{
	char *t = to;
	const char *f = from;
	size_t i;

	for (i = 0; i < len; i += 128) {
		__m256i a = _mm256_loadu_si256((const void *)(f + i));
		__m256i b = _mm256_loadu_si256((const void *)(f + i + 32));
		__m256i c = _mm256_loadu_si256((const void *)(f + i + 64));
		__m256i d = _mm256_loadu_si256((const void *)(f + i + 96));

		_mm256_stream_si256((void *)(t + i), a);
		_mm256_stream_si256((void *)(t + i + 32), b);
		_mm256_stream_si256((void *)(t + i + 64), c);
		_mm256_stream_si256((void *)(t + i + 96), d);
	}
}

static void copy_sse2(void *to, const void *from, size_t len)
{
	char *t = to;
	const char *f = from;
	size_t i;

	for (i = 0; i < len; i += 64) {
		__m128i a = _mm_loadu_si128((const void *)(f + i));
		__m128i b = _mm_loadu_si128((const void *)(f + i + 16));
		__m128i c = _mm_loadu_si128((const void *)(f + i + 32));
		__m128i d = _mm_loadu_si128((const void *)(f + i + 48));

		_mm_stream_si128((void *)(t + i), a);
		_mm_stream_si128((void *)(t + i + 16), b);
		_mm_stream_si128((void *)(t + i + 32), c);
		_mm_stream_si128((void *)(t + i + 48), d);
	}
}

void tmem_copy_fence(void)
{
	_mm_sfence();
}

tmem_copy_fn tmem_copy_pick(void)
{
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f"))
		return copy_avx512;
	if (__builtin_cpu_supports("avx2"))
		return copy_avx2;
	return copy_sse2;
}

#else

static void copy_plain(void *to, const void *from, size_t len)
{
	memcpy(to, from, len);
}

void tmem_copy_fence(void)
{
}

tmem_copy_fn tmem_copy_pick(void)
{
	return copy_plain;
}

#endif
