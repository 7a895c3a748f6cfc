/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile.h - a client made by hand, and one that must notice nothing.
 */
#ifndef TESTS_DAEMON_HOSTILE_H
#define TESTS_DAEMON_HOSTILE_H

#include <stddef.h>
#include <stdint.h>

#include "daemon.h"
#include "packet.h"

/** struct hostile - a bare connection with the lease it got. */
struct hostile {
	int fd;
	int data, control; /* memfds; -1: none */
	struct tmem_wire_welcome welcome;
};

/** union hostile_message - room for any answer. */
union hostile_message {
	struct tmem_wire_head head;
	struct tmem_wire_welcome welcome;
	struct tmem_wire_refused refused;
	struct tmem_wire_loans loans;
	unsigned char bytes[TMEM_WIRE_MESSAGE_MAX];
};

/** struct witness - an honest session whose pages are looked at again. */
struct witness {
	const struct daemon *d;
	struct tmem *t;
	int kept, cached; /* pools */
	unsigned fds;	  /* the daemon's, with the witness and nobody else */
	uint64_t lent;	  /* bytes, the same */
};

/** witness_init() - put pages; witness_check() - all of them are as they were, and
 * the daemon has nothing but the witness any more. */
void witness_init(struct witness *w, const struct daemon *d);
void witness_check(struct witness *w);
void witness_finish(struct witness *w);

/**
 * witness_begin() - for a group's setup: a daemon, and the witness in it.
 * @config: the daemon's; NULL: the default one.
 *
 * Return: 0, -1.
 */
int witness_begin(struct witness *w, struct daemon *d, const char *config,
		  void **state);

/** witness_end() - the group's last test: nothing of it all is left. */
void witness_end(struct witness *w, struct daemon *d, void **state);

/** hostile_hello() - an honest hello, to be spoiled. */
struct tmem_wire_hello hostile_hello(const char *domain, uint64_t limit);

/** hostile_send() - bytes and descriptors; what the daemon thinks of it shows
 * later. */
void hostile_send(int fd, const void *message, size_t len, const int *fds,
		  unsigned count);

/** hostile_receive() - the next message; 0: the daemon closed. Descriptors go to
 * @packet. */
int hostile_receive(int fd, union hostile_message *m,
		    struct tmem_packet *packet);

/** hostile_open() - a session of the domain "hostile". */
void hostile_open(struct hostile *h, const struct daemon *d, uint64_t limit);

/** hostile_ask() - segments, @total with those it has, and wait until the @due
 * ones came. Return: how many did; fewer if it was refused, or nothing came for
 * long. */
uint32_t hostile_ask(struct hostile *h, uint32_t cls, uint64_t total,
		     struct tmem_wire_loan *loans, uint32_t due);

/** hostile_grab() - all that there is, but no more than @max, until nothing comes
 * for half a second. Return: how many came. */
uint32_t hostile_grab(struct hostile *h, uint32_t cls,
		      struct tmem_wire_loan *loans, uint32_t max);
void hostile_close(struct hostile *h);

/** hostile_refused() - the daemon closes with this reason, and counts it. */
void hostile_refused(const struct daemon *d, int fd, uint32_t reason,
		     uint64_t before);

/** hostile_count() - how often a reason was counted. */
uint64_t hostile_count(const struct daemon *d, uint32_t reason);

/** hostile_as() - run something as another user in a child; its result. */
int hostile_as(uid_t uid, int (*what)(void *ctx), void *ctx);

#endif
