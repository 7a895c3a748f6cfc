/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top-table.c - `tmem top`'s lines: a domain each, in columns.
 *
 * Columns have a rank: a narrow terminal drops those of the highest, a wide one
 * gives what is left to names, and then to the last minutes of each line.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "quote.h"
#include "short-number.h"
#include "top-draw.h"

/* The widest name. */
#define NAME_MOST 30

static void cell_lent(const struct top_domain *d, char buf[SHORT_MAX])
{
	(void)short_size(d->lent_bytes, buf);
}

static void cell_entitled(const struct top_domain *d, char buf[SHORT_MAX])
{
	(void)short_size((double)d->now.entitled_bytes, buf);
}

static void cell_share(const struct top_domain *d, char buf[SHORT_MAX])
{
	if (d->share_pct < 0)
		(void)snprintf(buf, SHORT_MAX, "-");
	else
		(void)snprintf(buf, SHORT_MAX,
			       d->share_pct < 9999 ? "%.0f" : ">9999",
			       d->share_pct);
}

static void cell_ratio(const struct top_domain *d, char buf[SHORT_MAX])
{
	if (d->ratio < 0)
		(void)snprintf(buf, SHORT_MAX, "-");
	else
		(void)snprintf(buf, SHORT_MAX,
			       d->ratio < 99.995 ? "%.2f" : "%.0f",
			       d->ratio < 99999 ? d->ratio : 99999);
}

static void cell_hits(const struct top_domain *d, char buf[SHORT_MAX])
{
	(void)short_percent(d->hits_pct, buf);
}

static void cell_ops(const struct top_domain *d, char buf[SHORT_MAX])
{
	(void)short_count(d->ops, buf);
}

static void cell_ghosts(const struct top_domain *d, char buf[SHORT_MAX])
{
	(void)short_count(d->ghosts, buf);
}

static void cell_evictions(const struct top_domain *d, char buf[SHORT_MAX])
{
	(void)short_count(d->evictions, buf);
}

static void cell_agers(const struct top_domain *d, char buf[SHORT_MAX])
{
	(void)short_percent(d->agers_pct, buf);
}

/** struct column - @rank: those of the highest go first; @cell: NULL: the name,
 * the forms. */
struct column {
	const char *name; /* for --sort */
	const char *title;
	int width;
	int rank;
	enum top_sort sort; /* TOP_SORTS: not by this */
	void (*cell)(const struct top_domain *d, char buf[SHORT_MAX]);
};

static const struct column columns[] = {
	{ "name", "DOMAIN", 12, 0, TOP_BY_NAME, NULL },
	{ "lent", "LENT", 6, 0, TOP_BY_LENT, cell_lent },
	{ "entitled", "ENTITL", 6, 1, TOP_BY_ENTITLED, cell_entitled },
	{ "share", "OF%", 5, 3, TOP_BY_SHARE, cell_share },
	{ "", "FORMS", 8, 5, TOP_SORTS, NULL },
	{ "ratio", "RATIO", 5, 4, TOP_BY_RATIO, cell_ratio },
	{ "hits", "HIT%", 5, 1, TOP_BY_HITS, cell_hits },
	{ "ops", "OPS/s", 5, 0, TOP_BY_OPS, cell_ops },
	{ "ghosts", "GHO/s", 5, 6, TOP_BY_GHOSTS, cell_ghosts },
	{ "evictions", "EVI/s", 5, 2, TOP_BY_EVICTIONS, cell_evictions },
	{ "agers", "AGER%", 5, 7, TOP_BY_AGERS, cell_agers },
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))
#define RANKS 8

int top_sort_find(const char *name)
{
	size_t i;

	for (i = 0; i < COLUMNS; i++)
		if (*columns[i].name && !strcmp(columns[i].name, name))
			return (int)columns[i].sort;
	return -ENOENT;
}

/** struct layout - what fits: columns up to a rank, the name's width, bars. */
struct layout {
	int rank, name, spark;
};

/* A mark and a blank before each, the name's own included. */
static int width_of(int rank)
{
	size_t i;
	int sum = 0;

	for (i = 0; i < COLUMNS; i++)
		if (columns[i].rank <= rank)
			sum += columns[i].width + 1;
	return sum;
}

static struct layout lay_out(void)
{
	struct layout l = { .rank = RANKS };
	int spare;

	while (l.rank > 0 && width_of(l.rank) > COLS)
		l.rank--;
	spare = COLS - width_of(l.rank);
	l.name = columns[0].width;
	if (spare > 0) {
		int more = spare < NAME_MOST - l.name ? spare
						      : NAME_MOST - l.name;

		/* Half of what is left over, while bars have any use. */
		more = spare > 24 ? more : spare > 12 ? spare - 12 : spare;
		if (more > NAME_MOST - l.name)
			more = NAME_MOST - l.name;
		l.name += more;
		spare -= more;
	}
	l.spark = spare > 8 ? spare - 1 : 0;
	if (l.spark > TOP_SPARK_MOST)
		l.spark = TOP_SPARK_MOST;
	return l;
}

