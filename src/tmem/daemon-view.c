/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * daemon-view.c - how a daemon and all of its domains are at a moment.
 *
 * STATUS, then LIST as often as it takes, all on one connection: a list of 1,000
 * domains is a hundred messages. Each goes on behind the last domain's number, so
 * that one that comes or goes meanwhile neither hides nor doubles another.
 */
#include "daemon-view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

#define LIST_HEAD offsetof(struct tmem_wire_list_reply, domains)

static int say_list(struct daemon_talk *t, uint64_t after)
{
	const struct tmem_wire_list verb = {
		.head = { TMEM_WIRE_LIST, sizeof(verb) },
		.after = after,
	};

	return daemon_talk_say(t, &verb);
}

int daemon_view_begin(struct daemon_view *v, struct daemon_talk *t)
{
	const struct tmem_wire_status verb = { { TMEM_WIRE_STATUS,
						 sizeof(verb) } };

	v->count = 0;
	v->taken_ns = 0;
	v->status.head.type = 0;
	return daemon_talk_say(t, &verb);
}

static int grow(struct daemon_view *v, uint32_t more)
{
	uint32_t room = v->room ? v->room : 16;
	struct tmem_wire_domain *domains;

	while (room < v->count + more)
		room *= 2;
	if (room == v->room)
		return 0;
	domains = realloc(v->domains, room * sizeof(*domains));
	if (!domains)
		return -ENOMEM;
	v->domains = domains;
	v->room = room;
	return 0;
}

/* Numbers that do not rise would go on for ever. */
static int makes_sense(const struct daemon_view *v,
		       const struct tmem_wire_list_reply *r)
{
	uint64_t last = v->count ? v->domains[v->count - 1].number : 0;
	uint32_t i;

	if (r->count > TMEM_WIRE_ENTRIES_MAX ||
	    r->head.len != LIST_HEAD + r->count * sizeof(r->domains[0]))
		return 0;
	for (i = 0; i < r->count; last = r->domains[i++].number)
		if (r->domains[i].number <= last ||
		    !memchr(r->domains[i].name, 0, sizeof(r->domains[i].name)))
			return 0;
	return 1;
}

static int take_domains(struct daemon_view *v, struct daemon_talk *t,
			const struct tmem_wire_list_reply *r)
{
	if (!makes_sense(v, r)) {
		(void)snprintf(t->fault, sizeof(t->fault),
			       "the daemon at %s makes no sense", t->socket);
		return -EPROTO;
	}
	if (grow(v, r->count)) {
		(void)snprintf(t->fault, sizeof(t->fault), "out of memory");
		return -ENOMEM;
	}
	memcpy(v->domains + v->count, r->domains,
	       r->count * sizeof(r->domains[0]));
	v->count += r->count;
	if (r->count == TMEM_WIRE_ENTRIES_MAX)
		return say_list(t, v->domains[v->count - 1].number);
	v->taken_ns = tmem_clock_ns();
	return 1;
}

static int wait_for(const struct daemon_view *v, size_t *ret_least)
{
	int listing = v->status.head.type != 0;

	*ret_least = listing ? LIST_HEAD : sizeof(v->status);
	return listing ? TMEM_WIRE_LIST_REPLY : TMEM_WIRE_STATUS_REPLY;
}

static int take(struct daemon_view *v, struct daemon_talk *t,
		const union daemon_reply *r)
{
	if (r->head.type == TMEM_WIRE_LIST_REPLY)
		return take_domains(v, t, &r->list);
	v->status = r->status;
	return say_list(t, 0);
}

int daemon_view_step(struct daemon_view *v, struct daemon_talk *t)
{
	union daemon_reply r;
	size_t least;
	int want = wait_for(v, &least);
	int ret = daemon_talk_hear(t, (uint32_t)want, least, &r);

	return ret == 1 ? take(v, t, &r) : ret;
}

int daemon_view_take(struct daemon_view *v, struct daemon_talk *t)
{
	int ret = daemon_view_begin(v, t);
	union daemon_reply r;
	size_t least;

	while (!ret) {
		int want = wait_for(v, &least);

		ret = daemon_talk_await(t, (uint32_t)want, least, &r);
		if (!ret)
			ret = take(v, t, &r);
	}
	return ret < 0 ? ret : 0;
}

const struct tmem_wire_domain *daemon_view_find(const struct daemon_view *v,
						const char *name)
{
	uint32_t i;

	for (i = 0; i < v->count; i++)
		if (!strcmp(v->domains[i].name, name))
			return &v->domains[i];
	return NULL;
}

void daemon_view_finish(struct daemon_view *v)
{
	free(v->domains);
	memset(v, 0, sizeof(*v));
}
