/* SPDX-License-Identifier: BSD-2-Clause */
/* metrics-command.c - `tmem metrics`: a daemon's figures for Prometheus. */
#include <stdio.h>

#include "command.h"
#include "daemon-view.h"
#include "metrics.h"
#include "quote.h"

enum {
	KEY_SOCKET = 256
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const char **socket = state->input;

	switch (key) {
	case KEY_SOCKET:
		*socket = arg;
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
	{ 0 },
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Tell a daemon's figures in the text format that Prometheus "
	       "scrapes. tmem-exporter(8) serves the same over HTTP.",
	.children = command_common,
};

static int print(const char *socket)
{
	struct daemon_view view = { 0 };
	char quoted[QUOTE_MAX];
	struct daemon_talk talk;
	int err = daemon_talk_open(&talk, socket);

	if (!err)
		err = daemon_view_take(&view, &talk);
	daemon_talk_close(&talk);
	if (!err)
		metrics_write(stdout, &view);
	daemon_view_finish(&view);
	if (err)
		return command_complain(COMMAND_FAILED, "%s",
					quote_text(talk.fault, quoted,
						   sizeof(quoted)));
	return COMMAND_DONE;
}

int metrics_run(int argc, char **argv)
{
	const char *socket = TMEM_WIRE_SOCKET;

	switch (command_parse(&argp, argc, argv, 0, &socket)) {
	case 0:
		return print(socket);
	case 1:
		return COMMAND_DONE;
	default:
		return COMMAND_USAGE;
	}
}
