/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top-demo.h - something to watch: a private daemon and two busy programs.
 */
#ifndef TMEM_COMMAND_TOP_DEMO_H
#define TMEM_COMMAND_TOP_DEMO_H

#include <sys/types.h>

#include "private-daemon.h"

#define TOP_DEMO_PROGRAMS 2

struct top_demo {
	struct private_daemon daemon;
	pid_t programs[TOP_DEMO_PROGRAMS]; /* 0: not running */
};

/** top_demo_start() - Return: an exit code; not 0: it has complained. */
int top_demo_start(struct top_demo *d);

/** top_demo_stop() - all that is running. */
void top_demo_stop(struct top_demo *d);

#endif
