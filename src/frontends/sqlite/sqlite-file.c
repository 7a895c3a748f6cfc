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

/* Pages below the store's smallest are kept with zeros behind them. */
static int page_get(const struct sqlite_view *v, void *page, int bytes,
		    sqlite3_int64 offset)
{
	struct tmem_precache_file file = { .object = { v->life } };
	struct tmem_precache *pool =
		sqlite_store_pool(v->node->store, v->page_size);
	uint64_t index = (uint64_t)offset / v->page_size;
	uint8_t padded[TMEM_PAGE_SIZE_MIN];
	int hit;

	if (bytes >= TMEM_PAGE_SIZE_MIN)
		return tmem_precache_get(pool, &file, index, page) == 1;
	hit = tmem_precache_get(pool, &file, index, padded) == 1;
	if (hit)
		memcpy(page, padded, (size_t)bytes);
	return hit;
}

static int page_put(const struct sqlite_view *v, const void *page, int bytes,
		    sqlite3_int64 offset)
{
	struct tmem_precache_file file = { .object = { v->life } };
	struct tmem_precache *pool =
		sqlite_store_pool(v->node->store, v->page_size);
	uint64_t index = (uint64_t)offset / v->page_size;
	uint8_t padded[TMEM_PAGE_SIZE_MIN];

	if (bytes >= TMEM_PAGE_SIZE_MIN)
		return tmem_precache_put(pool, &file, index, page) == 1;
	memcpy(padded, page, (size_t)bytes);
	memset(padded + bytes, 0, sizeof(padded) - (size_t)bytes);
	return tmem_precache_put(pool, &file, index, padded) == 1;
}

/* From the file, and maybe into the store. */
static int page_read(struct sqlite_file *f, void *page, int bytes,
		     sqlite3_int64 offset)
{
	struct sqlite_node *node = f->view.node;
	uint64_t begun = sqlite_admit_clock();
	int rc = f->real->pMethods->xRead(f->real, page, bytes, offset);

	if (rc != SQLITE_OK) /* an error, or a read beyond the end */
		return rc;
	if (!f->admit_all && !sqlite_admit_page(&node->admit, bytes,
						sqlite_admit_clock() - begun))
		node->counts.skipped++;
	else if (page_put(&f->view, page, bytes, offset))
		node->counts.stored++;
	else
		node->counts.refused++;
	return SQLITE_OK;
}

static int file_read(sqlite3_file *file, void *page, int bytes,
		     sqlite3_int64 offset)
{
	struct sqlite_file *f = own(file);
	struct sqlite_node *node = f->view.node;
	int rc;

	if (!sqlite_view_page(&f->view, bytes, offset)) {
		rc = f->real->pMethods->xRead(f->real, page, bytes, offset);
		if (rc == SQLITE_OK && offset == SQLITE_TOKEN_COUNTER &&
		    bytes == SQLITE_TOKEN_COUNTER_BYTES)
			sqlite_view_counter(&f->view, page);
		else if (node && offset)
			node->counts.passed++;
		return rc;
	}
	if (page_get(&f->view, page, bytes, offset)) {
		node->counts.hits++;
		sqlite_admit_count(&node->admit, f->store->session, 1);
		return SQLITE_OK;
	}
	node->counts.misses++;
	sqlite_admit_count(&node->admit, f->store->session, 0);
	return page_read(f, page, bytes, offset);
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

static const sqlite3_io_methods methods[] = { METHODS(1), METHODS(2),
					      METHODS(3) };

enum {
	METHODS_MAX = sizeof(methods) / sizeof(methods[0])
};

void sqlite_file_init(struct sqlite_file *f, const char *path,
		      struct sqlite_store *store, int admit_all)
{
	int version = f->real->pMethods->iVersion;

	f->base.pMethods =
		&methods[(version > METHODS_MAX ? METHODS_MAX : version) - 1];
	f->store = store;
	f->admit_all = admit_all;
	memset(&f->view, 0, sizeof(f->view));
	f->view.file = f->real;
	if (store && store->session)
		f->view.node = sqlite_node_get(store, path, f->real);
}
