/* SPDX-License-Identifier: BSD-2-Clause */
/* replay-table.c - what `tmem replay` found, for people. */
#include <inttypes.h>

#include "quote.h"
#include "replay-report.h"

#define TEXT_WIDTH 10
#define COUNT_WIDTH 10
#define RATIO_WIDTH 9

double replay_miss_ratio(const struct replay_report *r, uint64_t hits)
{
	return r->asked ? (double)(r->asked - hits) / (double)r->asked : 0;
}

double replay_ns_per_request(const struct replay_report *r,
			     const struct replay_point *p)
{
	return (double)p->tmem.tmem_ns / (double)r->requests;
}

static void head(FILE *out, const struct replay_report *r)
{
	char name[QUOTE_MAX];
	unsigned i;

	(void)fprintf(out,
		      "%s: %" PRIu64 " requests for %" PRIu32 " pages; %s\n",
		      quote_text(r->opt->trace, name, sizeof(name)),
		      r->requests, r->distinct, replay_mode_name(r->opt->mode));
	if (r->l1_pages)
		(void)fprintf(out,
			      "first level of %" PRIu32 " pages: %" PRIu64
			      " misses\n",
			      r->l1_pages, r->asked);
	(void)fprintf(out, "\nmiss ratio%s\n%*s%*s%*s",
		      r->l1_pages ? ", of the first level's misses" : "",
		      TEXT_WIDTH, "size", COUNT_WIDTH, "pages", RATIO_WIDTH,
		      "tmem");
	for (i = 0; i < POLICIES; i++)
		(void)fprintf(out, "%*s", RATIO_WIDTH, policies[i].name);
	(void)fprintf(out, "   ns/request\n");
}

void replay_report_table(FILE *out, const struct replay_report *r)
{
	unsigned n, i;

	head(out, r);
	for (n = 0; n < r->points; n++) {
		const struct replay_point *p = &r->point[n];

		(void)fprintf(out, "%*s%*" PRIu32 "%*.4f", TEXT_WIDTH,
			      p->size->text, COUNT_WIDTH, p->pages, RATIO_WIDTH,
			      replay_miss_ratio(r, p->tmem.hits));
		for (i = 0; i < POLICIES; i++)
			(void)fprintf(out, "%*.4f", RATIO_WIDTH,
				      replay_miss_ratio(r, p->hits[i]));
		(void)fprintf(out, "%13.1f\n", replay_ns_per_request(r, p));
	}
}
