/* SPDX-License-Identifier: BSD-2-Clause */
/* demo-store.c - the store under test, a precache in it, and what it has to say. */
#include "demo-store.h"

#include <stdio.h>
#include <string.h>

#include <tmem/precache.h>

#include "command.h"
#include "quote.h"

/* Called from any thread. */
static void keep_line(void *ctx, int level, const char *line)
{
	struct demo_store *s = ctx;
	int opening;

	(void)pthread_mutex_lock(&s->lock);
	opening = s->opening;
	if (opening && level <= TMEM_LOG_WARNING)
		(void)quote_text(line, s->line, sizeof(s->line));
	(void)pthread_mutex_unlock(&s->lock);
	if (!opening && level <= TMEM_LOG_WARNING)
		(void)command_complain(0, "store: %s", line);
}

int demo_store_open(struct demo_store *s, const struct demo_options *o)
{
	struct tmem_open_opts opts = {
		.size = sizeof(opts),
		.domain = o->domain,
		.limit_bytes = o->limit_bytes,
		.log = keep_line,
		.log_ctx = s,
	};
	struct tmem_precache_opts cache = {
		.size = sizeof(cache),
		.name = "demo",
	};
	int err;

	memset(s, 0, sizeof(*s));
	(void)pthread_mutex_init(&s->lock, NULL);
	s->opening = 1;
	err = tmem_open(o->where, &opts, &s->session);
	if (!err)
		err = tmem_precache_init(s->session, &cache, &s->cache);
	(void)pthread_mutex_lock(&s->lock);
	if (err && !s->line[0])
		(void)snprintf(s->line, sizeof(s->line), "%s", strerror(-err));
	s->opening = 0;
	(void)pthread_mutex_unlock(&s->lock);
	return err;
}

void demo_store_close(struct demo_store *s)
{
	tmem_precache_finish(s->cache);
	s->cache = NULL;
	tmem_close(s->session);
	s->session = NULL;
	(void)pthread_mutex_destroy(&s->lock);
}
