/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * daemon-view.h - how a daemon and all of its domains are at a moment.
 */
#ifndef TMEM_COMMAND_DAEMON_VIEW_H
#define TMEM_COMMAND_DAEMON_VIEW_H

#include "daemon-talk.h"

/**
 * struct daemon_view - a moment; all 0 before the first.
 * @taken_ns: when it was complete.
 * @domains: count of them, in the order of their numbers.
 */
struct daemon_view {
	uint64_t taken_ns;
	struct tmem_wire_status_reply status;
	struct tmem_wire_domain *domains;
	uint32_t count;
	uint32_t room;
};

/** daemon_view_begin() - ask for a new one; the old one is given up. Return: 0;
 * negative errno, told in @t. */
int daemon_view_begin(struct daemon_view *v, struct daemon_talk *t);

/** daemon_view_step() - take what has come, ask for what follows. Never waits.
 * Return: 1 it is complete, 0 more is to come; negative errno, told in @t. */
int daemon_view_step(struct daemon_view *v, struct daemon_talk *t);

/** daemon_view_take() - all of it, waiting. Return: 0; negative errno, told. */
int daemon_view_take(struct daemon_view *v, struct daemon_talk *t);

/** daemon_view_find() - NULL: there is none of that name. */
const struct tmem_wire_domain *daemon_view_find(const struct daemon_view *v,
						const char *name);

/** daemon_view_finish() - gives back its memory. */
void daemon_view_finish(struct daemon_view *v);

#endif
