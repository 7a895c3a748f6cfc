/* SPDX-License-Identifier: BSD-2-Clause */
/* hour-plot.c - curves over the last hour, as SVG inside of a page. */
#include "hour-plot.h"

#include <math.h>
#include <string.h>

#include "parse.h"

/* The drawing, in its own units. */
#define WIDTH 560.0
#define WIDE 1160.0
#define HEIGHT 200.0
#define LEFT 58.0
#define RIGHT 10.0
#define TOP 8.0
#define BOTTOM 22.0

#define SMALL_WIDTH 260.0
#define SMALL_HEIGHT 56.0

/* Rules across, at most, and marks of time. */
#define RULES 4
#define MARKS 7

/* A column says what there is at a moment; finer ones nobody hits. */
#define COLUMNS 120u

/* Less is no curve yet. */
#define SPAN_MIN_S 300.0

/** struct frame - where things are drawn. */
struct frame {
	double left, right, top, bottom;
	double span_s; /* from left to right */
	double full;   /* value at the top */
};

/* ---- Text ---------------------------------------------------------------- */

void hour_escape(FILE *out, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '&':
			(void)fputs("&amp;", out);
			break;
		case '<':
			(void)fputs("&lt;", out);
			break;
		case '>':
			(void)fputs("&gt;", out);
			break;
		case '"':
			(void)fputs("&quot;", out);
			break;
		default:
			(void)fputc((unsigned char)*s < 0x20 ? '?' : *s, out);
		}
	}
}

const char *hour_text(double value, enum hour_unit unit, char buf[HOUR_TEXT_MAX])
{
	static const char *const prefixes[] = { "", " k", " M", " G", " T" };
	char size[TMEM_FORMAT_SIZE_MAX];
	unsigned n = 0;

	if (isnan(value)) {
		strcpy(buf, "\xe2\x80\x93");
	} else if (unit == HOUR_BYTES) {
		(void)tmem_format_size((uint64_t)value, size, sizeof(size));
		n = (unsigned)strlen(size) - (value < 1024 ? 0 : 1);
		(void)snprintf(buf, HOUR_TEXT_MAX, "%.*s %s%s", (int)n, size,
			       size + n, value < 1024 ? "B" : "iB");
	} else if (unit == HOUR_SHARE) {
		(void)snprintf(buf, HOUR_TEXT_MAX, "%.*f%%",
			       value > 0 && value < 0.1 ? 1 : 0, 100 * value);
	} else {
		for (; value >= 1000 && n < 4; n++)
			value /= 1000;
		(void)snprintf(buf, HOUR_TEXT_MAX, "%.*f%s/s",
			       value > 0 && value < 9.95 ? 1 : 0, value,
			       prefixes[n]);
	}
	return buf;
}

static void write_time(FILE *out, const char *format, time_t at)
{
	struct tm tm;
	char text[32];

	if (!localtime_r(&at, &tm) || !strftime(text, sizeof(text), format, &tm))
		text[0] = 0;
	(void)fputs(text, out);
}

/* ---- Scales -------------------------------------------------------------- */

/* 1, 2 or 5 times a power of ten; of bytes, a power of two. */
static double round_step(double step, enum hour_unit unit)
{
	double power;

	if (unit == HOUR_BYTES)
		return pow(2, ceil(log2(fmax(step, 1))));
	power = pow(10, floor(log10(fmax(step, 1e-3))));
	return power * (step / power > 5   ? 10
			: step / power > 2 ? 5
			: step / power > 1 ? 2
					   : 1);
}

/* What stacked curves come to below the @n-th, at sample @i. */
static double below(const struct hour_plot *p, unsigned n, uint32_t i)
{
	double sum = 0;
	unsigned k;

	for (k = 0; p->stacked && k < n; k++)
		if (!p->curves[k].is_limit && !isnan(p->curves[k].y[i]))
			sum += p->curves[k].y[i];
	return sum;
}

static double height(const struct hour_plot *p, unsigned n, uint32_t i)
{
	const struct hour_curve *c = &p->curves[n];

	return c->is_limit ? c->y[i] : c->y[i] + below(p, n, i);
}

