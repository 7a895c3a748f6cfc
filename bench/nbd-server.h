/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nbd-server.h - an nbdkit of a benchmark's own.
 *
 * At a socket in a temporary directory; it ends when the benchmark does. What
 * cannot be done ends the benchmark with a line that says why.
 */
#ifndef BENCH_NBD_SERVER_H
#define BENCH_NBD_SERVER_H

#include <stdint.h>
#include <sys/types.h>

#define NBD_SERVER_ARGS_MAX 8u

struct nbd_server {
	pid_t pid;
	char dir[64];
	char socket[96];
};

/** nbd_server_exists() - 1: there is an nbdkit, 0 none. */
int nbd_server_exists(void);

/** nbd_server_plugin() - the plugin that was built beside the benchmark, or the
 * name of an installed one. @path: out: PATH_MAX bytes. Return: @path. */
const char *nbd_server_plugin(char *path);

/**
 * nbd_server_start() - run one, and wait until it listens.
 * @args: the plugin and its parameters, at most NBD_SERVER_ARGS_MAX, then NULL.
 */
void nbd_server_start(struct nbd_server *s, const char *const *args);

/** nbd_server_stop() - end it, and remove its directory. */
void nbd_server_stop(struct nbd_server *s);

/** nbd_server_pin() - its threads run where the calling one may, from now on.
 * Best effort: where that is refused, they run where they did. */
void nbd_server_pin(const struct nbd_server *s);

/** nbd_server_memory() - RAM that it has, bytes (Pss: what it shares counts in
 * part). */
uint64_t nbd_server_memory(const struct nbd_server *s);

/** nbd_server_cpu() - CPU time that it has used, ns, to a clock tick. */
uint64_t nbd_server_cpu(const struct nbd_server *s);

#endif
