/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hour-page.c - the last hour of a daemon as a page for a browser.
 *
 * From the whole to its parts: figures, curves of the machine and of all domains
 * together, a card for each domain, and a table of how they are at this moment.
 */
#include "hour-page.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "hour-plot.h"
#include "hour-style.h"

/* Curves in the plot of all domains; what is beyond is one curve. */
#define TALLEST (HOUR_CURVES_MAX - 1)

/** struct page - what is written of what, and where. */
struct page {
	FILE *out;
	const struct hour *hour;
	const struct daemon_view *view;
	time_t now;
	double *ages;			/* of the samples, seconds */
	double *y[HOUR_CURVES_MAX + 1]; /* room for curves */
};

static const struct hour_series *whole(const struct page *g)
{
	return &g->hour->series[0];
}

static double ratio(double a, double b)
{
	return b > 0 ? a / b : NAN;
}

/* ---- Series -------------------------------------------------------------- */

typedef double (*get_fn)(const struct hour_series *s, uint32_t i, size_t field);

static double *fill(const struct page *g, unsigned n,
		    const struct hour_series *s, get_fn get, size_t field)
{
	uint32_t i;

	for (i = 0; i < g->hour->count; i++)
		g->y[n][i] = get(s, i, field);
	return g->y[n];
}

static double lent(const struct hour_series *s, uint32_t i, size_t field)
{
	uint32_t cls;
	double sum = 0;

	(void)field;
	for (cls = 0; cls < TMEM_WIRE_CLASSES; cls++)
		sum += hour_value(
			s, i, HOUR_FIELD(lent_bytes) + cls * sizeof(uint64_t));
	return sum;
}

static double hit_share(const struct hour_series *s, uint32_t i, size_t field)
{
	double share = ratio(hour_rate(s, i, HOUR_FIELD(hits)),
			     hour_rate(s, i, HOUR_FIELD(gets)));

	(void)field;
	/* Claimed: a drawing need not leave its frame for that. */
	return share > 1 ? 1 : share;
}

static double waiting(const struct hour_series *s, uint32_t i, size_t field)
{
	return hour_rate(s, i, field) / 1e6;
}

static double cores(const struct hour_series *s, uint32_t i, size_t field)
{
	return hour_rate(s, i, field) / 1e9;
}

static void add(struct hour_plot *p, const char *name, const double *y,
		unsigned colour, int is_limit)
{
	p->curves[p->curves_count++] = (struct hour_curve){
		.name = name, .y = y, .colour = colour, .is_limit = is_limit
	};
}

static struct hour_plot plot(const struct page *g, const char *title,
			     const char *text, enum hour_unit unit)
{
	return (struct hour_plot){ .title = title,
				   .text = text,
				   .unit = unit,
				   .now = g->now,
				   .ages = g->ages,
				   .count = g->hour->count };
}

/* ---- Head ---------------------------------------------------------------- */

static void tile(const struct page *g, const char *name, const char *value)
{
	(void)fprintf(g->out,
		      "<div class=\"tile\"><span>%s</span><b>%s</b></div>\n",
		      name, value);
}

static void tile_value(const struct page *g, const char *name, double value,
		       enum hour_unit unit)
{
	char text[HOUR_TEXT_MAX];

	tile(g, name, hour_text(value, unit, text));
}

static double seconds(const struct page *g)
{
	return g->hour->count ? g->ages[0] - g->ages[g->hour->count - 1] : 0;
}