static double highest(const struct hour_plot *p)
{
	double most = 0, h;
	unsigned n;
	uint32_t i;

	for (n = 0; n < p->curves_count; n++)
		for (i = 0; i < p->count; i++) {
			h = height(p, n, i);
			if (h > most)
				most = h;
		}
	return most;
}

static double step_of(const struct hour_plot *p)
{
	return round_step((p->full > 0 ? p->full : highest(p)) / RULES, p->unit);
}

static void make_frame(const struct hour_plot *p, struct frame *f)
{
	double step = step_of(p);

	f->full = p->full > 0 ? p->full
			      : step * fmax(1, ceil(highest(p) / step - 1e-9));
	f->span_s = fmax(SPAN_MIN_S, p->count ? p->ages[0] : 0);
}

static double at_x(const struct frame *f, double age_s)
{
	return f->right - age_s / f->span_s * (f->right - f->left);
}

static double at_y(const struct frame *f, double value)
{
	return f->bottom - value / f->full * (f->bottom - f->top);
}

/* ---- Curves -------------------------------------------------------------- */

/* The end of the samples from @i on that all have a value. */
static uint32_t run_end(const struct hour_plot *p, unsigned n, uint32_t i)
{
	while (i < p->count && !isnan(p->curves[n].y[i]))
		i++;
	return i;
}

static void draw_run(FILE *out, const struct hour_plot *p, unsigned n,
		     const struct frame *f, uint32_t from, uint32_t to)
{
	const struct hour_curve *c = &p->curves[n];
	uint32_t i;

	if (!c->is_limit) {
		(void)fprintf(out, "<path class=\"area c%u\" d=\"M", c->colour);
		for (i = from; i < to; i++)
			(void)fprintf(out, "%.1f %.1fL", at_x(f, p->ages[i]),
				      at_y(f, height(p, n, i)));
		for (i = to; i-- > from;)
			(void)fprintf(out, "%.1f %.1f%s", at_x(f, p->ages[i]),
				      at_y(f, below(p, n, i)),
				      i > from ? "L" : "Z\"/>\n");
	}
	(void)fprintf(out, "<path class=\"line c%u%s\" d=\"M", c->colour,
		      c->is_limit ? " limit" : "");
	for (i = from; i < to; i++)
		(void)fprintf(out, "%.1f %.1f%s", at_x(f, p->ages[i]),
			      at_y(f, height(p, n, i)),
			      i + 1 < to ? "L" : "\"/>\n");
}

static void draw_curves(FILE *out, const struct hour_plot *p,
			const struct frame *f)
{
	uint32_t from, to;
	unsigned n;

	for (n = 0; n < p->curves_count; n++)
		for (from = 0; from < p->count; from = to + 1) {
			to = run_end(p, n, from);
			if (to > from)
				draw_run(out, p, n, f, from, to);
		}
}

/* ---- Around them --------------------------------------------------------- */

static void draw_rules(FILE *out, const struct hour_plot *p,
		       const struct frame *f)
{
	char text[HOUR_TEXT_MAX];
	double v, step = step_of(p);

	for (v = 0; v <= f->full * 1.0001; v += step)
		(void)fprintf(out,
			      "<path class=\"rule\" d=\"M%.1f %.1fH%.1f\"/>"
			      "<text x=\"%.1f\" y=\"%.1f\" class=\"end\">%s"
			      "</text>\n",
			      f->left, at_y(f, v), f->right, f->left - 6,
			      at_y(f, v) + 3.5, hour_text(v, p->unit, text));
}

/* At whole minutes of the clock on the wall. */
static void draw_marks(FILE *out, const struct hour_plot *p,
		       const struct frame *f)
{
	static const int steps_s[] = { 60, 120, 300, 600, 900, 1800 };
	unsigned n = 0;
	time_t at;

	while (n < 5 && f->span_s / steps_s[n] > MARKS)
		n++;
	at = p->now - (time_t)f->span_s;
	for (at += steps_s[n] - at % steps_s[n]; at <= p->now;
	     at += steps_s[n]) {
		double x = at_x(f, (double)(p->now - at));

		if (x < f->left + 14 || x > f->right - 14)
			continue;
		(void)fprintf(out,
			      "<path class=\"mark\" d=\"M%.1f %.1fv4\"/>"
			      "<text x=\"%.1f\" y=\"%.1f\" class=\"middle\">",
			      x, f->bottom, x, f->bottom + 16);
		write_time(out, "%H:%M", at);
		(void)fputs("</text>\n", out);
	}
}

