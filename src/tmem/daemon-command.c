/* SPDX-License-Identifier: BSD-2-Clause */
/* daemon-command.c - `tmem status`, `tmem list`: asking a running daemon. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "daemon-view.h"
#include "overview.h"
#include "quote.h"

enum {
	KEY_SOCKET = 256,
	KEY_JSON
};

/** struct request - a command line. */
struct request {
	const char *socket;
	int json;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct request *r = state->input;

	switch (key) {
	case KEY_SOCKET:
		r->socket = arg;
		return 0;
	case KEY_JSON:
		r->json = 1;
		return 0;
	case ARGP_KEY_ARG:
		return command_refuse(state,
				      "no arguments, please; "
				      "see %s --help",
				      state->name);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ .name = "socket",
	  .key = KEY_SOCKET,
	  .arg = "PATH",
	  .doc = "Where the daemon listens (" TMEM_WIRE_SOCKET ")" },
	{ .name = "json", .key = KEY_JSON, .doc = "Print JSON" },
	{ 0 },
};

static const struct argp status_argp = {
	.options = options,
	.parser = parse,
	.doc = "Tell what a daemon lends, and how it goes.",
	.children = command_common,
};

static const struct argp list_argp = {
	.options = options,
	.parser = parse,
	.doc = "Tell what each domain holds. What comes from the domains "
	       "themselves is called claimed: holds, puts, gets, hits.",
	.children = command_common,
};

static int complain(const char *fault)
{
	char quoted[QUOTE_MAX];

	return command_complain(COMMAND_FAILED, "%s",
				quote_text(fault, quoted, sizeof(quoted)));
}

static int show_status(const struct request *r)
{
	struct tmem_wire_status_reply s;
	struct daemon_talk talk;

	if (daemon_talk_glance(&talk, r->socket, &s))
		return complain(talk.fault);
	if (r->json)
		overview_status_json(stdout, &s);
	else
		overview_status(stdout, &s);
	return COMMAND_DONE;
}

static int show_list(const struct request *r)
{
	struct daemon_view view = { 0 };
	struct daemon_talk talk;
	int err = daemon_talk_open(&talk, r->socket);

	if (!err)
		err = daemon_view_take(&view, &talk);
	daemon_talk_close(&talk);
	if (err)
		(void)complain(talk.fault);
	else if (r->json)
		overview_list_json(stdout, view.domains, view.count);
	else
		overview_list(stdout, view.domains, view.count);
	daemon_view_finish(&view);
	return err ? COMMAND_FAILED : COMMAND_DONE;
}

static int run(int argc, char **argv, const struct argp *argp,
	       int (*show)(const struct request *r))
{
	struct request r = { .socket = TMEM_WIRE_SOCKET };

	switch (command_parse(argp, argc, argv, 0, &r)) {
	case 0:
		return show(&r);
	case 1:
		return COMMAND_DONE;
	default:
		return COMMAND_USAGE;
	}
}

int status_run(int argc, char **argv)
{
	return run(argc, argv, &status_argp, show_status);
}

int list_run(int argc, char **argv)
{
	return run(argc, argv, &list_argp, show_list);
}
