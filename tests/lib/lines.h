/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lines.h - keeps what a store says to its log.
 */
#ifndef TESTS_LIB_LINES_H
#define TESTS_LIB_LINES_H

#include <pthread.h>
#include <stddef.h>

struct lines {
	pthread_mutex_t lock;
	unsigned count;	 /* lines said */
	unsigned broken; /* empty, with a newline, or of no known level */
	size_t len;
	char text[8192]; /* the first of them, a newline after each */
};

void lines_init(struct lines *lines);
void lines_finish(struct lines *lines);

/** lines_take() - an opts->log; its context is the struct lines. */
void lines_take(void *ctx, int level, const char *line);

/** lines_count() - lines said so far. */
unsigned lines_count(struct lines *lines);

/** lines_say() - 1: @word occurs in what was said. */
int lines_say(struct lines *lines, const char *word);

/** lines_clear() - forget all. */
void lines_clear(struct lines *lines);

#endif
