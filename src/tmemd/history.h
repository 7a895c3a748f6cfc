/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * history.h - how things were, for as long as an hour.
 *
 *	number	    0    1    2   ...   end - 1
 *	whole	  [ s ][ s ][ s ] ... [ s ]		a ring of samples each
 *	place 1	  [ s ][ s ][ s ] ... [ s ]	"web"
 *	place 2	  [ - ][ - ][ s ] ... [ - ]	"db", which is over
 *	...
 *
 * A domain that comes gets a place: one that it had before, one that nobody had,
 * that of who is gone for the longest, or that of a domain which is lent less than
 * half of what it is. With more domains than places, some are left out.
 *
 * All memory is taken at the start, and becomes real as it is used: 45 KiB a place.
 */
#ifndef TMEM_TMEMD_HISTORY_H
#define TMEM_TMEMD_HISTORY_H

#include <stdint.h>

#include <tmem/wire.h>

#include "ledger.h"

/* An hour, a sample each ten seconds: what happened before somebody looked, at what a
 * line on a screen can show. */
#define TMEMD_HISTORY_SAMPLES 360u
#define TMEMD_HISTORY_NS (10ull * 1000 * 1000 * 1000)

/* More curves than these nobody tells apart; all of it is 1.5 MiB then. */
#define TMEMD_HISTORY_PLACES 32u

/** struct tmemd_place - whose samples are in a ring. */
struct tmemd_place {
	char name[TMEM_WIRE_NAME_MAX]; /* "": nobody's yet */
	uint64_t last;		       /* number of its last sample, and 1 */
};

struct tmemd_history {
	struct tmem_wire_sample *samples; /* [places and 1][samples] */
	struct tmemd_place places[TMEMD_HISTORY_PLACES];
	uint64_t end; /* number of the next sample */
	uint32_t left_out;
};

/** tmemd_history_init() - Return: 0, -ENOMEM. */
int tmemd_history_init(struct tmemd_history *h);
void tmemd_history_finish(struct tmemd_history *h);

/**
 * tmemd_history_take() - a sample of the whole and of each domain.
 * @whole: what the ledger does not know: available_bytes, waiting_us, revoked.
 * @now_ns: of the clock that tmemd_history_read() is told, too.
 */
void tmemd_history_take(struct tmemd_history *h, struct tmemd_ledger *l,
			const struct tmem_wire_sample *whole, uint64_t now_ns);

/** tmemd_history_read() - as many samples as a message holds; none if there is no
 * such place. */
void tmemd_history_read(const struct tmemd_history *h,
			const struct tmem_wire_history *verb, uint64_t now_ns,
			struct tmem_wire_history_reply *ret);

#endif
