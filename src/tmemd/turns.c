/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * turns.c - when there is a turn of serving, and when a sweep.
 *
 * Messages and lending take turns: 2 GiB of memory that is not yet in use take 7 s.
 * For that a turn is a timer that has run out; a deferred source would be the one
 * that is pending for longest, and come first for as long as there is something to
 * lend.
 */
#include "turns.h"

#include <time.h>

#define SWEEP_US (1000 * 1000)

#define BEFORE_MESSAGES (SD_EVENT_PRIORITY_NORMAL - 1)

static void arm(struct tmemd_turns *t, int64_t priority)
{
	(void)sd_event_source_set_priority(t->turn, priority);
	(void)sd_event_source_set_enabled(t->turn, SD_EVENT_ONESHOT);
}

void tmemd_turns_soon(struct tmemd_turns *t)
{
	arm(t, BEFORE_MESSAGES);
}

void tmemd_turns_go_on(struct tmemd_turns *t)
{
	arm(t, SD_EVENT_PRIORITY_NORMAL);
}

void tmemd_turns_rest(struct tmemd_turns *t)
{
	(void)sd_event_source_set_enabled(t->turn, SD_EVENT_OFF);
}

void tmemd_turns_sweep(struct tmemd_turns *t)
{
	int on = SD_EVENT_OFF;

	(void)sd_event_source_get_enabled(t->sweep, &on);
	if (on != SD_EVENT_OFF)
		return;
	(void)sd_event_source_set_time_relative(t->sweep, SWEEP_US);
	(void)sd_event_source_set_enabled(t->sweep, SD_EVENT_ONESHOT);
}

int tmemd_turns_init(struct tmemd_turns *t, sd_event *event,
		     sd_event_time_handler_t on_turn,
		     sd_event_time_handler_t on_sweep, void *ctx)
{
	int err = sd_event_add_time(event, &t->turn, CLOCK_MONOTONIC, 0, 1,
				    on_turn, ctx);

	if (err >= 0)
		err = sd_event_source_set_enabled(t->turn, SD_EVENT_OFF);
	if (err >= 0)
		err = sd_event_add_time_relative(event, &t->sweep,
						 CLOCK_MONOTONIC, SWEEP_US, 0,
						 on_sweep, ctx);
	if (err >= 0)
		err = sd_event_source_set_enabled(t->sweep, SD_EVENT_OFF);
	return err < 0 ? err : 0;
}

void tmemd_turns_finish(struct tmemd_turns *t)
{
	t->turn = sd_event_source_disable_unref(t->turn);
	t->sweep = sd_event_source_disable_unref(t->sweep);
}
