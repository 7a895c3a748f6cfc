/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ending.h - leases that are over, their memory on its way back.
 */
#ifndef TMEM_TMEMD_ENDING_H
#define TMEM_TMEMD_ENDING_H

#include <sys/queue.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

struct tmemd_ending;

struct tmemd_endings {
	TAILQ_HEAD(, tmemd_ending) list;
	sd_event_source *source;
};

int tmemd_endings_init(struct tmemd_endings *e, sd_event *event);

/** tmemd_endings_add() - cut a data memfd to nothing, in steps; takes @fd. */
void tmemd_endings_add(struct tmemd_endings *e, int fd);

/** tmemd_endings_finish() - end all that is left, now. */
void tmemd_endings_finish(struct tmemd_endings *e);

#endif
