/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-contract-fork.c - a session is dead in a forked child: every call gives
 * -EPERM there, closing is harmless, and the parent notices nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "content.h"
#include "leftover.h"
#include "opened.h"
#include "unit.h"
#include <tmem/tmem.h>

#define PAGE 4096u
#define PAGES 200u

static struct opened o;
static int pool;

static void fill(void)
{
	uint8_t page[PAGE];
	uint64_t i;

	pool = opened_pool(&o, TMEM_POOL_PERSISTENT, 0);
	for (i = 0; i < PAGES; i++) {
		struct tmem_key key = tmem_key(i % 5, i);

		page_fill(page, PAGE, i % CONTENT_KINDS, i);
		assert_int_equal(tmem_put(o.t, pool, &key, page), 1);
	}
}

static void all_there(void)
{
	uint8_t page[PAGE];
	uint64_t i;

	for (i = 0; i < PAGES; i++) {
		struct tmem_key key = tmem_key(i % 5, i);

		assert_int_equal(tmem_get(o.t, pool, &key, page), 1);
		assert_true(page_equal(page, PAGE, i % CONTENT_KINDS, i));
	}
	opened_check(&o);
}

/* Runs `work` in a child, which must end with 0. */
static void in_child(int (*work)(void))
{
	int status = -1;
	pid_t child;

	(void)fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (!child)
		_exit(work());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Which call did not give -EPERM, counted from 1; 0: all did. */
static int every_call(void)
{
	struct tmem_pool_stats pool_stats = { .size = sizeof(pool_stats) };
	struct tmem_stats stats = { .size = sizeof(stats) };
	struct tmem_key key = tmem_key(1, 1);
	uint8_t page[PAGE];
	uint64_t bytes = 77;
	struct tmem_op op = {
		.code = TMEM_OP_GET,
		.pool = pool,
		.result = 77,
		.key = key,
		.page = page,
	};
	const int results[] = {
		tmem_pool_create(o.t, NULL),
		tmem_put(o.t, pool, &key, memset(page, 0xa5, PAGE)),
		tmem_get(o.t, pool, &key, page),
		tmem_flush_page(o.t, pool, &key),
		tmem_flush_object(o.t, pool, &key),
		tmem_submit(o.t, &op, 1),
		tmem_shrink(o.t, UINT64_MAX, &bytes),
		tmem_set_limit(o.t, 4u << 20),
		tmem_freeze(o.t, 1),
		tmem_age(o.t, 1000),
		tmem_stats(o.t, &stats),
		tmem_pool_stats(o.t, pool, &pool_stats),
		tmem_check(o.t),
		tmem_pool_destroy(o.t, pool),
	};
	const unsigned n = sizeof(results) / sizeof(results[0]);
	unsigned i;

	for (i = 0; i < n; i++)
		if (results[i] != -EPERM)
			return (int)i + 1;
	if (op.result != 77 || bytes != 77 || !page_uniform(page, PAGE, 0xa5))
		return (int)n + 1;
	return 0;
}

static int every_call_then_close(void)
{
	int bad = every_call();

	tmem_close(o.t);
	return bad;
}

static int close_only(void)
{
	tmem_close(o.t);
	return 0;
}

/* A child may have a store of its own, before and after it closes ours. */
static int a_store_of_its_own(void)
{
	struct tmem_open_opts opts = {
		.size = sizeof(opts),
		.agers = TMEM_NO_AGERS,
	};
	struct tmem_key key = tmem_key(1, 1);
	uint8_t page[PAGE] = { 1 };
	struct tmem *t = NULL;
	int own;

	if (tmem_open("embedded:size=4M", &opts, &t))
		return 1;
	own = tmem_pool_create(t, NULL);
	if (own < 0 || tmem_put(t, own, &key, page) != 1)
		return 2;
	tmem_close(o.t);
	memset(page, 0, PAGE);
	if (tmem_get(t, own, &key, page) != 1 || page[0] != 1)
		return 3;
	tmem_close(t);
	return 0;
}

static int grandchild(void)
{
	int status = -1;
	pid_t child = fork();

	if (!child)
		_exit(every_call());
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 1;
	return status ? 2 : every_call();
}

static void with_children(uint32_t agers)
{
	struct tmem_open_opts opts = { .size = sizeof(opts), .agers = agers };

	opened_init_opts(&o, "embedded:size=8M", &opts);
	fill();
	in_child(every_call);
	all_there();
	in_child(every_call_then_close);
	all_there();
	in_child(close_only);
	in_child(a_store_of_its_own);
	in_child(grandchild);
	all_there();
	assert_int_equal(opened_stats(&o).refused_frozen, 0);
	opened_finish(&o);
}

static void a_child_of_a_store_without_agers(void **state)
{
	(void)state;
	with_children(TMEM_NO_AGERS);
}

static void a_child_of_a_store_with_agers(void **state)
{
	(void)state;
	with_children(2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_of_a_store_without_agers),
		cmocka_unit_test(a_child_of_a_store_with_agers),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
