/* SPDX-License-Identifier: BSD-2-Clause */
/* test-tmemd-ledger.c - accounts, whose they are, and who may have memory. */
#include <errno.h>
#include <string.h>

#include "arbiter.h"
#include "config.h"
#include "ledger.h"
#include "policies.h"
#include "unit.h"

#define MIB (1ull << 20)

#define ACCOUNTS 4

static struct tmemd_config config;
static struct tmemd_arbiter arbiter;
static struct tmemd_domain sections[] = {
	{ .name = "owned",
	  .uid = 1000,
	  .cap_bytes = 32 * MIB,
	  .persistent_bytes = 8 * MIB },
};

static void init(struct tmemd_ledger *l)
{
	memset(&config, 0, sizeof(config));
	config.budget_bytes = 64 * MIB;
	config.default_cap_bytes = 64 * MIB;
	config.default_persistent_bytes = 16 * MIB;
	config.domains = sections;
	config.domain_count = 1;
	tmemd_ledger_init(l);
	l->budget_bytes = config.budget_bytes;
	tmemd_ledger_configure(l, &config);
	memset(&arbiter, 0, sizeof(arbiter));
	arbiter.policy = &tmemd_policy_greedy;
	assert_int_equal(tmemd_arbiter_room(&arbiter, ACCOUNTS), 0);
}

static void finish(struct tmemd_ledger *l)
{
	tmemd_arbiter_finish(&arbiter);
	tmemd_ledger_finish(l);
}

static struct tmemd_account *excess(struct tmemd_ledger *l)
{
	tmemd_arbiter_divide(&arbiter, l);
	return tmemd_arbiter_excess(&arbiter, l);
}

static struct tmemd_account *join(struct tmemd_ledger *l, const char *name,
				  uint32_t uid)
{
	struct tmemd_account *a = NULL;

	assert_int_equal(tmemd_ledger_join(l, &config, name, uid, &a), 0);
	return a;
}

static enum tmemd_verdict judge(struct tmemd_ledger *l, struct tmemd_account *a,
				uint32_t cls, struct tmemd_account **victim)
{
	*victim = NULL;
	tmemd_arbiter_divide(&arbiter, l);
	return tmemd_arbiter_judge(&arbiter, l, a, cls, MIB, victim);
}

static void a_name_is_its_first_holders(void **state)
{
	struct tmemd_account *a, *b;
	struct tmemd_ledger l;

	(void)state;
	init(&l);
	a = join(&l, "web", 1000);
	assert_ptr_equal(join(&l, "web", 1000), a);
	assert_int_equal(tmemd_ledger_join(&l, &config, "web", 1001, &b),
			 -EPERM);
	assert_ptr_equal(join(&l, "web", 0), a);
	assert_int_equal(a->sessions, 3);
	tmemd_ledger_leave(&l, a);
	tmemd_ledger_leave(&l, a);
	assert_int_equal(tmemd_ledger_join(&l, &config, "web", 1001, &b),
			 -EPERM);
	tmemd_ledger_leave(&l, a);
	/* Nobody's any more. */
	b = join(&l, "web", 1001);
	assert_int_equal(b->uid, 1001);
	tmemd_ledger_leave(&l, b);
	/* Somebody's by configuration, root's visit notwithstanding. */
	a = join(&l, "owned", 0);
	assert_int_equal(a->uid, 1000);
	assert_int_equal(tmemd_ledger_join(&l, &config, "owned", 1001, &b),
			 -EPERM);
	tmemd_ledger_leave(&l, a);
	assert_int_equal(tmemd_ledger_join(&l, &config, "a]b", 0, &b), -EINVAL);
	assert_int_equal(l.count, 0);
	finish(&l);
}

static void caps_and_quotas(void **state)
{
	struct tmemd_account *a, *victim;
	struct tmemd_ledger l;

	(void)state;
	init(&l);
	a = join(&l, "owned", 1000);
	assert_int_equal(judge(&l, a, TMEM_WIRE_EPHEMERAL, &victim), TMEMD_LEND);
	tmemd_ledger_charge(&l, a, TMEM_WIRE_EPHEMERAL, 32 * MIB);
	assert_int_equal(judge(&l, a, TMEM_WIRE_EPHEMERAL, &victim), TMEMD_WAIT);
	/* A promise takes the place of its own cache. */
	assert_int_equal(judge(&l, a, TMEM_WIRE_PERSISTENT, &victim),
			 TMEMD_TAKE);
	assert_ptr_equal(victim, a);
	tmemd_ledger_charge(&l, a, TMEM_WIRE_EPHEMERAL, -8 * (int64_t)MIB);
	tmemd_ledger_charge(&l, a, TMEM_WIRE_PERSISTENT, 8 * MIB);
	assert_int_equal(judge(&l, a, TMEM_WIRE_PERSISTENT, &victim),
			 TMEMD_WAIT);
	/* An eighth of the cap for metadata, whatever the quota. */
	assert_int_equal(judge(&l, a, TMEM_WIRE_METADATA, &victim), TMEMD_TAKE);
	tmemd_ledger_charge(&l, a, TMEM_WIRE_EPHEMERAL, -4 * (int64_t)MIB);
	tmemd_ledger_charge(&l, a, TMEM_WIRE_METADATA, 4 * MIB);
	assert_int_equal(judge(&l, a, TMEM_WIRE_METADATA, &victim), TMEMD_WAIT);
	assert_int_equal(tmemd_lent_sum(l.lent_bytes), 32 * MIB);
	tmemd_ledger_charge(&l, a, TMEM_WIRE_EPHEMERAL, -20 * (int64_t)MIB);
	tmemd_ledger_charge(&l, a, TMEM_WIRE_PERSISTENT, -8 * (int64_t)MIB);
	tmemd_ledger_charge(&l, a, TMEM_WIRE_METADATA, -4 * (int64_t)MIB);
	tmemd_ledger_leave(&l, a);
	finish(&l);
}

static void one_budget_for_all(void **state)
{
	struct tmemd_account *small, *large, *third, *victim;
	struct tmemd_ledger l;

	(void)state;
	init(&l);
	small = join(&l, "small", 1);
	large = join(&l, "large", 2);
	third = join(&l, "third", 3);
	tmemd_ledger_charge(&l, small, TMEM_WIRE_EPHEMERAL, 20 * MIB);
	tmemd_ledger_charge(&l, large, TMEM_WIRE_EPHEMERAL, 44 * MIB);
	assert_int_equal(judge(&l, third, TMEM_WIRE_EPHEMERAL, &victim),
			 TMEMD_WAIT);
	assert_int_equal(judge(&l, third, TMEM_WIRE_METADATA, &victim),
			 TMEMD_TAKE);
	assert_ptr_equal(victim, large);
	assert_null(excess(&l));
	l.budget_bytes = 32 * MIB;
	assert_ptr_equal(excess(&l), large);
	tmemd_ledger_charge(&l, large, TMEM_WIRE_EPHEMERAL, -44 * (int64_t)MIB);
	assert_null(excess(&l));
	/* A cap of its own that was lowered. */
	config.default_cap_bytes = 10 * MIB;
	tmemd_ledger_configure(&l, &config);
	assert_ptr_equal(excess(&l), small);
	tmemd_ledger_charge(&l, small, TMEM_WIRE_EPHEMERAL, -20 * (int64_t)MIB);
	tmemd_ledger_leave(&l, small);
	tmemd_ledger_leave(&l, large);
	tmemd_ledger_leave(&l, third);
	finish(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_its_first_holders),
		cmocka_unit_test(caps_and_quotas),
		cmocka_unit_test(one_budget_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
