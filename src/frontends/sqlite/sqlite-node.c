/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-node.c - one database file as this process knows it.
 *
 * Pages are named by a *life*, a number never used twice in a store. A life has
 * one token at a time; it passes to another token only through a section in which
 * nobody but us could change the file and in which each changed page was flushed.
 * Any other token gets a new life, and the old life's pages are given up. A reader
 * that still works with an old life can do no harm: nobody asks for its pages.
 */
#include "sqlite-node.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sqlite-link.h"

/* Files that are closed now: enough for an application with a database per
 * customer, and bounded. */
enum {
	IDLE_MAX = 64
};

/* ---- Identity ----------------------------------------------------------- */

struct identity {
	int fd;
	uint64_t dev, ino;
	int lasting;
	struct tmem_precache_file file;
};

/*
 * The default VFS does not show its descriptor, and one of our own would cost the
 * process its POSIX locks when it is closed, unless it is an O_PATH one. So the
 * path is asked, the VFS whether its file is at that path, and the path again.
 */
static int identify(const char *path, sqlite3_file *file, struct identity *ret)
{
	struct stat before, after;
	int fd, found, moved = 1;

	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return 0;
	found = fstat(fd, &before) == 0 && S_ISREG(before.st_mode);
	ret->lasting = found && tmem_precache_identify(fd, &ret->file) ==
					TMEM_PRECACHE_BY_HANDLE;
	if (!found ||
	    file->pMethods->xFileControl(file, SQLITE_FCNTL_HAS_MOVED,
					 &moved) != SQLITE_OK ||
	    moved || stat(path, &after) < 0 || before.st_dev != after.st_dev ||
	    before.st_ino != after.st_ino)
		found = 0;
	if (!found)
		(void)close(fd);
	ret->fd = fd;
	ret->dev = before.st_dev;
	ret->ino = before.st_ino;
	return found;
}

/* With connections the inode is in use, and its number names no other. */
static int is_node_of(const struct sqlite_node *node, const struct identity *id)
{
	if (node->dev != id->dev || node->ino != id->ino)
		return 0;
	if (node->refs)
		return 1;
	return node->lasting && id->lasting &&
	       memcmp(&node->file, &id->file, sizeof(id->file)) == 0;
}

/* ---- Lives -------------------------------------------------------------- */

static void give_up(struct sqlite_node *node)
{
	uint32_t page_size = node->token.page_size;

	if (page_size) {
		sqlite_store_flush_all(node->store, node->life, page_size);
		node->counts.drops++;
	}
	memset(&node->token, 0, sizeof(node->token));
	node->life = atomic_fetch_add(&node->store->next, 1) + 1;
}

static int adopt_locked(struct sqlite_node *node,
			const struct sqlite_token *token)
{
	node->counts.checks++;
	if (sqlite_token_same(&node->token, token, node->changing > 0))
		return 1;
	if (node->changing)
		return 0;
	give_up(node);
	node->token = *token;
	return 1;
}

int sqlite_node_adopt(struct sqlite_node *node,
		      const struct sqlite_token *token, uint64_t *ret)
{
	int adopted;

	(void)pthread_mutex_lock(&node->lock);
	adopted = adopt_locked(node, token);
	*ret = node->life;
	(void)pthread_mutex_unlock(&node->lock);
	return adopted;
}

int sqlite_node_recognise(struct sqlite_node *node, const uint8_t *counter,
			  uint64_t *ret, struct sqlite_token *ret_token)
{
	struct sqlite_token now = { .wal = 0 };
	int known;

	if (!sqlite_token_times(node->fd, &now))
		return 0;
	memcpy(now.counter, counter, sizeof(now.counter));
	(void)pthread_mutex_lock(&node->lock);
	now.page_size = node->token.page_size;
	known = sqlite_token_same(&node->token, &now, 0) && now.page_size;
	*ret = node->life;
	*ret_token = now;
	node->counts.checks += (unsigned)known;
	(void)pthread_mutex_unlock(&node->lock);
	return known;
}

int sqlite_node_begin(struct sqlite_node *node,
		      const struct sqlite_token *token, uint64_t *ret)
{
	int begun;

	(void)pthread_mutex_lock(&node->lock);
	begun = adopt_locked(node, token);
	if (begun)
		node->changing++;
	*ret = node->life;
	(void)pthread_mutex_unlock(&node->lock);
	return begun;
}

