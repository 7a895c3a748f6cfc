/* SPDX-License-Identifier: BSD-2-Clause */
/* lines.c - a log callback that remembers. */
#include "lines.h"

#include <string.h>

#include <tmem/tmem.h>

void lines_init(struct lines *lines)
{
	memset(lines, 0, sizeof(*lines));
	(void)pthread_mutex_init(&lines->lock, NULL);
}

void lines_finish(struct lines *lines)
{
	(void)pthread_mutex_destroy(&lines->lock);
}

static int known(int level)
{
	return level == TMEM_LOG_ERR || level == TMEM_LOG_WARNING ||
	       level == TMEM_LOG_INFO || level == TMEM_LOG_DEBUG;
}

void lines_take(void *ctx, int level, const char *line)
{
	struct lines *lines = ctx;
	size_t len = strlen(line);

	(void)pthread_mutex_lock(&lines->lock);
	lines->count++;
	if (!len || strchr(line, '\n') || !known(level))
		lines->broken++;
	if (len + 2 <= sizeof(lines->text) - lines->len) {
		memcpy(lines->text + lines->len, line, len);
		lines->len += len;
		lines->text[lines->len++] = '\n';
		lines->text[lines->len] = '\0';
	}
	(void)pthread_mutex_unlock(&lines->lock);
}

unsigned lines_count(struct lines *lines)
{
	unsigned n;

	(void)pthread_mutex_lock(&lines->lock);
	n = lines->count;
	(void)pthread_mutex_unlock(&lines->lock);
	return n;
}

int lines_say(struct lines *lines, const char *word)
{
	int yes;

	(void)pthread_mutex_lock(&lines->lock);
	yes = strstr(lines->text, word) != NULL;
	(void)pthread_mutex_unlock(&lines->lock);
	return yes;
}

void lines_clear(struct lines *lines)
{
	(void)pthread_mutex_lock(&lines->lock);
	lines->count = 0;
	lines->broken = 0;
	lines->len = 0;
	lines->text[0] = '\0';
	(void)pthread_mutex_unlock(&lines->lock);
}
