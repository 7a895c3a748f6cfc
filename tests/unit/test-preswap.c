/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-preswap.c - libpreswap: what a swap device relies on, what is counted, and
 * what comes home.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "content.h"
#include "opened.h"
#include "unit.h"
#include <tmem/preswap.h>

#define PAGE 4096u
#define SLOTS 100u
#define WHERE "embedded:size=8M"

/** struct device - what pages come home to. */
struct device {
	uint8_t pages[SLOTS][PAGE];
	unsigned locked;   /* slots that are, or were not dropped */
	uint64_t fails_at; /* this slot cannot be written; SLOTS: none */
};

struct fixture {
	struct opened store;
	struct tmem_preswap *area;
	int pool; /* the area's */
	struct device device;
	uint8_t pages[32][PAGE], got[32][PAGE];
};

static struct fixture f; /* too large for a stack */

static void device_lock(void *ctx, uint64_t slot)
{
	(void)slot;
	((struct device *)ctx)->locked++;
}

static void device_unlock(void *ctx, uint64_t slot)
{
	(void)slot;
	((struct device *)ctx)->locked--;
}

static int device_take_home(void *ctx, uint64_t slot, const void *page)
{
	struct device *d = ctx;

	assert_int_equal(d->locked, 1);
	if (slot == d->fails_at)
		return -ENOSPC;
	memcpy(d->pages[slot], page, PAGE);
	return 0;
}

static const struct tmem_preswap_ops device_ops = { device_lock, device_unlock,
						    device_take_home };

static void begin(uint32_t flags)
{
	struct tmem_preswap_opts opts = { .size = sizeof(opts),
					  .flags = flags,
					  .slots = SLOTS,
					  .name = "test",
					  .ops = &device_ops,
					  .ctx = &f.device };
	unsigned i;

	memset(&f, 0, sizeof(f));
	f.device.fails_at = SLOTS;
	for (i = 0; i < 32; i++)
		page_fill(f.pages[i], PAGE, CONTENT_RANDOM, i + 1);
	opened_init(&f.store, WHERE);
	/* The next pool's id is the next one. */
	f.pool = opened_pool(&f.store, 0, 0) + 1;
	assert_int_equal(tmem_preswap_init(f.store.t, &opts, &f.area), 0);
}

static void end(void)
{
	tmem_preswap_finish(f.area);
	assert_int_equal(opened_stats(&f.store).pages_persistent, 0);
	opened_finish(&f.store);
}

static struct tmem_preswap_stats stats(void)
{
	struct tmem_preswap_stats s = { .size = sizeof(s) };

	assert_int_equal(tmem_preswap_stats(f.area, &s), 0);
	return s;
}

static void the_last_put_is_got(void **state)
{
	(void)state;
	begin(0);
	assert_int_equal(tmem_preswap_get(f.area, 7, f.got[0]), 0);
	assert_int_equal(opened_stats(&f.store).gets, 0); /* not asked */
	assert_int_equal(tmem_preswap_put(f.area, 7, f.pages[0]), 1);
	assert_int_equal(tmem_preswap_put(f.area, 7, f.pages[1]), 1);
	assert_int_equal(tmem_preswap_get(f.area, 7, f.got[0]), 1);
	assert_memory_equal(f.got[0], f.pages[1], PAGE);
	/* A get leaves it. */
	assert_int_equal(tmem_preswap_get(f.area, 7, f.got[0]), 1);
	assert_int_equal(tmem_preswap_curr_pages(f.area), 1);
	assert_int_equal(tmem_preswap_flush(f.area, 7), 1);
	assert_int_equal(tmem_preswap_flush(f.area, 7), 0);
	assert_int_equal(tmem_preswap_get(f.area, 7, f.got[0]), 0);
	assert_int_equal(stats().succ_stores, 2);
	assert_int_equal(stats().loads, 2);
	assert_int_equal(stats().invalidates, 1);
	assert_int_equal(stats().curr_pages, 0);
	end();
}

static void a_failed_duplicate_clears_the_bit(void **state)
{
	(void)state;
	begin(0);
	assert_int_equal(tmem_preswap_put(f.area, 7, f.pages[0]), 1);
	assert_int_equal(tmem_freeze(f.store.t, 1), 0);
	assert_int_equal(tmem_preswap_put(f.area, 7, f.pages[1]), 0);
	assert_int_equal(tmem_preswap_stored(f.area, 7, 1), 0);
	assert_int_equal(tmem_preswap_get(f.area, 7, f.got[0]), 0);
	assert_int_equal(tmem_preswap_put(f.area, 8, f.pages[1]), 0);
	assert_int_equal(stats().failed_stores, 2);
	assert_int_equal(stats().curr_pages, 0);
	end();
}

