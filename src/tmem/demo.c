/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demo.c - `tmem demo`: what a store of pages does for reading real files.
 *
 * Samples the files of a directory (files.c, dataset.c), makes a list of page
 * accesses over them (access.c), and replays it twice through a small
 * first-level cache (pass.c): from the disk alone, then with a store between
 * cache and disk. Both read past the kernel's cache, and the disk saw every
 * page once before, when it was hashed; the pass without comes first, so that a
 * cache in the disk or in the host favours neither by what the other read.
 *
 * Time is bounded. A slow disk makes everything smaller (demo-scale.c), unless
 * sizes were asked for. Then walking stops at a sixth of it, hashing at a
 * quarter of the rest, the first pass at half of what is left. The second
 * replays as much as the first did.
 */
#include "demo.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tmem/tmem.h>

#include "command.h"
#include "demo-sample.h"
#include "report.h"

static int open_store(struct demo *d)
{
	char where[QUOTE_MAX];
	int err = demo_store_open(&d->store, d->opt);

	if (!err)
		return COMMAND_DONE;
	return command_complain(err == -EINVAL ? COMMAND_USAGE : COMMAND_FAILED,
				"cannot open the store %s: %s",
				quote_text(d->opt->where, where, sizeof(where)),
				d->store.line);
}

static int run_pass(struct demo *d, const struct pass_plan *plan,
		    struct pass_figures *fig, const char *phase)
{
	char fault[PASS_FAULT_MAX];
	int err;

	progress_start(&d->progress, phase, plan->accesses);
	err = pass_run(plan, fig, fault);
	progress_end(&d->progress);
	if (err)
		return command_complain(COMMAND_FAILED, "pass %s: %s: %s",
					phase, fault[0] ? fault : "no room",
					strerror(-err));
	if (fault[0])
		(void)command_complain(0, "pass %s: %s", phase, fault);
	return COMMAND_DONE;
}

static int run_passes(struct demo *d)
{
	struct pass_plan plan = {
		.data = &d->data,
		.list = &d->list,
		.accesses = (uint64_t)d->data.pages * d->opt->rounds,
		.deadline_ns = demo_deadline(d, 2),
		.l1_pages = d->opt->l1_pages,
		.progress = &d->progress,
	};
	uint64_t planned = plan.accesses;
	int code;

	if (access_init(&d->list, &d->data, d->opt->seed))
		return command_complain(COMMAND_FAILED, "out of memory");
	code = run_pass(d, &plan, &d->without, "without pool");
	if (code)
		return code;
	plan.accesses = d->without.accesses + d->without.changed;
	plan.deadline_ns = UINT64_MAX;
	plan.store = &d->store;
	if (plan.accesses < planned)
		(void)command_complain(0,
				       "time was short: both passes make %" PRIu64
				       " of %" PRIu64 " accesses (--seconds)",
				       plan.accesses, planned);
	return run_pass(d, &plan, &d->with, "with pool");
}

static int report(struct demo *d)
{
	struct report r = {
		.dir = d->opt->dir,
		.where = d->opt->where,
		.seed = d->opt->seed,
		.files = d->data.files,
		.files_skipped = d->files.skipped.count,
		.files_plain = d->data.plain,
		.pages = d->data.pages,
		.bytes = d->data.bytes,
		.l1_bytes = (uint64_t)d->opt->l1_pages * TMEM_PAGE_SIZE,
		.accesses_planned = (uint64_t)d->data.pages * d->opt->rounds,
		.without = &d->without,
		.with = &d->with,
		.stats = { .size = sizeof(r.stats) },
	};
	uint64_t differing = d->without.differing + d->with.differing;
	int err = tmem_stats(d->store.session, &r.stats);

	if (err)
		return command_complain(COMMAND_FAILED,
					"the store tells no figures: %s",
					strerror(-err));
	if (d->opt->json)
		report_json(stdout, &r);
	else
		report_table(stdout, &r);
	if (differing)
		return command_complain(COMMAND_FAILED,
					"%" PRIu64 " pages were not what they "
					"had been",
					differing);
	return COMMAND_DONE;
}

static void begin(struct demo *d)
{
	d->end_ns = tmem_clock_ns() + d->opt->seconds * TMEM_NS_PER_SEC;
	(void)quote_text(d->opt->dir, d->dir, sizeof(d->dir));
	progress_init(&d->progress);
	if (d->opt->quiet)
		d->progress.on = 0;
}

static void finish(struct demo *d)
{
	access_finish(&d->list);
	dataset_finish(&d->data);
	files_finish(&d->files);
	demo_store_close(&d->store);
}

static int run(struct demo *d)
{
	int code;

	begin(d);
	code = d->opt->scalable ? 0 : open_store(d);
	if (!code)
		code = demo_find_files(d);
	if (!code && d->opt->scalable) {
		demo_scale(d);
		code = open_store(d);
	}
	if (!code)
		code = demo_read_data(d);
	if (!code)
		code = run_passes(d);
	if (!code)
		code = report(d);
	finish(d);
	return code;
}

static int keep_on(struct demo *d)
{
	struct pass_plan plan = {
		.data = &d->data,
		.list = &d->list,
		.accesses = UINT64_MAX,
		.deadline_ns = UINT64_MAX,
		.l1_pages = d->opt->l1_pages,
		.progress = &d->progress,
		.store = &d->store,
	};
	int code;

	begin(d);
	code = open_store(d);
	if (!code)
		code = demo_find_files(d);
	if (!code)
		code = demo_read_data(d);
	if (!code && access_init(&d->list, &d->data, d->opt->seed))
		code = command_complain(COMMAND_FAILED, "out of memory");
	if (!code)
		code = run_pass(d, &plan, &d->with, "with pool");
	finish(d);
	return code;
}

static int with_demo(struct demo_options *options, int (*steps)(struct demo *d))
{
	struct demo *d = calloc(1, sizeof(*d));
	int code;

	if (!d)
		return command_complain(COMMAND_FAILED, "out of memory");
	d->opt = options;
	code = steps(d);
	free(d);
	return code;
}

int demo_once(struct demo_options *options)
{
	return with_demo(options, run);
}

int demo_keep_on(struct demo_options *options)
{
	return with_demo(options, keep_on);
}
