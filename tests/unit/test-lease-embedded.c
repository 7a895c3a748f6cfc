/* SPDX-License-Identifier: BSD-2-Clause */
/* test-lease-embedded.c - own memory, lent and given back by the segment. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "fault.h"
#include "lease.h"
#include "machine.h"
#include "mem.h"
#include "unit.h"

#define SEGMENT (256u << 10)
#define SEGMENTS 100u /* no multiple of a bitmap's word */

static int setup(void **state)
{
	struct tmem_lease_opts opts = {
		.bytes_max = (uint64_t)SEGMENT * SEGMENTS,
		.segment_size = SEGMENT,
	};
	struct tmem_lease *lease;

	if (tmem_lease_embedded_create(&opts, &lease))
		return -1;
	*state = lease;
	return 0;
}

static int teardown(void **state)
{
	struct tmem_lease *lease = *state;

	lease->ops->destroy(lease, 0);
	return 0;
}

static uint32_t lend(struct tmem_lease *lease)
{
	struct tmem_lent lent;

	assert_int_equal(lease->ops->lend(lease, TMEM_CLASS_EPHEMERAL, &lent),
			 0);
	assert_int_equal(lent.epoch, 0);
	return lent.segment;
}

static void what_it_shows(void **state)
{
	struct tmem_lease *lease = *state;

	assert_int_equal(lease->segments_max, SEGMENTS);
	assert_int_equal(lease->segment_size, SEGMENT);
	assert_int_equal((uintptr_t)lease->base % SEGMENT, 0);
	assert_int_equal(atomic_load(lease->revocations), 0);
	assert_int_equal(atomic_load(&lease->epochs[SEGMENTS - 1]), 0);
	assert_ptr_equal(tmem_lease_segment(lease, 3),
			 lease->base + 3 * (size_t)SEGMENT);
}

static void lowest_first(void **state)
{
	struct tmem_lease *lease = *state;
	uint32_t n;

	for (n = 0; n < 80; n++)
		assert_int_equal(lend(lease), n);
	lease->ops->give_back(lease, 70);
	lease->ops->give_back(lease, 3);
	lease->ops->give_back(lease, 41);
	assert_int_equal(lend(lease), 3);
	assert_int_equal(lend(lease), 41);
	assert_int_equal(lend(lease), 70);
	assert_int_equal(lend(lease), 80);
}

/* ---- The reserve ---------------------------------------------------------- */

static int is_backed(struct tmem_lease *lease, uint32_t n)
{
	unsigned char pages[SEGMENT / 4096];
	size_t i, in = 0;

	assert_int_equal(mincore(tmem_lease_segment(lease, n), SEGMENT, pages),
			 0);
	for (i = 0; i < sizeof(pages); i++)
		in += pages[i] & 1;
	return in == sizeof(pages);
}

static uint32_t backed(struct tmem_lease *lease)
{
	uint32_t n, sum = 0;

	for (n = 0; n < SEGMENTS; n++)
		sum += (uint32_t)is_backed(lease, n);
	return sum;
}

static void some_are_backed_ahead(void **state)
{
	struct tmem_lease_opts opts = {
		.bytes_max = (uint64_t)SEGMENT * SEGMENTS,
		.segment_size = SEGMENT,
		.limit_bytes = (uint64_t)SEGMENT * 20,
		.reserve_bytes = (uint64_t)SEGMENT * 8 - 1,
	};
	struct tmem_lease *lease;
	uint32_t n;

	(void)state;
	assert_int_equal(tmem_lease_embedded_create(&opts, &lease), 0);
	assert_int_equal(backed(lease), 8);
	/* They are lent first, and made up for. */
	for (n = 0; n < 3; n++)
		assert_true(is_backed(lease, lend(lease)));
	assert_int_equal(backed(lease), 8);
	lease->ops->populate(lease, 2); /* has its memory, and wants no more */
	assert_int_equal(backed(lease), 8);
	while (lease->ops->replenish(lease))
		;
	assert_int_equal(backed(lease), 11);
	/* There are enough: what comes back goes. */
	lease->ops->give_back(lease, 1);
	assert_int_equal(backed(lease), 10);
	assert_false(is_backed(lease, 1));
	/* There are not: it stays. */
	for (n = 0; n < 2; n++)
		assert_true(is_backed(lease, lend(lease)));
	assert_int_equal(backed(lease), 10);
	lease->ops->give_back_run(lease, 3, 2);
	assert_int_equal(backed(lease), 10);
	/* No more than the limit has room for: two are lent. */
	for (n = 2; n < 16; n++)
		(void)lend(lease);
	while (lease->ops->replenish(lease))
		;
	for (n = 16; n < 20; n++)
		assert_true(is_backed(lease, lend(lease)));
	assert_false(is_backed(lease, lend(lease)));
	lease->ops->destroy(lease, 0);
	assert_int_equal(tmem_lease_embedded_create(&opts, &lease), 0);
	lease->ops->limit(lease, SEGMENT * 5ull);
	assert_int_equal(backed(lease), 5);
	lease->ops->destroy(lease, 0);
}

