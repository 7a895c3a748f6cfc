/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recorder.h - samples taken for the history, and told to who asks.
 */
#ifndef TMEM_TMEMD_RECORDER_H
#define TMEM_TMEMD_RECORDER_H

#include <systemd/sd-event.h>

#include "history.h"

struct tmemd;
struct tmemd_peer;

struct tmemd_recorder {
	struct tmemd_history history;
	sd_event_source *timer;
	int asked; /* sessions were asked to report: the sample is next */
};

/** tmemd_recorder_init() - Return: 0, negative errno. */
int tmemd_recorder_init(struct tmemd *d);
void tmemd_recorder_finish(struct tmemd *d);

/** tmemd_recorder_answer() - HISTORY. Return: 0, or the reason to drop the peer. */
int tmemd_recorder_answer(struct tmemd *d, struct tmemd_peer *p,
			  const struct tmem_wire_history *verb);

#endif
