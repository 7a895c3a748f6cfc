/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-top.c - what `tmem top` makes of a daemon's words: rates, order, filter,
 * last minutes; and numbers and bars that fit their places.
 */
#include <math.h>
#include <string.h>

#include "clock.h"
#include "short-number.h"
#include "spark.h"
#include "top-model.h"
#include "unit.h"

#define DOMAINS 3

static struct tmem_wire_domain domains[DOMAINS];
static struct daemon_view view;

static void begin(struct top_model *m)
{
	static const char *const names[DOMAINS] = { "web", "Mail", "db-web" };
	size_t i;

	memset(m, 0, sizeof(*m));
	memset(domains, 0, sizeof(domains));
	for (i = 0; i < DOMAINS; i++) {
		strcpy(domains[i].name, names[i]);
		domains[i].number = i + 1;
		domains[i].sessions = domains[i].reported = 1;
		domains[i].lent_bytes[0] = (i + 1) << 20;
		domains[i].entitled_bytes = 2 << 20;
	}
	memset(&view, 0, sizeof(view));
	view.status.pid = 1;
	view.taken_ns = TMEM_NS_PER_SEC;
	view.domains = domains;
	view.count = DOMAINS;
	m->sort = TOP_BY_LENT;
	assert_int_equal(top_model_update(m, &view), 0);
}

static void later(struct top_model *m, uint64_t ns)
{
	view.taken_ns += ns;
	view.status.up_ns += ns;
	assert_int_equal(top_model_update(m, &view), 0);
}

static const char *shown(const struct top_model *m, size_t i)
{
	return i < m->shown_count ? m->shown[i]->now.name : "";
}

static void rates(void **state)
{
	struct top_model m;

	(void)state;
	begin(&m);
	assert_true(m.all[0]->hits_pct < 0 && m.all[0]->ratio < 0);
	domains[0].claimed.puts = 100;
	domains[0].claimed.gets = 300;
	domains[0].claimed.hits = 75;
	domains[0].claimed.evictions = 8;
	domains[0].claimed.ghost_hits = 4;
	domains[0].claimed.ager_ns = TMEM_NS_PER_SEC / 2;
	domains[0].claimed.raw_bytes = 300;
	domains[0].claimed.used_bytes = 100;
	view.status.cpu_ns = TMEM_NS_PER_SEC / 50;
	later(&m, 2 * TMEM_NS_PER_SEC);
	assert_true(fabs(m.all[0]->ops - 200) < 1e-6);
	assert_true(fabs(m.all[0]->hits_pct - 25) < 1e-6);
	assert_true(fabs(m.all[0]->evictions - 4) < 1e-6);
	assert_true(fabs(m.all[0]->ghosts - 2) < 1e-6);
	assert_true(fabs(m.all[0]->agers_pct - 25) < 1e-6);
	assert_true(fabs(m.all[0]->ratio - 3) < 1e-6);
	assert_true(fabs(m.all[0]->share_pct - 50) < 1e-6);
	assert_true(fabs(m.sum.ops - 200) < 1e-6);
	assert_true(fabs(m.sum.daemon_pct - 1) < 1e-6);
	/* Nothing happens: rates are 0, and there is no share of no gets. */
	later(&m, TMEM_NS_PER_SEC);
	assert_true(m.all[0]->ops < 1e-9 && m.all[0]->hits_pct < 0);
	/* A session that counts backwards is no rate of minus a million. */
	domains[0].claimed.puts = 1;
	later(&m, TMEM_NS_PER_SEC);
	assert_true(m.all[0]->ops < 1e-9);
	top_model_finish(&m);
}

static void comes_and_goes(void **state)
{
	struct top_model m;

	(void)state;
	begin(&m);
	domains[1].claimed.puts = 50;
	later(&m, TMEM_NS_PER_SEC);
	assert_int_equal(m.all[1]->samples, 1);
	/* Its name begins anew under another number: so does its history. */
	domains[1] = domains[2];
	domains[2].number = 9;
	strcpy(domains[2].name, "Mail");
	domains[2].claimed.puts = 1000000;
	later(&m, TMEM_NS_PER_SEC);
	assert_int_equal(m.count, 3);
	assert_string_equal(m.all[2]->now.name, "Mail");
	assert_int_equal(m.all[2]->samples, 0);
	assert_true(m.all[2]->ops < 1e-9);
	/* Another daemon: all do. */
	view.status.pid = 2;
	later(&m, TMEM_NS_PER_SEC);
	assert_int_equal(m.all[0]->samples, 0);
	view.count = 0;
	later(&m, TMEM_NS_PER_SEC);
	assert_int_equal(m.count, 0);
	assert_int_equal(m.selected, 0);
	top_model_finish(&m);
}

