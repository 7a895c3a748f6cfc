/* SPDX-License-Identifier: BSD-2-Clause */
/* daemon-talk.c - a conversation with a daemon: verbs said, answers taken. */
#include "daemon-talk.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "packet.h"

/* It answers in milliseconds, or not at all. */
#define ANSWER_MS 5000

static int fail(struct daemon_talk *t, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct daemon_talk *t, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(t->fault, sizeof(t->fault), format, args);
	va_end(args);
	return err;
}

int daemon_talk_fail(struct daemon_talk *t, int err)
{
	return fail(t, err, "the daemon at %s: %s", t->socket, strerror(-err));
}

int daemon_talk_no_domain(struct daemon_talk *t, const char *name)
{
	return fail(t, -ENOENT,
		    "no domain \"%s\"; `tmem list' tells which there are", name);
}

int daemon_talk_open(struct daemon_talk *t, const char *socket)
{
	int err;

	t->fd = -1;
	t->socket = socket;
	t->fault[0] = 0;
	err = tmem_packet_connect(socket, &t->fd);
	return err ? fail(t, err, "no daemon answers at %s: %s", socket,
			  strerror(-err))
		   : 0;
}

void daemon_talk_close(struct daemon_talk *t)
{
	if (t->fd >= 0)
		(void)close(t->fd);
	t->fd = -1;
}

int daemon_talk_say(struct daemon_talk *t, const void *verb)
{
	const struct tmem_wire_head *head = verb;
	int err = tmem_packet_send(t->fd, verb, head->len, NULL, 0);

	return err ? daemon_talk_fail(t, err) : 0;
}

/* What came instead of the answer. */
static int judge(struct daemon_talk *t, size_t len, uint32_t want, size_t least,
		 union daemon_reply *r)
{
	if (len < sizeof(r->head) || r->head.len != len)
		return daemon_talk_fail(t, -EPROTO);
	if (r->head.type == TMEM_WIRE_REFUSED && len == sizeof(r->refused)) {
		r->refused.text[sizeof(r->refused.text) - 1] = 0;
		return fail(t, -EPERM, "the daemon at %s: %s", t->socket,
			    r->refused.text);
	}
	if (r->head.type != want || len < least)
		return fail(t, -EPROTO,
			    "what answers at %s is no tmemd, or of another "
			    "release",
			    t->socket);
	return 1;
}

int daemon_talk_hear(struct daemon_talk *t, uint32_t want, size_t least,
		     union daemon_reply *ret)
{
	struct tmem_packet packet;
	int err = tmem_packet_receive(t->fd, ret, sizeof(*ret), &packet);

	if (err == -EAGAIN)
		return 0;
	if (err != 1)
		return daemon_talk_fail(t, err ? err : -ECONNRESET);
	tmem_packet_close(&packet);
	return judge(t, packet.len, want, least, ret);
}

int daemon_talk_await(struct daemon_talk *t, uint32_t want, size_t least,
		      union daemon_reply *ret)
{
	struct pollfd p = { .fd = t->fd, .events = POLLIN };
	int n;

	do {
		n = poll(&p, 1, ANSWER_MS);
	} while (n < 0 && errno == EINTR);
	if (!n)
		return daemon_talk_fail(t, -ETIMEDOUT);
	n = daemon_talk_hear(t, want, least, ret);
	return n > 0 ? 0 : n ? n : daemon_talk_fail(t, -ETIMEDOUT);
}

int daemon_talk_status(struct daemon_talk *t, struct tmem_wire_status_reply *ret)
{
	const struct tmem_wire_status verb = { { TMEM_WIRE_STATUS,
						 sizeof(verb) } };
	union daemon_reply r;
	int err = daemon_talk_say(t, &verb);

	if (!err)
		err = daemon_talk_await(t, TMEM_WIRE_STATUS_REPLY,
					sizeof(r.status), &r);
	if (!err)
		*ret = r.status;
	return err;
}

int daemon_talk_glance(struct daemon_talk *t, const char *socket,
		       struct tmem_wire_status_reply *ret)
{
	int err = daemon_talk_open(t, socket);

	if (!err)
		err = daemon_talk_status(t, ret);
	daemon_talk_close(t);
	return err;
}
