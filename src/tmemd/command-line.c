/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command-line.c - the daemon's options as they were typed, and its --help.
 *
 * Parsing and help are argp's, over rows made from the table of options.h. argp
 * itself is kept silent: it complains in two lines.
 */
#include "command-line.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <tmem/tmem.h>

#include "mem.h"

/* Room for a row's help with its default, bytes. */
#define DOC_MAX 128u

/* Room for a key with its unit, two blanks behind it. */
#define KEY_COLUMN 21

/* Keys of argp: beyond what is printable; a row's index is added to the last. */
enum {
	KEY_CHECK = 256,
	KEY_ROW
};

struct request {
	const struct tmem_logger *logger;
	const char *version;
	const char **said;
	int check;
	char docs[TMEMD_OPTIONS_MAX][DOC_MAX];
	struct argp_option rows[TMEMD_OPTIONS_MAX + 4]; /* three more, end */
	struct argp argp;
};

static error_t refuse(struct request *r, const char *arg, const char *what)
{
	tmem_logger_say(r->logger, TMEM_LOG_ERR, "%s: %s; see tmemd --help",
			arg, what);
	r->logger = NULL; /* one line is enough */
	return EINVAL;
}

/* The row whose option that is, cut at `len`; NULL: none. */
static const struct argp_option *find(const struct request *r, const char *name,
				      size_t len)
{
	const struct argp_option *o;

	for (o = r->rows; o->name; o++) {
		if (strlen(o->name) == len && !strncmp(o->name, name, len))
			return o;
	}
	return NULL;
}

/* getopt stopped behind an option, or inside of "-abc". */
static void refuse_option(struct request *r, const struct argp_state *state)
{
	const char *arg = state->argv[state->next - 1];
	const struct argp_option *o;
	const char *name;

	if (arg[0] != '-' && state->next < state->argc)
		arg = state->argv[state->next];
	name = arg + strspn(arg, "-");
	o = find(r, name, strcspn(name, "="));
	(void)refuse(r, arg,
		     !o	      ? "no such option"
		     : o->arg ? "a value must follow"
			      : "no value may follow");
}

static error_t answer(const struct argp_state *state, struct request *r, int key)
{
	if (key == 'V')
		(void)printf("tmemd %s\n", r->version);
	else
		argp_help(state->root_argp, stdout,
			  ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC,
			  state->name);
	r->logger = NULL; /* argp takes it for an error, which it is not */
	return ECANCELED;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct request *r = state->input;
	int row = key - KEY_ROW;

	switch (key) {
	case 'h':
	case 'V':
		return answer(state, r, key);
	case KEY_CHECK:
		r->check = 1;
		return 0;
	case ARGP_KEY_ARG:
		return refuse(r, arg, "only options, please");
	case ARGP_KEY_ERROR:
		if (r->logger)
			refuse_option(r, state);
		return 0;
	default:
		if (row < 0 || row >= (int)tmemd_options_count)
			return ARGP_ERR_UNKNOWN;
		if (r->said[row])
			return refuse(r, state->argv[state->next - 1],
				      "given twice");
		r->said[row] = arg;
		return 0;
	}
}

/* The keys of a domain, as the last part of --help. */
static char *add_keys(int key, const char *text, void *input)
{
	char *keys = NULL;
	size_t len, i;
	FILE *out;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	out = open_memstream(&keys, &len);
	if (!out)
		return NULL;
	(void)fputs("In FILE, write OPTION = VALUE, then sections [domain NAME] "
		    "with:\n",
		    out);
	for (i = 0; i < tmemd_options_count; i++) {
		const struct tmemd_option *o = &tmemd_options[i];
		char pair[KEY_COLUMN];

		if (o->scope != TMEMD_SCOPE_DOMAIN)
			continue;
		(void)snprintf(pair, sizeof(pair), "%s = %s", o->name, o->arg);
		(void)fprintf(out, "  %-*s%s (%s)\n", KEY_COLUMN - 1, pair,
			      o->help, o->standard);
	}
	(void)fclose(out);
	return keys;
}

static void make_rows(struct request *r)
{
	struct argp_option *row = r->rows;
	size_t i;

	for (i = 0; i < tmemd_options_count; i++) {
		const struct tmemd_option *o = &tmemd_options[i];

		if (o->scope == TMEMD_SCOPE_DOMAIN)
			continue;
		(void)snprintf(r->docs[i], sizeof(r->docs[i]), "%s (%s%s%s)",
			       o->help, o->standard, o->of ? " of " : "",
			       o->of ? o->of : "");
		*row++ = (struct argp_option){ .name = o->name,
					       .key = KEY_ROW + (int)i,
					       .arg = o->arg,
					       .doc = r->docs[i] };
	}
	*row++ = (struct argp_option){
		.name = "check",
		.key = KEY_CHECK,
		.doc = "Read options and file, say whether they are fine, and "
		       "end"
	};
	*row++ = (struct argp_option){
		.name = "help", .key = 'h', .doc = "Give this help", .group = -1
	};
	*row = (struct argp_option){ .name = "version",
				     .key = 'V',
				     .doc = "Tell the release",
				     .group = -1 };
}

int tmemd_command_line_read(int argc, char **argv, const char *version,
			    const struct tmem_logger *logger,
			    const char *said[TMEMD_OPTIONS_MAX], int *check)
{
	struct request *r = tmem_mem_alloc(sizeof(*r));
	error_t err;

	if (!r)
		return -ENOMEM;
	memset(said, 0, sizeof(said[0]) * TMEMD_OPTIONS_MAX);
	r->logger = logger;
	r->version = version;
	r->said = said;
	r->argp = (struct argp){
		.options = r->rows,
		.parser = parse,
		.doc = "Lend this machine's idle RAM to programs that put pages "
		       "into it, and take it back when it is wanted.\v ",
		.help_filter = add_keys,
	};
	make_rows(r);
	err = argp_parse(&r->argp, argc, argv, ARGP_SILENT, NULL, r);
	*check = r->check;
	tmem_mem_free(r, sizeof(*r));
	if (err == ECANCELED)
		return 1;
	return !err ? 0 : err == ENOMEM ? -ENOMEM : -EINVAL;
}
