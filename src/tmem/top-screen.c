/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top-screen.c - `tmem top` on a terminal: drawn, and its keys.
 *
 *	tmem top - up 1:02:03, utility, 2 domains, 3 sessions            12:00:00
 *	lent 1.2G of 2G [########----------]  freeable 900M  available 20G, floor 2G
 *	PSI some 0.00% full 0.00%  budget quiet, grown 3, shrunk 1  tmemd 0.3% CPU
 *
 *	 DOMAIN  LENT  ENTITL ...		a line a domain
 *
 *	the selected domain: settings, pages, last minutes	if there is room
 *	keys
 *
 * Columns have a rank: a narrow terminal drops those of the highest, a wide one
 * gives what is left to the last minutes of each line.
 */
#define NCURSES_NOMACROS 1
#define NCURSES_WIDECHAR 1
#include "top-screen.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "overview.h"
#include "parse.h"
#include "quote.h"
#include "spark.h"

/* Lines of the selected domain, and the least that the table is left with. */
#define PANEL_LINES 7
#define TABLE_LEAST 4
#define HEAD_LINES 4

/* The widest name, and the widest line of bars. */
#define NAME_MOST 30
#define SPARK_MOST 120

enum {
	PAIR_OVER = 1, /* more than it is entitled to; trouble */
	PAIR_FROZEN,
	PAIR_SAME,
	PAIR_RAW,
	PAIR_PACKED,
	PAIR_DENSE,
	PAIR_SPARK
};

/* ---- Numbers ------------------------------------------------------------- */

#define CELL_MAX 32

/* At most five characters: 999, 9999, 12.3k, 123k, 1.2M. */
static const char *short_count(double value, char buf[CELL_MAX])
{
	static const char units[] = "kMGTPE";
	int unit = -1;

	if (value < 0) {
		(void)snprintf(buf, CELL_MAX, "-");
		return buf;
	}
	while (value >= 9999.5 || (unit >= 0 && value >= 999.5)) {
		value /= 1000;
		unit++;
		if (!units[unit + 1])
			break;
	}
	if (unit < 0)
		(void)snprintf(buf, CELL_MAX, "%.0f", value);
	else
		(void)snprintf(buf, CELL_MAX,
			       value < 99.95 ? "%.1f%c" : "%.0f%c", value,
			       units[unit]);
	return buf;
}

/* At most five characters: 0, 1023K, 99.9M, 512M. */
static const char *short_size(double bytes, char buf[CELL_MAX])
{
	static const char *const units[] = { "", "K", "M", "G", "T", "P", "E" };
	int unit = 0;

	while (bytes >= 1023.5 && unit < 6) {
		bytes /= 1024;
		unit++;
	}
	(void)snprintf(buf, CELL_MAX,
		       unit && bytes < 99.95 ? "%.1f%s" : "%.0f%s", bytes,
		       units[unit]);
	return buf;
}

static const char *short_percent(double pct, char buf[CELL_MAX])
{
	if (pct < 0)
		(void)snprintf(buf, CELL_MAX, "-");
	else if (pct < 99.95)
		(void)snprintf(buf, CELL_MAX, "%.1f", pct);
	else
		(void)snprintf(buf, CELL_MAX, pct < 9999 ? "%.0f" : ">9999",
			       pct);
	return buf;
}

/* ---- The terminal -------------------------------------------------------- */

static void init_colors(struct top_screen *s)
{
	static const short colors[][2] = {
		{ PAIR_OVER, COLOR_YELLOW },   { PAIR_FROZEN, COLOR_CYAN },
		{ PAIR_SAME, COLOR_WHITE },    { PAIR_RAW, COLOR_RED },
		{ PAIR_PACKED, COLOR_YELLOW }, { PAIR_DENSE, COLOR_GREEN },
		{ PAIR_SPARK, COLOR_CYAN },
	};
	const char *no = getenv("NO_COLOR");
	size_t i;

	s->colors = has_colors() && !(no && *no) && start_color() == OK &&
		    use_default_colors() == OK;
	for (i = 0; s->colors && i < sizeof(colors) / sizeof(colors[0]); i++)
		(void)init_pair(colors[i][0], colors[i][1], -1);
}

int top_screen_open(struct top_screen *s)
{
	memset(s, 0, sizeof(*s));
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return -ENOTTY;
	/* The command as a whole speaks one language; only characters count. */
	(void)setlocale(LC_CTYPE, "");
	s->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	s->terminal = newterm(NULL, stdout, stdin);
	if (!s->terminal)
		return -ENOTTY;
	(void)set_term(s->terminal);
	(void)cbreak();
	(void)noecho();
	(void)nonl();
	(void)curs_set(0);
	(void)keypad(stdscr, TRUE);
	(void)nodelay(stdscr, TRUE);
	(void)set_escdelay(25);
	init_colors(s);
	return 0;
}

void top_screen_close(struct top_screen *s)
{
	if (!s->terminal)
		return;
	(void)endwin();
	delscreen(s->terminal);
	s->terminal = NULL;
}

/* ---- Drawing ------------------------------------------------------------- */

/* Within the line, from a column on; returns the column behind. */
static int put_at(int y, int x, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int put_at(int y, int x, const char *format, ...)
{
	char text[512];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len > COLS - x)
		len = COLS - x;
	if (y < LINES && len > 0)
		(void)mvaddnstr(y, x, text, len);
	return x + (len > 0 ? len : 0);
}

static void paint(const struct top_screen *s, int pair, int on)
{
	if (s->colors)
		(void)(on ? attron(COLOR_PAIR(pair))
			  : attroff(COLOR_PAIR(pair)));
}

static void put_bar(int y, int x, int width, double share)
{
	int full = (int)(share * width + 0.5), i;

	if (width < 1 || x + width + 2 > COLS)
		return;
	(void)mvaddch(y, x, '[');
	for (i = 0; i < width; i++)
		(void)addch(i < full ? '#' : '-');
	(void)addch(']');
}

static const char *up_text(uint64_t ns, char buf[CELL_MAX])
{
	uint64_t s = ns / TMEM_NS_PER_SEC;

	if (s >= 86400)
		(void)snprintf(buf, CELL_MAX, "%" PRIu64 "d %02u:%02u",
			       s / 86400, (unsigned)(s / 3600 % 24),
			       (unsigned)(s / 60 % 60));
	else
		(void)snprintf(buf, CELL_MAX, "%u:%02u:%02u",
			       (unsigned)(s / 3600), (unsigned)(s / 60 % 60),
			       (unsigned)(s % 60));
	return buf;
}

static const char *psi_text(uint32_t hundredths, char buf[CELL_MAX])
{
	if (hundredths == UINT32_MAX)
		(void)snprintf(buf, CELL_MAX, "-");
	else
		(void)snprintf(buf, CELL_MAX, "%.2f%%",
			       (double)hundredths / 100);
	return buf;
}

static void draw_head(const struct top_screen *s, const struct top_model *m)
{
	const struct tmem_wire_status_reply *st = &m->status;
	char a[CELL_MAX], b[CELL_MAX], c[CELL_MAX], clock[CELL_MAX];
	time_t now = time(NULL);
	struct tm tm;
	int x;

	(void)strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &tm));
	x = put_at(0, 0,
		   "tmem top - up %s, %.*s, %" PRIu64 " domain%s, %" PRIu64
		   " session%s%s%s",
		   up_text(st->up_ns, a), (int)sizeof(st->policy), st->policy,
		   st->domains, st->domains == 1 ? "" : "s", st->sessions,
		   st->sessions == 1 ? "" : "s",
		   st->flags & TMEM_WIRE_FROZEN ? ", frozen" : "",
		   s->paused ? ", paused" : "");
	if (x < COLS - 9)
		(void)put_at(0, COLS - 8, "%s", clock);
	x = put_at(1, 0, "lent %s of %s ",
		   short_size((double)m->sum.lent_bytes, a),
		   short_size((double)st->budget_bytes, b));
	put_bar(1, x, 16,
		st->budget_bytes
			? (double)m->sum.lent_bytes / (double)st->budget_bytes
			: 0);
	x = put_at(1, x + 19, "freeable %s",
		   short_size((double)st->freeable_bytes, c));
	if (st->available_bytes != UINT64_MAX)
		(void)put_at(1, x, "  avail %s, floor %s",
			     short_size((double)st->available_bytes, a),
			     short_size((double)st->floor_bytes, b));
	if (st->psi.some_avg10 && st->psi.some_avg10 != UINT32_MAX)
		paint(s, PAIR_OVER, 1);
	x = put_at(2, 0, "PSI some %s full %s", psi_text(st->psi.some_avg10, a),
		   psi_text(st->psi.full_avg10, b));
	paint(s, PAIR_OVER, 0);
	(void)put_at(2, x, "  budget: %s, +%s -%s  tmemd %s%%  agers %s%%",
		     tmem_wire_budget_reason(st->budget_reason),
		     short_count((double)st->budget_grown, a),
		     short_count((double)st->budget_shrunk, b),
		     short_percent(m->sum.daemon_pct, c),
		     short_percent(m->sum.agers_pct, clock));
}

