/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ager.h - background work in small units, whoever does them.
 *
 * Sweeping takes slots out of the index, cleaning takes pages out of segments.
 * A unit is bounded; a worker's job on a segment goes on over many units.
 */
#ifndef TMEM_ENGINE_AGER_H
#define TMEM_ENGINE_AGER_H

#include "store.h"

/** Why a unit is asked for. */
enum tmem_need {
	TMEM_NEED_NONE, /* background: only what pays */
	TMEM_NEED_TIDY, /* memory is not short: only what costs next to nothing */
	TMEM_NEED_IDLE,	  /* the same with time for dense pages */
	TMEM_NEED_ROOM,	  /* a segment must become free */
	TMEM_NEED_PAGE,	  /* an ephemeral page must go: limit_pages */
	TMEM_NEED_DENSITY /* persistent pages must get smaller */
};

/** tmem_ager_unit() - one unit; 1 something was done, 0 there is nothing. */
int tmem_ager_unit(struct tmem_store *st, struct tmem_worker *w,
		   enum tmem_need need, uint32_t entries);

/** tmem_ager_worker() - a worker, locked; NULL: all are busy and !wait. */
struct tmem_worker *tmem_ager_worker(struct tmem_store *st, int wait);

/** tmem_ager_quit() - the worker's segment is anybody's again. */
void tmem_ager_quit(struct tmem_store *st, struct tmem_worker *w);

/** tmem_ager_help() - what a caller in need does: units until one helps.
 *
 * Return: 1 something was done, 0 nothing can be.
 */
int tmem_ager_help(struct tmem_store *st, enum tmem_need need, uint32_t entries);

/** tmem_ager_short() - 1: free segments are few; sets the shortage flag. */
int tmem_ager_short(struct tmem_store *st);

/** tmem_sweep_want() - there is garbage; returns its sequence number. */
uint64_t tmem_sweep_want(struct tmem_store *st);

/** tmem_sweep_pending() - 1: garbage is left. */
int tmem_sweep_pending(const struct tmem_store *st);

/** tmem_sweep_unit() - some buckets; 1 something was done, 0 nothing to do. */
int tmem_sweep_unit(struct tmem_store *st);

/** tmem_sweep_finish() - everything that was garbage at the call is out. */
void tmem_sweep_finish(struct tmem_store *st);

/** tmem_notice_losses() - strike off revoked segments; 1 there were some. */
int tmem_notice_losses(struct tmem_store *st);

#endif
