/* SPDX-License-Identifier: BSD-2-Clause */
/* bench-chart.c - lines over two axes, as SVG. */
#include "bench-chart.h"

#include <math.h>

/* The drawing, in its own units. */
#define WIDTH 860.0
#define HEIGHT 460.0
#define LEFT 70.0
#define RIGHT 210.0 /* the legend's */
#define TOP 40.0
#define BOTTOM 60.0

/* Lines across, if the axis is not in powers of ten. */
#define STEPS 6

/* Colours that a printer and most eyes tell apart. */
static const char *const colours[] = { "#1f77b4", "#d62728", "#2ca02c",
				       "#9467bd", "#ff7f0e", "#17becf",
				       "#8c564b", "#e377c2", "#7f7f7f",
				       "#bcbd22" };

#define COLOURS (sizeof(colours) / sizeof(colours[0]))

struct scale {
	double min, max; /* of the values, or of their logarithms */
	int is_log;
	double from, to; /* in the drawing */
};

static double on_scale(const struct scale *s, double value)
{
	double v = s->is_log ? log10(value > 0 ? value : 1) : value;

	return s->from + (v - s->min) / (s->max - s->min) * (s->to - s->from);
}

static void widen(struct scale *s, double value)
{
	double v = s->is_log ? log10(value > 0 ? value : 1) : value;

	s->min = v < s->min ? v : s->min;
	s->max = v > s->max ? v : s->max;
}

/* 1, 2 or 5 times a power of ten: a step that a reader can add up. */
static double round_step(double step)
{
	double power = pow(10, floor(log10(step)));

	return power * (step / power > 5   ? 10
			: step / power > 2 ? 5
			: step / power > 1 ? 2
					   : 1);
}

static void make_scales(const struct bench_chart *c, struct scale *x,
			struct scale *y)
{
	unsigned i, n;

	*x = (struct scale){ c->x_zero ? 0 : HUGE_VAL, -HUGE_VAL, c->x_log,
			     LEFT, WIDTH - RIGHT };
	*y = (struct scale){ c->y_log ? HUGE_VAL : 0, -HUGE_VAL, c->y_log,
			     HEIGHT - BOTTOM, TOP };
	for (i = 0; i < c->count; i++)
		for (n = 0; n < c->lines[i].count; n++) {
			widen(x, c->lines[i].x[n]);
			widen(y, c->lines[i].y[n]);
		}
	if (y->is_log) {
		y->min = floor(y->min);
		y->max = ceil(y->max);
	} else {
		double step = round_step(y->max / STEPS + 1e-9);

		y->max = ceil(y->max / step) * step;
	}
	x->max = x->max > x->min ? x->max : x->min + 1;
	y->max = y->max > y->min ? y->max : y->min + 1;
}

static void rule_y(FILE *out, const struct scale *y, double value)
{
	double at = on_scale(y, value);

	(void)fprintf(
		out,
		"<line x1=\"%g\" y1=\"%.1f\" x2=\"%g\" y2=\"%.1f\" "
		"stroke=\"#ddd\"/>\n"
		"<text x=\"%g\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n",
		LEFT, at, WIDTH - RIGHT, at, LEFT - 6, at + 4, value);
}

static void rules(FILE *out, const struct bench_chart *c, const struct scale *x,
		  const struct scale *y)
{
	double v, step;
	unsigned i;

	if (y->is_log) {
		for (v = y->min; v <= y->max; v++)
			rule_y(out, y, pow(10, v));
	} else {
		step = round_step(y->max / STEPS);
		for (v = 0; v <= y->max; v += step)
			rule_y(out, y, v);
	}
	for (i = 0; i < c->x_ticks_count; i++) {
		v = on_scale(x, c->x_ticks[i].at);
		if (v < LEFT - 1 || v > WIDTH - RIGHT + 1)
			continue;
		(void)fprintf(out,
			      "<line x1=\"%.1f\" y1=\"%g\" x2=\"%.1f\" "
			      "y2=\"%g\" stroke=\"#ddd\"/>\n"
			      "<text x=\"%.1f\" y=\"%g\" "
			      "text-anchor=\"middle\">%s</text>\n",
			      v, TOP, v, HEIGHT - BOTTOM, v,
			      HEIGHT - BOTTOM + 18, c->x_ticks[i].text);
	}
}

static void line(FILE *out, const struct bench_line *l, unsigned nth,
		 const struct scale *x, const struct scale *y)
{
	const char *colour = colours[nth % COLOURS];
	const char *dash = l->dashed ? " stroke-dasharray=\"5 4\"" : "";
	double at = TOP + 8 + 19 * nth;
	unsigned i;

	(void)fprintf(out,
		      "<polyline fill=\"none\" stroke=\"%s\" "
		      "stroke-width=\"2\"%s points=\"",
		      colour, dash);
	for (i = 0; i < l->count; i++)
		(void)fprintf(out, "%.1f,%.1f ", on_scale(x, l->x[i]),
			      on_scale(y, l->y[i]));
	(void)fprintf(out,
		      "\"/>\n<line x1=\"%g\" y1=\"%g\" x2=\"%g\" y2=\"%g\" "
		      "stroke=\"%s\" stroke-width=\"2\"%s/>\n"
		      "<text x=\"%g\" y=\"%g\">%s</text>\n",
		      WIDTH - RIGHT + 12, at, WIDTH - RIGHT + 36, at, colour,
		      dash, WIDTH - RIGHT + 42, at + 4, l->name);
}

void bench_chart_draw(FILE *out, const struct bench_chart *c)
{
	struct scale x, y;
	unsigned i;

	make_scales(c, &x, &y);
	(void)fprintf(out,
		      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" "
		      "height=\"%g\" viewBox=\"0 0 %g %g\" "
		      "font-family=\"sans-serif\" font-size=\"12\">\n"
		      "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
		      "<text x=\"%g\" y=\"24\" font-size=\"15\">%s</text>\n",
		      WIDTH, HEIGHT, WIDTH, HEIGHT, LEFT, c->title);
	rules(out, c, &x, &y);
	(void)fprintf(out,
		      "<text x=\"%g\" y=\"%g\" text-anchor=\"middle\">%s</text>\n"
		      "<text transform=\"translate(18 %g) rotate(-90)\" "
		      "text-anchor=\"middle\">%s</text>\n",
		      (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 18, c->x_title,
		      (TOP + HEIGHT - BOTTOM) / 2, c->y_title);
	for (i = 0; i < c->count; i++)
		line(out, &c->lines[i], i, &x, &y);
	(void)fputs("</svg>\n", out);
}