/* ---- The table ----------------------------------------------------------- */

static void cell_lent(const struct top_domain *d, char buf[CELL_MAX])
{
	(void)short_size(d->lent_bytes, buf);
}

static void cell_entitled(const struct top_domain *d, char buf[CELL_MAX])
{
	(void)short_size((double)d->now.entitled_bytes, buf);
}

static void cell_share(const struct top_domain *d, char buf[CELL_MAX])
{
	if (d->share_pct < 0)
		(void)snprintf(buf, CELL_MAX, "-");
	else
		(void)snprintf(buf, CELL_MAX,
			       d->share_pct < 9999 ? "%.0f" : ">9999",
			       d->share_pct);
}

static void cell_ratio(const struct top_domain *d, char buf[CELL_MAX])
{
	if (d->ratio < 0)
		(void)snprintf(buf, CELL_MAX, "-");
	else
		(void)snprintf(buf, CELL_MAX,
			       d->ratio < 99.995 ? "%.2f" : "%.0f",
			       d->ratio < 99999 ? d->ratio : 99999);
}

static void cell_hits(const struct top_domain *d, char buf[CELL_MAX])
{
	(void)short_percent(d->hits_pct, buf);
}

static void cell_ops(const struct top_domain *d, char buf[CELL_MAX])
{
	(void)short_count(d->ops, buf);
}

