/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sqlite-stats.c - statistics by PRAGMA tmem_stats and by a table of that name,
 * which has the figures of every attached database.
 *
 *	SELECT name, value FROM tmem_stats WHERE "schema" = 'main';
 */
#include "sqlite-stats.h"

#include <stdio.h>
#include <string.h>

#include "sqlite-file.h"
#include "sqlite-link.h"

/* ---- Figures ------------------------------------------------------------ */

enum {
	FIGURES_MAX = 20
};

struct figures {
	char state[SQLITE_STORE_LINE_MAX + 8];
	unsigned count;
	struct {
		const char *name;
		uint64_t value;
	} of[FIGURES_MAX];
};

static void add(struct figures *all, const char *name, uint64_t value)
{
	all->of[all->count].name = name;
	all->of[all->count].value = value;
	all->count++;
}

static void add_store(struct figures *all, struct sqlite_store *store)
{
	struct tmem_stats s = { .size = sizeof(s) };

	if (tmem_stats(store->session, &s) < 0)
		return;
	add(all, "store_limit_bytes", s.limit_bytes);
	add(all, "store_used_bytes", s.used_bytes);
	add(all, "store_raw_bytes", s.raw_bytes);
	add(all, "store_pages", s.pages_ephemeral);
	add(all, "store_evictions", s.evictions);
	add(all, "store_ghost_hits", s.ghost_hits);
}

static void collect(struct sqlite_file *f, struct figures *ret)
{
	struct sqlite_node *node = f->view.node;
	char line[SQLITE_STORE_LINE_MAX] = "no memory";

	ret->count = 0;
	if (f->store)
		sqlite_store_line(f->store, line);
	if (!node) {
		(void)snprintf(ret->state, sizeof(ret->state), "off: %s",
			       f->store && f->store->session
				       ? "the file's identity is not sure"
				       : line);
		return;
	}
	(void)snprintf(ret->state, sizeof(ret->state), "on");
	add(ret, "hits", node->counts.hits);
	add(ret, "misses", node->counts.misses);
	add(ret, "stored", node->counts.stored);
	add(ret, "refused", node->counts.refused);
	add(ret, "skipped", node->counts.skipped);
	add(ret, "idle", node->counts.idle);
	add(ret, "passed", node->counts.passed);
	add(ret, "checks", node->counts.checks);
	add(ret, "drops", node->counts.drops);
	add(ret, "flushed", node->counts.flushed);
	if (f->store)
		add_store(ret, f->store);
}

char *sqlite_stats_text(struct sqlite_file *f)
{
	sqlite3_str *text = sqlite3_str_new(NULL);
	struct figures all;

	collect(f, &all);
	sqlite3_str_appendf(text, "state=%s", all.state);
	for (unsigned i = 0; i < all.count; i++)
		sqlite3_str_appendf(text, "\n%s=%llu", all.of[i].name,
				    (unsigned long long)all.of[i].value);
	return sqlite3_str_finish(text);
}

/* ---- The table ---------------------------------------------------------- */

enum {
	COLUMN_SCHEMA,
	COLUMN_NAME,
	COLUMN_VALUE
};

struct table {
	sqlite3_vtab base;
	sqlite3 *db;
};

/* Row 0 of a database is its state. */
struct cursor {
	sqlite3_vtab_cursor base;
	sqlite3 *db;
	int schema;	  /* number of the database */
	const char *name; /* NULL: behind the last */
	unsigned row;
	sqlite3_int64 rowid;
	struct figures all;
};

static int table_connect(sqlite3 *db, void *aux, int argc,
			 const char *const *argv, sqlite3_vtab **ret,
			 char **error)
{
	struct table *t;
	int rc = sqlite3_declare_vtab(
		db, "CREATE TABLE x(\"schema\" TEXT, name TEXT, value)");

	(void)aux;
	(void)argc;
	(void)argv;
	(void)error;
	if (rc != SQLITE_OK)
		return rc;
	t = sqlite3_malloc(sizeof(*t));
	if (!t)
		return SQLITE_NOMEM;
	memset(t, 0, sizeof(*t));
	t->db = db;
	*ret = &t->base;
	return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *table)
{
	sqlite3_free(table);
	return SQLITE_OK;
}

static int table_plan(sqlite3_vtab *table, sqlite3_index_info *info)
{
	(void)table;
	info->estimatedCost = FIGURES_MAX;
	return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *table, sqlite3_vtab_cursor **ret)
{
	struct cursor *c = sqlite3_malloc(sizeof(*c));

	if (!c)
		return SQLITE_NOMEM;
	memset(c, 0, sizeof(*c));
	c->db = ((struct table *)table)->db;
	*ret = &c->base;
	return SQLITE_OK;
}

static int cursor_close(sqlite3_vtab_cursor *cursor)
{
	sqlite3_free(cursor);
	return SQLITE_OK;
}

/* Finds the next database from `schema` on that is one of ours. */
static void find_schema(struct cursor *c)
{
	struct sqlite_file *f;

	for (;; c->schema++) {
		c->name = sqlite3_db_name(c->db, c->schema);
		if (!c->name)
			return;
		f = NULL;
		if (sqlite3_file_control(c->db, c->name, SQLITE_FILE_CONTROL,
					 &f) == SQLITE_OK &&
		    f)
			break;
	}
	collect(f, &c->all);
	c->row = 0;
}

static int cursor_filter(sqlite3_vtab_cursor *cursor, int number,
			 const char *text, int argc, sqlite3_value **argv)
{
	struct cursor *c = (struct cursor *)cursor;

	(void)number;
	(void)text;
	(void)argc;
	(void)argv;
	c->schema = 0;
	c->rowid = 0;
	find_schema(c);
	return SQLITE_OK;
}

static int cursor_next(sqlite3_vtab_cursor *cursor)
{
	struct cursor *c = (struct cursor *)cursor;

	c->rowid++;
	if (++c->row > c->all.count) {
		c->schema++;
		find_schema(c);
	}
	return SQLITE_OK;
}

static int cursor_eof(sqlite3_vtab_cursor *cursor)
{
	return !((struct cursor *)cursor)->name;
}

static int cursor_column(sqlite3_vtab_cursor *cursor, sqlite3_context *to,
			 int column)
{
	struct cursor *c = (struct cursor *)cursor;

	if (column == COLUMN_SCHEMA)
		sqlite3_result_text(to, c->name, -1, SQLITE_TRANSIENT);
	else if (column == COLUMN_NAME)
		sqlite3_result_text(
			to, c->row ? c->all.of[c->row - 1].name : "state", -1,
			SQLITE_STATIC);
	else if (!c->row)
		sqlite3_result_text(to, c->all.state, -1, SQLITE_TRANSIENT);
	else
		sqlite3_result_int64(
			to, (sqlite3_int64)c->all.of[c->row - 1].value);
	return SQLITE_OK;
}

static int cursor_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *ret)
{
	*ret = ((struct cursor *)cursor)->rowid;
	return SQLITE_OK;
}

/* No xCreate: the table is there without CREATE VIRTUAL TABLE, and only so. */
static const sqlite3_module module = {
	.iVersion = 0,
	.xConnect = table_connect,
	.xBestIndex = table_plan,
	.xDisconnect = table_disconnect,
	.xOpen = cursor_open,
	.xClose = cursor_close,
	.xFilter = cursor_filter,
	.xNext = cursor_next,
	.xEof = cursor_eof,
	.xColumn = cursor_column,
	.xRowid = cursor_rowid,
};

int sqlite_stats_register(sqlite3 *db)
{
	return sqlite3_create_module(db, "tmem_stats", &module, NULL);
}
