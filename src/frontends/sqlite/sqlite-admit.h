/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-admit.h - whether the store is worth asking for a file's pages, and which of
 * those that were read from the file are offered to it.
 */
#ifndef TMEM_SQLITE_ADMIT_H
#define TMEM_SQLITE_ADMIT_H

#include <stdatomic.h>
#include <stdint.h>

struct tmem;

/** struct sqlite_admit - what is known of the store's use for a file; all (a). */
struct sqlite_admit {
	_Atomic uint32_t lookups; /* since the beginning, wraps */
	_Atomic uint32_t hits;	  /* of this window */
	_Atomic uint32_t slow;	  /* misses of this window that took a disk */
	_Atomic uint32_t probes;  /* hits of this window read anyway */
	_Atomic uint32_t slow_probes; /* of these, took a disk */
	_Atomic uint64_t evictions;   /* of the store, when the window began */
	_Atomic int useless;	      /* the last window's verdict */
	_Atomic uint32_t turn;

	_Atomic int idle;	     /* the store is not asked */
	_Atomic uint32_t idle_reads; /* since it is not, wraps */
	_Atomic uint32_t idle_slow;  /* of this window's samples */
};

/** sqlite_admit_clock() - the time, for what follows, ns. */
uint64_t sqlite_admit_clock(void);

/** sqlite_admit_slow() - 1: this long a read was not one from the page cache. */
int sqlite_admit_slow(int bytes, uint64_t read_ns);

/**
 * sqlite_admit_hit() - the store had the page.
 *
 * Return: 1: read the file all the same, and tell sqlite_admit_probed().
 */
int sqlite_admit_hit(struct sqlite_admit *a, struct tmem *session);
void sqlite_admit_probed(struct sqlite_admit *a, int slow);

/** sqlite_admit_missed() - it had not, and the file was read. */
void sqlite_admit_missed(struct sqlite_admit *a, struct tmem *session, int slow);

/** sqlite_admit_page() - 1: offer a page that took a disk. */
int sqlite_admit_page(struct sqlite_admit *a);

/** enum - what to do about a read while the store may be idle. */
enum {
	SQLITE_ADMIT_ASK,
	SQLITE_ADMIT_PASS,  /* read the file */
	SQLITE_ADMIT_SAMPLE /* read it, and tell sqlite_admit_sampled() */
};

int sqlite_admit_way(struct sqlite_admit *a);
void sqlite_admit_sampled(struct sqlite_admit *a, int slow);

#endif
