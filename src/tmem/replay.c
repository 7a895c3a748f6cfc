/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay.c - `tmem replay`: which pages a store keeps, tried by real requests.
 *
 * Reads a trace (replay-input.c, replay-trace.c), makes of it what a cache at
 * the place that was asked for would see (replay-stream.c), and plays that, size
 * by size, through a store (replay-store.c) and through the policies that it is
 * compared with (replay-policy.h).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "progress.h"
#include "quote.h"
#include "replay-content.h"
#include "replay-input.h"
#include "replay-options.h"
#include "replay-report.h"
#include "replay-store.h"
#include "replay-trace.h"

/** struct replay - a run. */
struct replay {
	struct replay_options opt;
	struct progress progress;
	struct trace trace;
	struct stream stream;
	struct content content;
	struct replay_point point[REPLAY_SIZES_MAX];
};

static int complain_name(const char *name, const char *why)
{
	char quoted[QUOTE_MAX];

	return command_complain(COMMAND_FAILED, "%s: %s",
				quote_text(name, quoted, sizeof(quoted)), why);
}

static int complain_trace(const struct replay *p, const struct input *in,
			  int err)
{
	const char *name = strcmp(p->opt.trace, "-") ? p->opt.trace
						     : "standard input";
	char quoted[QUOTE_MAX];

	switch (err) {
	case -EINVAL:
		return command_complain(
			COMMAND_USAGE,
			"%s: line %" PRIu64
			": neither `r PAGE' nor `w PAGE', PAGE a number",
			quote_text(name, quoted, sizeof(quoted)), p->trace.line);
	case -EBADMSG:
		return command_complain(
			COMMAND_FAILED, "%s: what zstd packed is damaged: %s",
			quote_text(name, quoted, sizeof(quoted)), in->why);
	case -EFBIG:
		return complain_name(name, "too many distinct pages");
	default:
		return complain_name(name, strerror(-err));
	}
}

static int read_trace(struct replay *p)
{
	struct input in;
	int code = 0, err = input_open(&in, p->opt.trace);

	if (!err) {
		progress_start(&p->progress, "reading", 0);
		err = trace_read(&p->trace, &in, &p->progress);
		progress_end(&p->progress);
	}
	if (err)
		code = complain_trace(p, &in, err);
	else if (!p->trace.count)
		code = command_complain(COMMAND_USAGE,
					"the trace has no requests");
	input_close(&in);
	return code;
}

static int read_content(struct replay *p)
{
	int err = content_init(&p->content, p->opt.content);

	if (!err)
		return 0;
	return complain_name(p->opt.content, err == -ENODATA
						     ? "less than one page"
						     : strerror(-err));
}

static int play_policies(struct replay *p, struct replay_point *point)
{
	unsigned i;
	int err = 0;

	for (i = 0; !err && i < POLICIES; i++)
		err = policies[i].run(&p->stream, point->pages, &point->hits[i]);
	return err;
}

static int play_size(struct replay *p, unsigned n)
{
	struct replay_point *point = &p->point[n];
	struct replay_plan plan = {
		.opt = &p->opt,
		.trace = &p->trace,
		.stream = &p->stream,
		.content = &p->content,
		.size = &p->opt.size[n],
		.progress = &p->progress,
	};
	char fault[REPLAY_FAULT_MAX];
	int err;

	point->size = plan.size;
	point->pages = replay_size_pages(plan.size, p->trace.ids);
	err = replay_store_run(&plan, &point->tmem, fault);
	if (err)
		return command_complain(
			err == -EINVAL ? COMMAND_USAGE : COMMAND_FAILED,
			"a store of %s: %s", plan.size->text, fault);
	if (play_policies(p, point))
		return command_complain(COMMAND_FAILED, "out of memory");
	return 0;
}

static int draw(const struct replay *p, const struct replay_report *r)
{
	FILE *out = fopen(p->opt.plot, "we");
	int bad;

	if (!out)
		return complain_name(p->opt.plot, strerror(errno));
	replay_report_plot(out, r);
	bad = ferror(out);
	if (fclose(out) || bad)
		return complain_name(p->opt.plot, "cannot be written");
	return 0;
}

static int report(const struct replay *p, uint32_t l1_pages)
{
	const struct replay_report r = {
		.opt = &p->opt,
		.requests = p->trace.count,
		.distinct = p->trace.ids,
		.l1_pages = l1_pages,
		.asked = p->stream.asked,
		.point = p->point,
		.points = p->opt.sizes,
	};

	if (p->opt.json)
		replay_report_json(stdout, &r);
	else
		replay_report_table(stdout, &r);
	return p->opt.plot ? draw(p, &r) : 0;
}

static int run(struct replay *p)
{
	uint32_t l1_pages = 0;
	unsigned n;
	int code;

	progress_init(&p->progress);
	code = read_content(p);
	if (!code)
		code = read_trace(p);
	if (code)
		return code;
	if (p->opt.mode != STREAM_INCLUSIVE)
		l1_pages = replay_size_pages(&p->opt.l1, p->trace.ids);
	if (stream_init(&p->stream, &p->trace, p->opt.mode, l1_pages))
		return command_complain(COMMAND_FAILED, "out of memory");
	for (n = 0; !code && n < p->opt.sizes; n++)
		code = play_size(p, n);
	return code ? code : report(p, l1_pages);
}

int replay_run(int argc, char **argv)
{
	struct replay *p = calloc(1, sizeof(*p));
	int code;

	if (!p)
		return command_complain(COMMAND_FAILED, "out of memory");
	switch (replay_options_parse(&p->opt, argc, argv)) {
	case 0:
		code = run(p);
		break;
	case 1:
		code = COMMAND_DONE;
		break;
	default:
		code = COMMAND_USAGE;
	}
	stream_finish(&p->stream);
	trace_finish(&p->trace);
	content_finish(&p->content);
	free(p);
	return code;
}
