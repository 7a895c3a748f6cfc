/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-helpers.c - what the other tests stand on: page contents compress as they
 * say, and the revoking source keeps the order that lease.h promises.
 */
#include <string.h>

#include <lz4.h>

#include "content.h"
#include "lease-revoking.h"
#include "machine.h"
#include "rng.h"
#include "unit.h"

#define PAGE 4096u
#define SEGMENT (64u << 10)
#define SEGMENTS 40u

/* The mean lz4 size of pages of a kind, in percent of the page. */
static unsigned packed_pct(enum content_kind kind)
{
	char page[PAGE], out[LZ4_COMPRESSBOUND(PAGE)];
	uint64_t i, sum = 0;

	for (i = 0; i < 200; i++) {
		page_fill(page, PAGE, kind, i);
		assert_true(page_equal(page, PAGE, kind, i));
		sum += (uint64_t)LZ4_compress_default(page, out, PAGE,
						      sizeof(out));
	}
	return (unsigned)(sum * 100 / (200 * PAGE));
}

static void contents_compress_as_they_say(void **state)
{
	char a[PAGE], b[PAGE];

	(void)state;
	assert_in_range(packed_pct(CONTENT_ZERO), 0, 3);
	assert_in_range(packed_pct(CONTENT_SAME), 0, 3);
	assert_in_range(packed_pct(CONTENT_TEXT), 25, 45);
	assert_in_range(packed_pct(CONTENT_BARELY), 60, 90);
	assert_in_range(packed_pct(CONTENT_RANDOM), 100, 102);
	page_fill(a, PAGE, CONTENT_TEXT, 1);
	page_fill(b, PAGE, CONTENT_TEXT, 2);
	assert_int_not_equal(memcmp(a, b, PAGE), 0);
	assert_int_equal(page_equal(a, PAGE, CONTENT_TEXT, 2), 0);
}

static void free_memory_is_seen(void **state)
{
	(void)state;
	assert_true(machine_mem_free() > 0);
	assert_true(machine_rss() > 0);
	assert_true(machine_address_space() >= machine_rss());
	assert_int_equal(machine_fds() >= 3, 1);
	assert_true(machine_threads() >= 1);
}

static struct lease_revoking *source_of(uint64_t seed)
{
	struct tmem_lease_opts opts = {
		.bytes_max = (uint64_t)SEGMENT * SEGMENTS,
		.segment_size = SEGMENT,
	};
	struct lease_revoking *source;

	assert_int_equal(lease_revoking_create(&opts, seed, &source), 0);
	return source;
}

static struct tmem_lent lend(struct tmem_lease *lease, enum tmem_class cls)
{
	struct tmem_lent lent;

	assert_int_equal(lease->ops->lend(lease, cls, &lent), 0);
	return lent;
}

/* Only ephemeral segments go; they read as zero and can be lent again. */
static void revoking(void **state)
{
	struct lease_revoking *source = source_of(1);
	struct tmem_lease *lease = lease_revoking_lease(source);
	struct lease_revoking_counts counts;
	struct tmem_lent eph, pers, again;

	(void)state;
	assert_int_equal(lease_revoking_revoke(source), 0);
	pers = lend(lease, TMEM_CLASS_PERSISTENT);
	assert_int_equal(lease_revoking_revoke(source), 0);
	eph = lend(lease, TMEM_CLASS_EPHEMERAL);
	assert_int_equal(eph.epoch, 0);
	memset(tmem_lease_segment(lease, eph.segment), 1, SEGMENT);
	assert_int_equal(atomic_load(lease->revocations), 0);
	assert_int_equal(lease_revoking_revoke(source), 1);
	assert_int_equal(atomic_load(&lease->epochs[eph.segment]), 1);
	assert_int_equal(atomic_load(&lease->epochs[pers.segment]), 0);
	assert_int_equal(atomic_load(lease->revocations), 1);
	assert_true(page_uniform(tmem_lease_segment(lease, eph.segment),
				 SEGMENT, 0));
	assert_int_equal(lease_revoking_class(source, eph.segment), -1);
	again = lend(lease, TMEM_CLASS_METADATA);
	assert_int_equal(again.segment, eph.segment);
	assert_int_equal(again.epoch, 1);
	lease_revoking_counts(source, &counts);
	assert_int_equal(counts.revoked, 1);
	assert_int_equal(counts.lent[TMEM_CLASS_EPHEMERAL], 0);
	assert_int_equal(counts.lent[TMEM_CLASS_METADATA], 1);
	lease->ops->destroy(lease, 0);
}

/* Giving back what was revoked meanwhile is ignored, and counted. */
static void a_late_return(void **state)
{
	struct lease_revoking *source = source_of(1);
	struct tmem_lease *lease = lease_revoking_lease(source);
	struct lease_revoking_counts counts;
	struct tmem_lent lent = lend(lease, TMEM_CLASS_EPHEMERAL);

	(void)state;
	assert_int_equal(lease_revoking_revoke(source), 1);
	lease->ops->populate(lease, lent.segment);
	lease->ops->give_back(lease, lent.segment);
	lease_revoking_counts(source, &counts);
	assert_int_equal(counts.late, 2);
	assert_true(page_uniform(tmem_lease_segment(lease, lent.segment),
				 SEGMENT, 0));
	assert_int_equal(lend(lease, TMEM_CLASS_EPHEMERAL).segment,
			 lent.segment);
	lease->ops->give_back(lease, lent.segment);
	lease_revoking_counts(source, &counts);
	assert_int_equal(counts.late, 2);
	lease->ops->destroy(lease, 0);
}

/* By chance, sometimes the very segment that is being lent. */
static void revoking_by_chance(void **state)
{
	struct lease_revoking *source = source_of(rng_seed("TMEM_LEASE_SEED"));
	struct tmem_lease *lease = lease_revoking_lease(source);
	uint64_t own = 0, i, seen;
	struct tmem_lent lent;

	(void)state;
	lease_revoking_set_odds(source, 2);
	for (i = 0; i < 2000; i++) {
		lent = lend(lease, TMEM_CLASS_EPHEMERAL);
		seen = atomic_load(&lease->epochs[lent.segment]);
		assert_in_range(seen, lent.epoch, lent.epoch + 1);
		own += seen != lent.epoch;
		if (seen == lent.epoch && i % 3)
			lease->ops->give_back(lease, lent.segment);
	}
	assert_true(own > 0);
	assert_true(atomic_load(lease->revocations) > own);
	lease->ops->destroy(lease, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contents_compress_as_they_say),
		cmocka_unit_test(free_memory_is_seen),
		cmocka_unit_test(revoking),
		cmocka_unit_test(a_late_return),
		cmocka_unit_test(revoking_by_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