/* 28 to 59: two words of the bitmap; some were stored before. */
static void runs_are_as_single_pages(void **state)
{
	uint32_t done, hits, lost;

	(void)state;
	begin(0);
	assert_int_equal(tmem_preswap_put(f.area, 30, f.pages[9]), 1);
	assert_int_equal(tmem_preswap_put_run(f.area, 28, 32, f.pages, &done),
			 0);
	assert_true(done == UINT32_MAX);
	assert_int_equal(tmem_preswap_curr_pages(f.area), 32);
	assert_true(tmem_preswap_stored(f.area, 27, 32) == 0xfffffffe);
	assert_true(tmem_preswap_stored(f.area, 90, 32) == 0);
	assert_int_equal(tmem_preswap_flush_run(f.area, 26, 5), 3);
	memset(f.got, 0, sizeof(f.got));
	assert_int_equal(
		tmem_preswap_get_run(f.area, 28, 32, f.got, &hits, &lost), 0);
	assert_true(hits == 0xfffffff8 && !lost);
	assert_memory_equal(f.got[3], f.pages[3], PAGE * 29);
	assert_int_equal(tmem_freeze(f.store.t, 1), 0);
	assert_int_equal(tmem_preswap_put_run(f.area, 50, 4, f.pages, &done), 0);
	assert_true(!done && !tmem_preswap_stored(f.area, 50, 4));
	assert_int_equal(tmem_preswap_flush_area(f.area), 1);
	assert_int_equal(tmem_preswap_flush_area(f.area), 0);
	assert_int_equal(tmem_preswap_curr_pages(f.area), 0);
	assert_int_equal(opened_stats(&f.store).pages_persistent, 0);
	assert_int_equal(stats().invalidates, 32 - 4);
	/* Not lost: given up. */
	assert_true(tmem_preswap_stored(f.area, 28, 32) == 0);
	assert_int_equal(tmem_preswap_get(f.area, 40, f.got), 0);
	end();
}

/* The pool is taken away behind the area's back. */
static void what_is_lost_is_an_error(void **state)
{
	uint32_t done, hits, lost;

	(void)state;
	begin(0);
	assert_int_equal(tmem_preswap_put(f.area, 7, f.pages[0]), 1);
	assert_int_equal(tmem_pool_destroy(f.store.t, f.pool), 0);
	assert_int_equal(tmem_preswap_get(f.area, 7, f.got[0]), -EIO);
	assert_int_equal(
		tmem_preswap_get_run(f.area, 6, 3, f.got, &hits, &lost), 0);
	assert_true(!hits && lost == 2);
	assert_int_equal(tmem_preswap_shrink(f.area, 0, NULL), -EIO);
	/* What comes now is refused, one page as well as a run of them. */
	assert_int_equal(tmem_preswap_put(f.area, 7, f.pages[0]), 0);
	assert_int_equal(tmem_preswap_get(f.area, 7, f.got[0]), 0);
	assert_int_equal(tmem_preswap_put_run(f.area, 6, 3, f.pages, &done), 0);
	assert_int_equal(done, 0);
	assert_int_equal(stats().failed_stores, 4);
	end();
}

static void writethrough_stores_and_says_no(void **state)
{
	uint32_t done, hits, lost;

	(void)state;
	begin(TMEM_PRESWAP_WRITETHROUGH);
	assert_int_equal(tmem_preswap_put(f.area, 7, f.pages[0]), 0);
	assert_int_equal(tmem_preswap_put_run(f.area, 8, 2, f.pages[1], &done),
			 0);
	assert_int_equal(done, 0);
	assert_int_equal(stats().succ_stores, 3);
	assert_int_equal(tmem_preswap_get(f.area, 7, f.got[0]), 1);
	assert_memory_equal(f.got[0], f.pages[0], PAGE);
	/* Lost: the device has it. */
	assert_int_equal(tmem_pool_destroy(f.store.t, f.pool), 0);
	assert_int_equal(tmem_preswap_get(f.area, 7, f.got[0]), 0);
	assert_int_equal(
		tmem_preswap_get_run(f.area, 7, 3, f.got, &hits, &lost), 0);
	assert_true(!hits && !lost);
	end();
}

static void shrink_takes_home_in_turns(void **state)
{
	uint64_t home;
	unsigned i;

	(void)state;
	begin(0);
	for (i = 0; i < 32; i++)
		assert_int_equal(tmem_preswap_put(f.area, i * 3, f.pages[i]), 1);
	assert_int_equal(tmem_preswap_shrink(f.area, 40, &home), 0);
	assert_int_equal(home, 0);
	assert_int_equal(tmem_preswap_shrink(f.area, 22, &home), 0);
	assert_int_equal(home, 10);
	assert_memory_equal(f.device.pages[27], f.pages[9], PAGE);
	assert_int_equal(tmem_preswap_get(f.area, 27, f.got[0]), 0);
	assert_int_equal(tmem_preswap_get(f.area, 30, f.got[0]), 1);
	/* It stays where it is if home does not take it. */
	f.device.fails_at = 33;
	assert_int_equal(tmem_preswap_shrink(f.area, 0, &home), -ENOSPC);
	assert_int_equal(home, 1);
	assert_int_equal(tmem_preswap_get(f.area, 33, f.got[0]), 1);
	f.device.fails_at = SLOTS;
	/* Also what is behind the place where the last one stopped. */
	assert_int_equal(tmem_preswap_put(f.area, 0, f.pages[0]), 1);
	assert_int_equal(tmem_preswap_shrink(f.area, 0, &home), 0);
	assert_int_equal(home, 22);
	assert_int_equal(tmem_preswap_curr_pages(f.area), 0);
	assert_int_equal(stats().taken_home, 33);
	assert_int_equal(f.device.locked, 0);
	end();
}

