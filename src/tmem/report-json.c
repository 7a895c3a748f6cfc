/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report-json.c - what `tmem demo` measured, for programs.
 *
 * Keys are only added. A ratio whose divisor is 0 is null. Printed by hand: the
 * numbers are the program's own and need no escaping, the names go through
 * quote_json().
 */
#include <inttypes.h>

#include "clock.h"
#include "pass.h"
#include "quote.h"
#include "report.h"

static void text(FILE *out, const char *key, const char *value)
{
	(void)fprintf(out, "  \"%s\": ", key);
	quote_json(out, value);
	(void)fputs(",\n", out);
}

static void number(FILE *out, const char *key, uint64_t value)
{
	(void)fprintf(out, "  \"%s\": %" PRIu64 ",\n", key, value);
}

static void fraction(FILE *out, const char *key, double value)
{
	if (value < 0)
		(void)fprintf(out, "  \"%s\": null,\n", key);
	else
		(void)fprintf(out, "  \"%s\": %.4f,\n", key, value);
}

static void seconds(FILE *out, const char *key, uint64_t ns)
{
	fraction(out, key, (double)ns / TMEM_NS_PER_SEC);
}

static void latency(FILE *out, const char *key, const struct tmem_histogram *h)
{
	(void)fprintf(
		out,
		"  \"%s_p50_us\": %.3f,\n"
		"  \"%s_p99_us\": %.3f,\n",
		key, (double)tmem_histogram_percentile(h, 50) / TMEM_NS_PER_US,
		key, (double)tmem_histogram_percentile(h, 99) / TMEM_NS_PER_US);
}

static void request(FILE *out, const struct report *r)
{
	text(out, "dir", r->dir);
	text(out, "store", r->where);
	number(out, "seed", r->seed);
	number(out, "page_size", TMEM_PAGE_SIZE);
	number(out, "l1_bytes", r->l1_bytes);
	number(out, "files", r->files);
	number(out, "files_skipped", r->files_skipped);
	number(out, "files_plain", r->files_plain);
	number(out, "pages", r->pages);
	number(out, "bytes", r->bytes);
	number(out, "accesses_planned", r->accesses_planned);
}

static void passes(FILE *out, const struct report *r)
{
	const struct pass_figures *a = r->without, *b = r->with;

	number(out, "accesses_without", a->accesses);
	number(out, "accesses_with", b->accesses);
	number(out, "l1_hits_without", a->l1_hits);
	number(out, "l1_hits_with", b->l1_hits);
	number(out, "disk_reads_without", a->disk_reads);
	number(out, "disk_reads_with", b->disk_reads);
	fraction(out, "disk_reads_with_vs_without",
		 report_ratio(b->disk_reads, a->disk_reads));
	number(out, "first_reads_without", a->first_reads);
	number(out, "first_reads_with", b->first_reads);
	seconds(out, "seconds_without", a->ns);
	seconds(out, "seconds_with", b->ns);
	fraction(out, "seconds_with_vs_without", report_ratio(b->ns, a->ns));
	seconds(out, "disk_seconds_without", a->disk_ns);
	seconds(out, "disk_seconds_with", b->disk_ns);
	latency(out, "disk_read_without", &a->disk);
	latency(out, "disk_read_with", &b->disk);
}

static void pool(FILE *out, const struct report *r)
{
	const struct pass_figures *b = r->with;

	number(out, "puts", b->puts);
	number(out, "puts_refused", b->refused);
	number(out, "gets", b->gets);
	number(out, "hits", b->hits);
	fraction(out, "hit_ratio", report_ratio(b->hits, b->gets));
	latency(out, "put", &b->put);
	latency(out, "get", &b->get);
	number(out, "limit_bytes", r->stats.limit_bytes);
	number(out, "used_bytes", r->stats.used_bytes);
	number(out, "raw_bytes", r->stats.raw_bytes);
	fraction(out, "compression_ratio",
		 report_ratio(r->stats.raw_bytes, r->stats.used_bytes));
	number(out, "pages_same", r->stats.pages_same);
	number(out, "pages_raw", r->stats.pages_raw);
	number(out, "pages_packed", r->stats.pages_packed);
	number(out, "pages_dense", r->stats.pages_dense);
	number(out, "evictions", r->stats.evictions);
	seconds(out, "ager_seconds", r->stats.ager_ns);
}

void report_json(FILE *out, const struct report *r)
{
	const struct pass_figures *a = r->without, *b = r->with;

	(void)fputs("{\n", out);
	request(out, r);
	passes(out, r);
	pool(out, r);
	number(out, "pages_verified", a->verified + b->verified);
	number(out, "pages_changed", a->changed + b->changed);
	(void)fprintf(out, "  \"pages_differing\": %" PRIu64 "\n}\n",
		      a->differing + b->differing);
}
