/* SPDX-License-Identifier: BSD-2-Clause */
/* top-panel.c - `tmem top`'s last lines: the selected domain, and its last
 * minutes. */
#include <inttypes.h>
#include <stdio.h>

#include "quote.h"
#include "short-number.h"
#include "top-draw.h"

static void draw_history(const struct top_screen *s, const struct top_domain *d,
			 int which, float most, const char *what,
			 const char *now, int y)
{
	int width = COLS - 25 < TOP_SPARK_MOST ? COLS - 25 : TOP_SPARK_MOST;

	(void)top_put(y, 1, "%-5s", what);
	top_bars(s, d->history[which], d->samples, most, y, 7, width);
	(void)top_put(y, 8 + (width > 0 ? width : 0), "%s", now);
}

static float highest(const float *values, size_t count)
{
	float most = 0;
	size_t i;

	for (i = 0; i < count; i++)
		if (values[i] > most)
			most = values[i];
	return most;
}

static void draw_settings(const struct top_domain *d, int y)
{
	const struct tmem_wire_domain *w = &d->now;
	char name[QUOTE_MAX], a[SHORT_MAX], b[SHORT_MAX], c[SHORT_MAX],
		e[SHORT_MAX];

	(void)top_put(y, 1,
		      "%s: %" PRIu32 " session%s, weight %" PRIu32
		      ", min %s, cap %s, persistent %s, free %s%s",
		      quote_text(w->name, name, sizeof(name)), w->sessions,
		      w->sessions == 1 ? "" : "s", w->weight,
		      short_size((double)w->min_bytes, a),
		      short_size((double)w->cap_bytes, b),
		      short_size((double)w->persistent_bytes, c),
		      short_size((double)w->freeable_bytes, e),
		      w->flags & TMEM_WIRE_FROZEN ? ", frozen" : "");
}

static void draw_pages(const struct top_domain *d, int y)
{
	const struct tmem_wire_figures *f = &d->now.claimed;
	const uint64_t refused = f->refused_full + f->refused_quota +
				 f->refused_frozen + f->refused_nomem;
	char t[4][SHORT_MAX];
	int x;

	x = top_put(y, 1, "pages %s eph %s pers ",
		    short_count((double)f->pages_ephemeral, t[0]),
		    short_count((double)f->pages_persistent, t[1]));
	x = top_put(y, x, "(s %s r %s p %s d %s)",
		    short_count((double)f->pages_same, t[0]),
		    short_count((double)f->pages_raw, t[1]),
		    short_count((double)f->pages_packed, t[2]),
		    short_count((double)f->pages_dense, t[3]));
	(void)top_put(y, x, "; refused %s of %s puts",
		      short_count((double)refused, t[0]),
		      short_count((double)f->puts, t[1]));
}

void top_panel_draw(const struct top_screen *s, const struct top_domain *d,
		    int y)
{
	const float ops = highest(d->history[TOP_OPS], d->samples);
	const float lent = highest(d->history[TOP_LENT], d->samples);
	char a[SHORT_MAX], b[SHORT_MAX], text[3 * SHORT_MAX];

	(void)mvhline(y, 0, s->utf8 ? ACS_HLINE : '-', COLS);
	draw_settings(d, y + 1);
	draw_pages(d, y + 2);
	(void)snprintf(text, sizeof(text), "%s, top %s", short_count(d->ops, a),
		       short_count(ops, b));
	draw_history(s, d, TOP_OPS, ops, "ops/s", text, y + 3);
	(void)snprintf(text, sizeof(text), "%s", short_percent(d->hits_pct, a));
	draw_history(s, d, TOP_HITS, 100, "hit%", text, y + 4);
	(void)snprintf(text, sizeof(text), "%s, top %s",
		       short_size(d->lent_bytes, a), short_size(lent, b));
	draw_history(s, d, TOP_LENT, lent, "lent", text, y + 5);
}
