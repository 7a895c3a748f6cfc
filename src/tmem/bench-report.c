/* SPDX-License-Identifier: BSD-2-Clause */
/* bench-report.c - figures, collected and printed. */
#include "bench-report.h"

#include <inttypes.h>
#include <string.h>

#include "assertion.h"
#include "parse.h"
#include "quote.h"

/* Points of a distribution that are told, for drawing it. */
static const double points[] = { 0,  1,	 5,  10, 20, 30, 40,   50,   60,   70,
				 80, 90, 95, 97, 98, 99, 99.5, 99.7, 99.9, 100 };

#define POINTS (sizeof(points) / sizeof(points[0]))

static struct bench_figure *add(struct bench_report *r, const char *group,
				const char *key, const char *text,
				const double *values, unsigned count)
{
	struct bench_figure *f = &r->figures[r->figures_count++];

	TMEM_ASSERT(r->figures_count <= BENCH_FIGURES_MAX);
	TMEM_ASSERT(count <= BENCH_REPEATS_MAX);
	f->group = group;
	(void)snprintf(f->key, sizeof(f->key), "%s", key);
	f->text = text;
	f->count = count;
	memcpy(f->values, values, count * sizeof(*values));
	return f;
}

void bench_report_add(struct bench_report *r, const char *group, const char *key,
		      const char *text, const double *values, unsigned count)
{
	(void)add(r, group, key, text, values, count);
}

void bench_report_one(struct bench_report *r, const char *group,
		      const char *key, const char *text, double value)
{
	(void)add(r, group, key, text, &value, 1);
}

void bench_report_list(struct bench_report *r, const char *group,
		       const char *key, const char *text, const double *values,
		       unsigned count)
{
	add(r, group, key, text, values, count)->is_list = 1;
}

void bench_report_series(struct bench_report *r, const char *key,
			 const char *text, const struct bench_series *s)
{
	(void)add(r, NULL, key, text, s->ns, s->count);
	bench_report_latency(r, key, &s->histogram);
}

void bench_report_latency(struct bench_report *r, const char *key,
			  const struct tmem_histogram *histogram)
{
	struct bench_latency *l = &r->latencies[r->latencies_count++];

	TMEM_ASSERT(r->latencies_count <= BENCH_LATENCIES_MAX);
	l->key = key;
	l->histogram = *histogram;
}

static double value_of(const struct bench_figure *f)
{
	return bench_median(f->values, f->count);
}

double bench_report_find(const struct bench_report *r, const char *key)
{
	unsigned i;

	for (i = 0; i < r->figures_count; i++)
		if (!r->figures[i].group && !strcmp(r->figures[i].key, key))
			return value_of(&r->figures[i]);
	return -1;
}

/* ---- JSON ---------------------------------------------------------------- */

static void text(FILE *out, const char *key, const char *value)
{
	(void)fprintf(out, "    \"%s\": ", key);
	quote_json(out, value);
	(void)fputs(",\n", out);
}

static void list(FILE *out, const struct bench_figure *f)
{
	unsigned i;

	(void)fputc('[', out);
	for (i = 0; i < f->count; i++)
		(void)fprintf(out, "%s%.4f", i ? ", " : "", f->values[i]);
	(void)fputc(']', out);
}

static void machine(FILE *out, const struct bench_report *r)
{
	const struct bench_machine *m = &r->machine;

	(void)fputs("  \"machine\": {\n", out);
	text(out, "cpu", m->cpu);
	text(out, "kernel", m->kernel);
	text(out, "thp", m->thp);
	text(out, "governor", m->governor);
	text(out, "halt_poll_ns", m->halt_poll_ns);
	text(out, "commit", m->commit);
	(void)fprintf(out,
		      "    \"cores\": %ld,\n"
		      "    \"os_page_bytes\": %ld,\n"
		      "    \"store_page_bytes\": %" PRIu64 ",\n"
		      "    \"load\": %.2f\n  },\n",
		      m->cores, m->os_page_bytes, r->store_page_bytes, m->load);
}

static void request(FILE *out, const struct bench_request *q)
{
	(void)fputs("  \"request\": {\n", out);
	text(out, "corpora", q->corpora ? q->corpora : "synthetic");
	(void)fprintf(out,
		      "    \"size\": %" PRIu64 ",\n"
		      "    \"repeats\": %u,\n"
		      "    \"tiny\": %s\n  },\n",
		      q->size, q->repeats, q->tiny ? "true" : "false");
}

