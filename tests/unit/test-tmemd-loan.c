/* SPDX-License-Identifier: BSD-2-Clause */
/* test-tmemd-loan.c - in which order a lease loses its segments. */
#include <string.h>
#include <unistd.h>

#include "backing.h"
#include "loan.h"
#include "unit.h"

#define SEGMENT (64u << 10)
#define SEGMENTS 8u

struct scene {
	struct tmemd_backing backing;
	struct tmemd_loan loan;
	struct tmem_wire_loan lent[SEGMENTS];
};

/* Segments 0 to 5 ephemeral, 6 persistent, 7 free. */
static void begin(struct scene *s)
{
	const struct tmemd_loan_plan plan = {
		.domain = "test",
		.segment_size = SEGMENT,
		.segments_max = SEGMENTS,
	};
	uint32_t n, cls;
	int control;

	assert_int_equal(tmemd_backing_init(&s->backing), 0);
	assert_int_equal(tmemd_loan_create(&s->loan, &plan, &control), 0);
	(void)close(control);
	for (n = 0; n < SEGMENTS - 1; n++) {
		cls = n < 6 ? TMEM_WIRE_EPHEMERAL : TMEM_WIRE_PERSISTENT;
		assert_int_equal(tmemd_loan_lend(&s->loan, &s->backing, cls,
						 &s->lent[n]),
				 0);
		assert_int_equal(s->lent[n].segment, n);
	}
}

static void finish(struct scene *s)
{
	tmemd_loan_finish(&s->loan);
	tmemd_backing_finish(&s->backing);
}

/* Which one goes next. */
static uint32_t revoked(struct scene *s)
{
	uint32_t n;

	assert_int_equal(tmemd_loan_revoke(&s->loan), 1);
	for (n = 0; s->loan.epochs[n] == s->lent[n].epoch; n++)
		;
	s->lent[n].epoch++;
	assert_int_equal(s->loan.classes[n], 0);
	return n;
}

static void test_round_the_file(void **state)
{
	struct scene s;
	uint32_t n;

	(void)state;
	begin(&s);
	for (n = 0; n < 6; n++)
		assert_int_equal(revoked(&s), n);
	assert_int_equal(tmemd_loan_revoke(&s.loan), 0);
	finish(&s);
}

static void test_hinted_first(void **state)
{
	static const uint32_t hint[] = { 4, 1 }, newer[] = { 5 };
	struct scene s;

	(void)state;
	begin(&s);
	tmemd_loan_hint(&s.loan, hint, 2);
	assert_int_equal(revoked(&s), 4);
	/* In the place of the rest of it. */
	tmemd_loan_hint(&s.loan, newer, 1);
	assert_int_equal(revoked(&s), 5);
	assert_int_equal(revoked(&s), 0);
	assert_int_equal(revoked(&s), 1);
	tmemd_loan_hint(&s.loan, NULL, 0);
	assert_int_equal(revoked(&s), 2);
	finish(&s);
}

/* What cannot be, is persistent, free, or gone already is passed over. */
static void test_lies_are_passed_over(void **state)
{
	static const uint32_t lies[] = { UINT32_MAX, SEGMENTS, 7, 6, 3, 3, 7, 2 };
	struct scene s;

	(void)state;
	begin(&s);
	tmemd_loan_hint(&s.loan, lies, sizeof(lies) / sizeof(lies[0]));
	assert_int_equal(revoked(&s), 3);
	assert_int_equal(revoked(&s), 2);
	assert_int_equal(revoked(&s), 0);
	assert_int_equal(s.loan.lent[TMEM_WIRE_PERSISTENT], 1);
	finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_the_file),
		cmocka_unit_test(test_hinted_first),
		cmocka_unit_test(test_lies_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
