/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * steer.h - what an operator changes while the daemon runs.
 */
#ifndef TMEM_TMEMD_STEER_H
#define TMEM_TMEMD_STEER_H

#include "request.h"
#include "tmemd.h"

/** tmemd_steer_apply() - another configuration holds from now on; takes it. */
void tmemd_steer_apply(struct tmemd *d, struct tmemd_config *config);

/** tmemd_steer_handle() - SET, FLUSH, EVICT of somebody who may. Return: 0, or the
 * reason to drop it. */
int tmemd_steer_handle(struct tmemd *d, struct tmemd_peer *p,
		       const union tmemd_request *r);

#endif
