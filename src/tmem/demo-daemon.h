/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demo-daemon.h - the demo twice at once, as two domains of a private daemon.
 */
#ifndef TMEM_COMMAND_DEMO_DAEMON_H
#define TMEM_COMMAND_DEMO_DAEMON_H

#include "demo-options.h"

/** demo_daemon() - Return: an exit code, told. */
int demo_daemon(const struct demo_options *o);

#endif
