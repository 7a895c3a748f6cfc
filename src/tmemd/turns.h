/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * turns.h - when there is a turn of serving, and when a sweep.
 *
 * Whoever knows of something to do says so here; who does it is called by the
 * event loop.
 */
#ifndef TMEM_TMEMD_TURNS_H
#define TMEM_TMEMD_TURNS_H

#include <systemd/sd-event.h>

/** struct tmemd_turns - both are off at first, and after each time. */
struct tmemd_turns {
	sd_event_source *turn;
	sd_event_source *sweep;
};

/**
 * tmemd_turns_init() - have both.
 * @on_turn, @on_sweep: called with @ctx when due.
 *
 * Return: 0, negative errno.
 */
int tmemd_turns_init(struct tmemd_turns *t, sd_event *event,
		     sd_event_time_handler_t on_turn,
		     sd_event_time_handler_t on_sweep, void *ctx);
void tmemd_turns_finish(struct tmemd_turns *t);

/** tmemd_turns_soon() - there is something to do once the loop comes round: before
 * messages, since what must be taken goes before all they could ask for. */
void tmemd_turns_soon(struct tmemd_turns *t);

/** tmemd_turns_go_on() - there is more to lend: messages first. */
void tmemd_turns_go_on(struct tmemd_turns *t);

/** tmemd_turns_rest() - until somebody says soon again. */
void tmemd_turns_rest(struct tmemd_turns *t);

/** tmemd_turns_sweep() - leases exist, or drops were told: look after them in a
 * second, if that is not due anyway. */
void tmemd_turns_sweep(struct tmemd_turns *t);

#endif
