/* SPDX-License-Identifier: BSD-2-Clause */
/* sqlite-store.c - the stores that the databases of this process name. */
#include "sqlite-store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sqlite-link.h"

void sqlite_stores_init(struct sqlite_stores *s, int victims)
{
	s->victims = victims;
	LIST_INIT(&s->list);
	(void)pthread_mutex_init(&s->lock, NULL);
}

/* Called from any thread. */
static void keep_line(void *ctx, int level, const char *line)
{
	struct sqlite_store *store = ctx;

	if (level > TMEM_LOG_WARNING)
		return;
	(void)pthread_mutex_lock(&store->line_lock);
	(void)snprintf(store->line, sizeof(store->line), "%s", line);
	(void)pthread_mutex_unlock(&store->line_lock);
}

void sqlite_store_line(struct sqlite_store *store,
		       char ret[SQLITE_STORE_LINE_MAX])
{
	(void)pthread_mutex_lock(&store->line_lock);
	memcpy(ret, store->line, sizeof(store->line));
	(void)pthread_mutex_unlock(&store->line_lock);
}

static int open_pools(struct sqlite_store *store)
{
	struct tmem_precache_opts opts = {
		.size = sizeof(opts),
		.flags = store->victims ? 0 : TMEM_PRECACHE_KEEP,
		.name = "sqlite",
	};
	int err = 0;

	for (int i = 0; i < SQLITE_STORE_POOLS && !err; i++) {
		opts.page_size = (uint32_t)TMEM_PAGE_SIZE_MIN << i;
		err = tmem_precache_init(store->session, &opts,
					 &store->pools[i]);
	}
	return err;
}

static void close_session(struct sqlite_store *store)
{
	for (int i = 0; i < SQLITE_STORE_POOLS; i++) {
		tmem_precache_finish(store->pools[i]);
		store->pools[i] = NULL;
	}
	tmem_close(store->session);
	store->session = NULL;
}

static void open_session(struct sqlite_store *store)
{
	struct tmem_open_opts opts = {
		.size = sizeof(opts),
		.log = keep_line,
		.log_ctx = store,
	};
	char line[SQLITE_STORE_LINE_MAX];
	int err = tmem_open(store->where, &opts, &store->session);

	if (!err)
		err = open_pools(store);
	if (!err)
		return;
	close_session(store);
	if (!store->line[0])
		keep_line(store, TMEM_LOG_ERR, strerror(-err));
	sqlite_store_line(store, line);
	sqlite3_log(SQLITE_WARNING, "tmem: no store, databases do without: %s",
		    line);
}

static struct sqlite_store *create(const char *where, int victims)
{
	struct sqlite_store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	if (where) {
		store->where = strdup(where);
		if (!store->where) {
			free(store);
			return NULL;
		}
	}
	store->pid = getpid();
	store->victims = victims;
	TAILQ_INIT(&store->nodes);
	sqlite_shed_init(&store->shed);
	(void)pthread_mutex_init(&store->nodes_lock, NULL);
	(void)pthread_mutex_init(&store->line_lock, NULL);
	open_session(store);
	return store;
}

static int is_named(const struct sqlite_store *store, const char *where)
{
	if (store->pid != getpid())
		return 0;
	if (!store->where || !where)
		return store->where == where;
	return strcmp(store->where, where) == 0;
}

struct sqlite_store *sqlite_stores_get(struct sqlite_stores *s,
				       const char *where)
{
	struct sqlite_store *store;

	(void)pthread_mutex_lock(&s->lock);
	LIST_FOREACH(store, &s->list, link) {
		if (is_named(store, where))
			break;
	}
	if (!store) {
		store = create(where, s->victims);
		if (store)
			LIST_INSERT_HEAD(&s->list, store, link);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return store;
}

/* ---- Pages -------------------------------------------------------------- */

static struct tmem_precache *pool_of(struct sqlite_store *store,
				     uint32_t page_size)
{
	uint32_t size = TMEM_PAGE_SIZE_MIN;
	int i = 0;

	while (size < page_size) {
		size *= 2;
		i++;
	}
	return store->pools[i];
}

/* Pages below the store's smallest are kept with zeros behind them. */
int sqlite_store_get(struct sqlite_store *store, uint64_t life,
		     uint32_t page_size, uint64_t index, void *page)
{
	struct tmem_precache_file file = { .object = { life } };
	struct tmem_precache *pool = pool_of(store, page_size);
	uint8_t padded[TMEM_PAGE_SIZE_MIN];
	int hit;

	if (page_size >= TMEM_PAGE_SIZE_MIN)
		return tmem_precache_get(pool, &file, index, page) == 1;
	hit = tmem_precache_get(pool, &file, index, padded) == 1;
	if (hit)
		memcpy(page, padded, page_size);
	return hit;
}

int sqlite_store_put(struct sqlite_store *store, uint64_t life,
		     uint32_t page_size, uint64_t index, const void *page)
{
	struct tmem_precache_file file = { .object = { life } };
	struct tmem_precache *pool = pool_of(store, page_size);
	uint8_t padded[TMEM_PAGE_SIZE_MIN];

	if (page_size >= TMEM_PAGE_SIZE_MIN)
		return tmem_precache_put(pool, &file, index, page) == 1;
	memcpy(padded, page, page_size);
	memset(padded + page_size, 0, sizeof(padded) - page_size);
	return tmem_precache_put(pool, &file, index, padded) == 1;
}

int sqlite_store_flush(struct sqlite_store *store, uint64_t life,
		       uint32_t page_size, uint64_t index)
{
	struct tmem_precache_file file = { .object = { life } };

	return tmem_precache_flush(pool_of(store, page_size), &file, index) == 1;
}

void sqlite_store_flush_all(struct sqlite_store *store, uint64_t life,
			    uint32_t page_size)
{
	struct tmem_precache_file file = { .object = { life } };

	(void)tmem_precache_flush_inode(pool_of(store, page_size), &file);
}
