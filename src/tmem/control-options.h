/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control-options.h - the command lines of what talks to a daemon.
 */
#ifndef TMEM_COMMAND_CONTROL_OPTIONS_H
#define TMEM_COMMAND_CONTROL_OPTIONS_H

#include <argp.h>
#include <stdint.h>

#include <tmem/wire.h>

#include "daemon-talk.h"

/** CONTROL_ARGS_MAX - far more than there are keys. */
#define CONTROL_ARGS_MAX 64u

/** struct control_options - what was typed. */
struct control_options {
	const char *socket;
	const char *domain; /* by --domain */
	uint64_t size;	    /* UINT64_MAX: not said */
	int json;
	int yes;
	unsigned args_count;
	char *args[CONTROL_ARGS_MAX];
};

/** enum - keys of the rows below; a command's own begin at CONTROL_KEY_OWN. */
enum {
	CONTROL_KEY_SOCKET = 256,
	CONTROL_KEY_JSON,
	CONTROL_KEY_DOMAIN,
	CONTROL_KEY_SIZE,
	CONTROL_KEY_YES,
	CONTROL_KEY_OWN
};

/* Rows of a table of options. */
/* Releases of clang-format differ about braces in a macro. */
/* clang-format off */
#define CONTROL_SOCKET                                                         \
	{                                                                      \
		.name = "socket", .key = CONTROL_KEY_SOCKET, .arg = "PATH",    \
		.doc = "Where the daemon listens (" TMEM_WIRE_SOCKET ")"       \
	}
#define CONTROL_JSON                                                           \
	{                                                                      \
		.name = "json", .key = CONTROL_KEY_JSON, .doc = "Print JSON"   \
	}
/* clang-format on */

/** control_parse_option() - argp's parser for them, and for arguments. @input of
 * argp is a struct control_options. */
error_t control_parse_option(int key, char *arg, struct argp_state *state);

/**
 * control_parse() - a whole command line.
 * @argp: its parser is control_parse_option().
 * @least, @most: arguments.
 * @wanted: what they are, for a complaint: "a DOMAIN".
 *
 * Return: -1 go on; else the exit code.
 */
int control_parse(const struct argp *argp, int argc, char **argv,
		  unsigned least, unsigned most, const char *wanted,
		  struct control_options *ret);

/** control_complain() - of what a conversation's ->fault says. Return:
 * COMMAND_FAILED. */
int control_complain(const struct daemon_talk *t);

/** control_name() - a domain's name into a message. Return: 0; -EINVAL told: it
 * is none. */
int control_name(const char *name, char ret[TMEM_WIRE_NAME_MAX]);

/** control_steer() - say a verb that changes something. Return: 0 it is done;
 * negative errno, told in @t. */
int control_steer(struct daemon_talk *t, const void *verb,
		  struct tmem_wire_answer *ret);

/** control_print_size() - bytes for people, or a JSON object with that key. */
void control_print_size(const struct control_options *o, const char *key,
			uint64_t bytes);

#endif
