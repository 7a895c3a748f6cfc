/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-file.c - an open database file: reads of pages ask the store first, the
 * rest is the default VFS's own.
 */
#include "sqlite-file.h"

#include <string.h>

#include "sqlite-link.h"
#include "sqlite-stats.h"

static struct sqlite_file *own(sqlite3_file *file)
{
	return (struct sqlite_file *)file;
}

/* ---- Pages -------------------------------------------------------------- */

static int page_get(struct sqlite_view *v, void *page, sqlite3_int64 offset)
{
	return sqlite_store_get(v->node->store, v->life, v->page_size,
				(uint64_t)offset / v->page_size, page);
}

static void shed(const struct sqlite_file *f, sqlite3_int64 offset)
{
	const struct sqlite_node *node = f->view.node;
	struct sqlite_shed_piece piece = {
		.fd = node->fd,
		.bytes = f->view.page_size,
		.dev = node->dev,
		.ino = node->ino,
		.offset = (uint64_t)offset,
	};

	sqlite_shed_add(&f->store->shed, &piece);
}

/* What was read is put now, or when it leaves a page cache that tells us. */
static void offer(struct sqlite_file *f, const void *page, sqlite3_int64 offset)
{
	struct sqlite_view *v = &f->view;

	if ((sqlite_pages_stamp(&f->claim, page, offset, v->life) ||
	     sqlite_view_offer(v, (uint64_t)offset / v->page_size, page)) &&
	    f->opts.shed)
		shed(f, offset);
}

/* From the file; @ret_slow: it took a disk. */
static int timed_read(struct sqlite_file *f, void *page, int bytes,
		      sqlite3_int64 offset, int *ret_slow)
{
	uint64_t begun = sqlite_admit_clock();
	int rc = f->real->pMethods->xRead(f->real, page, bytes, offset);

	*ret_slow = sqlite_admit_slow(bytes, sqlite_admit_clock() - begun);
	return rc;
}

/* The store has it not. */
static int miss_read(struct sqlite_file *f, void *page, int bytes,
		     sqlite3_int64 offset)
{
	struct sqlite_node *node = f->view.node;
	int slow, rc = timed_read(f, page, bytes, offset, &slow);

	node->counts.misses++;
	if (rc != SQLITE_OK) /* an error, or a read beyond the end */
		return rc;
	if (!f->opts.admit_all)
		sqlite_admit_missed(&node->admit, f->store->session, slow);
	if (!f->opts.admit_all && !(slow && sqlite_admit_page(&node->admit)))
		node->counts.skipped++;
	else
		offer(f, page, offset);
	return SQLITE_OK;
}

/* The store has it; some are read all the same, see sqlite-admit.c. */
static int hit_read(struct sqlite_file *f, void *page, int bytes,
		    sqlite3_int64 offset)
{
	struct sqlite_node *node = f->view.node;
	int slow, rc;

	node->counts.hits++;
	/* It was taken out, and goes back in its turn. */
	(void)sqlite_pages_stamp(&f->claim, page, offset, f->view.life);
	if (f->opts.admit_all ||
	    !sqlite_admit_hit(&node->admit, f->store->session))
		return SQLITE_OK;
	rc = timed_read(f, page, bytes, offset, &slow);
	sqlite_admit_probed(&node->admit, slow);
	return rc;
}

static int idle_read(struct sqlite_file *f, void *page, int bytes,
		     sqlite3_int64 offset, int way)
{
	struct sqlite_node *node = f->view.node;
	int slow, rc;

	node->counts.idle++;
	if (way == SQLITE_ADMIT_PASS)
		return f->real->pMethods->xRead(f->real, page, bytes, offset);
	rc = timed_read(f, page, bytes, offset, &slow);
	sqlite_admit_sampled(&node->admit, slow);
	return rc;
}

