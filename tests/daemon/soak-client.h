/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * soak-client.h - a client that comes, works at random, and goes in one way or
 * another.
 */
#ifndef TESTS_DAEMON_SOAK_CLIENT_H
#define TESTS_DAEMON_SOAK_CLIENT_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

/** enum - how a client's process ends by itself. */
enum {
	SOAK_CLIENT_CLOSED = 0,	   /* and said goodbye */
	SOAK_CLIENT_LEFT = 10,	   /* in the middle of it */
	SOAK_CLIENT_SHUT_OUT = 11, /* never got a session */
	/* Faults. */
	SOAK_CLIENT_WRONG_PAGE = 20, /* a get gave what was not put */
	SOAK_CLIENT_LOST_PAGE = 21,  /* a persistent page missed */
	SOAK_CLIENT_FAULT = 22,	     /* a call said what it may not */
	SOAK_CLIENT_UNSOUND = 23     /* tmem_check() */
};

/**
 * struct soak_client_plan - one client.
 * @uid: whom it works as, if the test is root.
 * @lives_ms: then it ends by itself; it may be killed before.
 * @failed: counts sessions that were begun, or not even that, and not got; shared.
 */
struct soak_client_plan {
	const char *where;
	const char *domain;
	uid_t uid;
	uint64_t seed;
	uint64_t lives_ms;
	_Atomic unsigned *failed;
};

/** soak_client_run() - in a process of its own. */
void soak_client_run(const struct soak_client_plan *p) __attribute__((noreturn));

#endif