static void write_tiles(const struct page *g)
{
	const struct tmem_wire_status_reply *s = &g->view->status;
	const struct hour *h = g->hour;
	const struct hour_series *w = whole(g);
	uint32_t last = h->count ? h->count - 1 : 0;
	double gets = hour_growth(h, w, HOUR_FIELD(gets));
	char text[HOUR_TEXT_MAX];

	(void)fputs("<div class=\"tiles\">\n", g->out);
	tile_value(g, "lent now",
		   (double)(s->lent_bytes[TMEM_WIRE_EPHEMERAL] +
			    s->lent_bytes[TMEM_WIRE_PERSISTENT] +
			    s->lent_bytes[TMEM_WIRE_METADATA]),
		   HOUR_BYTES);
	tile_value(g, "budget", (double)s->budget_bytes, HOUR_BYTES);
	tile_value(g, "hits of gets",
		   ratio(hour_growth(h, w, HOUR_FIELD(hits)), gets), HOUR_SHARE);
	tile_value(g, "gets", ratio(gets, seconds(g)), HOUR_RATE);
	tile_value(g, "memory of a page",
		   h->count ? ratio(hour_value(w, last, HOUR_FIELD(used_bytes)),
				    hour_value(w, last, HOUR_FIELD(raw_bytes)))
			    : NAN,
		   HOUR_SHARE);
	(void)snprintf(text, sizeof(text), "%.0f",
		       hour_growth(h, w, HOUR_FIELD(revoked)));
	tile(g, "segments taken back", text);
	(void)snprintf(text, sizeof(text), "%" PRIu64 " / %" PRIu64, s->domains,
		       s->sessions);
	tile(g, "domains / sessions", text);
	(void)fputs("</div>\n", g->out);
}

static void write_moment(FILE *out, const char *format, time_t at)
{
	char text[64];
	struct tm tm;

	if (localtime_r(&at, &tm) && strftime(text, sizeof(text), format, &tm))
		(void)fputs(text, out);
}

static void write_up(FILE *out, double s)
{
	if (s < 120)
		(void)fprintf(out, "%.0f s", s);
	else if (s < 7200)
		(void)fprintf(out, "%.0f min", s / 60);
	else if (s < 172800)
		(void)fprintf(out, "%.0f h", s / 3600);
	else
		(void)fprintf(out, "%.0f days", s / 86400);
}

static void write_head(const struct page *g, const char *host)
{
	const struct tmem_wire_status_reply *s = &g->view->status;
	FILE *out = g->out;

	(void)fputs("<!DOCTYPE html>\n<html lang=\"en\"><head>"
		    "<meta charset=\"utf-8\">\n"
		    "<meta name=\"viewport\" content=\"width=device-width,"
		    "initial-scale=1\">\n"
		    "<meta http-equiv=\"Content-Security-Policy\" content=\""
		    "default-src 'none'; style-src 'unsafe-inline'\">\n"
		    "<title>tmem on ",
		    out);
	hour_escape(out, host);
	(void)fprintf(out,
		      "</title>\n<style>\n%s</style></head><body>\n"
		      "<header><h1>tmem on ",
		      hour_style);
	hour_escape(out, host);
	(void)fputs("</h1>\n<p>", out);
	write_moment(out, "%A, %e %B %Y, ",
		     g->now - (g->hour->count ? (time_t)g->ages[0] : 0));
	write_moment(out, "%H:%M",
		     g->now - (g->hour->count ? (time_t)g->ages[0] : 0));
	(void)fputs(" to ", out);
	write_moment(out, "%H:%M %Z", g->now);
	(void)fputs(". The daemon has been up for ", out);
	write_up(out, (double)s->up_ns / 1e9);
	(void)fputs(" and divides by <b>", out);
	hour_escape(out, s->policy);
	(void)fprintf(out, "</b>%s.</p>\n",
		      s->flags & TMEM_WIRE_FROZEN
			      ? "; every domain is <b>frozen</b>"
			      : "");
	write_tiles(g);
	(void)fputs("</header>\n<main>\n", out);
}

/* ---- The whole ----------------------------------------------------------- */

static void write_memory(const struct page *g)
{
	static const char *const classes[TMEM_WIRE_CLASSES] = { "ephemeral",
								"persistent",
								"metadata" };
	struct hour_plot p = plot(g, "Memory lent",
				  "Below the budget, by what it is for.",
				  HOUR_BYTES);
	uint32_t cls;

	p.stacked = 1;
	for (cls = 0; cls < TMEM_WIRE_CLASSES; cls++)
		add(&p, classes[cls],
		    fill(g, cls, whole(g), hour_value,
			 HOUR_FIELD(lent_bytes) + cls * sizeof(uint64_t)),
		    cls, 0);
	add(&p, "budget",
	    fill(g, 3, whole(g), hour_value, HOUR_FIELD(may_bytes)), 8, 1);
	hour_plot_draw(g->out, &p);
}

