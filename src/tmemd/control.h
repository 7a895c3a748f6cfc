/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.h - verbs for whoever runs the machine: status, list.
 */
#ifndef TMEM_TMEMD_CONTROL_H
#define TMEM_TMEMD_CONTROL_H

#include "request.h"
#include "tmemd.h"

/** tmemd_control_allowed() - 1: root, the daemon's user, or in its group. */
int tmemd_control_allowed(const struct tmemd *d, const struct tmemd_peer *p);

/** tmemd_control_handle() - STATUS, LIST. Return: 0, or the reason to drop it. */
int tmemd_control_handle(struct tmemd *d, struct tmemd_peer *p,
			 const union tmemd_request *r);

/** tmemd_control_answer_list() - now that sessions had time to report. */
int tmemd_control_answer_list(struct tmemd *d, struct tmemd_peer *p);

#endif
