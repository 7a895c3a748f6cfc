/* SPDX-License-Identifier: BSD-2-Clause */
/* report-table.c - what `tmem demo` measured, for people. */
#include <inttypes.h>

#include "clock.h"
#include "parse.h"
#include "pass.h"
#include "quote.h"
#include "report.h"

#define NAME_WIDTH 26
#define VALUE_WIDTH 14

static void head(FILE *out, const struct report *r)
{
	char name[QUOTE_MAX], bytes[TMEM_FORMAT_SIZE_MAX];
	char l1[TMEM_FORMAT_SIZE_MAX];

	(void)tmem_format_size(r->bytes, bytes, sizeof(bytes));
	(void)tmem_format_size(r->l1_bytes, l1, sizeof(l1));
	(void)fprintf(out,
		      "%s: %" PRIu64 " pages, %sB in %" PRIu64
		      " files; seed %" PRIu64 "\n",
		      quote_text(r->dir, name, sizeof(name)), r->pages, bytes,
		      r->files, r->seed);
	(void)fprintf(out, "first level %sB, below it %s\n\n", l1,
		      quote_text(r->where, name, sizeof(name)));
	(void)fprintf(out, "%-*s%*s%*s%*s\n", NAME_WIDTH, "", VALUE_WIDTH,
		      "without pool", VALUE_WIDTH, "with pool", VALUE_WIDTH,
		      "with/without");
}

static void ratio(FILE *out, double value)
{
	if (value < 0)
		(void)fprintf(out, "%*s\n", VALUE_WIDTH, "-");
	else
		(void)fprintf(out, "%*.3f\n", VALUE_WIDTH, value);
}

static void count_row(FILE *out, const char *name, uint64_t without,
		      uint64_t with)
{
	(void)fprintf(out, "%-*s%*" PRIu64 "%*" PRIu64, NAME_WIDTH, name,
		      VALUE_WIDTH, without, VALUE_WIDTH, with);
	ratio(out, report_ratio(with, without));
}

static void time_row(FILE *out, const char *name, uint64_t without_ns,
		     uint64_t with_ns)
{
	(void)fprintf(out, "%-*s%*.2f%*.2f", NAME_WIDTH, name, VALUE_WIDTH,
		      (double)without_ns / TMEM_NS_PER_SEC, VALUE_WIDTH,
		      (double)with_ns / TMEM_NS_PER_SEC);
	ratio(out, report_ratio(with_ns, without_ns));
}

static void latency(FILE *out, const char *name, const struct tmem_histogram *h)
{
	(void)fprintf(out, "%-*s%10.2f us %10.2f us   of %" PRIu64 "\n",
		      NAME_WIDTH, name,
		      (double)tmem_histogram_percentile(h, 50) / TMEM_NS_PER_US,
		      (double)tmem_histogram_percentile(h, 99) / TMEM_NS_PER_US,
		      tmem_histogram_count(h));
}

static void pool(FILE *out, const struct report *r)
{
	char used[TMEM_FORMAT_SIZE_MAX], limit[TMEM_FORMAT_SIZE_MAX];
	const struct tmem_stats *s = &r->stats;

	(void)tmem_format_size(s->used_bytes, used, sizeof(used));
	(void)tmem_format_size(s->limit_bytes, limit, sizeof(limit));
	(void)fprintf(out, "%-*s", NAME_WIDTH, "pool hit ratio");
	ratio(out, report_ratio(r->with->hits, r->with->gets));
	(void)fprintf(out, "%-*s", NAME_WIDTH, "compression ratio");
	ratio(out, report_ratio(s->raw_bytes, s->used_bytes));
	(void)fprintf(out, "%-*s%12sB of %sB\n", NAME_WIDTH, "memory used",
		      used, limit);
	(void)fprintf(out, "%-*s%*" PRIu64 "\n", NAME_WIDTH, "puts refused",
		      VALUE_WIDTH, r->with->refused);
}

static void verdict(FILE *out, const struct report *r)
{
	const struct pass_figures *a = r->without, *b = r->with;

	(void)fprintf(out,
		      "pages verified: %" PRIu64 ", differing: %" PRIu64
		      ", changed and skipped: %" PRIu64 "\n",
		      a->verified + b->verified, a->differing + b->differing,
		      a->changed + b->changed);
}

void report_table(FILE *out, const struct report *r)
{
	const struct pass_figures *a = r->without, *b = r->with;

	head(out, r);
	count_row(out, "accesses", a->accesses, b->accesses);
	count_row(out, "first-level hits", a->l1_hits, b->l1_hits);
	count_row(out, "pool hits", a->hits, b->hits);
	count_row(out, "disk reads", a->disk_reads, b->disk_reads);
	count_row(out, "  first of their page", a->first_reads, b->first_reads);
	time_row(out, "time, s", a->ns, b->ns);
	time_row(out, "  waiting for the disk", a->disk_ns, b->disk_ns);
	(void)fputc('\n', out);
	pool(out, r);
	(void)fprintf(out, "\n%-*s%13s %13s\n", NAME_WIDTH, "", "p50", "p99");
	latency(out, "put", &b->put);
	latency(out, "get", &b->get);
	latency(out, "disk read, without pool", &a->disk);
	latency(out, "disk read, with pool", &b->disk);
	(void)fputc('\n', out);
	verdict(out, r);
}
