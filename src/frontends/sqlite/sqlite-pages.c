/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-pages.c - the page cache that SQLite is given (sqlite3_pcache_methods2): a
 * hash of pages and a list of those that are not in use, least lately used first.
 *
 *	pinned --xUnpin--> list --room is needed--> victim --> store
 *	pinned <--xFetch-- list                              <-- VFS reads it
 *
 * What leaves at the list's end is offered to the store. SQLite's own cache could
 * not be wrapped for that: it frees pages without a word.
 *
 * SQLite says neither whose cache it makes nor what is in a page. Both are learnt
 * when the VFS reads a file into a page's buffer: whose buffer it is, is whose cache
 * it is (claim), and the page gets a *stamp*, the life that its content belongs to.
 * Only stamped pages are offered, and only while their file's connection is in a
 * transaction that believes in the same life (sqlite-view.c). A stamp is lost
 *
 *	when the page may have been written: it was in use at some moment between
 *	the beginning and the end of a write transaction of this connection. SQLite
 *	does not tell us of a change, but it changes only pages in use, and takes
 *	the locks through the VFS. (SQLite 3.40 fetches what it writes anew in that
 *	transaction, so that what unpin() looks at never says otherwise. Its
 *	documents do not promise that.) A checksum would not do: a page changed and
 *	changed back has the old content and is a newer page, which readers of the
 *	state between must not see.
 *
 *	when it gets another number, or is one that the log had: never got one.
 *
 * SQLite drops its cache by xTruncate when another connection has changed the file:
 * what is cut off is not offered. Nor is what is left when a cache is closed, when
 * no lock is held any more that would keep it true.
 *
 * A cache is used by one thread at a time, which SQLite sees to. The list of those
 * that are not claimed is everybody's, and so is `newest` while a cache is on it.
 * SQLite has one page cache implementation for a process and hands xCreate no
 * context: that list is the one variable here that no struct owns.
 */
#include "sqlite-pages.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/queue.h>

#include "sqlite-link.h"

enum {
	BUCKETS_MIN = 64, /* a power of two */
	/* SQLite's own cache keeps a tenth for pages that are not in use, so that
	 * the pager writes dirty ones out first. */
	PINNED_NUMERATOR = 9,
	PINNED_DENOMINATOR = 10
};

/* Behind a page's bytes; what SQLite keeps of it comes behind. */
struct slot {
	sqlite3_pcache_page base; /* SQLite's: must be the first */
	struct slot *next;	  /* in its bucket */
	TAILQ_ENTRY(slot) link;	  /* unless pinned */
	unsigned number;
	int pinned;
	uint64_t life;	 /* the stamp; 0: none */
	uint64_t writes; /* of the view, when it was pinned */
};

TAILQ_HEAD(slots, slot);

struct sqlite_pages {
	LIST_ENTRY(sqlite_pages) link; /* (u) unclaimed.lock */
	int listed;		       /* (u) */
	/* (a) the buffer that was made last, until it is claimed or freed */
	_Atomic(const void *) newest;

	struct sqlite_claim *claim; /* NULL: whose it is, is not known */
	size_t page_bytes, extra_bytes;
	int purgeable; /* its pages are those of a file */
	unsigned max, count, pinned;
	struct slots unused; /* victim first */
	struct slot **buckets;
	unsigned buckets_count; /* a power of two */
};

/* Those of which no file is known. Of files that another VFS opened none ever is. */
static struct {
	pthread_mutex_t lock;
	LIST_HEAD(, sqlite_pages) list; /* (u) lock */
} unclaimed = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct sqlite_pages *own(sqlite3_pcache *cache)
{
	return (struct sqlite_pages *)cache;
}

/* ---- Hash --------------------------------------------------------------- */

static struct slot **bucket_of(struct sqlite_pages *p, unsigned number)
{
	return &p->buckets[number & (p->buckets_count - 1)];
}

static struct slot *find(struct sqlite_pages *p, unsigned number)
{
	struct slot *s = *bucket_of(p, number);

	while (s && s->number != number)
		s = s->next;
	return s;
}

static void hash_add(struct sqlite_pages *p, struct slot *s)
{
	struct slot **bucket = bucket_of(p, s->number);

	s->next = *bucket;
	*bucket = s;
}

static void hash_remove(struct sqlite_pages *p, struct slot *s)
{
	struct slot **at = bucket_of(p, s->number);

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
}

/* For want of memory it stays as it is: slower, and as right. */
static void hash_grow(struct sqlite_pages *p)
{
	unsigned before = p->buckets_count;
	struct slot **old = p->buckets, *s, *next;
	size_t bytes = (size_t)before * 2 * sizeof(*old);
	struct slot **wider = sqlite3_malloc64(bytes);

	if (!wider)
		return;
	memset(wider, 0, bytes);
	p->buckets = wider;
	p->buckets_count = before * 2;
	for (unsigned i = 0; i < before; i++) {
		for (s = old[i]; s; s = next) {
			next = s->next;
			hash_add(p, s);
		}
	}
	sqlite3_free(old);
}

