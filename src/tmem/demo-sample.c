/* SPDX-License-Identifier: BSD-2-Clause */
/* demo-sample.c - from a directory to the pages that `tmem demo` reads. */
#include "demo-sample.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <tmem/tmem.h>

#include "command.h"
#include "demo-scale.h"
#include "parse.h"

static void tell_skipped(const struct skipped *s)
{
	char name[QUOTE_MAX];
	uint64_t i;

	for (i = 0; i < s->count && i < FILES_SKIPPED_NAMED; i++) {
		const char *why = s->err[i] == ESTALE
					  ? "it changed while it was read"
					  : strerror(s->err[i]);

		if (s->path[i])
			(void)command_complain(
				0, "skipped: %s: %s",
				quote_text(s->path[i], name, sizeof(name)), why);
	}
	if (s->count > i)
		(void)command_complain(0, "skipped: %" PRIu64 " more",
				       s->count - i);
}

static void format_pages(uint64_t pages, char *buf)
{
	(void)tmem_format_size(pages * TMEM_PAGE_SIZE, buf,
			       TMEM_FORMAT_SIZE_MAX);
}

int demo_find_files(struct demo *d)
{
	struct walk walk = {
		.dir = d->opt->dir,
		.seed = d->opt->seed,
		.files_max = d->opt->data_pages,
		.deadline_ns = demo_deadline(d, 6),
		.progress = &d->progress,
	};
	int err;

	progress_start(&d->progress, "files found", 0);
	err = files_walk(&d->files, &walk);
	progress_end(&d->progress);
	if (err)
		return command_complain(COMMAND_FAILED, "cannot read %s: %s",
					d->dir, strerror(-err));
	return COMMAND_DONE;
}

void demo_scale(struct demo *d)
{
	uint64_t read_ns, left_ns = demo_deadline(d, 1) - tmem_clock_ns();
	char data[TMEM_FORMAT_SIZE_MAX], l1[TMEM_FORMAT_SIZE_MAX];
	char pool[TMEM_FORMAT_SIZE_MAX];
	unsigned halvings =
		demo_scale_find(d->opt, &d->files, left_ns, &read_ns);

	if (!halvings)
		return;
	demo_options_scale(d->opt, halvings);
	format_pages(d->opt->data_pages, data);
	format_pages(d->opt->l1_pages, l1);
	(void)tmem_format_size(d->opt->pool_bytes, pool, sizeof(pool));
	(void)command_complain(0,
			       "the disk takes %" PRIu64 " us a read: scaled "
			       "down to --data %s --l1 %s --pool %s",
			       (uint64_t)(read_ns / TMEM_NS_PER_US), data, l1,
			       pool);
}

/* With less than this the first level would hold everything. */
static int enough_data(const struct demo *d)
{
	uint32_t pages = d->data.pages, l1_pages = d->opt->l1_pages;
	const char *why = d->data.cut ? " in the time allowed" : "";

	if (pages >= DEMO_DATA_PER_L1 * l1_pages)
		return COMMAND_DONE;
	if (!pages)
		return command_complain(COMMAND_FAILED,
					"no file in %s could be read%s", d->dir,
					why);
	if (pages < DEMO_DATA_PER_L1)
		return command_complain(COMMAND_FAILED,
					"%s gives %" PRIu32 " pages to read%s: "
					"name a directory with larger files",
					d->dir, pages, why);
	return command_complain(
		COMMAND_FAILED,
		"%s gives %" PRIu32 " pages to read%s, and --l1 wants %" PRIu32
		": name a larger directory, or a --l1 of at most %" PRIu32 "K",
		d->dir, pages, why, DEMO_DATA_PER_L1 * l1_pages,
		pages / DEMO_DATA_PER_L1 * (TMEM_PAGE_SIZE / 1024));
}

static void tell_notes(const struct demo *d)
{
	tell_skipped(&d->files.skipped);
	if (d->files.cut || d->data.cut)
		(void)command_complain(
			0, "time was short: not all files were looked at "
			   "(--seconds)");
	if (d->data.plain)
		(void)command_complain(0,
				       "%" PRIu32
				       " of %zu files refuse O_DIRECT: read "
				       "plainly, the kernel told to forget them",
				       d->data.plain, d->data.files);
}

int demo_read_data(struct demo *d)
{
	struct dataset_plan plan = {
		.pages_max = d->opt->data_pages,
		.seed = d->opt->seed,
		.deadline_ns = demo_deadline(d, 4),
		.progress = &d->progress,
	};
	int err;

	progress_start(&d->progress, "hashing", plan.pages_max);
	err = dataset_read(&d->data, &d->files, &plan);
	progress_end(&d->progress);
	if (err)
		return command_complain(COMMAND_FAILED, "out of memory");
	tell_notes(d);
	return enough_data(d);
}
