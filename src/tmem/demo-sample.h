/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demo-sample.h - what `tmem demo` knows, and its first half: from a directory to the
 * pages that it reads.
 */
#ifndef TMEM_COMMAND_DEMO_SAMPLE_H
#define TMEM_COMMAND_DEMO_SAMPLE_H

#include <stdint.h>

#include "access.h"
#include "clock.h"
#include "dataset.h"
#include "demo-options.h"
#include "demo-store.h"
#include "files.h"
#include "pass.h"
#include "progress.h"
#include "quote.h"

/** struct demo - the experiment. */
struct demo {
	struct demo_options *opt;
	char dir[QUOTE_MAX]; /* quoted, for messages */
	uint64_t end_ns;     /* when time is up, of tmem_clock_ns() */
	struct progress progress;
	struct files files;
	struct dataset data;
	struct access_list list;
	struct demo_store store;
	struct pass_figures without, with;
};

/** demo_deadline() - when one of `parts` parts of the time left is over. */
static inline uint64_t demo_deadline(const struct demo *d, unsigned parts)
{
	uint64_t now = tmem_clock_ns();

	if (!d->opt->seconds)
		return UINT64_MAX;
	return now >= d->end_ns ? now : now + (d->end_ns - now) / parts;
}

/*
 * The steps return an exit code, and have complained if it is not 0.
 */

/** demo_find_files() - from DIR to d->files. */
int demo_find_files(struct demo *d);

/** demo_scale() - a slow disk makes the sizes smaller. Not if asked for. */
void demo_scale(struct demo *d);

/** demo_read_data() - from d->files to d->data. */
int demo_read_data(struct demo *d);

#endif
