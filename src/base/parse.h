/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse.h - numbers as people write them: 64k, 256M, 12.
 */
#ifndef TMEM_BASE_PARSE_H
#define TMEM_BASE_PARSE_H

#include <stddef.h>
#include <stdint.h>

/** TMEM_FORMAT_SIZE_MAX - bytes that any tmem_format_size() fits in. */
#define TMEM_FORMAT_SIZE_MAX 32u

/**
 * tmem_parse_size() - a number of bytes.
 * @s: decimal digits and at most one of K, M, G, T in either case: powers of
 *	1024. No sign, no blanks, nothing after.
 * @ret: out: bytes; untouched on failure.
 *
 * Return: 0, -EINVAL not such a number, -ERANGE over 64 bits.
 */
int tmem_parse_size(const char *s, uint64_t *ret)
	__attribute__((warn_unused_result));

/**
 * tmem_parse_uint() - a whole number.
 * @s: decimal digits and nothing else.
 * @max: the largest that is accepted.
 * @ret: out; untouched on failure.
 *
 * Return: 0, -EINVAL not a number, -ERANGE over @max.
 */
int tmem_parse_uint(const char *s, uint64_t max, uint64_t *ret)
	__attribute__((warn_unused_result));

/**
 * tmem_format_size() - bytes for people: 0, 1000, 256M, 1.5G.
 * @bytes: rounded down to a tenth of the unit, which is the largest that fits.
 * @buf: out: text, cut to fit and always ended; TMEM_FORMAT_SIZE_MAX is enough.
 * @len: bytes in @buf.
 *
 * Return: the text's length, had there been room.
 */
size_t tmem_format_size(uint64_t bytes, char *buf, size_t len);

#endif
