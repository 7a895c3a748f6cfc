/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listener.h - the socket that clients connect to.
 */
#ifndef TMEM_TMEMD_LISTENER_H
#define TMEM_TMEMD_LISTENER_H

#include <sys/stat.h>

#include "logger.h"
#include "tmemd.h"

/** struct tmemd_listener - where it is; path "": inherited, not ours to remove. */
struct tmemd_listener {
	int fd;
	char path[TMEMD_SOCKET_MAX];
	struct stat file; /* what we put there */
};

/**
 * tmemd_listener_bind() - at a path.
 *
 * A socket that nobody listens at is a dead daemon's and goes; anything else at
 * the path stays, and is told.
 *
 * Return: 0, negative errno, told.
 */
int tmemd_listener_bind(struct tmemd_listener *l, const char *path,
			const struct tmem_logger *logger);

/** tmemd_listener_inherit() - a socket of the service manager's. Return: 0,
 * -EINVAL not such a socket, told. */
int tmemd_listener_inherit(struct tmemd_listener *l, int fd,
			   const struct tmem_logger *logger);

/** tmemd_listener_finish() - closed, and the path removed if it is still ours. */
void tmemd_listener_finish(struct tmemd_listener *l);

/** tmemd_listener_start() - from now on, call @on_connect with @d and @fd when
 * somebody connects. Return: 0, negative errno. */
int tmemd_listener_start(struct tmemd *d, int fd,
			 sd_event_io_handler_t on_connect);

/** tmemd_listener_accept() - Return: a connection; -1: none waits, or there is no
 * descriptor for it, and none is taken before tmemd_listener_resume(). */
int tmemd_listener_accept(struct tmemd *d, int fd);

/** tmemd_listener_resume() - a descriptor was closed: there is room again. */
void tmemd_listener_resume(struct tmemd *d);

#endif
