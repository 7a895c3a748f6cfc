/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * daemon.h - a private tmemd under test, and what it says of itself.
 *
 * $TMEM_BUILD/tmemd, at a socket in a temporary directory. What cannot be done
 * fails the running test (cmocka).
 */
#ifndef TESTS_LIB_DAEMON_H
#define TESTS_LIB_DAEMON_H

#include <stdint.h>
#include <sys/types.h>

#include <tmem/tmem.h>
#include <tmem/wire.h>

/* Longer than anything here should take, sanitizers included. */
#define DAEMON_PATIENCE_NS 20000000000ull

struct daemon {
	pid_t pid; /* 0: not running */
	char dir[64];
	char socket[96];
	char where[104]; /* for tmem_open() */
	char config[96]; /* a file that may be written */
	char log[96];	 /* what it says */
};

/** daemon_exists() - 1: there is a tmemd to be tested. */
int daemon_exists(void);

/** daemon_init() - a place for one; daemon_finish() removes it and all in it. */
void daemon_init(struct daemon *d);
void daemon_finish(struct daemon *d);

/** daemon_configure() - write the configuration file. */
void daemon_configure(const struct daemon *d, const char *text);

/** daemon_start() - run it, and wait until it answers. */
void daemon_start(struct daemon *d);

/** daemon_run() - run it, and no more: for one that will fail. */
void daemon_run(struct daemon *d);

/**
 * daemon_start_with() - the same with descriptors from a service manager.
 * @fds: become 3, 4, ...; @names is their $LISTEN_FDNAMES.
 * @notify: $NOTIFY_SOCKET, or NULL.
 */
void daemon_start_with(struct daemon *d, const int *fds, unsigned count,
		       const char *names, const char *notify);

/**
 * daemon_reload() - have the configuration read again, and wait until the daemon is
 * done with it.
 * @text: to be written first; NULL: the file is as it is wanted.
 * @said: what its log says then; it is emptied before.
 */
void daemon_reload(const struct daemon *d, const char *text, const char *said);

/** daemon_signal() - and, if that ends it, daemon_wait() for its exit status. */
void daemon_signal(const struct daemon *d, int sig);
int daemon_wait(struct daemon *d);

/** daemon_stop() - ask it to end; it must do so well. */
void daemon_stop(struct daemon *d);

/** daemon_kill() - as the kernel would. */
void daemon_kill(struct daemon *d);

/** daemon_connect() - a bare connection. */
int daemon_connect(const struct daemon *d);

/** daemon_status() - its own figures. */
struct tmem_wire_status_reply daemon_status(const struct daemon *d);

/** daemon_domains() - all lines, @max at most. Return: how many. */
unsigned daemon_domains(const struct daemon *d, struct tmem_wire_domain *ret,
			unsigned max);

/** daemon_domain() - a domain's line. Return: 1, 0 there is none. */
int daemon_domain(const struct daemon *d, const char *name,
		  struct tmem_wire_domain *ret);

/** daemon_lent() - bytes, all told. */
uint64_t daemon_lent(const struct daemon *d);

/** daemon_fds() - descriptors that it has open, with no connections but those of
 * sessions: once it has noticed that whoever asked something is gone. */
unsigned daemon_fds(const struct daemon *d);

/** daemon_ticks_of() - CPU time that a process has used, clock ticks. */
uint64_t daemon_ticks_of(pid_t pid);

/** daemon_until() - wait until a figure of a status is as wanted.
 * @what: returns 1 when it is. */
void daemon_until(const struct daemon *d,
		  int (*what)(const struct tmem_wire_status_reply *s, void *ctx),
		  void *ctx);

/** daemon_open() - a session of it; agers none. */
struct tmem *daemon_open(const struct daemon *d, const char *domain,
			 uint64_t limit_bytes);

/** daemon_says() - 1: its log has this. */
int daemon_says(const struct daemon *d, const char *text);

#endif
