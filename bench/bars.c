/* SPDX-License-Identifier: BSD-2-Clause */
/* bars.c - groups of bars, as SVG. */
#include "bars.h"

#include <math.h>

/* The drawing, in its own units. */
#define WIDTH 760.0
#define HEIGHT 400.0
#define LEFT 64.0
#define RIGHT 16.0
#define TOP 66.0
#define BOTTOM 34.0

/* Of a group's width: the rest is between groups. */
#define FILLED 0.8

/* Colours that a printer and most eyes tell apart. */
static const char *const colours[BARS_SERIES] = { "#1f77b4", "#ff7f0e",
						  "#7f7f7f", "#2ca02c" };

static double height_of(const struct bars *b)
{
	double most = 10;
	unsigned s, g;

	for (s = 0; s < b->series_count; s++)
		for (g = 0; g < b->group_count; g++)
			most = fmax(most, b->times[s][g]);
	return ceil(log10(most));
}

/* Of a value, from the top. */
static double place(double times, double decades)
{
	return HEIGHT - BOTTOM -
	       log10(fmax(times, 1)) / decades * (HEIGHT - BOTTOM - TOP);
}

static void axis(FILE *out, const struct bars *b, double decades)
{
	double power;

	for (power = 0; power <= decades; power++) {
		double at = place(pow(10, power), decades);

		(void)fprintf(out,
			      "<line x1=\"%g\" y1=\"%.1f\" x2=\"%g\" "
			      "y2=\"%.1f\" stroke=\"%s\"/>\n"
			      "<text x=\"%g\" y=\"%.1f\" "
			      "text-anchor=\"end\">%g</text>\n",
			      LEFT, at, WIDTH - RIGHT, at,
			      power > 0 ? "#ddd" : "#555", LEFT - 6, at + 4,
			      pow(10, power));
	}
	(void)fprintf(out,
		      "<text transform=\"translate(18 %g) rotate(-90)\" "
		      "text-anchor=\"middle\">%s</text>\n",
		      (TOP + HEIGHT - BOTTOM) / 2, b->y_title);
}

static void group(FILE *out, const struct bars *b, unsigned g, double decades)
{
	const double width = (WIDTH - LEFT - RIGHT) / b->group_count;
	const double bar = width * FILLED / b->series_count;
	const double from = LEFT + width * (g + (1 - FILLED) / 2);
	unsigned s;

	for (s = 0; s < b->series_count; s++) {
		double times = b->times[s][g], top = place(times, decades);

		if (times <= 0)
			continue;
		(void)fprintf(out,
			      "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
			      "height=\"%.1f\" fill=\"%s\"/>\n"
			      "<text x=\"%.1f\" y=\"%.1f\" "
			      "text-anchor=\"middle\">%.*f</text>\n",
			      from + bar * s, top, bar - 3,
			      HEIGHT - BOTTOM - top, colours[s],
			      from + bar * (s + 0.5) - 1.5, top - 5,
			      times < 10 ? 1 : 0, times);
	}
	(void)fprintf(out,
		      "<text x=\"%.1f\" y=\"%g\" text-anchor=\"middle\" "
		      "font-size=\"13\">%s</text>\n",
		      LEFT + width * (g + 0.5), HEIGHT - BOTTOM + 20,
		      b->groups[g]);
}

static void legend(FILE *out, const struct bars *b)
{
	unsigned s;

	for (s = 0; s < b->series_count; s++)
		(void)fprintf(out,
			      "<rect x=\"%g\" y=\"36\" width=\"12\" "
			      "height=\"12\" fill=\"%s\"/>\n"
			      "<text x=\"%g\" y=\"47\">%s</text>\n",
			      LEFT + 100.0 * s, colours[s],
			      LEFT + 18 + 100.0 * s, b->series[s]);
}

void bars_draw(FILE *out, const struct bars *b)
{
	const double decades = height_of(b);
	unsigned g;

	(void)fprintf(out,
		      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" "
		      "height=\"%g\" viewBox=\"0 0 %g %g\" "
		      "font-family=\"sans-serif\" font-size=\"12\">\n"
		      "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
		      "<text x=\"%g\" y=\"24\" font-size=\"15\">%s</text>\n",
		      WIDTH, HEIGHT, WIDTH, HEIGHT, LEFT, b->title);
	legend(out, b);
	axis(out, b, decades);
	for (g = 0; g < b->group_count; g++)
		group(out, b, g, decades);
	(void)fputs("</svg>\n", out);
}
