/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.h - who may look at the daemon, and what they see.
 */
#ifndef TMEM_TMEMD_CONTROL_H
#define TMEM_TMEMD_CONTROL_H

#include "request.h"
#include "tmemd.h"

/** tmemd_control_allowed() - 1: root, the daemon's user, or in its group; or @type
 * changes nothing, and it is in the group of those who may look. */
int tmemd_control_allowed(const struct tmemd *d, const struct tmemd_peer *p,
			  uint32_t type);

/** tmemd_control_handle() - any control verb of somebody who may. Return: 0, or the
 * reason to drop it. */
int tmemd_control_handle(struct tmemd *d, struct tmemd_peer *p,
			 const union tmemd_request *r);

/** tmemd_control_answer_list() - sessions had time enough to report. */
void tmemd_control_answer_list(struct tmemd *d, struct tmemd_peer *p);

/** tmemd_control_reported() - all sessions that were asked have reported: nobody
 * waits any longer. */
void tmemd_control_reported(struct tmemd *d);

#endif