static void cell_ghosts(const struct top_domain *d, char buf[CELL_MAX])
{
	(void)short_count(d->ghosts, buf);
}

static void cell_evictions(const struct top_domain *d, char buf[CELL_MAX])
{
	(void)short_count(d->evictions, buf);
}

static void cell_agers(const struct top_domain *d, char buf[CELL_MAX])
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
	void (*cell)(const struct top_domain *d, char buf[CELL_MAX]);
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
	if (l.spark > SPARK_MOST)
		l.spark = SPARK_MOST;
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
		(void)put_at(y, x + 1 + !i, !i ? "%-*s" : "%*s", width - !i,
			     c->title);
		(void)attroff(A_BOLD | A_UNDERLINE);
		x += width + 1;
	}
	if (l.spark)
		(void)put_at(y, x + 1, "%s", "OPS/s, LAST MINUTES");
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
		paint(s, forms[i].pair, 1);
		for (; at < to; at++)
			if (x + at < COLS)
				(void)mvaddch(y, x + at, (chtype)forms[i].mark);
		paint(s, forms[i].pair, 0);
	}
}

static void draw_spark(const struct top_screen *s, const float *values,
		       size_t count, float most, int y, int x, int width)
{
	char bars[SPARK_MOST * SPARK_CELL_MAX + 1];
	size_t newest = (size_t)width;

	if (width < 1 || x + width > COLS)
		return;
	/* In a line, a bar a refresh: older ones fall off its left end. */
	if (count > newest && most < 0) {
		values += count - newest;
		count = newest;
	}
	(void)spark_line(values, count, most < 0 ? 0 : most, newest, s->utf8,
			 bars);
	paint(s, PAIR_SPARK, 1);
	(void)mvaddstr(y, x, bars);
	paint(s, PAIR_SPARK, 0);
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
	char name[QUOTE_MAX], cell[CELL_MAX];
	size_t i;
	int x = 0;

	if (selected)
		(void)attron(A_BOLD);
	(void)quote_text(d->now.name, name, sizeof(name));
	if (d->now.flags & TMEM_WIRE_FROZEN)
		paint(s, PAIR_FROZEN, 1);
	(void)put_at(y, 0, "%c%c%-*.*s", selected ? '>' : ' ', mark_of(d),
		     l.name - 1, l.name - 1, name);
	paint(s, PAIR_FROZEN, 0);
	for (i = 0; i < COLUMNS; i++) {
		const struct column *c = &columns[i];

		if (c->rank > l.rank)
			continue;
		if (c->cell) {
			c->cell(d, cell);
			if (c->sort == TOP_BY_SHARE && d->share_pct > 100.5)
				paint(s, PAIR_OVER, 1);
			(void)put_at(y, x + 1, "%*s", c->width, cell);
			paint(s, PAIR_OVER, 0);
		} else if (i) {
			draw_forms(s, d, y, x + 1, c->width);
		}
		x += (i ? c->width : l.name) + 1;
	}
	if (l.spark)
		draw_spark(s, d->history[TOP_OPS], d->samples, -1, y, x + 1,
			   l.spark);
	(void)attroff(A_BOLD);
}

