/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-file.h - an open database file of the VFS "tmem", in front of one of the
 * default VFS.
 */
#ifndef TMEM_SQLITE_FILE_H
#define TMEM_SQLITE_FILE_H

#include "sqlite-view.h"

/**
 * SQLITE_FILE_CONTROL - opcode that answers with the struct sqlite_file *; "tmem".
 */
#define SQLITE_FILE_CONTROL 0x746d656d

/** struct sqlite_file - the default VFS's file comes right behind. */
struct sqlite_file {
	sqlite3_file base;	    /* SQLite's: must be the first */
	sqlite3_file *real;	    /* the default VFS's */
	struct sqlite_store *store; /* NULL: no memory for one */
	int admit_all;		    /* tmem_admit=all */
	struct sqlite_view view;
};

/**
 * sqlite_file_init() - puts our methods before those of an open file.
 * @path: where it is.
 * @store: NULL: caches nothing.
 * @admit_all: offer every page that is read.
 */
void sqlite_file_init(struct sqlite_file *f, const char *path,
		      struct sqlite_store *store, int admit_all);

#endif
