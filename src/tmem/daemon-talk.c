/* SPDX-License-Identifier: BSD-2-Clause */
/* daemon-talk.c - asking a daemon how it goes. */
#include "daemon-talk.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "packet.h"

/* It answers in milliseconds, or not at all. */
#define ANSWER_MS 5000

/** union reply - room for any answer. */
union reply {
	struct tmem_wire_head head;
	struct tmem_wire_refused refused;
	struct tmem_wire_status_reply status;
	struct tmem_wire_list_reply list;
	unsigned char bytes[TMEM_WIRE_MESSAGE_MAX];
};

static int fail(char *fault, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(char *fault, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(fault, DAEMON_TALK_FAULT_MAX, format, args);
	va_end(args);
	return err;
}

static int converse(int fd, const void *verb, size_t len, union reply *reply,
		    size_t *ret_len)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct tmem_packet packet;
	int ret = tmem_packet_send(fd, verb, len, NULL, 0);

	if (ret)
		return ret;
	do {
		ret = poll(&p, 1, ANSWER_MS);
	} while (ret < 0 && errno == EINTR);
	if (!ret)
		return -ETIMEDOUT;
	ret = tmem_packet_receive(fd, reply, sizeof(*reply), &packet);
	if (ret != 1)
		return ret ? ret : -ECONNRESET;
	tmem_packet_close(&packet);
	*ret_len = packet.len;
	return packet.len >= sizeof(reply->head) && reply->head.len == packet.len
		       ? 0
		       : -EPROTO;
}

/* Sends a verb and takes its answer, which begins with @want. */
static int ask(const char *socket, const void *verb, size_t verb_len,
	       uint32_t want, size_t want_len, union reply *reply, char *fault)
{
	size_t len = 0;
	int fd, err = tmem_packet_connect(socket, &fd);

	if (err)
		return fail(fault, err, "no daemon answers at %s: %s", socket,
			    strerror(-err));
	err = converse(fd, verb, verb_len, reply, &len);
	(void)close(fd);
	if (err)
		return fail(fault, err, "the daemon at %s: %s", socket,
			    strerror(-err));
	if (reply->head.type == TMEM_WIRE_REFUSED &&
	    len == sizeof(reply->refused)) {
		reply->refused.text[sizeof(reply->refused.text) - 1] = 0;
		return fail(fault, -EPERM, "the daemon at %s: %s", socket,
			    reply->refused.text);
	}
	if (reply->head.type != want || len < want_len)
		return fail(fault, -EPROTO,
			    "what answers at %s is no tmemd, or of another "
			    "release",
			    socket);
	return 0;
}

int daemon_talk_status(const char *socket, struct tmem_wire_status_reply *ret,
		       char fault[DAEMON_TALK_FAULT_MAX])
{
	const struct tmem_wire_status verb = { { TMEM_WIRE_STATUS,
						 sizeof(verb) } };
	union reply r;
	int err = ask(socket, &verb, sizeof(verb), TMEM_WIRE_STATUS_REPLY,
		      sizeof(r.status), &r, fault);

	if (!err)
		*ret = r.status;
	return err;
}

/* Domains from the count-th on, behind those that are there. Return: how many;
 * negative errno. */
static int ask_more(const char *socket, struct tmem_wire_domain **domains,
		    uint32_t count, char *fault)
{
	const struct tmem_wire_list verb = {
		.head = { TMEM_WIRE_LIST, sizeof(verb) },
		.skip = count,
	};
	const size_t head = offsetof(struct tmem_wire_list_reply, domains);
	struct tmem_wire_domain *more;
	union reply r;
	int err;

	memset(&r, 0, sizeof(r));
	err = ask(socket, &verb, sizeof(verb), TMEM_WIRE_LIST_REPLY, head, &r,
		  fault);
	if (err)
		return err;
	if (r.list.count > TMEM_WIRE_ENTRIES_MAX ||
	    r.head.len != head + r.list.count * sizeof(**domains))
		return fail(fault, -EPROTO, "the daemon at %s makes no sense",
			    socket);
	more = realloc(*domains, (count + r.list.count + 1) * sizeof(*more));
	if (!more)
		return fail(fault, -ENOMEM, "out of memory");
	memcpy(more + count, r.list.domains, r.list.count * sizeof(*more));
	*domains = more;
	return (int)r.list.count;
}

int daemon_talk_list(const char *socket, struct tmem_wire_domain **ret,
		     uint32_t *ret_count, char fault[DAEMON_TALK_FAULT_MAX])
{
	struct tmem_wire_domain *domains = NULL;
	uint32_t count = 0;
	int n;

	do {
		n = ask_more(socket, &domains, count, fault);
		if (n < 0) {
			free(domains);
			return n;
		}
		count += (uint32_t)n;
	} while (n == TMEM_WIRE_ENTRIES_MAX);
	*ret = domains;
	*ret_count = count;
	return 0;
}
