/* SPDX-License-Identifier: BSD-2-Clause */
/* test-stock.c - where the segments of a daemon's lease are, revoked ones too. */
#include "stock.h"

#include "unit.h"

#define SEGMENTS 64u

static _Atomic uint32_t epochs[SEGMENTS];

static void init(struct tmem_stock *s)
{
	uint32_t i;

	for (i = 0; i < SEGMENTS; i++)
		atomic_store(&epochs[i], 0);
	assert_int_equal(tmem_stock_init(s, SEGMENTS, epochs), 0);
}

static uint32_t kept(const struct tmem_stock *s, enum tmem_class cls)
{
	return atomic_load(&s->kept[cls].count);
}

static void first_in_first_out(void **state)
{
	struct tmem_stock s = { 0 };
	struct tmem_lent lent;
	uint32_t i;

	(void)state;
	init(&s);
	for (i = 0; i < 10; i++)
		tmem_stock_put(&s, TMEM_CLASS_EPHEMERAL, i, 0);
	tmem_stock_put(&s, TMEM_CLASS_METADATA, 20, 0);
	for (i = 0; i < 10; i++) {
		assert_int_equal(
			tmem_stock_take(&s, TMEM_CLASS_EPHEMERAL, &lent), 1);
		assert_int_equal(lent.segment, i);
	}
	assert_int_equal(tmem_stock_take(&s, TMEM_CLASS_EPHEMERAL, &lent), 0);
	assert_int_equal(tmem_stock_take(&s, TMEM_CLASS_PERSISTENT, &lent), 0);
	assert_int_equal(kept(&s, TMEM_CLASS_METADATA), 1);
	tmem_stock_finish(&s, 0);
}

static void what_was_revoked_is_passed_over(void **state)
{
	struct tmem_stock s = { 0 };
	struct tmem_lent lent;

	(void)state;
	init(&s);
	tmem_stock_put(&s, TMEM_CLASS_EPHEMERAL, 1, 0);
	tmem_stock_put(&s, TMEM_CLASS_EPHEMERAL, 2, 0);
	tmem_stock_put(&s, TMEM_CLASS_EPHEMERAL, 3, 0);
	atomic_store(&epochs[1], 1); /* in stock */
	assert_int_equal(tmem_stock_take(&s, TMEM_CLASS_EPHEMERAL, &lent), 1);
	assert_int_equal(lent.segment, 2);
	atomic_store(&epochs[2], 1); /* in use */
	assert_int_equal(tmem_stock_return(&s, 2), 0);
	assert_int_equal(tmem_stock_take(&s, TMEM_CLASS_EPHEMERAL, &lent), 1);
	assert_int_equal(tmem_stock_return(&s, 3), 1);
	atomic_store(&epochs[3], 1); /* on its way back */
	assert_int_equal(tmem_stock_next_back(&s, &lent), 0);
	/* Twice: it is nobody's any more. */
	assert_int_equal(tmem_stock_return(&s, 3), 0);
	tmem_stock_finish(&s, 0);
}

/* Lent again, for another class, before the old entry was met: in each state. */
static void lent_again_before_it_was_noticed(void **state)
{
	struct tmem_stock s = { 0 };
	struct tmem_lent lent;

	(void)state;
	init(&s);
	tmem_stock_put(&s, TMEM_CLASS_EPHEMERAL, 1, 0);
	tmem_stock_put(&s, TMEM_CLASS_EPHEMERAL, 2, 0);
	tmem_stock_put(&s, TMEM_CLASS_EPHEMERAL, 3, 0);
	/* The middle of a list, then its end. */
	atomic_store(&epochs[2], 1);
	tmem_stock_put(&s, TMEM_CLASS_PERSISTENT, 2, 1);
	atomic_store(&epochs[3], 1);
	tmem_stock_put(&s, TMEM_CLASS_PERSISTENT, 3, 1);
	assert_int_equal(kept(&s, TMEM_CLASS_EPHEMERAL), 1);
	assert_int_equal(kept(&s, TMEM_CLASS_PERSISTENT), 2);
	tmem_stock_put(&s, TMEM_CLASS_EPHEMERAL, 4, 0);
	assert_int_equal(tmem_stock_take(&s, TMEM_CLASS_EPHEMERAL, &lent), 1);
	assert_int_equal(lent.segment, 1);
	/* In use, and given back by somebody who does not know. */
	atomic_store(&epochs[1], 1);
	tmem_stock_put(&s, TMEM_CLASS_METADATA, 1, 1);
	assert_int_equal(tmem_stock_return(&s, 1), 0);
	assert_int_equal(kept(&s, TMEM_CLASS_METADATA), 1);
	/* On its way back. */
	assert_int_equal(tmem_stock_take(&s, TMEM_CLASS_EPHEMERAL, &lent), 1);
	assert_int_equal(lent.segment, 4);
	assert_int_equal(tmem_stock_return(&s, 4), 1);
	atomic_store(&epochs[4], 1);
	tmem_stock_put(&s, TMEM_CLASS_EPHEMERAL, 4, 1);
	assert_int_equal(tmem_stock_next_back(&s, &lent), 0);
	assert_int_equal(tmem_stock_take(&s, TMEM_CLASS_EPHEMERAL, &lent), 1);
	assert_int_equal(lent.epoch, 1);
	tmem_stock_finish(&s, 0);
}

static void what_could_not_be_said_is_said_later(void **state)
{
	struct tmem_stock s = { 0 };
	struct tmem_lent lent;

	(void)state;
	init(&s);
	tmem_stock_put(&s, TMEM_CLASS_EPHEMERAL, 5, 0);
	assert_int_equal(tmem_stock_unused(&s, TMEM_CLASS_EPHEMERAL), 1);
	assert_int_equal(tmem_stock_unused(&s, TMEM_CLASS_EPHEMERAL), 0);
	assert_int_equal(tmem_stock_next_back(&s, &lent), 1);
	assert_int_equal(tmem_stock_known(&s, 5, 0), 0);
	tmem_stock_undo_back(&s, &lent);
	assert_int_equal(tmem_stock_known(&s, 5, 0), 1);
	assert_int_equal(tmem_stock_known(&s, 5, 1), 0);
	assert_int_equal(tmem_stock_next_back(&s, &lent), 1);
	assert_int_equal(lent.segment, 5);
	tmem_stock_finish(&s, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_in_first_out),
		cmocka_unit_test(what_was_revoked_is_passed_over),
		cmocka_unit_test(lent_again_before_it_was_noticed),
		cmocka_unit_test(what_could_not_be_said_is_said_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
