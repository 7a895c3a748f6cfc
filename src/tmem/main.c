/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c - the `tmem` command: a table of subcommands and the way into them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "quote.h"

static const struct command commands[] = {
	{ "bench", "Measure this machine, or a store on it", bench_command_run },
	{ "demo", "Read a directory again and again, without and with a store",
	  demo_run },
	{ "evict", "Destroy all of a domain's pools", evict_run },
	{ "flush", "Take ephemeral memory back from domains", flush_run },
	{ "freeable", "Tell how much memory could be taken back", freeable_run },
	{ "freeze", "Lend nothing more, have puts refused", freeze_run },
	{ "list", "Tell what a daemon's domains hold", list_run },
	{ "metrics", "Tell a daemon's figures as Prometheus wants them",
	  metrics_run },
	{ "policy", "Tell or change how memory is divided", policy_run },
	{ "replay", "Replay a trace of page requests through a store",
	  replay_run },
	{ "report", "Draw a daemon's last hour as a page for a browser",
	  report_run },
	{ "set", "Change settings of a domain or of the daemon", set_run },
	{ "show", "Tell all about a domain and its sessions", show_run },
	{ "status", "Tell what a daemon lends, and how it goes", status_run },
	{ "swapoff", "Bring home what was swapped to a store", swapoff_run },
	{ "swapon", "Let the kernel swap to a disk whose pages lie in a store",
	  swapon_run },
	{ "thaw", "Undo freeze", thaw_run },
	{ "top", "Watch a daemon's domains", top_run },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/** struct request - what the command line comes to. */
struct request {
	int version; /* only tell the release */
	int first;   /* argv[first] is the subcommand; 0: none */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct request *request = state->input;

	(void)arg;
	switch (key) {
	case 'V':
		request->version = 1;
		return 0;
	case ARGP_KEY_ARG:
		request->first = state->next - 1;
		state->next = state->argc; /* the rest is the subcommand's */
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Called by argp for each text of the help; the last one is the table. */
static char *list_commands(int key, const char *text, void *input)
{
	char *list = NULL;
	size_t len, i;
	FILE *out;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	out = open_memstream(&list, &len);
	if (!out)
		return NULL;
	(void)fputs("Commands:\n", out);
	for (i = 0; i < COMMANDS; i++)
		(void)fprintf(out, "  %-10s %s\n", commands[i].name,
			      commands[i].summary);
	(void)fputs("\n`tmem COMMAND --help' tells a command's options.", out);
	(void)fclose(out);
	return list;
}

static const struct argp_option options[] = {
	{ .name = "version", .key = 'V', .doc = "Tell the release", .group = -1 },
	{ 0 },
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "COMMAND [ARGUMENT...]",
	.doc = "Transcendent memory: idle RAM as a store for pages.\v ",
	.children = command_common,
	.help_filter = list_commands,
};

static const struct command *find(const char *name)
{
	size_t i;

	for (i = 0; i < COMMANDS; i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}

static int dispatch(int argc, char **argv)
{
	const struct command *command = find(argv[0]);
	char name[QUOTE_MAX];

	if (!command)
		return command_complain(COMMAND_USAGE,
					"no command \"%s\"; see tmem --help",
					quote_text(argv[0], name, sizeof(name)));
	(void)snprintf(name, sizeof(name), "tmem %s", command->name);
	argv[0] = name;
	return command->run(argc, argv);
}

static int run(int argc, char **argv)
{
	struct request request = { 0 };

	switch (command_parse(&argp, argc, argv, ARGP_IN_ORDER, &request)) {
	case 0:
		break;
	case 1:
		return COMMAND_DONE;
	default:
		return COMMAND_USAGE;
	}
	if (request.version) {
		(void)printf("tmem %s\n", command_version);
		return COMMAND_DONE;
	}
	if (!request.first)
		return command_complain(COMMAND_USAGE,
					"no command; see tmem --help");
	return dispatch(argc - request.first, argv + request.first);
}

int main(int argc, char **argv)
{
	char self[] = "tmem";
	char *nothing[] = { self, NULL };
	int code;

	if (argc < 1) { /* allowed by execve(2), unknown to argp */
		argc = 1;
		argv = nothing;
	}
	argv[0] = self;
	code = run(argc, argv);
	if ((fflush(stdout) || ferror(stdout)) && code == COMMAND_DONE)
		code = command_complain(COMMAND_FAILED,
					"cannot write to standard output");
	return code;
}
