/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command.c - options and complaints, the same for all subcommands.
 *
 * argp says two lines when it is unhappy ("unrecognized option", "Try ..."); a
 * script's log is better served by one. So argp is kept silent here, and its
 * ARGP_KEY_ERROR tells where it stopped.
 */
#include "command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "quote.h"

static void complain(const char *format, va_list args)
{
	char line[COMMAND_LINE_MAX];
	int len = snprintf(line, sizeof(line),
			   "%s: ", program_invocation_short_name);
	int n = vsnprintf(line + len, sizeof(line) - (size_t)len - 1, format,
			  args);

	if (n > 0)
		len += n;
	if (len > (int)sizeof(line) - 2)
		len = (int)sizeof(line) - 2;
	line[len] = '\n';
	(void)fflush(stdout);
	(void)!write(STDERR_FILENO, line, (size_t)len + 1);
}

int command_complain(int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args);
	va_end(args);
	return code;
}

int command_refuse(struct argp_state *state, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args);
	va_end(args);
	state->err_stream = NULL; /* parse_common(): nothing left to say */
	return EINVAL;
}

/* Has the option of that name (without dashes), cut at `len`, a value? */
static int takes_value(const struct argp *argp, const char *name, size_t len)
{
	const struct argp_option *o;

	for (o = argp->options; o && (o->name || o->key); o++) {
		if (o->name && strlen(o->name) == len &&
		    !strncmp(o->name, name, len))
			return o->arg != NULL;
	}
	return -ENOENT;
}

/* getopt stopped just behind an option, or inside "-abc": say why. */
static void complain_option(const struct argp_state *state)
{
	const char *arg = state->argv[state->next - 1];
	char quoted[QUOTE_MAX];
	const char *name;
	int value;

	if (arg[0] != '-' && state->next < state->argc)
		arg = state->argv[state->next];
	name = arg + strspn(arg, "-");
	value = takes_value(state->root_argp, name, strcspn(name, "="));
	(void)quote_text(arg, quoted, sizeof(quoted));
	(void)command_complain(0, "%s %s; see %s --help",
			       value == 1   ? "a value must follow"
			       : value == 0 ? "no value may follow"
					    : "no such option:",
			       quoted, state->name);
}

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	switch (key) {
	case 'h':
		argp_help(state->root_argp, stdout,
			  ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC,
			  state->name);
		state->err_stream = NULL;
		return ECANCELED;
	case ARGP_KEY_ERROR:
		if (state->err_stream)
			complain_option(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option common_options[] = {
	{ .name = "help", .key = 'h', .doc = "Give this help", .group = -1 },
	{ 0 },
};

static const struct argp common = {
	.options = common_options,
	.parser = parse_common,
};

const struct argp_child command_common[] = {
	{ .argp = &common },
	{ 0 },
};

int command_parse(const struct argp *argp, int argc, char **argv,
		  unsigned flags, void *input)
{
	error_t err =
		argp_parse(argp, argc, argv, flags | ARGP_SILENT, NULL, input);

	switch (err) {
	case 0:
		return 0;
	case ECANCELED:
		return 1;
	default:
		return -EINVAL;
	}
}
