/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * short-number.h - numbers in five characters, for narrow columns.
 */
#ifndef TMEM_COMMAND_SHORT_NUMBER_H
#define TMEM_COMMAND_SHORT_NUMBER_H

/** SHORT_MAX - bytes that any of them fits in. */
#define SHORT_MAX 32

/** short_count() - 999, 9999, 12.3k, 1.2M; below 0: "-". Return: @buf. */
const char *short_count(double value, char buf[SHORT_MAX]);

/** short_size() - bytes: 0, 1023K, 99.9M, 512M. Return: @buf. */
const char *short_size(double bytes, char buf[SHORT_MAX]);

/** short_percent() - without the sign: 12.3, 100; below 0: "-". Return: @buf. */
const char *short_percent(double pct, char buf[SHORT_MAX]);

#endif