static void bad_arguments(void **state)
{
	struct tmem_preswap_opts o = { .size = sizeof(o), .slots = 1 };
	struct tmem_preswap_ops half = { .lock = device_lock };
	struct {
		struct tmem_preswap_stats s;
		uint64_t later;
	} longer = { .s.size = sizeof(longer), .later = 1 };
	struct tmem_preswap *area;
	uint32_t bits;

	(void)state;
	begin(0);
	assert_int_equal(tmem_preswap_init(NULL, &o, &area), -EINVAL);
	assert_int_equal(tmem_preswap_init(f.store.t, NULL, &area), -EINVAL);
	assert_int_equal(tmem_preswap_init(f.store.t, &o, NULL), -EINVAL);
	o.slots = 0;
	assert_int_equal(tmem_preswap_init(f.store.t, &o, &area), -EINVAL);
	o.slots = TMEM_PRESWAP_SLOTS_MAX + 1;
	assert_int_equal(tmem_preswap_init(f.store.t, &o, &area), -EINVAL);
	o.slots = 1;
	o.flags = 2;
	assert_int_equal(tmem_preswap_init(f.store.t, &o, &area), -EINVAL);
	o.flags = 0;
	o.ops = &half;
	assert_int_equal(tmem_preswap_init(f.store.t, &o, &area), -EINVAL);
	o.ops = NULL;
	o.size--;
	assert_int_equal(tmem_preswap_init(f.store.t, &o, &area), -EINVAL);
	o.size++;
	assert_int_equal(tmem_preswap_init(f.store.t, &o, &area), 0);
	assert_int_equal(tmem_preswap_shrink(area, 0, NULL), -EOPNOTSUPP);
	assert_int_equal(tmem_preswap_put(area, 1, f.pages), -EINVAL);
	assert_int_equal(tmem_preswap_get(area, 1, f.got), -EINVAL);
	assert_int_equal(tmem_preswap_flush(area, 1), -EINVAL);
	tmem_preswap_finish(area);
	tmem_preswap_finish(NULL);
	assert_int_equal(tmem_preswap_put(f.area, 0, NULL), -EINVAL);
	assert_int_equal(tmem_preswap_put_run(f.area, 0, 33, f.pages, &bits),
			 -EINVAL);
	assert_int_equal(tmem_preswap_put_run(f.area, SLOTS - 1, 2, f.pages,
					      &bits),
			 -EINVAL);
	assert_int_equal(tmem_preswap_flush_run(f.area, 0, 0), -EINVAL);
	assert_int_equal(tmem_preswap_flush_area(NULL), -EINVAL);
	assert_int_equal(tmem_preswap_stats(f.area, &longer.s), -E2BIG);
	longer.s.size = 8;
	assert_int_equal(tmem_preswap_stats(f.area, &longer.s), -EINVAL);
	end();
}

/* A session is its maker's. */
static void a_forked_child_has_none(void **state)
{
	uint32_t bits;
	int status;
	pid_t pid;

	(void)state;
	begin(0);
	assert_int_equal(tmem_preswap_put(f.area, 7, f.pages[0]), 1);
	pid = fork();
	if (!pid)
		_exit(tmem_preswap_put(f.area, 8, f.pages[0]) != -EPERM ||
		      tmem_preswap_get(f.area, 7, f.got[0]) != -EPERM ||
		      tmem_preswap_flush(f.area, 7) != -EPERM ||
		      tmem_preswap_flush_area(f.area) != -EPERM ||
		      tmem_preswap_put_run(f.area, 0, 2, f.pages, &bits) !=
			      -EPERM ||
		      tmem_preswap_get_run(f.area, 6, 2, f.got, &bits, &bits) !=
			      -EPERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(tmem_preswap_get(f.area, 7, f.got[0]), 1);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_put_is_got),
		cmocka_unit_test(a_failed_duplicate_clears_the_bit),
		cmocka_unit_test(runs_are_as_single_pages),
		cmocka_unit_test(what_is_lost_is_an_error),
		cmocka_unit_test(writethrough_stores_and_says_no),
		cmocka_unit_test(shrink_takes_home_in_turns),
		cmocka_unit_test(bad_arguments),
		cmocka_unit_test(a_forked_child_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