static void write_available(const struct page *g)
{
	struct hour_plot p = plot(
		g, "Available in the machine",
		"The budget shrinks when this comes to the floor.", HOUR_BYTES);
	uint32_t i;

	for (i = 0; i < g->hour->count; i++)
		g->y[1][i] = (double)g->view->status.floor_bytes;
	add(&p, "available",
	    fill(g, 0, whole(g), hour_value, HOUR_FIELD(available_bytes)), 2, 0);
	add(&p, "floor", g->y[1], 8, 1);
	hour_plot_draw(g->out, &p);
}

static void write_rates(const struct page *g)
{
	struct hour_plot p = plot(g, "Pages asked for and put", NULL, HOUR_RATE);

	add(&p, "gets", fill(g, 0, whole(g), hour_rate, HOUR_FIELD(gets)), 0, 0);
	add(&p, "puts", fill(g, 1, whole(g), hour_rate, HOUR_FIELD(puts)), 1, 0);
	hour_plot_draw(g->out, &p);
}

static void write_hits(const struct page *g)
{
	struct hour_plot p = plot(g, "Hits",
				  "Of the pages that were asked for, the share "
				  "that was there.",
				  HOUR_SHARE);

	p.full = 1;
	add(&p, "hits", fill(g, 0, whole(g), hit_share, 0), 2, 0);
	hour_plot_draw(g->out, &p);
}

static void write_losses(const struct page *g)
{
	struct hour_plot p = plot(g, "What more memory would have kept",
				  "Ghost hits: misses of pages that had just "
				  "left.",
				  HOUR_RATE);

	add(&p, "ghost hits",
	    fill(g, 0, whole(g), hour_rate, HOUR_FIELD(ghost_hits)), 3, 0);
	add(&p, "evictions",
	    fill(g, 1, whole(g), hour_rate, HOUR_FIELD(evictions)), 7, 0);
	hour_plot_draw(g->out, &p);
}

static void write_costs(const struct page *g)
{
	struct hour_plot p = plot(g, "Waiting and working",
				  "Share of the time in which tasks of the "
				  "machine waited for memory; of a core, for "
				  "background work.",
				  HOUR_SHARE);

	add(&p, "waiting for memory",
	    fill(g, 0, whole(g), waiting, HOUR_FIELD(waiting_us)), 1, 0);
	add(&p, "background work",
	    fill(g, 1, whole(g), cores, HOUR_FIELD(ager_ns)), 6, 0);
	hour_plot_draw(g->out, &p);
}

/* ---- Domains ------------------------------------------------------------- */

static double mean_lent(const struct page *g, const struct hour_series *s)
{
	double sum = 0;
	uint32_t i;

	for (i = 0; i < g->hour->count; i++)
		if (hour_is(s, i))
			sum += lent(s, i, 0);
	return sum;
}

static int by_mean(const void *a, const void *b, void *ctx)
{
	const struct hour_series *const *x = a, *const *y = b;
	double p = mean_lent(ctx, *x), q = mean_lent(ctx, *y);

	return p < q ? 1 : p > q ? -1 : strcmp((*x)->name, (*y)->name);
}

/* What all but the tallest had, together. */
static double *others(const struct page *g, const struct hour_series **order,
		      uint32_t count)
{
	double *y = g->y[TALLEST], v;
	uint32_t n, i;

	for (i = 0; i < g->hour->count; i++) {
		y[i] = NAN;
		for (n = TALLEST; n < count; n++) {
			v = lent(order[n], i, 0);
			if (!isnan(v))
				y[i] = v + (isnan(y[i]) ? 0 : y[i]);
		}
	}
	return y;
}

