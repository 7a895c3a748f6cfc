/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics.h - what a daemon says, as Prometheus' text format 0.0.4 has it.
 *
 * Names, meanings and kinds are in one table (metrics.c). A figure that is not
 * known is left out. What comes from the domains' own word is said to be claimed.
 */
#ifndef TMEM_COMMAND_METRICS_H
#define TMEM_COMMAND_METRICS_H

#include <stdio.h>

#include "daemon-view.h"

/** metrics_write() - all figures of a daemon that answered. */
void metrics_write(FILE *out, const struct daemon_view *view);

/** metrics_write_down() - that there is no daemon. */
void metrics_write_down(FILE *out);

#endif