void sqlite_node_end(struct sqlite_node *node, uint64_t life,
		     const struct sqlite_token *token)
{
	(void)pthread_mutex_lock(&node->lock);
	node->changing--;
	/* A dropped life stays dropped. Pages of another size are others. */
	if (node->life == life) {
		if (token && token->page_size == node->token.page_size)
			node->token = *token;
		else
			give_up(node);
	}
	(void)pthread_mutex_unlock(&node->lock);
}

void sqlite_node_drop(struct sqlite_node *node)
{
	(void)pthread_mutex_lock(&node->lock);
	give_up(node);
	(void)pthread_mutex_unlock(&node->lock);
}

/* Pages put by who has not seen it yet belong to a life that is over. */
void sqlite_nodes_doubt(struct sqlite_store *store)
{
	struct sqlite_node *node;

	(void)pthread_mutex_lock(&store->nodes_lock);
	TAILQ_FOREACH(node, &store->nodes, link) {
		if (!node->active || atomic_exchange(&node->doubted, 1))
			continue;
		sqlite_node_drop(node);
	}
	(void)pthread_mutex_unlock(&store->nodes_lock);
}

/* ---- Being used --------------------------------------------------------- */

static void destroy(struct sqlite_node *node)
{
	give_up(node);
	(void)pthread_mutex_destroy(&node->lock);
	free(node);
}

static struct sqlite_node *create(struct sqlite_store *store,
				  const struct identity *id)
{
	struct sqlite_node *node = calloc(1, sizeof(*node));

	if (!node)
		return NULL;
	node->store = store;
	node->dev = id->dev;
	node->ino = id->ino;
	node->lasting = id->lasting;
	node->file = id->file;
	node->life = atomic_fetch_add(&store->next, 1) + 1;
	(void)pthread_mutex_init(&node->lock, NULL);
	return node;
}

static struct sqlite_node *find_locked(struct sqlite_store *store,
				       const struct identity *id)
{
	struct sqlite_node *node;

	TAILQ_FOREACH(node, &store->nodes, link) {
		if (is_node_of(node, id))
			break;
	}
	if (node) {
		TAILQ_REMOVE(&store->nodes, node, link);
		if (!node->refs)
			store->idle--;
	} else {
		node = create(store, id);
	}
	if (!node)
		return NULL;
	TAILQ_INSERT_TAIL(&store->nodes, node, link);
	if (node->refs++ == 0) {
		node->fd = id->fd;
		node->doubted = 0;
	} else {
		(void)close(id->fd);
	}
	return node;
}

struct sqlite_node *sqlite_node_get(struct sqlite_store *store,
				    const char *path, sqlite3_file *file)
{
	struct sqlite_node *node;
	struct identity id;

	memset(&id, 0, sizeof(id));
	if (!identify(path, file, &id))
		return NULL;
	(void)pthread_mutex_lock(&store->nodes_lock);
	node = find_locked(store, &id);
	(void)pthread_mutex_unlock(&store->nodes_lock);
	if (!node)
		(void)close(id.fd);
	return node;
}

/* The node that has been idle longest, if there are too many, or NULL. */
static struct sqlite_node *surplus_locked(struct sqlite_store *store)
{
	struct sqlite_node *node;

	if (store->idle <= IDLE_MAX)
		return NULL;
	TAILQ_FOREACH(node, &store->nodes, link) {
		if (!node->refs)
			break;
	}
	return node;
}

void sqlite_node_put(struct sqlite_node *node)
{
	struct sqlite_store *store;
	struct sqlite_node *gone = NULL;

	if (!node)
		return;
	store = node->store;
	(void)pthread_mutex_lock(&store->nodes_lock);
	if (--node->refs == 0) {
		/* A deleted database's room on the disk is not ours to keep. */
		(void)close(node->fd);
		node->fd = -1;
		store->idle++;
		gone = node->lasting ? surplus_locked(store) : node;
	}
	if (gone) {
		store->idle--;
		TAILQ_REMOVE(&store->nodes, gone, link);
	}
	(void)pthread_mutex_unlock(&store->nodes_lock);
	if (gone)
		destroy(gone);
}
