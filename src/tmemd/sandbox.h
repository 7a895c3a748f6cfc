/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox.h - what a started daemon gives up, for good.
 *
 *	no_new_privs	nothing that it might execute gains privileges
 *	Landlock	files: read the configuration, remove the socket, no more
 *	capabilities	none is left, not even root's
 *	seccomp		no exec, no network, no change of user, no file for writing
 *
 * Whoever takes over the daemon by a hostile message then holds its descriptors
 * and little else.
 */
#ifndef TMEM_TMEMD_SANDBOX_H
#define TMEM_TMEMD_SANDBOX_H

#include "landlock.h"
#include "logger.h"

/**
 * struct tmemd_sandbox_opts - what will still be needed.
 * @socket: a socket's path that will be unlinked, by unlinking in its directory;
 *	NULL: none.
 * @config: a file that will be read again: its directory may be read, because
 *	editors put new files in the place of old ones; NULL: none.
 * @reads: further files and directories for reading, up to a NULL; NULL: none.
 */
struct tmemd_sandbox_opts {
	const char *socket;
	const char *config;
	const char *const *reads;
};

/** struct tmemd_sandbox - what holds. landlock.abi 0: the kernel has none. */
struct tmemd_sandbox {
	struct tmemd_landlock landlock;
};

/**
 * tmemd_sandbox_enter() - give up the rest.
 * @s: out; ended by tmemd_sandbox_finish().
 * @opts: what is kept.
 * @logger: is told in one line what failed.
 *
 * Context: one thread, and all set up: sockets bound, files open for writing,
 *	limits raised, names of users and groups looked up.
 * Return: 0; negative errno, told: some of it may be in force, so the process
 *	should end.
 */
int tmemd_sandbox_enter(struct tmemd_sandbox *s,
			const struct tmemd_sandbox_opts *opts,
			const struct tmem_logger *logger)
	__attribute__((warn_unused_result));

/** tmemd_sandbox_finish() - free what belongs to it. What was given up stays
 * so. */
void tmemd_sandbox_finish(struct tmemd_sandbox *s);

#endif