/* ---- Victims ------------------------------------------------------------ */

static void offer(const struct sqlite_pages *p, const struct slot *s)
{
	struct sqlite_view *v = p->claim ? p->claim->view : NULL;

	if (!s->life || !v || !sqlite_view_holds(v, s->life) ||
	    (size_t)v->page_size != p->page_bytes)
		return;
	sqlite_view_offer(v, s->number - 1, s->base.pBuf);
}

static void pin(struct sqlite_pages *p, struct slot *s)
{
	const struct sqlite_view *v = p->claim ? p->claim->view : NULL;

	if (v &&
	    (sqlite_view_writing(v) || (s->pinned && s->writes != v->writes)))
		s->life = 0;
	if (s->pinned)
		return;
	TAILQ_REMOVE(&p->unused, s, link);
	s->pinned = 1;
	s->writes = v ? v->writes : 0;
	p->pinned++;
}

static void unpin(struct sqlite_pages *p, struct slot *s)
{
	const struct sqlite_view *v = p->claim ? p->claim->view : NULL;

	if (!v || s->writes != v->writes)
		s->life = 0;
	s->pinned = 0;
	p->pinned--;
	TAILQ_INSERT_TAIL(&p->unused, s, link);
}

/* ---- Pages -------------------------------------------------------------- */

static void forget(struct sqlite_pages *p, struct slot *s)
{
	hash_remove(p, s);
	if (s->pinned)
		p->pinned--;
	else
		TAILQ_REMOVE(&p->unused, s, link);
	p->count--;
	if (atomic_load(&p->newest) == s->base.pBuf)
		atomic_store(&p->newest, NULL);
}

static void drop(struct sqlite_pages *p, struct slot *s)
{
	forget(p, s);
	sqlite3_free(s->base.pBuf);
}

/* The memory of the page that was not used longest, its content offered; NULL:
 * all are in use. */
static struct slot *recycle(struct sqlite_pages *p)
{
	struct slot *s = TAILQ_FIRST(&p->unused);

	if (!s)
		return NULL;
	offer(p, s);
	forget(p, s);
	return s;
}

static void evict_to(struct sqlite_pages *p, unsigned count)
{
	struct slot *s;

	while (p->count > count && (s = recycle(p)) != NULL)
		sqlite3_free(s->base.pBuf);
}

static struct slot *allocate(const struct sqlite_pages *p)
{
	char *bytes = sqlite3_malloc64(p->page_bytes + sizeof(struct slot) +
				       p->extra_bytes);
	struct slot *s;

	if (!bytes)
		return NULL;
	s = (struct slot *)(bytes + p->page_bytes);
	s->base.pBuf = bytes;
	s->base.pExtra = s + 1;
	return s;
}

static struct slot *make(struct sqlite_pages *p, unsigned number)
{
	struct slot *s = NULL;

	if (p->purgeable && p->count >= p->max)
		s = recycle(p);
	if (!s)
		s = allocate(p);
	if (!s && p->purgeable)
		s = recycle(p);
	if (!s)
		return NULL;
	if (p->count >= p->buckets_count)
		hash_grow(p);
	memset(s->base.pExtra, 0, p->extra_bytes);
	s->number = number;
	s->life = 0;
	s->writes = 0;
	s->pinned = 1;
	p->pinned++;
	p->count++;
	hash_add(p, s);
	if (!p->claim)
		atomic_store(&p->newest, s->base.pBuf);
	return s;
}

/* ---- What SQLite calls -------------------------------------------------- */

static int pages_init(void *ctx)
{
	(void)ctx;
	return SQLITE_OK;
}

static void pages_shutdown(void *ctx)
{
	(void)ctx;
}

static sqlite3_pcache *pages_create(int page_bytes, int extra_bytes,
				    int purgeable)
{
	struct sqlite_pages *p = sqlite3_malloc(sizeof(*p));
	size_t bytes = BUCKETS_MIN * sizeof(struct slot *);

	if (!p)
		return NULL;
	memset(p, 0, sizeof(*p));
	p->buckets = sqlite3_malloc64(bytes);
	if (!p->buckets) {
		sqlite3_free(p);
		return NULL;
	}
	memset(p->buckets, 0, bytes);
	p->buckets_count = BUCKETS_MIN;
	p->page_bytes = (size_t)page_bytes;
	p->extra_bytes = (size_t)extra_bytes;
	p->purgeable = purgeable;
	p->max = 1;
	TAILQ_INIT(&p->unused);
	atomic_init(&p->newest, NULL);
	if (!purgeable)
		return (sqlite3_pcache *)p;
	(void)pthread_mutex_lock(&unclaimed.lock);
	LIST_INSERT_HEAD(&unclaimed.list, p, link);
	p->listed = 1;
	(void)pthread_mutex_unlock(&unclaimed.lock);
	return (sqlite3_pcache *)p;
}

