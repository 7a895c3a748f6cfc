/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-vfs.c - the VFS "tmem": opens database files with the store before them,
 * and is the default VFS in everything else.
 */
#include "sqlite-vfs.h"

#include <stdlib.h>
#include <string.h>

#include "sqlite-file.h"
#include "sqlite-link.h"
#include "sqlite-report.h"

/* Lives as long as the process: SQLite may ask for a VFS at any time. */
struct shim {
	sqlite3_vfs base;
	sqlite3_vfs *real;
	struct sqlite_stores stores;
};

static struct shim *own(sqlite3_vfs *vfs)
{
	return vfs->pAppData;
}

/* Its locks are no locks. */
static int locks_nothing(const sqlite3_vfs *real)
{
	return strcmp(real->zName, "unix-none") == 0;
}

/* Which of two words the URI has for @key: 0 or 1; 0 if it has none. */
static int choose(const char *name, const char *key, const char *zero,
		  const char *one)
{
	const char *said = sqlite3_uri_parameter(name, key);

	if (!said || strcmp(said, zero) == 0)
		return 0;
	if (strcmp(said, one) == 0)
		return 1;
	sqlite3_log(SQLITE_WARNING, "tmem: %s=%s: it is %s or %s; %s is used",
		    key, said, zero, one, zero);
	return 0;
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file,
		    int flags, int *ret_flags)
{
	struct shim *shim = own(vfs);
	struct sqlite_file *f = (struct sqlite_file *)file;
	struct sqlite_store *store = NULL;
	struct sqlite_file_opts opts;
	int rc;

	/* Journals, logs and temporary files are the default VFS's own. */
	if (!name || !(flags & SQLITE_OPEN_MAIN_DB))
		return shim->real->xOpen(shim->real, name, file, flags,
					 ret_flags);
	file->pMethods = NULL;
	f->real = (sqlite3_file *)(f + 1);
	rc = shim->real->xOpen(shim->real, name, f->real, flags, ret_flags);
	if (!f->real->pMethods)
		return rc;
	if (rc == SQLITE_OK && !locks_nothing(shim->real))
		store = sqlite_stores_get(&shim->stores,
					  sqlite3_uri_parameter(name,
								"tmem_store"));
	opts.admit_all = choose(name, "tmem_admit", "slow", "all");
	opts.shed = choose(name, "tmem_page_cache", "keep", "drop");
	sqlite_file_init(f, name, store, &opts);
	return rc;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	sqlite3_vfs *real = own(vfs)->real;

	return real->xDelete(real, name, sync);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
	sqlite3_vfs *real = own(vfs)->real;

	return real->xAccess(real, name, flags, ret);
}

static int vfs_full_pathname(sqlite3_vfs *vfs, const char *name, int bytes,
			     char *ret)
{
	sqlite3_vfs *real = own(vfs)->real;

	return real->xFullPathname(real, name, bytes, ret);
}

static void *vfs_dl_open(sqlite3_vfs *vfs, const char *name)
{
	sqlite3_vfs *real = own(vfs)->real;

	return real->xDlOpen(real, name);
}

static void vfs_dl_error(sqlite3_vfs *vfs, int bytes, char *ret)
{
	sqlite3_vfs *real = own(vfs)->real;

	real->xDlError(real, bytes, ret);
}

static void (*vfs_dl_sym(sqlite3_vfs *vfs, void *handle,
			 const char *symbol))(void)
{
	sqlite3_vfs *real = own(vfs)->real;

	return real->xDlSym(real, handle, symbol);
}

static void vfs_dl_close(sqlite3_vfs *vfs, void *handle)
{
	sqlite3_vfs *real = own(vfs)->real;

	real->xDlClose(real, handle);
}

static int vfs_randomness(sqlite3_vfs *vfs, int bytes, char *ret)
{
	sqlite3_vfs *real = own(vfs)->real;

	return real->xRandomness(real, bytes, ret);
}

static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
	sqlite3_vfs *real = own(vfs)->real;

	return real->xSleep(real, us);
}

static int vfs_current_time(sqlite3_vfs *vfs, double *ret)
{
	sqlite3_vfs *real = own(vfs)->real;

	return real->xCurrentTime(real, ret);
}

static int vfs_last_error(sqlite3_vfs *vfs, int bytes, char *ret)
{
	sqlite3_vfs *real = own(vfs)->real;

	return real->xGetLastError(real, bytes, ret);
}

static int vfs_current_time_int64(sqlite3_vfs *vfs, sqlite3_int64 *ret)
{
	sqlite3_vfs *real = own(vfs)->real;

	return real->xCurrentTimeInt64(real, ret);
}

static int vfs_set_system_call(sqlite3_vfs *vfs, const char *name,
			       sqlite3_syscall_ptr call)
{
	sqlite3_vfs *real = own(vfs)->real;

	return real->xSetSystemCall(real, name, call);
}

static sqlite3_syscall_ptr vfs_get_system_call(sqlite3_vfs *vfs,
					       const char *name)
{
	sqlite3_vfs *real = own(vfs)->real;

	return real->xGetSystemCall(real, name);
}

static const char *vfs_next_system_call(sqlite3_vfs *vfs, const char *name)
{
	sqlite3_vfs *real = own(vfs)->real;

	return real->xNextSystemCall(real, name);
}

static const sqlite3_vfs template = {
	.zName = "tmem",
	.xOpen = vfs_open,
	.xDelete = vfs_delete,
	.xAccess = vfs_access,
	.xFullPathname = vfs_full_pathname,
	.xDlOpen = vfs_dl_open,
	.xDlError = vfs_dl_error,
	.xDlSym = vfs_dl_sym,
	.xDlClose = vfs_dl_close,
	.xRandomness = vfs_randomness,
	.xSleep = vfs_sleep,
	.xCurrentTime = vfs_current_time,
	.xGetLastError = vfs_last_error,
	.xCurrentTimeInt64 = vfs_current_time_int64,
	.xSetSystemCall = vfs_set_system_call,
	.xGetSystemCall = vfs_get_system_call,
	.xNextSystemCall = vfs_next_system_call,
};

enum {
	VFS_VERSION_MAX = 3
};

int sqlite_vfs_register(struct sqlite_report *report)
{
	sqlite3_vfs *real = sqlite3_vfs_find(NULL);
	struct shim *shim;
	int rc;

	if (!real)
		return SQLITE_ERROR;
	if (sqlite3_vfs_find(template.zName))
		return SQLITE_OK;
	shim = calloc(1, sizeof(*shim));
	if (!shim)
		return SQLITE_NOMEM;
	sqlite_stores_init(&shim->stores, report != NULL);
	shim->real = real;
	shim->base = template;
	shim->base.iVersion = real->iVersion < VFS_VERSION_MAX
				      ? real->iVersion
				      : VFS_VERSION_MAX;
	shim->base.szOsFile = (int)sizeof(struct sqlite_file) + real->szOsFile;
	shim->base.mxPathname = real->mxPathname;
	shim->base.pAppData = shim;
	rc = sqlite3_vfs_register(&shim->base, 0);
	if (rc != SQLITE_OK)
		free(shim);
	else if (report)
		atomic_store(&report->stores, &shim->stores);
	return rc;
}
