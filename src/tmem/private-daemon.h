/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * private-daemon.h - a tmemd of one's own: started, used, ended.
 *
 * It listens in a temporary directory, and ends when this process does.
 */
#ifndef TMEM_COMMAND_PRIVATE_DAEMON_H
#define TMEM_COMMAND_PRIVATE_DAEMON_H

#include <stdint.h>
#include <sys/types.h>

#define PRIVATE_DAEMON_FAULT_MAX 200u

struct private_daemon {
	pid_t pid; /* 0: not running */
	char dir[32];
	char socket[48];
	char where[56];			      /* for tmem_open() */
	char config[48];		      /* of its own */
	char fault[PRIVATE_DAEMON_FAULT_MAX]; /* why it did not start */
};

/**
 * private_daemon_start() - run the tmemd that lies beside this program, or else
 * the one in $PATH.
 * @budget_bytes: what it lends in all; at least 16 MiB.
 *
 * Return: 0; negative errno, told in ->fault.
 */
int private_daemon_start(struct private_daemon *d, uint64_t budget_bytes);

/** private_daemon_configure() - another budget, from now on. Return: 0, negative
 * errno. */
int private_daemon_configure(const struct private_daemon *d,
			     uint64_t budget_bytes);

/** private_daemon_stop() - one that was not started is fine. */
void private_daemon_stop(struct private_daemon *d);

#endif
