/* SPDX-License-Identifier: BSD-2-Clause */
/* quote.c - names that may hold any byte, made fit for a line or for JSON. */
#include "quote.h"

#include <stdint.h>
#include <string.h>

static int is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
}

const char *quote_text(const char *s, char *buf, size_t len)
{
	static const char more[] = "...";
	size_t n = 0;

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		size_t need = is_control(c) || c == '\\' ? 4 : 1;

		if (n + need + sizeof(more) > len) {
			memcpy(buf + n, more, sizeof(more));
			return buf;
		}
		if (need == 1)
			buf[n] = *s;
		else
			(void)snprintf(buf + n, need + 1, "\\%03o", c);
		n += need;
	}
	buf[n] = '\0';
	return buf;
}

/*
 * Bytes of the character at `s`; 0: not well-formed (RFC 3629: no overlong
 * forms, no surrogates, nothing over U+10FFFF).
 */
static size_t utf8_length(const unsigned char *s)
{
	size_t len, i;
	uint32_t c;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	c = s[0] & (0x7fu >> len);
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if ((len == 3 && (c < 0x800 || (c >= 0xd800 && c < 0xe000))) ||
	    (len == 4 && (c < 0x10000 || c > 0x10ffff)))
		return 0;
	return len;
}

void quote_json(FILE *out, const char *s)
{
	(void)fputc('"', out);
	while (*s) {
		size_t len = utf8_length((const unsigned char *)s);

		if (!len)
			(void)fputs("\\ufffd", out);
		else if (is_control((unsigned char)*s))
			(void)fprintf(out, "\\u%04x", (unsigned char)*s);
		else if (*s == '"' || *s == '\\')
			(void)fprintf(out, "\\%c", *s);
		else
			(void)fwrite(s, 1, len, out);
		s += len ? len : 1;
	}
	(void)fputc('"', out);
}