static void write_division(const struct page *g,
			   const struct hour_series **order, uint32_t count)
{
	struct hour_plot p = plot(g, "Who had it",
				  "All that was lent, by domain, on each other.",
				  HOUR_BYTES);
	uint32_t n;

	p.stacked = 1;
	p.wide = 1;
	for (n = 0; n < count && n < TALLEST; n++)
		add(&p, order[n]->name, fill(g, n, order[n], lent, 0), n, 0);
	if (count > TALLEST)
		add(&p, "others", others(g, order, count), TALLEST, 0);
	hour_plot_draw(g->out, &p);
}

static void term(const struct page *g, const char *name, double value,
		 enum hour_unit unit)
{
	char text[HOUR_TEXT_MAX];

	(void)fprintf(g->out, "<dt>%s</dt><dd>%s</dd>", name,
		      hour_text(value, unit, text));
}

static void write_card(const struct page *g, const struct hour_series *s,
		       unsigned colour)
{
	const struct hour *h = g->hour;
	struct hour_plot p = plot(g, s->name, NULL, HOUR_BYTES);
	uint32_t last = h->count - 1;
	double gets = hour_growth(h, s, HOUR_FIELD(gets));

	(void)fprintf(g->out, "<section class=\"domain%s\"><h3 title=\"",
		      hour_is(s, last) ? "" : " gone");
	hour_escape(g->out, s->name);
	(void)fputs("\">", g->out);
	hour_escape(g->out, s->name);
	(void)fputs("</h3>\n", g->out);
	add(&p, "lent", fill(g, 0, s, lent, 0), colour, 0);
	add(&p, "entitled", fill(g, 1, s, hour_value, HOUR_FIELD(may_bytes)), 8,
	    1);
	hour_plot_draw_small(g->out, &p);
	(void)fputs("<dl>", g->out);
	term(g, "lent", lent(s, last, 0), HOUR_BYTES);
	term(g, "entitled to", hour_value(s, last, HOUR_FIELD(may_bytes)),
	     HOUR_BYTES);
	term(g, "gets", ratio(gets, seconds(g)), HOUR_RATE);
	term(g, "hits", ratio(hour_growth(h, s, HOUR_FIELD(hits)), gets),
	     HOUR_SHARE);
	term(g, "ghost hits",
	     ratio(hour_growth(h, s, HOUR_FIELD(ghost_hits)), seconds(g)),
	     HOUR_RATE);
	term(g, "memory of a page",
	     ratio(hour_value(s, last, HOUR_FIELD(used_bytes)),
		   hour_value(s, last, HOUR_FIELD(raw_bytes))),
	     HOUR_SHARE);
	(void)fputs("</dl></section>\n", g->out);
}

static int write_domains(const struct page *g)
{
	uint32_t count = g->hour->series_count - 1, n;
	const struct hour_series **order;

	order = calloc(count + 1, sizeof(const struct hour_series *));
	if (!order)
		return -ENOMEM;
	for (n = 0; n < count; n++)
		order[n] = &g->hour->series[n + 1];
	qsort_r(order, count, sizeof(const struct hour_series *), by_mean,
		(void *)g);
	(void)fputs("<h2>Domains</h2>\n", g->out);
	if (count) {
		(void)fputs("<div class=\"plots\">\n", g->out);
		write_division(g, order, count);
		(void)fputs("</div>\n<p>&nbsp;</p><div class=\"domains\">\n",
			    g->out);
		for (n = 0; n < count; n++)
			write_card(g, order[n], n < TALLEST ? n : TALLEST);
		(void)fputs("</div>\n", g->out);
	} else {
		(void)fputs("<p>None had a session in this time.</p>\n", g->out);
	}
	if (g->hour->left_out)
		(void)fprintf(g->out,
			      "<p>And %" PRIu32 " more, of which the daemon "
			      "keeps no history: see below.</p>\n",
			      g->hour->left_out);
	free(order);
	return 0;
}

static void cell(const struct page *g, double value, enum hour_unit unit)
{
	char text[HOUR_TEXT_MAX];

	(void)fprintf(g->out, "<td>%s</td>", hour_text(value, unit, text));
}

