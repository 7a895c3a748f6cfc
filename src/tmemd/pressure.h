/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pressure.h - the host's need, watched and answered.
 */
#ifndef TMEM_TMEMD_PRESSURE_H
#define TMEM_TMEMD_PRESSURE_H

#include <systemd/sd-event.h>

#include "budget.h"
#include "host.h"

struct tmemd;

/** tmemd_follow_fn - the ledger has a new budget; @before: the old one. */
typedef void (*tmemd_follow_fn)(struct tmemd *d, uint64_t before);

struct tmemd_pressure {
	struct tmemd_host host;
	struct tmemd_budget budget;
	tmemd_follow_fn follow; /* (c) */
	sd_event_source *timer;
	sd_event_source *stall;
	uint32_t told; /* the reason that was logged last */
};

/**
 * tmemd_pressure_init() - @d's host is there already.
 * @follow: called when a look has changed the budget: by the event loop, and out of
 *	the functions below that look. It takes what is too much before it does
 *	anything that allocates.
 *
 * Return: 0, negative errno.
 */
int tmemd_pressure_init(struct tmemd *d, tmemd_follow_fn follow);
void tmemd_pressure_finish(struct tmemd *d);

/** tmemd_pressure_configure() - the budget's settings as they are now said. */
void tmemd_pressure_configure(struct tmemd *d);

/** tmemd_pressure_on() - leases exist: look, and watch from now on. */
void tmemd_pressure_on(struct tmemd *d);

/** tmemd_pressure_looms() - 1: something is lent, and the floor is near. */
int tmemd_pressure_looms(const struct tmemd *d);

/** tmemd_pressure_tell() - say in the log if the budget changed, and why. */
void tmemd_pressure_tell(struct tmemd *d);

/** tmemd_pressure_refresh() - look now, unless that was done a moment ago: before
 * lending, and for whoever asks. */
void tmemd_pressure_refresh(struct tmemd *d);

#endif
