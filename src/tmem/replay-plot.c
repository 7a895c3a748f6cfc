/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay-plot.c - miss-ratio curves, as SVG.
 *
 * Sizes along x, on a logarithmic scale, as shares of the distinct pages; miss
 * ratios along y, between the tenths around all of them.
 */
#include <math.h>
#include <string.h>

#include "quote.h"
#include "replay-report.h"

#define WIDTH 800
#define HEIGHT 480
#define LEFT 70.0
#define RIGHT 670.0
#define TOP 50.0
#define BOTTOM 410.0
#define LEGEND_X 690
#define LEGEND_STEP 22

/* Tick labels closer than this would overlap. */
#define LABEL_GAP 42.0

/* FIFO's curve: where gets take their pages, LRU's lies below it. */
#define DASHES " stroke-dasharray=\"6 4\""

#define CURVES (POLICIES + 1) /* the last one is the store's */

/* Okabe and Ito's colours: apart for every eye. */
static const char *const colours[CURVES] = { "#0072b2", "#e69f00", "#009e73",
					     "#999999", "#d55e00" };

/** struct axes - what the edges stand for. */
struct axes {
	double log_min, log_max; /* of shares */
	double low, high;	 /* miss ratios */
};

static double miss(const struct replay_report *r, unsigned curve, unsigned n)
{
	const struct replay_point *p = &r->point[n];

	return replay_miss_ratio(r, curve < POLICIES ? p->hits[curve]
						     : p->tmem.hits);
}

static double share(const struct replay_report *r, unsigned n)
{
	return (double)r->point[n].pages / r->distinct;
}

static void find_axes(const struct replay_report *r, struct axes *a)
{
	double low = 1, high = 0;
	unsigned n, c;

	a->log_min = a->log_max = log(share(r, 0));
	for (n = 0; n < r->points; n++) {
		a->log_min = fmin(a->log_min, log(share(r, n)));
		a->log_max = fmax(a->log_max, log(share(r, n)));
		for (c = 0; c < CURVES; c++) {
			low = fmin(low, miss(r, c, n));
			high = fmax(high, miss(r, c, n));
		}
	}
	if (a->log_max - a->log_min < 0.01) { /* one size: in the middle */
		a->log_min -= 1;
		a->log_max += 1;
	}
	a->low = floor(low * 10) / 10;
	a->high = fmax(ceil(high * 10) / 10, a->low + 0.1);
}

static double at_x(const struct axes *a, double part)
{
	return LEFT + (RIGHT - LEFT) * (log(part) - a->log_min) /
			      (a->log_max - a->log_min);
}

static double at_y(const struct axes *a, double ratio)
{
	return BOTTOM - (BOTTOM - TOP) * (ratio - a->low) / (a->high - a->low);
}

/* What XML wants escaped; control characters were quoted before. */
static void put_text(FILE *out, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '<':
			(void)fputs("&lt;", out);
			break;
		case '&':
			(void)fputs("&amp;", out);
			break;
		default:
			(void)fputc((unsigned char)*s < 0x80 ? *s : '?', out);
		}
	}
}

static void draw_head(FILE *out, const struct replay_report *r)
{
	const char *slash = strrchr(r->opt->trace, '/');
	const char *base = slash ? slash + 1 : r->opt->trace;
	char name[QUOTE_MAX];

	(void)fprintf(out,
		      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
		      "height=\"%d\" font-family=\"sans-serif\" "
		      "font-size=\"13\">\n"
		      "<rect width=\"100%%\" height=\"100%%\" "
		      "fill=\"white\"/>\n"
		      "<text x=\"%.0f\" y=\"28\" font-size=\"16\">",
		      WIDTH, HEIGHT, LEFT);
	put_text(out, quote_text(base, name, sizeof(name)));
	(void)fprintf(out, ", %s</text>\n", replay_mode_name(r->opt->mode));
}