static void pages_cachesize(sqlite3_pcache *cache, int max)
{
	struct sqlite_pages *p = own(cache);

	p->max = max > 0 ? (unsigned)max : 1;
	if (p->purgeable)
		evict_to(p, p->max);
}

static int pages_count(sqlite3_pcache *cache)
{
	return (int)own(cache)->count;
}

/* @create: 0 no; 1 if it is easy, else SQLite writes some out and asks again; 2. */
static sqlite3_pcache_page *pages_fetch(sqlite3_pcache *cache, unsigned number,
					int create)
{
	struct sqlite_pages *p = own(cache);
	struct slot *s = find(p, number);

	if (s) {
		pin(p, s);
		return &s->base;
	}
	if (!create || (create == 1 && p->purgeable &&
			(uint64_t)p->pinned * PINNED_DENOMINATOR >=
				(uint64_t)p->max * PINNED_NUMERATOR))
		return NULL;
	s = make(p, number);
	return s ? &s->base : NULL;
}

static void pages_unpin(sqlite3_pcache *cache, sqlite3_pcache_page *page,
			int discard)
{
	struct sqlite_pages *p = own(cache);
	struct slot *s = (struct slot *)page;

	if (discard) {
		drop(p, s);
		return;
	}
	unpin(p, s);
	if (p->purgeable)
		evict_to(p, p->max);
}

static void pages_rekey(sqlite3_pcache *cache, sqlite3_pcache_page *page,
			unsigned old, unsigned number)
{
	struct sqlite_pages *p = own(cache);
	struct slot *s = (struct slot *)page, *there = find(p, number);

	(void)old;
	if (there && there != s)
		drop(p, there);
	hash_remove(p, s);
	s->number = number;
	s->life = 0;
	hash_add(p, s);
}

static void pages_truncate(sqlite3_pcache *cache, unsigned limit)
{
	struct sqlite_pages *p = own(cache);
	struct slot *s, *next;

	for (unsigned i = 0; i < p->buckets_count && p->count; i++) {
		for (s = p->buckets[i]; s; s = next) {
			next = s->next;
			if (s->number >= limit)
				drop(p, s);
		}
	}
}

static void pages_shrink(sqlite3_pcache *cache)
{
	evict_to(own(cache), 0);
}

static void unlist(struct sqlite_pages *p)
{
	(void)pthread_mutex_lock(&unclaimed.lock);
	if (p->listed)
		LIST_REMOVE(p, link);
	p->listed = 0;
	(void)pthread_mutex_unlock(&unclaimed.lock);
}

static void pages_destroy(sqlite3_pcache *cache)
{
	struct sqlite_pages *p = own(cache);

	unlist(p);
	if (p->claim)
		p->claim->pages = NULL;
	pages_truncate(cache, 0);
	sqlite3_free(p->buckets);
	sqlite3_free(p);
}

const sqlite3_pcache_methods2 *sqlite_pages_methods(void)
{
	static const sqlite3_pcache_methods2 methods = {
		.iVersion = 1,
		.xInit = pages_init,
		.xShutdown = pages_shutdown,
		.xCreate = pages_create,
		.xCachesize = pages_cachesize,
		.xPagecount = pages_count,
		.xFetch = pages_fetch,
		.xUnpin = pages_unpin,
		.xRekey = pages_rekey,
		.xTruncate = pages_truncate,
		.xDestroy = pages_destroy,
		.xShrink = pages_shrink,
	};

	return &methods;
}

/* ---- What the VFS calls ------------------------------------------------- */

/* A buffer that is being read into is alive, so that no other cache has it: the
 * reader is in SQLite's hands with this very cache. */
void sqlite_pages_claim(struct sqlite_claim *c, const void *buffer)
{
	struct sqlite_pages *p;

	if (!c->wanted || c->pages)
		return;
	(void)pthread_mutex_lock(&unclaimed.lock);
	LIST_FOREACH(p, &unclaimed.list, link) {
		if (atomic_load(&p->newest) == buffer)
			break;
	}
	if (p) {
		LIST_REMOVE(p, link);
		p->listed = 0;
		p->claim = c;
		c->pages = p;
	}
	(void)pthread_mutex_unlock(&unclaimed.lock);
}

int sqlite_pages_stamp(struct sqlite_claim *c, const void *buffer,
		       sqlite3_int64 offset, uint64_t life)
{
	struct sqlite_pages *p = c->pages;
	struct slot *s;

	if (!p)
		return 0;
	s = find(p, (unsigned)((uint64_t)offset / p->page_bytes) + 1);
	if (!s || s->base.pBuf != buffer)
		return 0;
	s->life = sqlite_view_writing(c->view) ? 0 : life;
	s->writes = c->view->writes;
	return 1;
}

void sqlite_pages_release(struct sqlite_claim *c)
{
	if (c->pages)
		c->pages->claim = NULL;
	c->pages = NULL;
}
