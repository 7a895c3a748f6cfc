/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quote.h - names that may hold any byte, made fit for a line or for JSON.
 */
#ifndef TMEM_COMMAND_QUOTE_H
#define TMEM_COMMAND_QUOTE_H

#include <stddef.h>
#include <stdio.h>

/** QUOTE_MAX - room for a name on a line of stderr, bytes. */
#define QUOTE_MAX 512

/**
 * quote_text() - for people: control characters and backslashes as \ooo, cut
 * with "..." to fit.
 * @buf: out: text, always ended; at least 8 bytes.
 *
 * Return: @buf.
 */
const char *quote_text(const char *s, char *buf, size_t len);

/**
 * quote_json() - write a JSON string, quotes included. A byte that is not part
 * of well-formed UTF-8 becomes U+FFFD.
 */
void quote_json(FILE *out, const char *s);

#endif
