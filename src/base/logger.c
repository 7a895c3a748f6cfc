/* SPDX-License-Identifier: BSD-2-Clause */
/* logger.c - tells the user's callback of an event, one line each. */
#include "logger.h"

#include <stdarg.h>
#include <stdio.h>

void tmem_logger_say(const struct tmem_logger *l, int level, const char *fmt,
		     ...)
{
	char line[TMEM_LOGGER_LINE_MAX];
	va_list args;
	char *c;

	if (!l->fn)
		return;
	va_start(args, fmt);
	if (vsnprintf(line, sizeof(line), fmt, args) < 0)
		line[0] = 0;
	va_end(args);
	/* A name out of an argument must not forge a second line. */
	for (c = line; *c; c++)
		if (*c == '\n' || *c == '\r')
			*c = ' ';
	l->fn(l->ctx, level, line);
}
