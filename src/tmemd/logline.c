/* SPDX-License-Identifier: BSD-2-Clause */
/* logline.c - the daemon's log: a line an event, for people and for programs. */
#include "logline.h"

#include <ctype.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "parse.h"

/* A line as it is made; one byte is kept for the newline. */
struct line {
	char text[TMEMD_LINE_MAX];
	size_t len;
};

static void add(struct line *l, const char *s, size_t len)
{
	size_t room = sizeof(l->text) - 1 - l->len;

	if (len > room)
		len = room;
	memcpy(l->text + l->len, s, len);
	l->len += len;
}

static void add_text(struct line *l, const char *s)
{
	add(l, s, strlen(s));
}

/* Others than these would let a value end early, or be taken for a key. */
static int is_plain(const char *s)
{
	const char *c;

	for (c = s; *c; c++) {
		if (*c <= ' ' || *c > '~' || strchr("\"\\=", *c))
			return 0;
	}
	return c != s;
}

/* In quotes: names come from clients, and may hold what a terminal obeys. */
static void add_quoted(struct line *l, const char *s)
{
	char escaped[5];

	add_text(l, "\"");
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < ' ' || c > '~')
			(void)snprintf(escaped, sizeof(escaped), "\\x%02x", c);
		else
			(void)snprintf(escaped, sizeof(escaped), "%s%c",
				       strchr("\"\\", c) ? "\\" : "", c);
		add_text(l, escaped);
	}
	add_text(l, "\"");
}

static void add_value(struct line *l, const char *s)
{
	if (is_plain(s))
		add_text(l, s);
	else
		add_quoted(l, s);
}

static void add_field(struct line *l, const struct tmemd_field *f)
{
	char number[TMEM_FORMAT_SIZE_MAX];
	const char *text = f->text;

	switch (f->kind) {
	case TMEMD_FIELD_TEXT:
		break;
	case TMEMD_FIELD_UINT:
		(void)snprintf(number, sizeof(number), "%llu",
			       (unsigned long long)f->number);
		text = number;
		break;
	case TMEMD_FIELD_SIZE:
		(void)tmem_format_size(f->number, number, sizeof(number));
		text = number;
		break;
	case TMEMD_FIELD_ERROR:
		text = strerrordesc_np((int)f->number);
		break;
	}
	add_text(l, " ");
	add_text(l, f->key);
	add_text(l, "=");
	add_value(l, text ? text : "?");
}

static void begin(struct line *l, int level)
{
	char prefix[sizeof("<2147483647>")];

	l->len = 0;
	(void)snprintf(prefix, sizeof(prefix), "<%d>", level);
	add_text(l, prefix);
}

/* 1: all of it was taken. */
static int put_out(struct tmemd_log *log, struct line *l)
{
	struct pollfd p = { .fd = log->fd, .events = POLLOUT };

	l->text[l->len++] = '\n';
	return poll(&p, 1, 0) == 1 && p.revents == POLLOUT &&
	       write(log->fd, l->text, l->len) == (ssize_t)l->len;
}

static void put_line(struct tmemd_log *log, struct line *l)
{
	const struct tmemd_field lost = TMEMD_UINT("lines", log->lost);
	struct line first;

	if (log->lost) {
		begin(&first, TMEM_LOG_WARNING);
		add_text(&first, "log lines lost: nobody read them");
		add_field(&first, &lost);
		if (!put_out(log, &first)) {
			log->lost++;
			return;
		}
		log->lost = 0;
	}
	if (!put_out(log, l))
		log->lost++;
}

void tmemd_log_say(struct tmemd_log *log, int level, const char *message,
		   const struct tmemd_field *fields, size_t count)
{
	struct line l;
	size_t i;

	if (level > log->level)
		return;
	begin(&l, level);
	add_text(&l, message);
	for (i = 0; i < count; i++)
		add_field(&l, &fields[i]);
	put_line(log, &l);
}

/* Ready lines quote what they will; still none may steer a terminal. */
void tmemd_log_line(void *ctx, int level, const char *line)
{
	struct tmemd_log *log = ctx;
	struct line l;
	size_t i;

	if (level > log->level)
		return;
	begin(&l, level);
	i = l.len;
	add_text(&l, line);
	for (; i < l.len; i++)
		if (iscntrl((unsigned char)l.text[i]))
			l.text[i] = ' ';
	put_line(log, &l);
}
