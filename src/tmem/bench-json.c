/* SPDX-License-Identifier: BSD-2-Clause */
/* bench-json.c - the numbers in a JSON text, with where they stand. */
#include "bench-json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Brackets within brackets; the text is a file that anybody may have made. */
#define DEPTH_MAX 16u

struct walk {
	const char *at;
	char path[BENCH_JSON_PATH_MAX];
	unsigned depth;
	void (*number)(void *ctx, const char *path, double value);
	void *ctx;
};

static int value(struct walk *w);

static void skip_blanks(struct walk *w)
{
	w->at += strspn(w->at, " \t\r\n");
}

/* 1: the character came, and is behind us. */
static int took(struct walk *w, char c)
{
	skip_blanks(w);
	if (*w->at != c)
		return 0;
	w->at++;
	return 1;
}

/* A string, its escapes left as they are; its text is between *from and *to. */
static int string(struct walk *w, const char **from, const char **to)
{
	if (!took(w, '"'))
		return -EINVAL;
	*from = w->at;
	while (*w->at && *w->at != '"')
		w->at += *w->at == '\\' && w->at[1] ? 2 : 1;
	*to = w->at;
	return took(w, '"') ? 0 : -EINVAL;
}

/* What comes under a name. */
static int child(struct walk *w, const char *name, int len)
{
	size_t end = strlen(w->path);
	int n = snprintf(w->path + end, sizeof(w->path) - end, "%s%.*s",
			 end ? "/" : "", len, name);
	int err = n < 0 || (size_t)n >= sizeof(w->path) - end ? -EINVAL
							      : value(w);

	w->path[end] = '\0';
	return err;
}

static int object(struct walk *w)
{
	const char *from, *to;
	int err;

	if (took(w, '}'))
		return 0;
	do {
		err = string(w, &from, &to);
		if (!err && !took(w, ':'))
			err = -EINVAL;
		if (!err)
			err = child(w, from, (int)(to - from));
	} while (!err && took(w, ','));
	return err ? err : took(w, '}') ? 0 : -EINVAL;
}

static int array(struct walk *w)
{
	unsigned i = 0;
	char name[16];
	int err;

	if (took(w, ']'))
		return 0;
	do {
		(void)snprintf(name, sizeof(name), "%u", i++);
		err = child(w, name, (int)strlen(name));
	} while (!err && took(w, ','));
	return err ? err : took(w, ']') ? 0 : -EINVAL;
}

static int nested(struct walk *w, int (*inside)(struct walk *w))
{
	int err = -EINVAL;

	if (w->depth++ < DEPTH_MAX)
		err = inside(w);
	w->depth--;
	return err;
}

static int value(struct walk *w)
{
	static const char *const words[] = { "true", "false", "null" };
	const char *from, *to;
	char *end;
	double number;
	size_t i;

	if (took(w, '{'))
		return nested(w, object);
	if (took(w, '['))
		return nested(w, array);
	if (*w->at == '"')
		return string(w, &from, &to);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strncmp(w->at, words[i], strlen(words[i]))) {
			w->at += strlen(words[i]);
			return 0;
		}
	}
	number = strtod(w->at, &end);
	if (end == w->at)
		return -EINVAL;
	w->at = end;
	w->number(w->ctx, w->path, number);
	return 0;
}

int bench_json_walk(const char *text,
		    void (*number)(void *ctx, const char *path, double value),
		    void *ctx)
{
	struct walk w = { .at = text, .number = number, .ctx = ctx };
	int err = value(&w);

	skip_blanks(&w);
	return err ? err : *w.at ? -EINVAL : 0;
}
