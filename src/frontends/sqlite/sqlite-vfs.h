/* SPDX-License-Identifier: BSD-2-Clause */
/* sqlite-vfs.h - the VFS "tmem". */
#ifndef TMEM_SQLITE_VFS_H
#define TMEM_SQLITE_VFS_H

#include <sqlite3.h>

struct sqlite_report;

/**
 * sqlite_vfs_register() - puts "tmem" before the VFS that is the default now.
 * @report: SQLite's error log, if its page caches and its log are ours; NULL: they
 *	are not.
 *
 * Context: harmless if it is registered already. Stays for the process's life.
 * Return: SQLITE_OK; SQLITE_NOMEM; SQLITE_ERROR there is no VFS.
 */
int sqlite_vfs_register(struct sqlite_report *report);

#endif
