/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-admit.h - which of the pages that were read from a file are offered to the
 * store.
 */
#ifndef TMEM_SQLITE_ADMIT_H
#define TMEM_SQLITE_ADMIT_H

#include <stdatomic.h>
#include <stdint.h>

struct tmem;

/** struct sqlite_admit - what is known of the store's use for a file; all (a). */
struct sqlite_admit {
	_Atomic uint32_t lookups;   /* of this window */
	_Atomic uint32_t hits;	    /* of this window */
	_Atomic uint64_t evictions; /* of the store, when the window began */
	_Atomic int useless;	    /* the last window's verdict */
	_Atomic uint32_t turn;
};

/** sqlite_admit_clock() - the time, for sqlite_admit_page(), ns. */
uint64_t sqlite_admit_clock(void);

/** sqlite_admit_count() - a page was asked for. */
void sqlite_admit_count(struct sqlite_admit *a, struct tmem *session, int hit);

/**
 * sqlite_admit_page() - 1: offer it.
 * @bytes: its size.
 * @read_ns: how long reading it from the file took.
 */
int sqlite_admit_page(struct sqlite_admit *a, int bytes, uint64_t read_ns);

#endif