static void write_row(const struct page *g, const struct tmem_wire_domain *e)
{
	const struct tmem_wire_figures *c = &e->claimed;

	(void)fputs("<tr><td>", g->out);
	hour_escape(g->out, e->name);
	(void)fprintf(g->out, "</td><td>%" PRIu32 "</td>", e->sessions);
	cell(g,
	     (double)(e->lent_bytes[TMEM_WIRE_EPHEMERAL] +
		      e->lent_bytes[TMEM_WIRE_PERSISTENT] +
		      e->lent_bytes[TMEM_WIRE_METADATA]),
	     HOUR_BYTES);
	cell(g, (double)e->entitled_bytes, HOUR_BYTES);
	cell(g, (double)e->cap_bytes, HOUR_BYTES);
	cell(g, (double)c->raw_bytes, HOUR_BYTES);
	(void)fprintf(g->out,
		      "<td>%" PRIu64 "</td><td>%" PRIu64 "</td><td>%" PRIu64
		      "</td>",
		      c->pages_raw, c->pages_packed, c->pages_dense);
	cell(g, ratio((double)c->hits, (double)c->gets), HOUR_SHARE);
	(void)fprintf(g->out, "<td>%" PRIu64 "</td><td>%" PRIu64 "</td></tr>\n",
		      c->refused_full + c->refused_quota + c->refused_frozen +
			      c->refused_nomem,
		      e->revoked);
}

static void write_table(const struct page *g)
{
	uint32_t n;

	if (!g->view->count)
		return;
	(void)fputs("<h2>At this moment</h2>\n<div class=\"table\"><table>"
		    "<thead><tr><th>domain</th><th>sessions</th><th>lent</th>"
		    "<th>entitled</th><th>cap</th><th>pages kept</th>"
		    "<th>raw</th><th>packed</th><th>dense</th><th>hits</th>"
		    "<th>puts refused</th><th>segments taken</th></tr></thead>"
		    "\n<tbody>\n",
		    g->out);
	for (n = 0; n < g->view->count; n++)
		write_row(g, &g->view->domains[n]);
	(void)fputs("</tbody></table></div>\n", g->out);
}

/* ---- The page ------------------------------------------------------------ */

static void finish(struct page *g)
{
	unsigned n;

	free(g->ages);
	for (n = 0; n <= HOUR_CURVES_MAX; n++)
		free(g->y[n]);
}

static int init(struct page *g)
{
	const struct hour *h = g->hour;
	unsigned n;
	uint32_t i;
	int bad;

	g->ages = calloc(h->count + 1, sizeof(double));
	bad = !g->ages;
	for (n = 0; n <= HOUR_CURVES_MAX; n++) {
		g->y[n] = calloc(h->count + 1, sizeof(double));
		bad |= !g->y[n];
	}
	for (i = 0; !bad && i < h->count; i++)
		g->ages[i] = (double)whole(g)->samples[i].age_ns / 1e9;
	return bad ? -ENOMEM : 0;
}

static void write_whole(const struct page *g)
{
	(void)fputs("<h2>All together</h2>\n<div class=\"plots\">\n", g->out);
	write_memory(g);
	write_available(g);
	write_rates(g);
	write_hits(g);
	write_losses(g);
	write_costs(g);
	(void)fputs("</div>\n", g->out);
}

int hour_page_write(FILE *out, const struct hour *h,
		    const struct daemon_view *v, const char *host, time_t now)
{
	struct page g = { .out = out, .hour = h, .view = v, .now = now };
	int err = init(&g);

	if (!err) {
		write_head(&g, host);
		write_whole(&g);
		err = write_domains(&g);
	}
	if (!err) {
		write_table(&g);
		(void)fprintf(
			out,
			"</main>\n<footer><p>Gets, hits and pages kept are "
			"the domains' own word. What each figure means: "
			"tmem(7), tmem-exporter(8). tmem %s.</p></footer>\n"
			"</body></html>\n",
			command_version);
	}
	finish(&g);
	return err;
}
