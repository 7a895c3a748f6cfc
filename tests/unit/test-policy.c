/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-policy.c - shapes of requests whose right answer is known, played through a
 * store of a thousand pages: what fits stays, what does not fit stays in part, a
 * scan passes by, what is hot anew replaces what was. The same while segments are
 * revoked at random. And the bars are bars: policies broken on purpose fail them.
 */
#include <stdio.h>
#include <string.h>

#include "bounds.h"
#include "lease-revoking.h"
#include "machine.h"
#include "rng.h"
#include "store.h"
#include "unit.h"

#define PAGE 4096u
#define PAGES 1000u
#define LIMIT (16 * TMEM_MIB)
#define REQUESTS 60000u

/* A caller's own pages, where gets take theirs: first in, first out. */
#define OWN 32u

/** enum - what is done to the policy before each request. */
enum harm {
	HARM_NONE,
	HARM_FORGETS,  /* pages that left are strangers */
	HARM_RETURNED, /* it goes one way for ever */
	HARM_FIFO,
	HARM_QUARTER
};

/** struct play - a run. */
struct play {
	int take; /* gets take the page */
	enum harm harm;
	unsigned revoke; /* a segment every so many requests; 0: never */
	struct tmem_store *st;
	struct lease_revoking *source;
	int pool;
	struct rng rng;
	uint64_t own[OWN];
	unsigned own_next;
	uint64_t asks;
	uint64_t asked, hits; /* since the last reset */
};

static void play_init(struct play *p)
{
	struct tmem_lease_opts lease = {
		.bytes_max = LIMIT,
		.segment_size = 64 * TMEM_KIB,
	};
	struct tmem_store_opts opts = {
		.limit_bytes = LIMIT,
		.limit_pages = PAGES,
		.workers = 1,
	};
	struct tmem_pool_opts pool = {
		.size = sizeof(pool),
		.flags = p->take ? TMEM_POOL_TAKE : TMEM_POOL_KEEP,
	};

	p->rng.state = rng_seed("TMEM_POLICY_SEED");
	assert_int_equal(
		lease_revoking_create(&lease, p->rng.state, &p->source), 0);
	/* Inside the engine's own calls to the source, too. */
	lease_revoking_set_odds(p->source, p->revoke);
	assert_int_equal(tmem_store_create(
				 &opts, lease_revoking_lease(p->source), &p->st),
			 0);
	p->pool = tmem_store_pool_create(p->st, &pool);
	assert_true(p->pool >= 0);
	memset(p->own, 0xff, sizeof(p->own));
	p->own_next = 0;
	p->asks = p->asked = p->hits = 0;
}

static void play_finish(struct play *p)
{
	struct tmem_lease *lease = lease_revoking_lease(p->source);

	assert_int_equal(tmem_store_check(p->st), 0);
	tmem_store_destroy(p->st, 0);
	lease->ops->destroy(lease, 0);
}

static void put(struct play *p, uint64_t page)
{
	static uint64_t bytes[PAGE / sizeof(uint64_t)] = { 1, 2, 3 };
	struct tmem_key key = tmem_key(0, page);
	int ret;

	bytes[0] = page;
	ret = tmem_store_put(p->st, p->pool, &key, bytes);
	/* The source may have nothing while it revokes. */
	assert_in_range(ret, p->revoke ? 0 : 1, 1);
}

static int get(struct play *p, uint64_t page)
{
	uint64_t bytes[PAGE / sizeof(uint64_t)];
	struct tmem_key key = tmem_key(0, page);
	int hit = tmem_store_get(p->st, p->pool, &key, bytes);

	assert_in_range(hit, 0, 1);
	if (hit)
		assert_int_equal(bytes[0], page);
	p->asked++;
	p->hits += (uint64_t)hit;
	return hit;
}

static void do_harm(struct play *p)
{
	switch (p->harm) {
	case HARM_NONE:
		break;
	case HARM_FORGETS:
		atomic_store(&p->st->haunted, 0);
		break;
	case HARM_RETURNED:
		atomic_store(&p->st->way, TMEM_WAY_RETURNED);
		break;
	case HARM_FIFO:
		atomic_store(&p->st->way, TMEM_WAY_FIFO);
		break;
	case HARM_QUARTER:
		atomic_store(&p->st->way, TMEM_WAY_QUARTER);
		break;
	}
}

/* What the caller has is not asked for; what it gives up is put. */
static void ask_above(struct play *p, uint64_t page)
{
	uint64_t victim;
	unsigned i;

	for (i = 0; i < OWN; i++)
		if (p->own[i] == page)
			return;
	(void)get(p, page);
	victim = p->own[p->own_next];
	p->own[p->own_next] = page;
	p->own_next = (p->own_next + 1) % OWN;
	if (victim != UINT64_MAX)
		put(p, victim);
}

