/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-order.c - what is lost when half of a store is revoked, or given back by
 * itself: coldest first, as the store says, against the order of the file.
 *
 * Requests are skewed (Zipf's law), stores are told the same, so that two of them
 * are alike until the revocation. What counts is what still hits afterwards, before
 * anything is put anew.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "lease-revoking.h"
#include "machine.h"
#include "order.h"
#include "rng.h"
#include "store.h"
#include "unit.h"

#define PAGE 4096u
#define LIMIT (16 * TMEM_MIB)
#define SEGMENT (64 * TMEM_KIB)
#define SEGMENTS (LIMIT / SEGMENT)
#define REQUESTS (MACHINE_SANITIZED ? 30000u : 120000u)

/* Four times as many as the store has room for. */
#define KEYS 16384u

enum way {
	WAY_FILE,
	WAY_COLDEST,
	WAY_SHRINK
};

/** struct zipf - where each key's share of the requests ends. */
struct zipf {
	double end[KEYS];
};

static void zipf_init(struct zipf *z, double skew)
{
	double sum = 0;
	unsigned i;

	for (i = 0; i < KEYS; i++)
		z->end[i] = sum += 1 / pow(i + 1, skew);
	for (i = 0; i < KEYS; i++)
		z->end[i] /= sum;
}

static unsigned zipf_draw(const struct zipf *z, struct rng *rng)
{
	double at = (double)(rng_next(rng) >> 11) / 9007199254740992.0;
	unsigned low = 0, high = KEYS - 1, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (z->end[mid] < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct run {
	struct lease_revoking *source;
	struct tmem_store *st;
	int pool;
	struct rng rng;
};

static void run_init(struct run *r, uint64_t seed)
{
	struct tmem_lease_opts lease = { .bytes_max = LIMIT,
					 .segment_size = SEGMENT };
	struct tmem_store_opts opts = { .limit_bytes = LIMIT, .workers = 1 };
	struct tmem_pool_opts pool = { .size = sizeof(pool),
				       .flags = TMEM_POOL_KEEP };

	r->rng.state = seed;
	assert_int_equal(lease_revoking_create(&lease, seed, &r->source), 0);
	assert_int_equal(tmem_store_create(
				 &opts, lease_revoking_lease(r->source), &r->st),
			 0);
	r->pool = tmem_store_pool_create(r->st, &pool);
	assert_true(r->pool >= 0);
}

static void run_finish(struct run *r)
{
	struct tmem_lease *lease = lease_revoking_lease(r->source);

	assert_int_equal(tmem_store_check(r->st), 0);
	tmem_store_destroy(r->st, 0);
	lease->ops->destroy(lease, 0);
}

/* Bytes that no codec makes smaller. */
static void fill(uint64_t *page, uint64_t key)
{
	struct rng rng = { .state = key };
	unsigned i;

	for (i = 0; i < PAGE / sizeof(*page); i++)
		page[i] = rng_next(&rng);
}

/* Return: hits, of a thousand. */
static unsigned ask(struct run *r, const struct zipf *z, unsigned requests,
		    int puts)
{
	uint64_t page[PAGE / sizeof(uint64_t)];
	unsigned i, n, hits = 0;
	int hit;

	for (i = 0; i < requests; i++) {
		/* Popular keys are anywhere. */
		n = zipf_draw(z, &r->rng) * 7919u % KEYS;
		struct tmem_key key = tmem_key(n >> 6, n & 63);

		hit = tmem_store_get(r->st, r->pool, &key, page);
		hits += hit == 1;
		if (hit == 1 || !puts)
			continue;
		fill(page, n);
		(void)tmem_store_put(r->st, r->pool, &key, page);
	}
	return (unsigned)((uint64_t)hits * 1000 / requests);
}

static void revoke(struct run *r, enum way way, uint32_t count)
{
	struct tmem_victim order[SEGMENTS];
	uint32_t n = SEGMENTS, i, done = 0;

	for (i = 0; i < SEGMENTS; i++)
		order[i].segment = i;
	if (way == WAY_COLDEST)
		n = tmem_store_coldest(r->st, order, SEGMENTS);
	for (i = 0; i < n && done < count; i++)
		done += (uint32_t)lease_revoking_revoke_segment(
			r->source, order[i].segment);
	assert_int_equal(done, count);
	tmem_store_refresh(r->st);
}

static void lose_half(struct run *r, enum way way)
{
	struct lease_revoking_counts counts;
	uint64_t given;
	uint32_t half;

	lease_revoking_counts(r->source, &counts);
	half = counts.lent[TMEM_CLASS_EPHEMERAL] / 2;
	if (way != WAY_SHRINK) {
		revoke(r, way, half);
		return;
	}
	tmem_store_shrink(r->st, (uint64_t)half * SEGMENT, &given);
	assert_int_equal(given, (uint64_t)half * SEGMENT);
}

/* Return: what hits after half was lost, of a thousand; @ret_before: before. */
static unsigned left(const struct zipf *z, uint64_t seed, enum way way,
		     unsigned *ret_before)
{
	struct run r;
	unsigned hits;

	run_init(&r, seed);
	(void)ask(&r, z, REQUESTS, 1);
	*ret_before = ask(&r, z, REQUESTS / 8, 1);
	lose_half(&r, way);
	hits = ask(&r, z, REQUESTS / 8, 0);
	run_finish(&r);
	return hits;
}

static void test_coldest_first_keeps_more(void **state)
{
	static const double skews[] = { 0.7, 0.9, 1.1 };
	uint64_t seed = rng_seed("TMEM_ORDER_SEED");
	static struct zipf z;
	unsigned i, before, file, coldest, shrunk;

	(void)state;
	for (i = 0; i < 3; i++) {
		zipf_init(&z, skews[i]);
		file = left(&z, seed, WAY_FILE, &before);
		coldest = left(&z, seed, WAY_COLDEST, &before);
		shrunk = left(&z, seed, WAY_SHRINK, &before);
		(void)printf("skew %.1f: %u of a thousand hit before; half "
			     "revoked in the file's order %u, coldest first "
			     "%u, given back %u\n",
			     skews[i], before, file, coldest, shrunk);
		(void)fflush(stdout);
		/* The hottest page alone is a tenth of the last one's requests:
		 * where that lies is luck. */
		if (i == 2)
			break;
		assert_true(coldest > file);
		assert_true(shrunk > file);
	}
}

static void test_says_each_once(void **state)
{
	struct tmem_victim order[SEGMENTS];
	uint32_t n, i;
	uint8_t said[SEGMENTS] = { 0 };
	static struct zipf z;
	struct run r;

	(void)state;
	run_init(&r, rng_seed("TMEM_ORDER_SEED"));
	assert_int_equal(tmem_store_coldest(r.st, order, 0), 0);
	zipf_init(&z, 0.9);
	(void)ask(&r, &z, REQUESTS / 4, 1);
	n = tmem_store_coldest(r.st, order, SEGMENTS);
	assert_true(n > SEGMENTS / 2 && n <= SEGMENTS);
	for (i = 0; i < n; i++) {
		assert_true(order[i].segment < SEGMENTS &&
			    !said[order[i].segment]);
		said[order[i].segment] = 1;
	}
	/* Fewer are the first of all. */
	assert_int_equal(tmem_store_coldest(r.st, order + 8, 8), 8);
	for (i = 0; i < 8; i++)
		assert_int_equal(order[i].segment, order[i + 8].segment);
	run_finish(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_coldest_first_keeps_more),
		cmocka_unit_test(test_says_each_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
