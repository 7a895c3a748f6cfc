/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * private.h - a tmemd of a benchmark's own, and what it says of itself.
 *
 * The one that was built beside the benchmark, at a socket in a temporary
 * directory. What cannot be done ends the benchmark with a line that says why.
 */
#ifndef BENCH_PRIVATE_H
#define BENCH_PRIVATE_H

#include <stdint.h>
#include <sys/types.h>

#include <tmem/wire.h>

struct private
{
	pid_t pid;
	int fd; /* a connection, for control verbs */
	char dir[64];
	char where[104]; /* for tmem_open() */
};

/** private_die() - one line on standard error, and exit status 1. */
void private_die(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/** private_fork() - a child that ends when the benchmark does. Return: as fork(2). */
pid_t private_fork(void);

/** private_kill() - end a child, and wait for it. */
void private_kill(pid_t pid);

/** private_start() - run one with this configuration, and wait for it. */
void private_start(struct private *p, const char *config);

/** private_reload() - another configuration, and wait until its floor holds. */
void private_reload(struct private *p, const char *config, uint64_t floor);

/** private_stop() - end it, and remove its directory. */
void private_stop(struct private *p);

/** private_status() - its figures. */
void private_status(struct private *p, struct tmem_wire_status_reply *ret);

/** private_list() - its domains, at most 16. Return: how many. Sessions are given
 * 20 ms to report. */
unsigned private_list(struct private *p, struct tmem_wire_domain *ret);

/** private_lent() - of a domain, or in all: bytes. */
uint64_t private_lent(const uint64_t lent[TMEM_WIRE_CLASSES]);

#endif
