/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-link.h - SQLite's functions, however we reach them: by a table that is
 * handed to a loadable extension, or by the linker (TMEM_SQLITE_STATIC).
 */
#ifndef TMEM_SQLITE_LINK_H
#define TMEM_SQLITE_LINK_H

#ifdef TMEM_SQLITE_STATIC
#include <sqlite3.h>
#else
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3
#endif

#endif
