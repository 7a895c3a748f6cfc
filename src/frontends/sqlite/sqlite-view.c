/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-view.c - what one connection may believe, from the locks it holds.
 *
 * A *transaction* is the time that a lock keeps the pages we may read from
 * changing under us. Its first page read asks for the file's state (token), and
 * its answer holds for all of it.
 *
 *	rollback	SHARED on the file, until it is released
 *	log		a read mark (wal-index locks 3 to 7)
 *
 * A *section* is the time in which nobody but this connection can change the
 * file. It begins by asking for the state and ends by telling the node what the
 * state has become; each page written in between is given up, and all others stay
 * cached. A write outside of a section gives up everything.
 *
 *	EXCLUSIVE	on the file: a commit, a rollback, a log being closed
 *	CHECKPOINT	wal-index lock 1: only its holder copies from the log
 *	RESTART		wal-index locks 4 to 7, by the one who may write to the log,
 *			when all of it is in the file: salts change, pages don't
 *
 * Where neither is held (locking_mode of another VFS, nolock=1, immutable=1, a
 * log whose index is in private memory), nothing is known and nothing is cached.
 */
#include "sqlite-view.h"

#include <string.h>

#include "sqlite-link.h"
#include "sqlite-sane.h"

enum {
	BELIEF_UNASKED,
	BELIEF_KNOWN,
	BELIEF_UNKNOWN
};

enum {
	SECTION_EXCLUSIVE = 1,
	SECTION_CHECKPOINT = 2,
	SECTION_RESTART = 4
};

/* The wal-index's locks, https://sqlite.org/walformat.html#wal_locks */
enum {
	LOCK_WRITE = 0,
	LOCK_CHECKPOINT = 1,
	LOCK_READ_0 = 3,
	LOCK_READ_1 = 4,
	LOCKS_READ_ALL = 5,
	LOCKS_READ_MARKS = 4
};

/* Above as many, giving up everything is quicker than page by page, and
 * auto-vacuum seldom cuts off more. */
enum {
	TRUNCATE_PAGES_MAX = 1024
};

/* A database's smallest pages, bytes. */
enum {
	PAGE_MIN = 512
};

static unsigned mask(int first, int count)
{
	return ((1u << count) - 1) << first;
}

/* ---- Asking ------------------------------------------------------------- */

static int has_transaction(const struct sqlite_view *v)
{
	if (v->index)
		return (v->shared & mask(LOCK_READ_0, LOCKS_READ_ALL)) != 0;
	return v->level >= SQLITE_LOCK_SHARED;
}

static int take_token(struct sqlite_view *v, struct sqlite_token *ret)
{
	if (v->index)
		return sqlite_token_wal(v->file, v->node->fd, v->index, ret);
	return sqlite_token_rollback(v->file, v->node->fd, ret);
}

/* Someone's word that a database is malformed is of what is read now. */
static void set_active(struct sqlite_view *v)
{
	int active = has_transaction(v);

	if (!v->node || active == v->active)
		return;
	v->active = active;
	if (active)
		v->node->active++;
	else
		v->node->active--;
}

static void set_size(struct sqlite_view *v, const struct sqlite_token *token)
{
	v->page_size = token->page_size;
	v->count = (uint32_t)(token->bytes / token->page_size);
}

static void ask(struct sqlite_view *v)
{
	struct sqlite_token token;

	if (!v->index && v->has_counter &&
	    sqlite_node_recognise(v->node, v->counter, &v->life, &token)) {
		set_size(v, &token);
		v->belief = BELIEF_KNOWN;
		return;
	}
	v->belief = BELIEF_UNKNOWN;
	if (!take_token(v, &token) ||
	    !sqlite_node_adopt(v->node, &token, &v->life))
		return;
	set_size(v, &token);
	v->belief = BELIEF_KNOWN;
}

/* It saves a read of our own in every transaction but the first. */
void sqlite_view_counter(struct sqlite_view *v, const void *counter)
{
	if (v->level != SQLITE_LOCK_SHARED)
		return;
	memcpy(v->counter, counter, sizeof(v->counter));
	v->has_counter = 1;
}

/* Page 1 is left to SQLite: what tells states apart is in it. */
int sqlite_view_may(const struct sqlite_view *v, int bytes, sqlite3_int64 offset)
{
	return v->node && !v->node->doubted && bytes >= PAGE_MIN &&
	       offset > 0 && offset % bytes == 0 && has_transaction(v);
}

int sqlite_view_page(struct sqlite_view *v, int bytes)
{
	if (v->belief == BELIEF_UNASKED)
		ask(v);
	return v->belief == BELIEF_KNOWN && (uint32_t)bytes == v->page_size;
}

/* ---- Victims ------------------------------------------------------------ */

/* Whoever may change pages has said so by a lock. */
int sqlite_view_writing(const struct sqlite_view *v)
{
	return v->level >= SQLITE_LOCK_RESERVED ||
	       (v->exclusive & mask(LOCK_WRITE, 1)) != 0;
}

int sqlite_view_holds(struct sqlite_view *v, uint64_t life)
{
	if (!v->node || v->node->doubted || !has_transaction(v))
		return 0;
	if (v->belief == BELIEF_UNASKED)
		ask(v);
	return v->belief == BELIEF_KNOWN && v->life == life;
}

int sqlite_view_offer(struct sqlite_view *v, uint64_t index, const void *page)
{
	struct sqlite_node *node = v->node;
	int stored;

	if (!sqlite_sane(page, v->page_size, v->count)) {
		node->counts.skipped++;
		return 0;
	}
	stored = sqlite_store_put(node->store, v->life, v->page_size, index,
				  page);
	if (stored)
		node->counts.stored++;
	else
		node->counts.refused++;
	return stored;
}