static void draw_y_axis(FILE *out, const struct axes *a,
			const struct replay_report *r)
{
	int tenth, last = (int)lround(a->high * 10);
	double middle = (TOP + BOTTOM) / 2;

	for (tenth = (int)lround(a->low * 10); tenth <= last; tenth++) {
		double y = at_y(a, tenth / 10.0);

		(void)fprintf(out,
			      "<path d=\"M%.1f %.1fH%.1f\" stroke=\"#ddd\"/>\n"
			      "<text x=\"%.1f\" y=\"%.1f\" "
			      "text-anchor=\"end\">%.1f</text>\n",
			      LEFT, y, RIGHT, LEFT - 8, y + 4, tenth / 10.0);
	}
	(void)fprintf(out,
		      "<text x=\"24\" y=\"%.1f\" text-anchor=\"middle\" "
		      "transform=\"rotate(-90 24 %.1f)\">miss ratio%s</text>\n",
		      middle, middle,
		      r->l1_pages ? " of what missed the first level" : "");
}

static void draw_x_axis(FILE *out, const struct axes *a,
			const struct replay_report *r)
{
	double labelled = -WIDTH;
	unsigned n;

	for (n = 0; n < r->points; n++) {
		double x = at_x(a, share(r, n));

		(void)fprintf(out,
			      "<path d=\"M%.1f %.1fv6\" stroke=\"black\"/>\n",
			      x, BOTTOM);
		if (fabs(x - labelled) < LABEL_GAP)
			continue;
		labelled = x;
		(void)fprintf(out,
			      "<text x=\"%.1f\" y=\"%.1f\" "
			      "text-anchor=\"middle\">%s</text>\n",
			      x, BOTTOM + 22, r->point[n].size->text);
	}
	(void)fprintf(out,
		      "<path d=\"M%.1f %.1fV%.1fH%.1f\" fill=\"none\" "
		      "stroke=\"black\"/>\n"
		      "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">size, "
		      "of %u distinct pages</text>\n",
		      LEFT, TOP, BOTTOM, RIGHT, (LEFT + RIGHT) / 2, BOTTOM + 48,
		      r->distinct);
}

/* Points in the order of their sizes, whatever order they were asked for in. */
static unsigned next_point(const struct replay_report *r, unsigned after)
{
	unsigned n, best = r->points;

	for (n = 0; n < r->points; n++) {
		if (after < r->points &&
		    (r->point[n].pages < r->point[after].pages ||
		     (r->point[n].pages == r->point[after].pages && n <= after)))
			continue;
		if (best == r->points ||
		    r->point[n].pages < r->point[best].pages)
			best = n;
	}
	return best;
}

static void draw_curve(FILE *out, const struct axes *a,
		       const struct replay_report *r, unsigned c)
{
	int ours = c == POLICIES;
	double y = TOP + 10 + LEGEND_STEP * (ours ? 0 : (int)c + 1);
	unsigned n;

	(void)fprintf(out,
		      "<g stroke=\"%s\" fill=\"%s\" stroke-width=\"%s\">\n"
		      "<polyline fill=\"none\"%s points=\"",
		      colours[c], colours[c], ours ? "3" : "1.5",
		      c == POLICY_FIFO ? DASHES : "");
	for (n = next_point(r, r->points); n < r->points; n = next_point(r, n))
		(void)fprintf(out, "%.1f,%.1f ", at_x(a, share(r, n)),
			      at_y(a, miss(r, c, n)));
	(void)fputs("\"/>\n", out);
	for (n = 0; n < r->points; n++)
		(void)fprintf(out,
			      "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"/>\n",
			      at_x(a, share(r, n)), at_y(a, miss(r, c, n)));
	(void)fprintf(out,
		      "<path d=\"M%d %.1fh24\"/>\n</g>\n"
		      "<text x=\"%d\" y=\"%.1f\">%s</text>\n",
		      LEGEND_X, y, LEGEND_X + 30, y + 4,
		      ours ? "tmem" : policies[c].name);
}

void replay_report_plot(FILE *out, const struct replay_report *r)
{
	struct axes a;
	unsigned c;

	find_axes(r, &a);
	draw_head(out, r);
	draw_y_axis(out, &a, r);
	draw_x_axis(out, &a, r);
	for (c = 0; c < CURVES; c++)
		draw_curve(out, &a, r, c);
	(void)fputs("</svg>\n", out);
}