static void ask(struct play *p, uint64_t page)
{
	do_harm(p);
	if (p->revoke && p->asks % p->revoke == 0)
		(void)lease_revoking_revoke(p->source);
	if (p->asks++ % 5000 == 0)
		assert_int_equal(tmem_store_check(p->st), 0);
	if (p->take)
		ask_above(p, page);
	else if (!get(p, page))
		put(p, page);
}

/* ---- Shapes: each gives the share of requests that hit, in a thousand ------ */

static unsigned share(struct play *p)
{
	unsigned n = (unsigned)(p->hits * 1000 / p->asked);

	p->asked = p->hits = 0;
	return n;
}

/* Over and over the same; what the second half of it hits. */
static unsigned loop(struct play *p, uint64_t pages)
{
	uint64_t i;

	for (i = 0; i < REQUESTS; i++) {
		if (i == REQUESTS / 2)
			(void)share(p);
		ask(p, i % pages);
	}
	return share(p);
}

static unsigned loop_that_fits(struct play *p)
{
	return loop(p, PAGES * 9 / 10);
}

static unsigned loop_too_long(struct play *p)
{
	return loop(p, PAGES * 3 / 2);
}

/* 600 pages by chance, then 1500 in order, never seen again; of the first. */
static unsigned scan_over_hot(struct play *p)
{
	uint64_t round, i, asked, hits, scanned = 1000000;

	for (round = 0; round < REQUESTS / 4500; round++) {
		if (round == 2)
			(void)share(p);
		for (i = 0; i < 3000; i++)
			ask(p, rng_below(&p->rng, 600));
		asked = p->asked;
		hits = p->hits;
		for (i = 0; i < 1500; i++)
			ask(p, scanned++);
		p->asked = asked;
		p->hits = hits;
	}
	return share(p);
}

/* 600 pages by chance; every 10000 requests, others. */
static unsigned hot_set_shifts(struct play *p)
{
	uint64_t i;

	for (i = 0; i < REQUESTS; i++)
		ask(p, i / 10000 * 600 + rng_below(&p->rng, 600));
	return share(p);
}

/** struct bar - what a shape must hit at least, in a thousand. */
struct bar {
	const char *name;
	unsigned (*shape)(struct play *p);
	unsigned keep, take; /* by what gets do */
};

/*
 * Right answers: all of a loop that fits; of one half as long again LRU and FIFO
 * hit nothing, the best there is hits 666; all of the hot set but its first
 * round, and all but the first request for each page of one that shifts (940).
 */
static const struct bar bars[] = {
	{ "a loop that fits", loop_that_fits, 995, 995 },
	{ "a loop too long", loop_too_long, 200, 400 },
	{ "a scan over a hot set", scan_over_hot, 950, 950 },
	{ "a hot set that shifts", hot_set_shifts, 800, 900 },
};

#define BARS (sizeof(bars) / sizeof(bars[0]))

/* How many bars fail. */
static unsigned fails(int take, enum harm harm, unsigned revoke, unsigned part)
{
	unsigned i, n = 0, got, want;

	for (i = 0; i < BARS; i++) {
		struct play p = { .take = take, .harm = harm, .revoke = revoke };

		play_init(&p);
		got = bars[i].shape(&p);
		play_finish(&p);
		want = (take ? bars[i].take : bars[i].keep) * part / 100;
		n += got < want;
		print_message("%s, %s, harm %d, revoked %d: %u of %u\n",
			      bars[i].name, take ? "taken" : "kept", harm,
			      revoke != 0, got, want);
	}
	return n;
}

/* A sanitizer is for the code's faults, and makes a minute of a second. */
static void skip_if_sanitized(void)
{
	if (MACHINE_SANITIZED)
		skip_for("too slow with a sanitizer");
}

static void clears_all_bars(void **state)
{
	(void)state;
	skip_if_sanitized();
	assert_int_equal(fails(0, HARM_NONE, 0, 100), 0);
	assert_int_equal(fails(1, HARM_NONE, 0, 100), 0);
}

/* Each loses one page in a hundred, for a while. */
static void clears_lower_bars_under_revocation(void **state)
{
	(void)state;
	assert_int_equal(fails(0, HARM_NONE, 300, 85), 0);
	assert_int_equal(fails(1, HARM_NONE, 300, 85), 0);
}

static void broken_it_fails_bars(void **state)
{
	(void)state;
	skip_if_sanitized();
	assert_true(fails(0, HARM_FORGETS, 0, 100) > 0);
	assert_true(fails(1, HARM_FORGETS, 0, 100) > 0);
	assert_true(fails(1, HARM_RETURNED, 0, 100) > 0);
	assert_true(fails(1, HARM_FIFO, 0, 100) > 0);
	assert_true(fails(1, HARM_QUARTER, 0, 100) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clears_all_bars),
		cmocka_unit_test(clears_lower_bars_under_revocation),
		cmocka_unit_test(broken_it_fails_bars),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
