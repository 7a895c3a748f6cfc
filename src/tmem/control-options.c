/* SPDX-License-Identifier: BSD-2-Clause */
/* control-options.c - the command lines of what talks to a daemon. */
#include "control-options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "parse.h"
#include "quote.h"

static error_t take_size(struct control_options *o, const char *arg,
			 struct argp_state *state)
{
	char quoted[QUOTE_MAX];

	if (!tmem_parse_size(arg, &o->size) && o->size && o->size != UINT64_MAX)
		return 0;
	return command_refuse(state,
			      "--size=%s: want bytes, with K, M, G or T, at "
			      "least 1",
			      quote_text(arg, quoted, sizeof(quoted)));
}

error_t control_parse_option(int key, char *arg, struct argp_state *state)
{
	struct control_options *o = state->input;

	switch (key) {
	case CONTROL_KEY_SOCKET:
		o->socket = arg;
		return 0;
	case CONTROL_KEY_JSON:
		o->json = 1;
		return 0;
	case CONTROL_KEY_DOMAIN:
		o->domain = arg;
		return 0;
	case CONTROL_KEY_SIZE:
		return take_size(o, arg, state);
	case CONTROL_KEY_YES:
		o->yes = 1;
		return 0;
	case ARGP_KEY_ARG:
		if (o->args_count == CONTROL_ARGS_MAX)
			return command_refuse(state,
					      "more than %u arguments; see "
					      "%s --help",
					      CONTROL_ARGS_MAX, state->name);
		o->args[o->args_count++] = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int control_parse(const struct argp *argp, int argc, char **argv,
		  unsigned least, unsigned most, const char *wanted,
		  struct control_options *ret)
{
	const char *name = argv[0];
	int err;

	memset(ret, 0, sizeof(*ret));
	ret->socket = TMEM_WIRE_SOCKET;
	ret->size = UINT64_MAX;
	err = command_parse(argp, argc, argv, 0, ret);
	if (err)
		return err > 0 ? COMMAND_DONE : COMMAND_USAGE;
	if (ret->args_count >= least && ret->args_count <= most)
		return -1;
	return command_complain(COMMAND_USAGE, "want %s; see %s --help", wanted,
				name);
}

int control_complain(const struct daemon_talk *t)
{
	char quoted[QUOTE_MAX];

	return command_complain(COMMAND_FAILED, "%s",
				quote_text(t->fault, quoted, sizeof(quoted)));
}

int control_name(const char *name, char ret[TMEM_WIRE_NAME_MAX])
{
	char quoted[QUOTE_MAX];

	if (*name && strlen(name) < TMEM_WIRE_NAME_MAX) {
		memset(ret, 0, TMEM_WIRE_NAME_MAX);
		memcpy(ret, name, strlen(name));
		return 0;
	}
	(void)command_complain(
		0, "%s: want a domain's name of 1 to %d characters",
		*name ? quote_text(name, quoted, sizeof(quoted)) : "\"\"",
		TMEM_WIRE_NAME_MAX - 1);
	return -EINVAL;
}

int control_steer(struct daemon_talk *t, const void *verb,
		  struct tmem_wire_answer *ret)
{
	union daemon_reply r;
	int err = daemon_talk_say(t, verb);

	if (!err)
		err = daemon_talk_await(t, TMEM_WIRE_ANSWER, sizeof(r.answer),
					&r);
	if (err)
		return err;
	*ret = r.answer;
	ret->text[sizeof(ret->text) - 1] = 0;
	if (ret->done)
		return 0;
	(void)snprintf(t->fault, sizeof(t->fault), "%s", ret->text);
	return -EINVAL;
}

void control_print_size(const struct control_options *o, const char *key,
			uint64_t bytes)
{
	char text[TMEM_FORMAT_SIZE_MAX];

	if (o->json) {
		(void)printf("{ \"%s\": %" PRIu64 " }\n", key, bytes);
		return;
	}
	(void)tmem_format_size(bytes, text, sizeof(text));
	(void)printf("%s\n", text);
}