static int same_group(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static void figures(FILE *out, const struct bench_report *r)
{
	const char *group = NULL;
	unsigned i;

	for (i = 0; i < r->figures_count; i++) {
		const struct bench_figure *f = &r->figures[i];
		int goes_on = i && same_group(group, f->group);

		if (i && group && !goes_on)
			(void)fputs("\n  }", out);
		if (i)
			(void)fputs(",\n", out);
		if (f->group && !goes_on)
			(void)fprintf(out, "  \"%s\": {\n", f->group);
		group = f->group;
		(void)fprintf(out, "  %s\"%s\": ", group ? "  " : "", f->key);
		if (f->is_list)
			list(out, f);
		else
			(void)fprintf(out, "%.4f", value_of(f));
	}
	(void)fputs(group ? "\n  },\n" : ",\n", out);
}

static void repeats(FILE *out, const struct bench_report *r)
{
	const char *comma = "";
	unsigned i;

	(void)fputs("  \"repeats\": {", out);
	for (i = 0; i < r->figures_count; i++) {
		if (r->figures[i].group || r->figures[i].is_list)
			continue;
		(void)fprintf(out, "%s\n    \"%s\": ", comma, r->figures[i].key);
		list(out, &r->figures[i]);
		comma = ",";
	}
	(void)fputs("\n  },\n", out);
}

static void latency(FILE *out, const struct bench_latency *l)
{
	const struct tmem_histogram *h = &l->histogram;
	int len = (int)(strstr(l->key, "_ns") ? strlen(l->key) - 3
					      : strlen(l->key));
	unsigned i;

	(void)fprintf(out,
		      "    \"%.*s\": { \"count\": %" PRIu64
		      ", \"mean\": %.1f, \"p50\": %" PRIu64
		      ", \"p99\": %" PRIu64 ", \"p99.9\": %" PRIu64
		      ", \"max\": %" PRIu64 ",\n      \"percentiles\": [",
		      len, l->key, tmem_histogram_count(h),
		      tmem_histogram_mean(h), tmem_histogram_percentile(h, 50),
		      tmem_histogram_percentile(h, 99),
		      tmem_histogram_percentile(h, 99.9), tmem_histogram_max(h));
	for (i = 0; i < POINTS; i++)
		(void)fprintf(out, "%s[%g, %" PRIu64 "]", i ? ", " : "",
			      points[i],
			      tmem_histogram_percentile(h, points[i]));
	(void)fputs("] }", out);
}

void bench_report_json(FILE *out, const struct bench_report *r)
{
	unsigned i;

	(void)fprintf(out, "{\n  \"bench\": \"%s\",\n", r->request.name);
	machine(out, r);
	request(out, &r->request);
	figures(out, r);
	repeats(out, r);
	(void)fputs("  \"latency\": {\n", out);
	for (i = 0; i < r->latencies_count; i++) {
		latency(out, &r->latencies[i]);
		(void)fputs(i + 1 < r->latencies_count ? ",\n" : "\n", out);
	}
	(void)fputs("  }\n}\n", out);
}

/* ---- Table --------------------------------------------------------------- */

static void row(FILE *out, const struct bench_figure *f)
{
	char name[2 * BENCH_KEY_MAX];
	unsigned i;

	(void)snprintf(name, sizeof(name), "%s%s%s", f->group ? f->group : "",
		       f->group ? "." : "", f->key);
	(void)fprintf(out, "%-36s", name);
	if (!f->is_list)
		(void)fprintf(out, " %11.2f", value_of(f));
	for (i = 0; f->is_list && i < f->count; i++)
		(void)fprintf(out, " %11.1f", f->values[i]);
	(void)fprintf(out, "  %s\n", f->is_list ? "" : f->text);
}

void bench_report_table(FILE *out, const struct bench_report *r)
{
	const struct bench_machine *m = &r->machine;
	const char *corpora = r->request.corpora ? r->request.corpora
						 : "synthetic";
	char size[TMEM_FORMAT_SIZE_MAX], quoted[QUOTE_MAX];
	unsigned i;

	(void)tmem_format_size(r->request.size, size, sizeof(size));
	(void)fprintf(out,
		      "%s, %ld cores, Linux %s, load %.2f, commit %s\n"
		      "size %s, %u repeats, corpora: %s\n\n",
		      m->cpu, m->cores, m->kernel, m->load, m->commit, size,
		      r->request.repeats,
		      quote_text(corpora, quoted, sizeof(quoted)));
	for (i = 0; i < r->figures_count; i++)
		row(out, &r->figures[i]);
	if (r->latencies_count)
		(void)fprintf(out, "\n%-28s %9s %9s %9s %9s\n",
			      "single operations, ns", "p50", "p99", "p99.9",
			      "max");
	for (i = 0; i < r->latencies_count; i++) {
		const struct tmem_histogram *h = &r->latencies[i].histogram;

		(void)fprintf(out,
			      "%-28s %9" PRIu64 " %9" PRIu64 " %9" PRIu64
			      " %9" PRIu64 "\n",
			      r->latencies[i].key,
			      tmem_histogram_percentile(h, 50),
			      tmem_histogram_percentile(h, 99),
			      tmem_histogram_percentile(h, 99.9),
			      tmem_histogram_max(h));
	}
}
