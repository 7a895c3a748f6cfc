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
 */
#include "top-screen.h"

#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "quote.h"
#include "short-number.h"
#include "top-draw.h"

/* Above the table; and the least that the selected domain leaves of it. */
#define HEAD_LINES 4
#define TABLE_LEAST 3

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

static const char *up_text(uint64_t ns, char buf[SHORT_MAX])
{
	uint64_t s = ns / TMEM_NS_PER_SEC;

	if (s >= 86400)
		(void)snprintf(buf, SHORT_MAX, "%" PRIu64 "d %02u:%02u",
			       s / 86400, (unsigned)(s / 3600 % 24),
			       (unsigned)(s / 60 % 60));
	else
		(void)snprintf(buf, SHORT_MAX, "%u:%02u:%02u",
			       (unsigned)(s / 3600), (unsigned)(s / 60 % 60),
			       (unsigned)(s % 60));
	return buf;
}

static const char *psi_text(uint32_t hundredths, char buf[SHORT_MAX])
{
	if (hundredths == UINT32_MAX)
		(void)snprintf(buf, SHORT_MAX, "-");
	else
		(void)snprintf(buf, SHORT_MAX, "%.2f%%",
			       (double)hundredths / 100);
	return buf;
}

static void draw_head(const struct top_screen *s, const struct top_model *m)
{
	const struct tmem_wire_status_reply *st = &m->status;
	char a[SHORT_MAX], b[SHORT_MAX], c[SHORT_MAX], clock[SHORT_MAX];
	time_t now = time(NULL);
	struct tm tm;
	int x;

	(void)strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &tm));
	x = top_put(0, 0,
		    "tmem top - up %s, %.*s, %" PRIu64 " domain%s, %" PRIu64
		    " session%s%s%s",
		    up_text(st->up_ns, a), (int)sizeof(st->policy), st->policy,
		    st->domains, st->domains == 1 ? "" : "s", st->sessions,
		    st->sessions == 1 ? "" : "s",
		    st->flags & TMEM_WIRE_FROZEN ? ", frozen" : "",
		    s->paused ? ", paused" : "");
	if (x < COLS - 9)
		(void)top_put(0, COLS - 8, "%s", clock);
	x = top_put(1, 0, "lent %s of %s ",
		    short_size((double)m->sum.lent_bytes, a),
		    short_size((double)st->budget_bytes, b));
	put_bar(1, x, 16,
		st->budget_bytes
			? (double)m->sum.lent_bytes / (double)st->budget_bytes
			: 0);
	x = top_put(1, x + 19, "freeable %s",
		    short_size((double)st->freeable_bytes, c));
	if (st->available_bytes != UINT64_MAX)
		(void)top_put(1, x, "  avail %s, floor %s",
			      short_size((double)st->available_bytes, a),
			      short_size((double)st->floor_bytes, b));
	if (st->psi.some_avg10 && st->psi.some_avg10 != UINT32_MAX)
		top_paint(s, PAIR_OVER, 1);
	x = top_put(2, 0, "PSI some %s full %s", psi_text(st->psi.some_avg10, a),
		    psi_text(st->psi.full_avg10, b));
	top_paint(s, PAIR_OVER, 0);
	(void)top_put(2, x, "  budget: %s, +%s -%s  tmemd %s%%  agers %s%%",
		      tmem_wire_budget_reason(st->budget_reason),
		      short_count((double)st->budget_grown, a),
		      short_count((double)st->budget_shrunk, b),
		      short_percent(m->sum.daemon_pct, c),
		      short_percent(m->sum.agers_pct, clock));
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

	(void)top_put(0, 0, "tmem top - keys and columns");
	for (i = 0; i < sizeof(help_lines) / sizeof(help_lines[0]); i++)
		(void)top_put((int)i + 2, 1, "%s", help_lines[i]);
}

static void draw_foot(const struct top_screen *s, const struct top_model *m)
{
	char name[QUOTE_MAX];

	if (s->filtering)
		(void)top_put(LINES - 1, 0, "filter: %s_",
			      quote_text(m->filter, name, sizeof(name)));
	else if (m->filter[0])
		(void)top_put(LINES - 1, 0,
			      "q quit  ? help  filter \"%s\": %zu of %zu (/ Esc "
			      "clears)",
			      quote_text(m->filter, name, sizeof(name)),
			      m->shown_count, m->count);
	else
		(void)top_put(LINES - 1, 0,
			      "q quit  ? help  up/down select  < > sort  r "
			      "reverse  / filter  space pause");
}

static void draw_domains(const struct top_screen *s, const struct top_model *m)
{
	int rows = LINES - HEAD_LINES - 2, panel = 0;

	if (rows - TOP_PANEL_LINES >= TABLE_LEAST && m->shown_count) {
		panel = 1;
		rows -= TOP_PANEL_LINES;
	}
	(void)top_put(HEAD_LINES - 1, 0, "by %s%s", top_table_order(m),
		      m->reverse ? ", reversed" : "");
	top_table_draw(s, m, HEAD_LINES, rows);
	if (!m->shown_count && rows > 0)
		(void)top_put(HEAD_LINES + 1, 1,
			      m->count ? "no domain has \"%s\" in its name"
				       : "no domains: nobody uses this daemon "
					 "yet%s",
			      m->count ? m->filter : "");
	if (panel)
		top_panel_draw(s, m->shown[top_model_selected(m)],
			       LINES - TOP_PANEL_LINES - 1);
}

void top_screen_draw(const struct top_screen *s, const struct top_model *m,
		     const char *socket, const char *trouble)
{
	char text[QUOTE_MAX];

	(void)erase();
	if (s->help) {
		draw_help();
	} else if (!m->taken_ns) {
		(void)top_put(0, 0, "tmem top - %s",
			      quote_text(socket, text, sizeof(text)));
	} else {
		draw_head(s, m);
		draw_domains(s, m);
	}
	if (*trouble) {
		(void)move(s->help ? LINES - 2 : HEAD_LINES - 1, 0);
		(void)clrtoeol();
		top_paint(s, PAIR_OVER, 1);
		(void)attron(A_BOLD);
		(void)top_put(s->help ? LINES - 2 : HEAD_LINES - 1, 0, "%s",
			      quote_text(trouble, text, sizeof(text)));
		(void)attroff(A_BOLD);
		top_paint(s, PAIR_OVER, 0);
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
