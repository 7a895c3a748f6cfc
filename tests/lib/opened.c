/* SPDX-License-Identifier: BSD-2-Clause */
/* opened.c - opening, ageing, measuring and closing a store under test. */
#include "opened.h"

#include "machine.h"
#include "unit.h"

#define AGE_STEP_US 10000u
#define AGE_LIMIT_NS 60000000000ull /* background work has an end */

void opened_init_opts(struct opened *o, const char *where,
		      const struct tmem_open_opts *opts)
{
	struct tmem_open_opts mine = *opts;
	int err;

	lines_init(&o->lines);
	o->t = NULL;
	mine.log = lines_take;
	mine.log_ctx = &o->lines;
	err = tmem_open(where, &mine, &o->t);
	if (err)
		print_error("open %s: %d\n%s", where ? where : "(null)", err,
			    o->lines.text);
	assert_int_equal(err, 0);
	assert_non_null(o->t);
}

void opened_init(struct opened *o, const char *where)
{
	struct tmem_open_opts opts = {
		.size = sizeof(opts),
		.agers = TMEM_NO_AGERS,
	};

	opened_init_opts(o, where, &opts);
}

void opened_check(struct opened *o)
{
	int err = tmem_check(o->t);

	if (err)
		print_error("tmem_check: %d\n%s", err, o->lines.text);
	assert_int_equal(err, 0);
}

void opened_close(struct opened *o)
{
	tmem_close(o->t);
	o->t = NULL;
	assert_int_equal(o->lines.broken, 0);
	lines_finish(&o->lines);
}

void opened_finish(struct opened *o)
{
	opened_check(o);
	opened_close(o);
}

int opened_pool(struct opened *o, uint32_t flags, uint32_t page_size)
{
	struct tmem_pool_opts opts = {
		.size = sizeof(opts),
		.flags = flags,
		.page_size = page_size,
	};
	int pool = tmem_pool_create(o->t, &opts);

	assert_true(pool >= 0);
	return pool;
}

void opened_age(struct opened *o)
{
	uint64_t end = machine_now_ns() + AGE_LIMIT_NS;
	int more;

	do {
		more = tmem_age(o->t, AGE_STEP_US);
		assert_in_range(more, 0, 1);
		assert_true(machine_now_ns() < end);
	} while (more);
}

struct tmem_stats opened_stats(struct opened *o)
{
	struct tmem_stats s = { .size = sizeof(s) };

	assert_int_equal(tmem_stats(o->t, &s), 0);
	return s;
}

struct tmem_pool_stats opened_pool_stats(struct opened *o, int pool)
{
	struct tmem_pool_stats s = { .size = sizeof(s) };

	assert_int_equal(tmem_pool_stats(o->t, pool, &s), 0);
	return s;
}

uint64_t stats_pages(const struct tmem_stats *s)
{
	return s->pages_ephemeral + s->pages_persistent;
}

uint64_t stats_refused(const struct tmem_stats *s)
{
	return s->refused_full + s->refused_quota + s->refused_frozen +
	       s->refused_nomem;
}
