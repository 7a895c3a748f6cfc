/* SPDX-License-Identifier: BSD-2-Clause */
/* sqlite-vfs.h - the VFS "tmem". */
#ifndef TMEM_SQLITE_VFS_H
#define TMEM_SQLITE_VFS_H

#include <sqlite3.h>

/**
 * sqlite_vfs_register() - puts "tmem" before the VFS that is the default now.
 *
 * Context: harmless if it is registered already. Stays for the process's life.
 * Return: SQLITE_OK; SQLITE_NOMEM; SQLITE_ERROR there is no VFS.
 */
int sqlite_vfs_register(void);

#endif
