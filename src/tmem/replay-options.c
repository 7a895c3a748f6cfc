/* SPDX-License-Identifier: BSD-2-Clause */
/* replay-options.c - what `tmem replay` is asked to do. */
#include "replay-options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <tmem/tmem.h>

#include "command.h"
#include "parse.h"
#include "quote.h"

/* As texts: they are parsed like what is typed, and shown in the help. */
#define DEFAULT_SIZE "10%"
#define DEFAULT_L1 "10%"
#define RANDOM "random"

/* Beyond what is printable: they have no short form. */
enum {
	KEY_MODE = 256,
	KEY_SIZE,
	KEY_SIZES,
	KEY_L1,
	KEY_CONTENT,
	KEY_VERIFY,
	KEY_AGERS,
	KEY_PLOT,
	KEY_JSON
};

static const char *const modes[] = {
	[STREAM_INCLUSIVE] = "inclusive",
	[STREAM_EXCLUSIVE] = "exclusive",
	[STREAM_BELOW] = "below",
};

#define MODES (sizeof(modes) / sizeof(modes[0]))

/** struct parse - options while they are parsed. */
struct parse {
	struct replay_options *o;
	int size, sizes; /* --size, --sizes was given */
};

const char *replay_mode_name(enum stream_mode mode)
{
	return modes[mode];
}

static error_t set_mode(struct argp_state *state, const char *text)
{
	struct parse *p = state->input;
	unsigned i;

	for (i = 0; i < MODES; i++) {
		if (!strcmp(text, modes[i])) {
			p->o->mode = (enum stream_mode)i;
			return 0;
		}
	}
	return command_refuse(state, "--mode: inclusive, exclusive or below");
}

static error_t set_size(struct argp_state *state, const char *name,
			const char *text, struct replay_size *size)
{
	char quoted[QUOTE_MAX];

	if (!replay_size_parse(size, text))
		return 0;
	return command_refuse(state,
			      "%s: \"%s\" is no size; say it like 10%% or 256M",
			      name, quote_text(text, quoted, sizeof(quoted)));
}

/* "1%,2%,5%": a piece too long for a size is cut, and is none then either. */
static error_t set_sizes(struct argp_state *state, const char *text)
{
	struct parse *p = state->input;
	struct replay_options *o = p->o;
	char piece[REPLAY_SIZE_TEXT + 1];
	error_t err = 0;

	p->sizes = o->several = 1;
	for (o->sizes = 0; !err; o->sizes++) {
		size_t len = strcspn(text, ",");

		if (o->sizes == REPLAY_SIZES_MAX)
			return command_refuse(state, "--sizes: at most %d",
					      REPLAY_SIZES_MAX);
		(void)snprintf(piece, sizeof(piece), "%.*s", (int)len, text);
		err = set_size(state, "--sizes", piece, &o->size[o->sizes]);
		text += len;
		if (!err && !*text++) {
			o->sizes++;
			return 0;
		}
	}
	return err;
}

static error_t set_agers(struct argp_state *state, const char *text)
{
	struct parse *p = state->input;
	uint64_t value = 0;

	if (tmem_parse_uint(text, TMEM_AGERS_MAX, &value))
		return command_refuse(state,
				      "--agers: must be a number from 0 to %d",
				      TMEM_AGERS_MAX);
	p->o->agers = value ? (uint32_t)value : TMEM_NO_AGERS;
	return 0;
}

static error_t set_defaults(struct argp_state *state)
{
	struct parse *p = state->input;
	struct replay_options *o = p->o;

	o->agers = TMEM_NO_AGERS;
	o->sizes = 1;
	if (set_size(state, "--size", DEFAULT_SIZE, &o->size[0]) ||
	    set_size(state, "--l1", DEFAULT_L1, &o->l1))
		return EINVAL;
	return 0;
}

/* What no option can tell by itself. */
static error_t check(struct argp_state *state)
{
	const struct parse *p = state->input;

	if (!p->o->trace)
		return command_refuse(state, "no TRACE; see tmem replay --help");
	if (p->size && p->sizes)
		return command_refuse(state, "--size and --sizes: give one");
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct parse *p = state->input;
	struct replay_options *o = p->o;

	switch (key) {
	case ARGP_KEY_INIT:
		return set_defaults(state);
	case KEY_MODE:
		return set_mode(state, arg);
	case KEY_SIZE:
		p->size = 1;
		return set_size(state, "--size", arg, &o->size[0]);
	case KEY_SIZES:
		return set_sizes(state, arg);
	case KEY_L1:
		return set_size(state, "--l1", arg, &o->l1);
	case KEY_CONTENT:
		o->content = strcmp(arg, RANDOM) ? arg : NULL;
		return 0;
	case KEY_VERIFY:
		o->verify = 1;
		return 0;
	case KEY_AGERS:
		return set_agers(state, arg);
	case KEY_PLOT:
		o->plot = arg;
		return 0;
	case KEY_JSON:
		o->json = 1;
		return 0;
	case ARGP_KEY_ARG:
		if (o->trace)
			return command_refuse(state, "only one TRACE, please; "
						     "see tmem replay --help");
		o->trace = arg;
		return 0;
	case ARGP_KEY_SUCCESS:
		return check(state);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ .name = "mode",
	  .key = KEY_MODE,
	  .arg = "MODE",
	  .doc = "inclusive: the store is the only cache, the default; exclusive: "
		 "it takes the victims of a first level; below: it sees the "
		 "misses of a first level" },
	{ .name = "size",
	  .key = KEY_SIZE,
	  .arg = "SIZE",
	  .doc = "The store's size, of all distinct pages (" DEFAULT_SIZE
		 ") or in bytes" },
	{ .name = "sizes",
	  .key = KEY_SIZES,
	  .arg = "LIST",
	  .doc = "Several sizes, one after another: 1%,2%,5%" },
	{ .name = "l1",
	  .key = KEY_L1,
	  .arg = "SIZE",
	  .doc = "The first level's size (" DEFAULT_L1 "), unless inclusive" },
	{ .name = "content",
	  .key = KEY_CONTENT,
	  .arg = "FILE",
	  .doc = "Pages hold those of FILE, rather than random bytes" },
	{ .name = "verify",
	  .key = KEY_VERIFY,
	  .doc = "Look at all of a page that hits, not at both ends only" },
	{ .name = "agers",
	  .key = KEY_AGERS,
	  .arg = "N",
	  .doc = "Background threads of the store (0)" },
	{ .name = "plot",
	  .key = KEY_PLOT,
	  .arg = "FILE",
	  .doc = "Draw the miss ratios over the sizes, as SVG" },
	{ .name = "json", .key = KEY_JSON, .doc = "Print a JSON object" },
	{ 0 },
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "TRACE",
	.doc = "Replay a trace, lines `r PAGE' or `w PAGE', plain or packed by "
	       "zstd, through a store; `-' is standard input. Compare its hits "
	       "with those of other policies on the same requests.",
	.children = command_common,
};

int replay_options_parse(struct replay_options *o, int argc, char **argv)
{
	struct parse p = { .o = o };

	memset(o, 0, sizeof(*o));
	return command_parse(&argp, argc, argv, 0, &p);
}