/* Not a page of a state that is known. */
static int plain_read(struct sqlite_file *f, void *page, int bytes,
		      sqlite3_int64 offset)
{
	int rc = f->real->pMethods->xRead(f->real, page, bytes, offset);

	if (rc == SQLITE_OK && offset == SQLITE_TOKEN_COUNTER &&
	    bytes == SQLITE_TOKEN_COUNTER_BYTES)
		sqlite_view_counter(&f->view, page);
	else if (f->view.node && offset)
		f->view.node->counts.passed++;
	return rc;
}

static int file_read(sqlite3_file *file, void *page, int bytes,
		     sqlite3_int64 offset)
{
	struct sqlite_file *f = own(file);
	int way;

	sqlite_pages_claim(&f->claim, page);
	if (!sqlite_view_may(&f->view, bytes, offset))
		return plain_read(f, page, bytes, offset);
	if (!f->opts.admit_all) {
		way = sqlite_admit_way(&f->view.node->admit);
		if (way != SQLITE_ADMIT_ASK)
			return idle_read(f, page, bytes, offset, way);
	}
	if (!sqlite_view_page(&f->view, bytes))
		return plain_read(f, page, bytes, offset);
	if (page_get(&f->view, page, offset))
		return hit_read(f, page, bytes, offset);
	return miss_read(f, page, bytes, offset);
}

static int file_write(sqlite3_file *file, const void *page, int bytes,
		      sqlite3_int64 offset)
{
	struct sqlite_file *f = own(file);

	sqlite_view_write(&f->view, bytes, offset);
	return f->real->pMethods->xWrite(f->real, page, bytes, offset);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 bytes)
{
	struct sqlite_file *f = own(file);

	sqlite_view_truncate(&f->view, bytes);
	return f->real->pMethods->xTruncate(f->real, bytes);
}

/* ---- Locks -------------------------------------------------------------- */

static int file_lock(sqlite3_file *file, int level)
{
	struct sqlite_file *f = own(file);
	int rc = f->real->pMethods->xLock(f->real, level);

	if (rc == SQLITE_OK)
		sqlite_view_locked(&f->view, level);
	return rc;
}

static int file_unlock(sqlite3_file *file, int level)
{
	struct sqlite_file *f = own(file);

	sqlite_view_unlock(&f->view, level);
	return f->real->pMethods->xUnlock(f->real, level);
}

static int file_shm_map(sqlite3_file *file, int region, int bytes, int extend,
			void volatile **ret)
{
	struct sqlite_file *f = own(file);
	int rc = f->real->pMethods->xShmMap(f->real, region, bytes, extend, ret);

	if (region == 0 && (rc == SQLITE_OK || rc == SQLITE_READONLY))
		sqlite_view_mapped(&f->view, *ret);
	return rc;
}

static int file_shm_lock(sqlite3_file *file, int first, int count, int flags)
{
	struct sqlite_file *f = own(file);
	int rc;

	if (flags & SQLITE_SHM_UNLOCK)
		sqlite_view_shm_unlock(&f->view, first, count);
	rc = f->real->pMethods->xShmLock(f->real, first, count, flags);
	if (rc == SQLITE_OK && flags & SQLITE_SHM_LOCK)
		sqlite_view_shm_locked(&f->view, first, count, flags);
	return rc;
}

static void file_shm_barrier(sqlite3_file *file)
{
	sqlite3_file *real = own(file)->real;

	real->pMethods->xShmBarrier(real);
}

static int file_shm_unmap(sqlite3_file *file, int remove)
{
	struct sqlite_file *f = own(file);

	sqlite_view_mapped(&f->view, NULL);
	return f->real->pMethods->xShmUnmap(f->real, remove);
}

/* ---- The rest ----------------------------------------------------------- */