static void draw_columns(FILE *out, const struct hour_plot *p,
			 const struct frame *f)
{
	uint32_t every = (p->count + COLUMNS - 1) / COLUMNS, i;
	char text[HOUR_TEXT_MAX];
	unsigned n;

	for (i = every / 2; every && i < p->count; i += every) {
		uint32_t first = i - every / 2;
		uint32_t next = first + every < p->count ? first + every
							 : p->count - 1;
		double x = at_x(f, p->ages[first]);
		double width = at_x(f, p->ages[next]) - x;

		(void)fprintf(out,
			      "<rect class=\"column\" x=\"%.1f\" y=\"%.1f\" "
			      "width=\"%.1f\" height=\"%.1f\"><title>",
			      x, f->top, fmax(width, 1), f->bottom - f->top);
		write_time(out, "%H:%M:%S", p->now - (time_t)p->ages[i]);
		for (n = 0; n < p->curves_count; n++) {
			(void)fputs("\n", out);
			hour_escape(out, p->curves[n].name);
			(void)fprintf(out, " %s",
				      hour_text(p->curves[n].y[i], p->unit,
						text));
		}
		(void)fputs("</title></rect>\n", out);
	}
}

static void draw_legend(FILE *out, const struct hour_plot *p)
{
	char text[HOUR_TEXT_MAX];
	unsigned n;

	(void)fputs("<ul class=\"legend\">", out);
	for (n = 0; n < p->curves_count; n++) {
		const struct hour_curve *c = &p->curves[n];
		double last = p->count ? c->y[p->count - 1] : NAN;

		(void)fprintf(out, "<li class=\"c%u%s\">", c->colour,
			      c->is_limit ? " limit" : "");
		hour_escape(out, c->name);
		(void)fprintf(out, " <b>%s</b></li>",
			      hour_text(last, p->unit, text));
	}
	(void)fputs("</ul>\n", out);
}

void hour_plot_draw(FILE *out, const struct hour_plot *p)
{
	const double width = p->wide ? WIDE : WIDTH;
	struct frame f = { .left = LEFT,
			   .right = width - RIGHT,
			   .top = TOP,
			   .bottom = HEIGHT - BOTTOM };

	make_frame(p, &f);
	(void)fputs("<figure><figcaption><h3>", out);
	hour_escape(out, p->title);
	(void)fputs("</h3>", out);
	if (p->text) {
		(void)fputs("<p>", out);
		hour_escape(out, p->text);
		(void)fputs("</p>", out);
	}
	(void)fputs("</figcaption>\n", out);
	draw_legend(out, p);
	(void)fprintf(out,
		      "<svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"",
		      width, HEIGHT);
	hour_escape(out, p->title);
	(void)fputs("\">\n", out);
	draw_rules(out, p, &f);
	draw_marks(out, p, &f);
	draw_curves(out, p, &f);
	draw_columns(out, p, &f);
	(void)fputs("</svg></figure>\n", out);
}

void hour_plot_draw_small(FILE *out, const struct hour_plot *p)
{
	struct frame f = { .left = 0,
			   .right = SMALL_WIDTH,
			   .top = 3,
			   .bottom = SMALL_HEIGHT - 2 };

	make_frame(p, &f);
	(void)fprintf(out,
		      "<svg viewBox=\"0 0 %g %g\" class=\"small\" role=\"img\" "
		      "aria-label=\"",
		      SMALL_WIDTH, SMALL_HEIGHT);
	hour_escape(out, p->title);
	(void)fputs("\">\n", out);
	draw_curves(out, p, &f);
	(void)fputs("</svg>\n", out);
}
