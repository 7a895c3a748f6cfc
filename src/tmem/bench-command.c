/* SPDX-License-Identifier: BSD-2-Clause */
/* bench-command.c - `tmem bench`: options, and what comes out. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench-plot.h"
#include "bench.h"
#include "command.h"
#include "parse.h"
#include "quote.h"

/* Smaller stores have too few segments for some of the figures. */
#define SIZE_MIN (8ull << 20)
#define SIZE_MAX_ (256ull << 30)

enum {
	KEY_SIZE = 256,
	KEY_CORPORA,
	KEY_ONLY,
	KEY_TINY,
	KEY_JSON,
	KEY_OUT
};

static const struct {
	const char *name;
	int (*run)(struct bench *b);
} benches[] = {
	{ "lease", bench_lease }, { "limits", bench_limits },
	{ "store", bench_store }, { "density", bench_density },
	{ "tail", bench_tail },
};

#define BENCHES (sizeof(benches) / sizeof(benches[0]))

/** struct request - a command line. */
struct request {
	struct bench_options options;
	const char *name; /* of a benchmark, or "plot" */
	const char *file; /* plot: what to draw */
	const char *out;  /* plot: where to */
};

static error_t set_size(struct argp_state *state, const char *text)
{
	struct request *r = state->input;
	char quoted[QUOTE_MAX];

	if (tmem_parse_size(text, &r->options.size))
		return command_refuse(
			state, "--size: \"%s\" is no size; say it like 1G",
			quote_text(text, quoted, sizeof(quoted)));
	if (r->options.size < SIZE_MIN || r->options.size > SIZE_MAX_)
		return command_refuse(state, "--size: must be 8M to 256G");
	return 0;
}

static error_t set_word(struct argp_state *state, const char *word)
{
	struct request *r = state->input;

	if (!r->name)
		r->name = word;
	else if (!r->file && !strcmp(r->name, "plot"))
		r->file = word;
	else
		return command_refuse(state, "too many words; "
					     "see tmem bench --help");
	return 0;
}

static error_t check(struct argp_state *state)
{
	struct request *r = state->input;

	if (!r->name)
		return command_refuse(state, "bench: which one? lease, limits, "
					     "store, density, tail or plot");
	if (!strcmp(r->name, "plot") && !r->file)
		return command_refuse(state, "bench plot: which file? one "
					     "that --json wrote");
	if (r->out && strcmp(r->name, "plot"))
		return command_refuse(state, "--out: only bench plot has one");
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct request *r = state->input;

	switch (key) {
	case KEY_SIZE:
		return set_size(state, arg);
	case KEY_CORPORA:
		r->options.corpora = arg;
		return 0;
	case KEY_ONLY:
		r->options.only = arg;
		return 0;
	case KEY_TINY:
		r->options.tiny = 1;
		return 0;
	case KEY_JSON:
		r->options.json = 1;
		return 0;
	case KEY_OUT:
		r->out = arg;
		return 0;
	case ARGP_KEY_ARG:
		return set_word(state, arg);
	case ARGP_KEY_SUCCESS:
		return check(state);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ .name = "size",
	  .key = KEY_SIZE,
	  .arg = "SIZE",
	  .doc = "Memory of the store, and of the areas it is compared with "
		 "(1G)" },
	{ .name = "corpora",
	  .key = KEY_CORPORA,
	  .arg = "DIR",
	  .doc = "Pages to compress, NAME.pages ($" BENCH_CORPORA_VARIABLE
		 "; else made-up ones)" },
	{ .name = "only",
	  .key = KEY_ONLY,
	  .arg = "TEXT",
	  .doc = "Only parts with this in their name, which is shown while "
		 "they run" },
	{ .name = "tiny",
	  .key = KEY_TINY,
	  .doc = "Only see that it works, in two seconds: the figures are "
		 "worth nothing" },
	{ .name = "json", .key = KEY_JSON, .doc = "Print a JSON object" },
	{ .name = "out",
	  .key = KEY_OUT,
	  .arg = "DIR",
	  .doc = "plot: where the drawings go (.)" },
	{ 0 },
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "lease|limits|store|density|tail\nplot FILE",
	.doc = "Measure this machine (limits), a store on it (store) or on "
	       "memory that a daemon lends (lease), what its pages take beside "
	       "zram (density, as root) or its slowest operations (tail), in "
	       "one run with what it is compared to; draw what --json wrote "
	       "(plot).",
	.children = command_common,
};

static int measure(const struct request *r, int (*run)(struct bench *b))
{
	int err, code = COMMAND_DONE;
	struct bench *b = bench_create(&r->options, r->name, &err);
	char quoted[QUOTE_MAX];

	if (!b)
		return command_complain(COMMAND_FAILED, "out of memory");
	if (!err)
		err = run(b);
	if (err)
		code = command_complain(COMMAND_FAILED, "bench %s: %s", r->name,
					quote_text(b->fault, quoted,
						   sizeof(quoted)));
	else if (r->options.json)
		bench_report_json(stdout, &b->report);
	else
		bench_report_table(stdout, &b->report);
	bench_destroy(b);
	return code;
}

static int plot(const struct request *r)
{
	char fault[BENCH_FAULT_MAX] = "", quoted[QUOTE_MAX];

	if (bench_plot(r->file, r->out ? r->out : ".", fault, sizeof(fault)))
		return command_complain(COMMAND_FAILED, "bench plot: %s",
					quote_text(fault, quoted,
						   sizeof(quoted)));
	return COMMAND_DONE;
}

int bench_command_run(int argc, char **argv)
{
	const char *corpora = getenv(BENCH_CORPORA_VARIABLE);
	struct request r = { .options.corpora = corpora && *corpora ? corpora
								    : NULL };
	char quoted[QUOTE_MAX];
	size_t i;

	switch (command_parse(&argp, argc, argv, 0, &r)) {
	case 0:
		break;
	case 1:
		return COMMAND_DONE;
	default:
		return COMMAND_USAGE;
	}
	if (!strcmp(r.name, "plot"))
		return plot(&r);
	for (i = 0; i < BENCHES; i++)
		if (!strcmp(r.name, benches[i].name))
			return measure(&r, benches[i].run);
	return command_complain(COMMAND_USAGE,
				"no benchmark \"%s\"; there are lease, limits, "
				"store, density, tail and plot",
				quote_text(r.name, quoted, sizeof(quoted)));
}