static void draw_titles(const struct top_model *m, int y, struct layout l)
{
	size_t i;
	int x = 0;

	(void)attron(A_REVERSE);
	(void)mvhline(y, 0, ' ', COLS);
	for (i = 0; i < COLUMNS; i++) {
		const struct column *c = &columns[i];
		int width = i ? c->width : l.name;

		if (c->rank > l.rank)
			continue;
		if (c->sort == m->sort)
			(void)attron(A_BOLD | A_UNDERLINE);
		(void)top_put(y, x + 1 + !i, !i ? "%-*s" : "%*s", width - !i,
			      c->title);
		(void)attroff(A_BOLD | A_UNDERLINE);
		x += width + 1;
	}
	if (l.spark)
		(void)top_put(y, x + 1, "%s", "OPS/s, LAST MINUTES");
	(void)attroff(A_REVERSE);
}

/* A cell a form, in proportion to the pages; nothing if there are none. */
static void draw_forms(const struct top_screen *s, const struct top_domain *d,
		       int y, int x, int width)
{
	const struct tmem_wire_figures *f = &d->now.claimed;
	const struct {
		uint64_t pages;
		int pair;
		char mark;
	} forms[] = { { f->pages_same, PAIR_SAME, 's' },
		      { f->pages_raw, PAIR_RAW, 'r' },
		      { f->pages_packed, PAIR_PACKED, 'p' },
		      { f->pages_dense, PAIR_DENSE, 'd' } };
	double sum = 0, upto = 0;
	int at = 0, to;
	size_t i;

	for (i = 0; i < 4; i++)
		sum += (double)forms[i].pages;
	for (i = 0; i < 4 && sum > 0; i++) {
		upto += (double)forms[i].pages;
		to = (int)(upto / sum * width + 0.5);
		top_paint(s, forms[i].pair, 1);
		for (; at < to; at++)
			if (x + at < COLS)
				(void)mvaddch(y, x + at, (chtype)forms[i].mark);
		top_paint(s, forms[i].pair, 0);
	}
}

/* 'F' frozen, '!' it asked and there is nothing for it, '?' a session is silent. */
static char mark_of(const struct top_domain *d)
{
	if (d->now.flags & TMEM_WIRE_FROZEN)
		return 'F';
	if (d->now.reported < d->now.sessions)
		return '?';
	return d->now.asked_bytes ? '!' : ' ';
}

static void draw_row(const struct top_screen *s, const struct top_domain *d,
		     int y, struct layout l, int selected)
{
	char name[QUOTE_MAX], cell[SHORT_MAX];
	size_t i;
	int x = 0;

	if (selected)
		(void)attron(A_BOLD);
	(void)quote_text(d->now.name, name, sizeof(name));
	if (d->now.flags & TMEM_WIRE_FROZEN)
		top_paint(s, PAIR_FROZEN, 1);
	(void)top_put(y, 0, "%c%c%-*.*s", selected ? '>' : ' ', mark_of(d),
		      l.name - 1, l.name - 1, name);
	top_paint(s, PAIR_FROZEN, 0);
	for (i = 0; i < COLUMNS; i++) {
		const struct column *c = &columns[i];

		if (c->rank > l.rank)
			continue;
		if (c->cell) {
			c->cell(d, cell);
			if (c->sort == TOP_BY_SHARE && d->share_pct > 100.5)
				top_paint(s, PAIR_OVER, 1);
			(void)top_put(y, x + 1, "%*s", c->width, cell);
			top_paint(s, PAIR_OVER, 0);
		} else if (i) {
			draw_forms(s, d, y, x + 1, c->width);
		}
		x += (i ? c->width : l.name) + 1;
	}
	if (l.spark)
		top_bars(s, d->history[TOP_OPS], d->samples, -1, y, x + 1,
			 l.spark);
	(void)attroff(A_BOLD);
}

const char *top_table_order(const struct top_model *m)
{
	size_t i;

	for (i = 0; columns[i].sort != m->sort; i++)
		;
	return columns[i].name;
}

void top_table_draw(const struct top_screen *s, const struct top_model *m,
		    int y, int rows)
{
	const size_t at = top_model_selected(m);
	const struct layout l = lay_out();
	size_t first = 0, i;

	draw_titles(m, y, l);
	if (rows > 0 && at >= (size_t)rows)
		first = at - (size_t)rows + 1;
	for (i = first; i < m->shown_count && (int)(i - first) < rows; i++)
		draw_row(s, m->shown[i], y + 1 + (int)(i - first), l, i == at);
}
