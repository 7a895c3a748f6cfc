/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * daemon-talk.h - a conversation with a daemon: verbs said, answers taken.
 */
#ifndef TMEM_COMMAND_DAEMON_TALK_H
#define TMEM_COMMAND_DAEMON_TALK_H

#include <stddef.h>

#include <tmem/wire.h>

/** Room for why it failed. */
#define DAEMON_TALK_FAULT_MAX 640u

/**
 * struct daemon_talk - a conversation.
 * @fd: of the connection, for poll(); -1: there is none.
 * @socket: where it listens; the caller's text.
 * @fault: after a failure: what to tell, in one line.
 */
struct daemon_talk {
	int fd;
	const char *socket;
	char fault[DAEMON_TALK_FAULT_MAX];
};

/** union daemon_reply - room for any answer. */
union daemon_reply {
	struct tmem_wire_head head;
	struct tmem_wire_refused refused;
	struct tmem_wire_status_reply status;
	struct tmem_wire_list_reply list;
	struct tmem_wire_history_reply history;
	struct tmem_wire_sessions_reply sessions;
	struct tmem_wire_answer answer;
	unsigned char bytes[TMEM_WIRE_MESSAGE_MAX];
};

/** daemon_talk_open() - Return: 0; negative errno, told in ->fault. */
int daemon_talk_open(struct daemon_talk *t, const char *socket);
void daemon_talk_close(struct daemon_talk *t);

/** daemon_talk_fail() - tell of an errno. Return: @err. */
int daemon_talk_fail(struct daemon_talk *t, int err);

/** daemon_talk_no_domain() - tell that there is none of that name. Return:
 * -ENOENT. */
int daemon_talk_no_domain(struct daemon_talk *t, const char *name);

/** daemon_talk_say() - send a verb: a message that begins with its head. Return:
 * 0; negative errno, told. */
int daemon_talk_say(struct daemon_talk *t, const void *verb);

/**
 * daemon_talk_hear() - an answer, if it is there.
 * @want: its type.
 * @least: bytes that it must have.
 *
 * Return: 1 it is in @ret; 0 it is not there yet; -EPERM refused; -EPROTO that
 *	is something else; other negative errno. All but 0 and 1 are told.
 */
int daemon_talk_hear(struct daemon_talk *t, uint32_t want, size_t least,
		     union daemon_reply *ret);

/** daemon_talk_await() - the same, waiting for it. Return: 0; -ETIMEDOUT; or as
 * above. */
int daemon_talk_await(struct daemon_talk *t, uint32_t want, size_t least,
		      union daemon_reply *ret);

/** daemon_talk_status() - Return: 0; negative errno, told. */
int daemon_talk_status(struct daemon_talk *t,
		       struct tmem_wire_status_reply *ret);

/** daemon_talk_glance() - open, status, close. Return: 0; negative errno, told. */
int daemon_talk_glance(struct daemon_talk *t, const char *socket,
		       struct tmem_wire_status_reply *ret);

#endif