/* ---- Changing ----------------------------------------------------------- */

static void section_begin(struct sqlite_view *v, unsigned why)
{
	int first = !v->sections;
	struct sqlite_token token;

	v->sections |= why;
	if (!first || !v->node)
		return;
	if (!take_token(v, &token) ||
	    !sqlite_node_begin(v->node, &token, &v->section_life))
		return;
	v->begun = 1;
	set_size(v, &token);
	if (why == SECTION_EXCLUSIVE && has_transaction(v)) {
		v->life = v->section_life;
		v->belief = BELIEF_KNOWN;
	}
}

static void section_end(struct sqlite_view *v, unsigned why)
{
	struct sqlite_token token;
	int known;

	v->sections &= ~why;
	if (v->sections || !v->begun)
		return;
	v->begun = 0;
	known = take_token(v, &token);
	sqlite_node_end(v->node, v->section_life, known ? &token : NULL);
}

void sqlite_view_unsure(struct sqlite_view *v)
{
	if (!v->node)
		return;
	sqlite_node_drop(v->node);
	v->belief = BELIEF_UNKNOWN;
}

static void flush(struct sqlite_view *v, sqlite3_int64 from, sqlite3_int64 to)
{
	struct sqlite_node *node = v->node;
	uint64_t first = (uint64_t)from / v->page_size;
	uint64_t end = ((uint64_t)to + v->page_size - 1) / v->page_size;

	for (uint64_t page = first; page < end; page++) {
		if (sqlite_store_flush(node->store, v->section_life,
				       v->page_size, page))
			node->counts.flushed++;
	}
}

void sqlite_view_write(struct sqlite_view *v, int bytes, sqlite3_int64 offset)
{
	if (!v->node)
		return;
	if (v->begun)
		flush(v, offset, offset + bytes);
	else
		sqlite_view_unsure(v);
}

void sqlite_view_truncate(struct sqlite_view *v, sqlite3_int64 bytes)
{
	sqlite3_int64 now = 0;

	if (!v->node)
		return;
	if (!v->begun ||
	    v->file->pMethods->xFileSize(v->file, &now) != SQLITE_OK ||
	    now - bytes > (sqlite3_int64)v->page_size * TRUNCATE_PAGES_MAX)
		sqlite_view_unsure(v);
	else if (now > bytes)
		flush(v, bytes, now);
}

/* ---- Locks -------------------------------------------------------------- */

void sqlite_view_locked(struct sqlite_view *v, int level)
{
	if (v->level < SQLITE_LOCK_SHARED && level >= SQLITE_LOCK_SHARED) {
		v->belief = BELIEF_UNASKED;
		v->has_counter = 0;
	}
	if (v->level < SQLITE_LOCK_RESERVED && level >= SQLITE_LOCK_RESERVED)
		v->writes++;
	v->level = level;
	set_active(v);
	if (level == SQLITE_LOCK_EXCLUSIVE)
		section_begin(v, SECTION_EXCLUSIVE);
}

void sqlite_view_unlock(struct sqlite_view *v, int level)
{
	if (level < SQLITE_LOCK_EXCLUSIVE)
		section_end(v, SECTION_EXCLUSIVE);
	v->level = level;
	set_active(v);
}

void sqlite_view_mapped(struct sqlite_view *v, const volatile void *index)
{
	v->index = index;
	v->belief = BELIEF_UNASKED;
	if (!index)
		v->shared = v->exclusive = 0;
	set_active(v);
}

/* Nobody else may write to the log, and nothing in it is left to be copied. */
static int may_restart(const struct sqlite_view *v)
{
	return v->index && v->exclusive & mask(LOCK_WRITE, 1) &&
	       sqlite_token_restartable(v->index);
}

void sqlite_view_shm_locked(struct sqlite_view *v, int first, int count,
			    int flags)
{
	unsigned locks = mask(first, count);

	if (flags & SQLITE_SHM_SHARED) {
		v->shared |= locks;
		if (locks & mask(LOCK_READ_0, LOCKS_READ_ALL))
			v->belief = BELIEF_UNASKED;
		set_active(v);
		return;
	}
	if (locks & mask(LOCK_WRITE, 1))
		v->writes++;
	v->exclusive |= locks;
	if (!v->index)
		return;
	if (first == LOCK_CHECKPOINT && count == 1)
		section_begin(v, SECTION_CHECKPOINT);
	else if (first == LOCK_READ_1 && count == LOCKS_READ_MARKS &&
		 may_restart(v))
		section_begin(v, SECTION_RESTART);
}

void sqlite_view_shm_unlock(struct sqlite_view *v, int first, int count)
{
	unsigned locks = mask(first, count);

	if (first == LOCK_CHECKPOINT)
		section_end(v, SECTION_CHECKPOINT);
	else if (first == LOCK_READ_1 && count == LOCKS_READ_MARKS)
		section_end(v, SECTION_RESTART);
	v->shared &= ~locks;
	v->exclusive &= ~locks;
	set_active(v);
}

/* A section that the connection dies in has led to who knows what. */
void sqlite_view_finish(struct sqlite_view *v)
{
	if (v->begun) {
		v->begun = 0;
		sqlite_node_end(v->node, v->section_life, NULL);
	}
	v->sections = 0;
	v->level = SQLITE_LOCK_NONE;
	v->index = NULL;
	set_active(v);
	sqlite_node_put(v->node);
	v->node = NULL;
}
