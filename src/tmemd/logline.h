/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logline.h - the daemon's log: a line an event, for people and for programs.
 *
 *	<6>session opened domain=web pid=4711 uid=1000
 *	<4>client dropped domain="two words" reason="message too short"
 *
 * The level in front is sd-daemon(3)'s, so a journal keeps it and a terminal
 * shows it. Events only: no request is worth a line, so nothing here limits how
 * many there are.
 */
#ifndef TMEM_TMEMD_LOGLINE_H
#define TMEM_TMEMD_LOGLINE_H

#include <stddef.h>
#include <stdint.h>

/** TMEMD_LINE_MAX - bytes of a line, its newline included; the rest is cut.
 * Below PIPE_BUF, so that a line reaches a pipe whole or not at all. */
#define TMEMD_LINE_MAX 1024u

/**
 * struct tmemd_log - where lines go. Used by one thread.
 * @fd: a file, pipe or socket; borrowed.
 * @level: the last of the levels that are said, TMEM_LOG_*.
 * @lost: lines that @fd did not take since one that it took.
 */
struct tmemd_log {
	int fd;
	int level;
	uint64_t lost;
};

enum tmemd_field_kind {
	TMEMD_FIELD_TEXT,
	TMEMD_FIELD_UINT,
	TMEMD_FIELD_SIZE,
	TMEMD_FIELD_ERROR
};

/** struct tmemd_field - a key with its value; made by the macros below. */
struct tmemd_field {
	const char *key;
	enum tmemd_field_kind kind;
	const char *text;
	uint64_t number;
};

/* Releases of clang-format differ about braces in a macro. */
/* clang-format off */
/** TMEMD_TEXT() - any bytes, quoted when they need it. */
#define TMEMD_TEXT(k, v)                                                       \
	{                                                                      \
		.key = (k), .kind = TMEMD_FIELD_TEXT, .text = (v)              \
	}
#define TMEMD_UINT(k, v)                                                       \
	{                                                                      \
		.key = (k), .kind = TMEMD_FIELD_UINT, .number = (v)            \
	}
/** TMEMD_SIZE() - bytes, said like 1.5G. */
#define TMEMD_SIZE(k, v)                                                       \
	{                                                                      \
		.key = (k), .kind = TMEMD_FIELD_SIZE, .number = (v)            \
	}
/** TMEMD_ERROR() - what a negative errno means. */
#define TMEMD_ERROR(k, v)                                                      \
	{                                                                      \
		.key = (k), .kind = TMEMD_FIELD_ERROR,                         \
		.number = (uint64_t)-(v)                                       \
	}
/* clang-format on */

/** TMEMD_FIELDS() - the last two arguments of tmemd_log_say(). */
#define TMEMD_FIELDS(...)                                                      \
	(const struct tmemd_field[]){ __VA_ARGS__ },                           \
		sizeof((const struct tmemd_field[]){ __VA_ARGS__ }) /          \
			sizeof(struct tmemd_field)

/**
 * tmemd_log_say() - one line.
 * @log: where to.
 * @level: TMEM_LOG_*; beyond log->level nothing happens.
 * @message: what happened, in plain words of ours.
 * @fields: to whom and with what: TMEMD_FIELDS(TMEMD_UINT("pid", pid), ...), or
 *	NULL and 0.
 * @count: how many.
 *
 * Never waits: a reader that stands still must not stop the daemon that frees
 * the host's memory. What it does not take is counted, and said once it reads
 * again.
 */
void tmemd_log_say(struct tmemd_log *log, int level, const char *message,
		   const struct tmemd_field *fields, size_t count);

/** tmemd_log_line() - a ready line; the fn of a struct tmem_logger whose ctx is
 * the struct tmemd_log. */
void tmemd_log_line(void *ctx, int level, const char *line);

#endif
