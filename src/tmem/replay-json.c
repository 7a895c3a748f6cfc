/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay-json.c - what `tmem replay` found, for programs.
 *
 * Keys are only added. With --sizes, what depends on the size is in an array of
 * objects, else beside the rest.
 */
#include <inttypes.h>

#include "quote.h"
#include "replay-report.h"

/** struct writer - where, and how far in. */
struct writer {
	FILE *out;
	const char *indent;
};

static void text(const struct writer *w, const char *key, const char *value)
{
	(void)fprintf(w->out, "%s\"%s\": ", w->indent, key);
	quote_json(w->out, value);
	(void)fputs(",\n", w->out);
}

static void number(const struct writer *w, const char *key, const char *suffix,
		   uint64_t value)
{
	(void)fprintf(w->out, "%s\"%s%s\": %" PRIu64 ",\n", w->indent, key,
		      suffix, value);
}

static void point(const struct writer *w, const struct replay_report *r,
		  const struct replay_point *p)
{
	const struct tmem_stats *s = &p->tmem.stats;
	int alone = r->opt->mode == STREAM_INCLUSIVE;
	unsigned i;

	text(w, "size", p->size->text);
	number(w, "size_pages", "", p->pages);
	number(w, "hits", "", p->tmem.hits);
	number(w, "misses", "", r->asked - p->tmem.hits);
	for (i = 0; i < POLICIES; i++)
		number(w, policies[i].key, alone ? "_misses" : "_hits",
		       alone ? r->asked - p->hits[i] : p->hits[i]);
	number(w, "gets", "", s->gets);
	number(w, "puts", "", s->puts);
	number(w, "refused", "",
	       s->refused_full + s->refused_quota + s->refused_frozen +
		       s->refused_nomem);
	number(w, "evictions", "", s->evictions);
	number(w, "ghost_hits", "", s->ghost_hits);
	number(w, "pages_at_end", "", s->pages_ephemeral);
	number(w, "used_bytes", "", s->used_bytes);
	number(w, "limit_bytes", "", s->limit_bytes);
	(void)fprintf(w->out, "%s\"ns_per_request\": %.1f\n", w->indent,
		      replay_ns_per_request(r, p));
}

void replay_report_json(FILE *out, const struct replay_report *r)
{
	const struct writer top = { out, "  " }, in = { out, "      " };
	unsigned n;

	(void)fputs("{\n", out);
	text(&top, "trace", r->opt->trace);
	text(&top, "mode", replay_mode_name(r->opt->mode));
	number(&top, "requests", "", r->requests);
	number(&top, "distinct", "", r->distinct);
	if (r->l1_pages) {
		number(&top, "l1_pages", "", r->l1_pages);
		number(&top, "l1_misses", "", r->asked);
	}
	if (!r->opt->several) {
		point(&top, r, &r->point[0]);
	} else {
		(void)fputs("  \"sizes\": [\n", out);
		for (n = 0; n < r->points; n++) {
			(void)fputs("    {\n", out);
			point(&in, r, &r->point[n]);
			(void)fputs(n + 1 < r->points ? "    },\n" : "    }\n",
				    out);
		}
		(void)fputs("  ]\n", out);
	}
	(void)fputs("}\n", out);
}