static void exhaustion(void **state)
{
	struct tmem_lease *lease = *state;
	struct tmem_lent lent = { UINT32_MAX, 0 };
	uint32_t n;

	for (n = 0; n < SEGMENTS; n++)
		assert_int_equal(lend(lease), n);
	assert_int_equal(lease->ops->lend(lease, TMEM_CLASS_METADATA, &lent),
			 -ENOMEM);
	assert_int_equal(lent.segment, UINT32_MAX);
	lease->ops->give_back(lease, SEGMENTS - 1);
	assert_int_equal(lend(lease), SEGMENTS - 1);
	assert_int_equal(lease->ops->lend(lease, TMEM_CLASS_METADATA, &lent),
			 -ENOMEM);
}

static void given_back_is_zero(void **state)
{
	struct tmem_lease *lease = *state;
	uint32_t segment = lend(lease);
	uint8_t *p = tmem_lease_segment(lease, segment);
	size_t n;

	memset(p, 0x5a, SEGMENT);
	lease->ops->give_back(lease, segment);
	assert_int_equal(lend(lease), segment);
	for (n = 0; n < SEGMENT; n++)
		assert_int_equal(p[n], 0);
}

/* OS pages of the whole reservation that have memory behind them. */
static size_t backed_pages(const struct tmem_lease *lease)
{
	static unsigned char there[SEGMENTS * SEGMENT / TMEM_OS_PAGE];
	size_t n, backed = 0;

	assert_int_equal(
		mincore(lease->base, (size_t)SEGMENTS * SEGMENT, there), 0);
	for (n = 0; n < sizeof(there); n++)
		backed += there[n] & 1;
	return backed;
}

static void memory_comes_and_goes(void **state)
{
	const size_t pages = SEGMENT / TMEM_OS_PAGE;
	const size_t slack = 2u << 20; /* what the C library may do meanwhile */
	const size_t all = (size_t)SEGMENTS * SEGMENT;
	struct tmem_lease *lease = *state;
	uint64_t before = machine_rss();
	uint32_t n;

	assert_int_equal(backed_pages(lease), 0);
	for (n = 0; n < SEGMENTS; n++)
		lease->ops->populate(lease, lend(lease));
	/* Populating is advice: kernels before 5.14 do not take it. */
	for (n = 0; n < SEGMENTS; n++)
		memset(tmem_lease_segment(lease, n), 1, SEGMENT);
	assert_int_equal(backed_pages(lease), SEGMENTS * pages);
	assert_true(machine_rss() + slack >= before + all);
	for (n = 0; n < SEGMENTS; n += 2)
		lease->ops->give_back(lease, n);
	assert_int_equal(backed_pages(lease), SEGMENTS / 2 * pages);
	for (n = 1; n < SEGMENTS; n += 2)
		lease->ops->give_back(lease, n);
	assert_int_equal(backed_pages(lease), 0);
	if (!MACHINE_SANITIZED)
		assert_true(machine_rss() <= before + slack);
}

static void faults(void **state)
{
	struct tmem_lease_opts opts = {
		.bytes_max = (uint64_t)SEGMENT * SEGMENTS,
		.segment_size = SEGMENT,
		.huge = 1,
	};
	struct tmem_lease *lease = *state, *other = NULL;
	struct tmem_lent lent = { UINT32_MAX, 0 };
	unsigned long n;

	tmem_fault_set(TMEM_FAULT_SEGMENT, 1);
	assert_int_equal(lease->ops->lend(lease, TMEM_CLASS_PERSISTENT, &lent),
			 -ENOMEM);
	assert_int_equal(lent.segment, UINT32_MAX);
	tmem_fault_set(TMEM_FAULT_SEGMENT, 0);
	assert_int_equal(lend(lease), 0);

	for (n = 1; !other; n++) {
		int err;

		assert_in_range(n, 1, 10);
		tmem_fault_set(TMEM_FAULT_ALLOC, n);
		err = tmem_lease_embedded_create(&opts, &other);
		assert_int_equal(err, other ? 0 : -ENOMEM);
	}
	tmem_fault_set(TMEM_FAULT_ALLOC, 0);
	assert_true(n > 2);
	other->ops->destroy(other, 0);
}

int main(void)
{
#define LEASE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		LEASE_TEST(what_it_shows),
		LEASE_TEST(lowest_first),
		LEASE_TEST(exhaustion),
		cmocka_unit_test(some_are_backed_ahead),
		LEASE_TEST(given_back_is_zero),
		LEASE_TEST(memory_comes_and_goes),
		LEASE_TEST(faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