/* ---- The selected domain ------------------------------------------------- */

static void draw_history(const struct top_screen *s, const struct top_domain *d,
			 int which, float most, const char *what,
			 const char *now, int y)
{
	int width = COLS - 25 < SPARK_MOST ? COLS - 25 : SPARK_MOST;

	(void)put_at(y, 1, "%-5s", what);
	draw_spark(s, d->history[which], d->samples, most, y, 7, width);
	(void)put_at(y, 8 + (width > 0 ? width : 0), "%s", now);
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
	char name[QUOTE_MAX], a[CELL_MAX], b[CELL_MAX], c[CELL_MAX], e[CELL_MAX];

	(void)put_at(y, 1,
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
	char t[4][CELL_MAX];
	int x;

	x = put_at(y, 1, "pages %s eph %s pers ",
		   short_count((double)f->pages_ephemeral, t[0]),
		   short_count((double)f->pages_persistent, t[1]));
	x = put_at(y, x, "(s %s r %s p %s d %s)",
		   short_count((double)f->pages_same, t[0]),
		   short_count((double)f->pages_raw, t[1]),
		   short_count((double)f->pages_packed, t[2]),
		   short_count((double)f->pages_dense, t[3]));
	(void)put_at(y, x, "; refused %s of %s puts",
		     short_count((double)refused, t[0]),
		     short_count((double)f->puts, t[1]));
}

static void draw_panel(const struct top_screen *s, const struct top_domain *d,
		       int y)
{
	const float ops = highest(d->history[TOP_OPS], d->samples);
	const float lent = highest(d->history[TOP_LENT], d->samples);
	char a[CELL_MAX], b[CELL_MAX], text[3 * CELL_MAX];

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

/* ---- All of it ----------------------------------------------------------- */

static const char *const help_lines[] = {
	"q           quit",
	"?           this help, and back",
	"up down     select a domain (also j k, PgUp PgDn, Home End)",
	"< >         sort by the column to the left, to the right",
	"r           sort the other way round",
	"/           show domains with this in their name; Enter keeps, Esc "
	"clears",
	"space       pause, and go on",
	"",
	"LENT ENTITL bytes lent, and that it is entitled to; OF% the one of the "
	"other",
	"FORMS       pages by form: s same-filled, r raw, p packed, d dense",
	"RATIO       bytes of its pages to memory used;  HIT% hits of gets",
	"GHO/s EVI/s ghost hits (would have hit with more memory), evictions",
	"AGER%       of a core, for packing and cleaning",
	"before a name: F frozen, ! waits for memory, ? a session does not say",
};

static void draw_help(void)
{
	size_t i;

	(void)put_at(0, 0, "tmem top - keys and columns");
	for (i = 0; i < sizeof(help_lines) / sizeof(help_lines[0]); i++)
		(void)put_at((int)i + 2, 1, "%s", help_lines[i]);
}

static void draw_foot(const struct top_screen *s, const struct top_model *m)
{
	char name[QUOTE_MAX];

	if (s->filtering)
		(void)put_at(LINES - 1, 0, "filter: %s_",
			     quote_text(m->filter, name, sizeof(name)));
	else if (m->filter[0])
		(void)put_at(LINES - 1, 0,
			     "q quit  ? help  filter \"%s\": %zu of %zu (/ Esc "
			     "clears)",
			     quote_text(m->filter, name, sizeof(name)),
			     m->shown_count, m->count);
	else
		(void)put_at(LINES - 1, 0,
			     "q quit  ? help  up/down select  < > sort  r "
			     "reverse  / filter  space pause");
}

static void draw_table(const struct top_screen *s, const struct top_model *m)
{
	const size_t at = top_model_selected(m);
	struct layout l = lay_out();
	int rows = LINES - HEAD_LINES - 2, panel = 0;
	size_t first = 0, i;

	if (rows - PANEL_LINES >= TABLE_LEAST - 1 && m->shown_count) {
		panel = 1;
		rows -= PANEL_LINES - 1;
	}
	draw_titles(m, HEAD_LINES, l);
	if (rows > 0 && at >= (size_t)rows)
		first = at - (size_t)rows + 1;
	for (i = first; i < m->shown_count && (int)(i - first) < rows; i++)
		draw_row(s, m->shown[i], HEAD_LINES + 1 + (int)(i - first), l,
			 i == at);
	if (!m->shown_count && m->taken_ns && rows > 0)
		(void)put_at(HEAD_LINES + 1, 1,
			     m->count ? "no domain has \"%s\" in its name"
				      : "no domains: nobody uses this daemon "
					"yet%s",
			     m->count ? m->filter : "");
	if (panel)
		draw_panel(s, m->shown[at], LINES - PANEL_LINES);
}

void top_screen_draw(const struct top_screen *s, const struct top_model *m,
		     const char *socket, const char *trouble)
{
	char text[QUOTE_MAX];

	(void)erase();
	if (s->help) {
		draw_help();
	} else if (!m->taken_ns) {
		(void)put_at(0, 0, "tmem top - %s",
			     quote_text(socket, text, sizeof(text)));
	} else {
		draw_head(s, m);
		draw_table(s, m);
	}
	if (*trouble) {
		paint(s, PAIR_OVER, 1);
		(void)attron(A_BOLD);
		(void)put_at(s->help ? LINES - 2 : 3, 0, "%s",
			     quote_text(trouble, text, sizeof(text)));
		(void)attroff(A_BOLD);
		paint(s, PAIR_OVER, 0);
	}
	draw_foot(s, m);
	(void)refresh();
}

/* ---- Keys ---------------------------------------------------------------- */

static void take_filter(struct top_screen *s, struct top_model *m, int key)
{
	size_t len = strlen(m->filter);

	switch (key) {
	case '\r':
	case '\n':
	case KEY_ENTER:
		s->filtering = 0;
		return;
	case 27: /* Esc */
		s->filtering = 0;
		m->filter[0] = 0;
		break;
	case KEY_BACKSPACE:
	case 127:
	case '\b':
		if (len)
			m->filter[len - 1] = 0;
		break;
	default:
		if (key >= ' ' && key <= '~' && len + 1 < sizeof(m->filter)) {
			m->filter[len] = (char)key;
			m->filter[len + 1] = 0;
		}
	}
	top_model_arrange(m);
}

/* The next column that can be sorted by. */
static void move_sort(struct top_model *m, int step)
{
	m->sort = (enum top_sort)(((int)m->sort + step + TOP_SORTS) % TOP_SORTS);
	top_model_arrange(m);
}

static int move_selection(struct top_model *m, int key)
{
	const long page = LINES > 8 ? LINES / 2 : 1;
	long lines;

	switch (key) {
	case KEY_UP:
	case 'k':
		lines = -1;
		break;
	case KEY_DOWN:
	case 'j':
		lines = 1;
		break;
	case KEY_PPAGE:
		lines = -page;
		break;
	case KEY_NPAGE:
		lines = page;
		break;
	case KEY_HOME:
	case 'g':
		lines = -(long)m->shown_count;
		break;
	case KEY_END:
	case 'G':
		lines = (long)m->shown_count;
		break;
	default:
		return 0;
	}
	top_model_select(m, lines);
	return 1;
}

static enum top_wish take_key(struct top_screen *s, struct top_model *m, int key)
{
	if (move_selection(m, key))
		return TOP_NOTHING;
	switch (key) {
	case 'q':
		return TOP_QUIT;
	case '?':
	case 'h':
		s->help = !s->help;
		return TOP_NOTHING;
	case 27:
		s->help = 0;
		m->filter[0] = 0;
		top_model_arrange(m);
		return TOP_NOTHING;
	case '/':
		s->filtering = 1;
		return TOP_NOTHING;
	case ' ':
		s->paused = !s->paused;
		return s->paused ? TOP_NOTHING : TOP_REFRESH;
	case 'r':
		m->reverse = !m->reverse;
		top_model_arrange(m);
		return TOP_NOTHING;
	case '<':
	case KEY_LEFT:
		move_sort(m, -1);
		return TOP_NOTHING;
	case '>':
	case KEY_RIGHT:
		move_sort(m, 1);
		return TOP_NOTHING;
	default: /* a new size among them */
		return TOP_NOTHING;
	}
}

enum top_wish top_screen_key(struct top_screen *s, struct top_model *m)
{
	int key = getch();

	if (key == ERR)
		return TOP_NO_KEY;
	if (!s->filtering || key == KEY_RESIZE)
		return take_key(s, m, key);
	take_filter(s, m, key);
	return TOP_NOTHING;
}
