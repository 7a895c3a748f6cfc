/* SPDX-License-Identifier: BSD-2-Clause */
/* options.c - what a benchmark of the daemon is asked for. */
#include "options.h"

#include <argp.h>

static const struct argp_option table[] = {
	{ "json", 'j', NULL, 0, "One JSON object on standard output", 0 },
	{ "out", 'o', "DIR", 0, "Draw what happened over time, as SVG", 0 },
	{ "tiny", 't', NULL, 0, "Only see that it works", 0 },
	{ 0 },
};

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'j':
		o->json = 1;
		return 0;
	case 'o':
		o->out = arg;
		return 0;
	case 't':
		o->tiny = 1;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

void options_parse(struct options *o, int argc, char **argv)
{
	const struct argp argp = { .options = table,
				   .parser = take,
				   .doc = o->doc };

	argp_err_exit_status = 2;
	(void)argp_parse(&argp, argc, argv, 0, NULL, o);
}

void options_tell(const struct options *o, struct bench_report *r,
		  uint64_t size_bytes, unsigned repeats)
{
	bench_machine_init(&r->machine);
	r->request.name = o->name;
	r->request.size = size_bytes;
	r->request.tiny = o->tiny;
	r->request.repeats = repeats;
	if (o->json)
		bench_report_json(stdout, r);
	else
		bench_report_table(stdout, r);
}