static int file_close(sqlite3_file *file)
{
	struct sqlite_file *f = own(file);

	sqlite_pages_release(&f->claim);
	sqlite_view_finish(&f->view);
	return f->real->pMethods->xClose(f->real);
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
	struct sqlite_file *f = own(file);
	char **words = arg;
	int rc;

	if (op == SQLITE_FILE_CONTROL) {
		*(struct sqlite_file **)arg = f;
		return SQLITE_OK;
	}
	if (op == SQLITE_FCNTL_PRAGMA &&
	    sqlite3_stricmp(words[1], "tmem_stats") == 0) {
		words[0] = sqlite_stats_text(f);
		return words[0] ? SQLITE_OK : SQLITE_NOMEM;
	}
	/* Pages read back since the batch began are no longer what is there. */
	if (op == SQLITE_FCNTL_ROLLBACK_ATOMIC_WRITE)
		sqlite_view_unsure(&f->view);
	rc = f->real->pMethods->xFileControl(f->real, op, arg);
	if (op == SQLITE_FCNTL_VFSNAME && rc == SQLITE_OK)
		*(char **)arg = sqlite3_mprintf("tmem/%z", *(char **)arg);
	return rc;
}

static int file_sync(sqlite3_file *file, int flags)
{
	sqlite3_file *real = own(file)->real;

	return real->pMethods->xSync(real, flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *ret)
{
	sqlite3_file *real = own(file)->real;

	return real->pMethods->xFileSize(real, ret);
}

static int file_check_reserved(sqlite3_file *file, int *ret)
{
	sqlite3_file *real = own(file)->real;

	return real->pMethods->xCheckReservedLock(real, ret);
}

static int file_sector_size(sqlite3_file *file)
{
	sqlite3_file *real = own(file)->real;

	return real->pMethods->xSectorSize(real);
}

static int file_characteristics(sqlite3_file *file)
{
	sqlite3_file *real = own(file)->real;

	return real->pMethods->xDeviceCharacteristics(real);
}

/* Memory that the user asked SQLite to map is the OS page cache's own: reads of
 * it never come here. */
static int file_fetch(sqlite3_file *file, sqlite3_int64 offset, int bytes,
		      void **ret)
{
	sqlite3_file *real = own(file)->real;

	return real->pMethods->xFetch(real, offset, bytes, ret);
}

static int file_unfetch(sqlite3_file *file, sqlite3_int64 offset, void *page)
{
	sqlite3_file *real = own(file)->real;

	return real->pMethods->xUnfetch(real, offset, page);
}

/* As new as the default VFS's, no newer: it may have no wal-index. */
/* Releases of clang-format differ about braces in a macro. */
/* clang-format off */
#define METHODS(version)                                                       \
	{                                                                      \
		.iVersion = (version), .xClose = file_close,                   \
		.xRead = file_read, .xWrite = file_write,                      \
		.xTruncate = file_truncate, .xSync = file_sync,                \
		.xFileSize = file_size, .xLock = file_lock,                    \
		.xUnlock = file_unlock,                                        \
		.xCheckReservedLock = file_check_reserved,                     \
		.xFileControl = file_control, .xSectorSize = file_sector_size, \
		.xDeviceCharacteristics = file_characteristics,                \
		.xShmMap = file_shm_map, .xShmLock = file_shm_lock,            \
		.xShmBarrier = file_shm_barrier, .xShmUnmap = file_shm_unmap,  \
		.xFetch = file_fetch, .xUnfetch = file_unfetch,                \
	}
/* clang-format on */

static const sqlite3_io_methods methods[] = { METHODS(1), METHODS(2),
					      METHODS(3) };

enum {
	METHODS_MAX = sizeof(methods) / sizeof(methods[0])
};

void sqlite_file_init(struct sqlite_file *f, const char *path,
		      struct sqlite_store *store,
		      const struct sqlite_file_opts *opts)
{
	int version = f->real->pMethods->iVersion;

	f->base.pMethods =
		&methods[(version > METHODS_MAX ? METHODS_MAX : version) - 1];
	f->store = store;
	f->opts = *opts;
	memset(&f->view, 0, sizeof(f->view));
	f->view.file = f->real;
	f->claim = (struct sqlite_claim){
		.wanted = store && store->session && store->victims,
		.view = &f->view,
	};
	if (store && store->session)
		f->view.node = sqlite_node_get(store, path, f->real);
}
