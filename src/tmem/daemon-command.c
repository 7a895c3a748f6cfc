/* SPDX-License-Identifier: BSD-2-Clause */
/* daemon-command.c - `tmem status`, `list`, `show`, `freeable`: a daemon looked
 * at. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "control-options.h"
#include "daemon-view.h"
#include "overview.h"

static const struct argp_option options[] = {
	CONTROL_SOCKET,
	CONTROL_JSON,
	{ 0 },
};

/* ---- status -------------------------------------------------------------- */

static const struct argp status_argp = {
	.options = options,
	.parser = control_parse_option,
	.doc = "Tell what a daemon lends, and how it goes.",
	.children = command_common,
};

int status_run(int argc, char **argv)
{
	struct tmem_wire_status_reply s;
	struct control_options o;
	struct daemon_talk talk;
	int code = control_parse(&status_argp, argc, argv, 0, 0, "no arguments",
				 &o);

	if (code >= 0)
		return code;
	if (daemon_talk_glance(&talk, o.socket, &s))
		return control_complain(&talk);
	if (o.json)
		overview_status_json(stdout, &s);
	else
		overview_status(stdout, &s);
	return COMMAND_DONE;
}

/* ---- list ---------------------------------------------------------------- */

static const struct argp list_argp = {
	.options = options,
	.parser = control_parse_option,
	.doc = "Tell what each domain holds. What a domain's sessions say of "
	       "themselves is called claimed in the JSON: holds, ratio and "
	       "hits come from there.",
	.children = command_common,
};

/* Return: 0; negative errno, told in @talk. */
static int take_view(const char *socket, struct daemon_talk *talk,
		     struct daemon_view *view)
{
	int err = daemon_talk_open(talk, socket);

	return err ? err : daemon_view_take(view, talk);
}

int list_run(int argc, char **argv)
{
	struct daemon_view view = { 0 };
	struct control_options o;
	struct daemon_talk talk;
	int code =
		control_parse(&list_argp, argc, argv, 0, 0, "no arguments", &o);

	if (code >= 0)
		return code;
	code = COMMAND_DONE;
	if (take_view(o.socket, &talk, &view))
		code = control_complain(&talk);
	else if (o.json)
		overview_list_json(stdout, view.domains, view.count);
	else
		overview_list(stdout, view.domains, view.count);
	daemon_talk_close(&talk);
	daemon_view_finish(&view);
	return code;
}

/* ---- show ---------------------------------------------------------------- */

static const struct argp show_argp = {
	.options = options,
	.parser = control_parse_option,
	.args_doc = "DOMAIN",
	.doc = "Tell all about a domain, and about each of its sessions.",
	.children = command_common,
};

/* Those behind the count-th. Return: how many; negative errno, told. */
static int more_sessions(struct daemon_talk *t,
			 const char name[TMEM_WIRE_NAME_MAX],
			 struct tmem_wire_session **sessions, uint32_t count)
{
	struct tmem_wire_sessions verb = {
		.head = { TMEM_WIRE_SESSIONS, sizeof(verb) },
		.after = *sessions ? (*sessions)[count - 1].number : 0,
	};
	const size_t head = offsetof(struct tmem_wire_sessions_reply, sessions);
	struct tmem_wire_session *more;
	union daemon_reply r;
	int err;

	memcpy(verb.domain, name, sizeof(verb.domain));
	err = daemon_talk_say(t, &verb);
	if (!err)
		err = daemon_talk_await(t, TMEM_WIRE_SESSIONS_REPLY, head, &r);
	if (err)
		return err;
	if (r.sessions.count > TMEM_WIRE_SESSIONS_MAX ||
	    r.head.len != head + r.sessions.count * sizeof(*more) ||
	    (r.sessions.count &&
	     r.sessions.sessions[r.sessions.count - 1].number <= verb.after))
		return daemon_talk_fail(t, -EPROTO);
	more = realloc(*sessions,
		       (count + r.sessions.count + 1) * sizeof(*more));
	if (!more)
		return daemon_talk_fail(t, -ENOMEM);
	memcpy(more + count, r.sessions.sessions,
	       r.sessions.count * sizeof(*more));
	*sessions = more;
	return (int)r.sessions.count;
}

static int show(const struct control_options *o, struct daemon_talk *t,
		const struct daemon_view *view)
{
	const struct tmem_wire_domain *d = daemon_view_find(view, o->args[0]);
	struct tmem_wire_session *sessions = NULL;
	uint32_t count = 0;
	int n;

	if (!d)
		return daemon_talk_no_domain(t, o->args[0]);
	do {
		n = more_sessions(t, d->name, &sessions, count);
		count += n > 0 ? (uint32_t)n : 0;
	} while (n == TMEM_WIRE_SESSIONS_MAX);
	if (n >= 0 && o->json)
		overview_show_json(stdout, d, sessions, count);
	else if (n >= 0)
		overview_show(stdout, d, sessions, count);
	free(sessions);
	return n < 0 ? n : 0;
}

int show_run(int argc, char **argv)
{
	struct daemon_view view = { 0 };
	struct control_options o;
	struct daemon_talk talk;
	int code = control_parse(&show_argp, argc, argv, 1, 1, "one DOMAIN", &o);

	if (code >= 0)
		return code;
	code = COMMAND_DONE;
	if (take_view(o.socket, &talk, &view) || show(&o, &talk, &view))
		code = control_complain(&talk);
	daemon_talk_close(&talk);
	daemon_view_finish(&view);
	return code;
}

/* ---- freeable ------------------------------------------------------------ */

static const struct argp freeable_argp = {
	.options = options,
	.parser = control_parse_option,
	.args_doc = "[DOMAIN]",
	.doc = "Tell how much memory could be given back at this moment, of all "
	       "domains or of one, without losing anything that was promised.",
	.children = command_common,
};

int freeable_run(int argc, char **argv)
{
	struct daemon_view view = { 0 };
	const struct tmem_wire_domain *d = NULL;
	struct control_options o;
	struct daemon_talk talk;
	int err, code = control_parse(&freeable_argp, argc, argv, 0, 1,
				      "at most one DOMAIN", &o);

	if (code >= 0)
		return code;
	err = take_view(o.socket, &talk, &view);
	if (!err && o.args_count) {
		d = daemon_view_find(&view, o.args[0]);
		err = d ? 0 : daemon_talk_no_domain(&talk, o.args[0]);
	}
	if (!err)
		control_print_size(&o, "freeable_bytes",
				   d ? d->freeable_bytes
				     : view.status.freeable_bytes);
	code = err ? control_complain(&talk) : COMMAND_DONE;
	daemon_talk_close(&talk);
	daemon_view_finish(&view);
	return code;
}