static void order(void **state)
{
	struct top_model m;

	(void)state;
	begin(&m);
	assert_string_equal(shown(&m, 0), "db-web");
	assert_string_equal(shown(&m, 2), "web");
	m.reverse = 1;
	top_model_arrange(&m);
	assert_string_equal(shown(&m, 0), "web");
	m.reverse = 0;
	m.sort = TOP_BY_NAME;
	top_model_arrange(&m);
	assert_string_equal(shown(&m, 0), "Mail");
	/* The same everywhere: by number, so that lines do not jump. */
	m.sort = TOP_BY_OPS;
	top_model_arrange(&m);
	assert_string_equal(shown(&m, 0), "web");
	/* The selection follows its domain. */
	assert_int_equal(top_model_selected(&m), 2);
	top_model_select(&m, -1);
	assert_string_equal(shown(&m, top_model_selected(&m)), "Mail");
	m.sort = TOP_BY_LENT;
	top_model_arrange(&m);
	assert_string_equal(shown(&m, top_model_selected(&m)), "Mail");
	top_model_select(&m, 100);
	assert_int_equal(top_model_selected(&m), 2);
	top_model_select(&m, -100);
	assert_int_equal(top_model_selected(&m), 0);
	strcpy(m.filter, "WEB");
	top_model_arrange(&m);
	assert_int_equal(m.shown_count, 2);
	strcpy(m.filter, "nobody");
	top_model_arrange(&m);
	assert_int_equal(m.shown_count, 0);
	assert_int_equal(top_model_selected(&m), 0);
	top_model_finish(&m);
}

static void minutes(void **state)
{
	struct top_model m;
	unsigned i;

	(void)state;
	begin(&m);
	for (i = 0; i < TOP_SAMPLES + 50; i++) {
		domains[0].claimed.puts += i;
		later(&m, TMEM_NS_PER_SEC);
	}
	assert_int_equal(m.all[0]->samples, TOP_SAMPLES);
	assert_true(fabsf(m.all[0]->history[TOP_OPS][0] - 50) < 1e-3f);
	assert_true(fabsf(m.all[0]->history[TOP_OPS][TOP_SAMPLES - 1] -
			  (TOP_SAMPLES + 49)) < 1e-3f);
	top_model_finish(&m);
}

static void bars(void **state)
{
	static const float rising[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };
	static const float holes[] = { -1, 8, -1 };
	char buf[16 * SPARK_CELL_MAX + 1];

	(void)state;
	assert_true(fabsf(spark_line(rising, 9, 0, 9, 0, buf) - 8) < 1e-6f);
	assert_string_equal(buf, "_.-:=+*##");
	(void)spark_line(rising, 9, 16, 12, 0, buf);
	assert_string_equal(buf, "   __..--::=");
	/* More than there is room for: the largest of each share. */
	(void)spark_line(rising, 9, 8, 3, 0, buf);
	assert_string_equal(buf, "-+#");
	(void)spark_line(holes, 3, 0, 3, 0, buf);
	assert_string_equal(buf, " # ");
	(void)spark_line(holes, 3, 0, 3, 1, buf);
	assert_string_equal(buf, " █ ");
	(void)spark_line(NULL, 0, 0, 4, 1, buf);
	assert_string_equal(buf, "    ");
	(void)spark_line(rising, 9, 0, 0, 1, buf);
	assert_string_equal(buf, "");
}

static void five_characters(void **state)
{
	static const struct {
		double value;
		const char *count, *size;
	} rows[] = {
		{ 0, "0", "0" },
		{ 999, "999", "999" },
		{ 9999, "9999", "9.8K" },
		{ 9999.6, "10.0k", "9.8K" },
		{ 123456, "123k", "121K" },
		{ 999499, "999k", "976K" },
		{ 999501, "1.0M", "976K" },
		{ 1048576, "1.0M", "1.0M" },
		{ 1e12, "1.0T", "931G" },
	};
	char buf[SHORT_MAX];
	double value;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(short_count(rows[i].value, buf),
				    rows[i].count);
		assert_string_equal(short_size(rows[i].value, buf),
				    rows[i].size);
	}
	assert_string_equal(short_count(-1, buf), "-");
	assert_string_equal(short_percent(-1, buf), "-");
	assert_string_equal(short_percent(99.96, buf), "100");
	for (value = 1; value < 1e18; value *= 1.37) {
		assert_true(strlen(short_count(value, buf)) <= 5);
		assert_true(strlen(short_size(value, buf)) <= 5);
		assert_true(strlen(short_percent(value, buf)) <= 5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates), cmocka_unit_test(comes_and_goes),
		cmocka_unit_test(order), cmocka_unit_test(minutes),
		cmocka_unit_test(bars),	 cmocka_unit_test(five_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
