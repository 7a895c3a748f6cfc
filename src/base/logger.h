/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logger.h - tells the user's callback of an event, one line each.
 *
 * The library itself prints nothing. No line per request, and none about what a
 * return value says already.
 */
#ifndef TMEM_BASE_LOGGER_H
#define TMEM_BASE_LOGGER_H

/** TMEM_LOGGER_LINE_MAX - bytes of a line, its end included; the rest is cut. */
#define TMEM_LOGGER_LINE_MAX 512u

/**
 * struct tmem_logger - where lines go.
 * @fn: called with the line, without a newline, in the thread that says it;
 *	NULL: silent.
 * @ctx: its first argument.
 */
struct tmem_logger {
	void (*fn)(void *ctx, int level, const char *line);
	void *ctx;
};

/**
 * tmem_logger_say() - one line.
 * @l: where to.
 * @level: TMEM_LOG_*.
 * @fmt: as printf; not even formatted when nobody listens.
 *
 * Context: holding no lock: the callback may take its time.
 */
void tmem_logger_say(const struct tmem_logger *l, int level, const char *fmt,
		     ...) __attribute__((format(printf, 3, 4)));

#endif
