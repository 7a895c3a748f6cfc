/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-file.h - an open database file of the VFS "tmem", in front of one of the
 * default VFS.
 */
#ifndef TMEM_SQLITE_FILE_H
#define TMEM_SQLITE_FILE_H

#include "sqlite-pages.h"
#include "sqlite-view.h"

/**
 * SQLITE_FILE_CONTROL - opcode that answers with the struct sqlite_file *; "tmem".
 */
#define SQLITE_FILE_CONTROL 0x746d656d

/**
 * struct sqlite_file_opts - what the URI says.
 * @admit_all: tmem_admit=all: every page that is read is offered.
 * @shed: tmem_page_cache=drop: the kernel's page cache is to let go of these.
 */
struct sqlite_file_opts {
	int admit_all;
	int shed;
};

/** struct sqlite_file - the default VFS's file comes right behind. */
struct sqlite_file {
	sqlite3_file base;	    /* SQLite's: must be the first */
	sqlite3_file *real;	    /* the default VFS's */
	struct sqlite_store *store; /* NULL: no memory for one */
	struct sqlite_file_opts opts;
	struct sqlite_view view;
	struct sqlite_claim claim;
};

/**
 * sqlite_file_init() - puts our methods before those of an open file.
 * @path: where it is.
 * @store: NULL: caches nothing.
 */
void sqlite_file_init(struct sqlite_file *f, const char *path,
		      struct sqlite_store *store,
		      const struct sqlite_file_opts *opts);

#endif
