/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-replay-policies.c - the policies that `tmem replay` compares with, on
 * short lists of events whose hits are counted by hand, and by brute force.
 */
#include <stdio.h>
#include <string.h>

#include "replay-policy.h"
#include "replay-stream.h"
#include "rng.h"
#include "unit.h"

/*
 * Events as text: a letter for a page; before it, where it is not an ASK, `<`
 * GET, `>` PUT, `!` FLUSH. Blanks are for the eye.
 */
static struct stream stream_of(const char *text)
{
	struct stream s = { 0 };
	unsigned op = EVENT_ASK;

	for (; *text; text++) {
		switch (*text) {
		case ' ':
			break;
		case '<':
			op = EVENT_GET;
			break;
		case '>':
			op = EVENT_PUT;
			break;
		case '!':
			op = EVENT_FLUSH;
			break;
		default:
			assert_false(
				stream_add(&s, op, (uint32_t)(*text - 'a')));
			op = EVENT_ASK;
		}
	}
	return s;
}

static uint64_t hits_of(int policy, const struct stream *s, uint32_t pages)
{
	uint64_t hits = UINT64_MAX;

	assert_false(policies[policy].run(s, pages, &hits));
	assert_true(hits <= s->count);
	return hits;
}

/** struct known - hits of LRU, FIFO, S3-FIFO, optimal. */
struct known {
	const char *events;
	uint32_t pages;
	uint64_t hits[POLICIES];
};

static const struct known known[] = {
	{ "", 1, { 0, 0, 0, 0 } },
	{ "a", 1, { 0, 0, 0, 0 } },
	{ "aaaa", 1, { 3, 3, 3, 3 } },
	{ "abab", 1, { 0, 0, 0, 1 } },
	/* A loop that fits, and one that is a page too long. */
	{ "abc abc abc", 3, { 6, 6, 6, 6 } },
	{ "abc abc abc", 2, { 0, 0, 1, 4 } },
	/* Use saves a page from LRU, not from FIFO. */
	{ "ab a c a", 2, { 2, 1, 1, 2 } },
	/* Age saves it from neither; the future tells. */
	{ "ab cd ab", 2, { 0, 0, 0, 2 } },
	/* A scan over a hot set: two uses have moved that to main. */
	{ "abaab bcdefgh ab", 3, { 4, 4, 6, 6 } },
	/* Gets that take: LRU has no use to go by. */
	{ ">a>b <a <a", 2, { 1, 1, 1, 1 } },
	{ ">a>b>c <a<b<c", 2, { 2, 2, 2, 2 } },
	{ ">a>b <a >a >c <b<a<c", 2, { 3, 3, 3, 3 } },
	{ ">a>b <a<b >a>b>c>d <a<b", 2, { 2, 2, 3, 4 } },
	/* A page that was flushed is not there. */
	{ ">a !a <a", 1, { 0, 0, 0, 0 } },
	{ "a !a a a", 1, { 1, 1, 1, 1 } },
	{ ">a>b !a >c <b<c", 2, { 2, 2, 2, 2 } },
	{ ">a !b <a", 1, { 1, 1, 1, 1 } },
};

static void by_hand(void **state)
{
	size_t n;
	int p;

	(void)state;
	for (n = 0; n < sizeof(known) / sizeof(known[0]); n++) {
		struct stream s = stream_of(known[n].events);

		for (p = 0; p < POLICIES; p++) {
			uint64_t hits = hits_of(p, &s, known[n].pages);

			if (hits != known[n].hits[p])
				fail_msg("%s of %u, %s: %u hits, not %u",
					 known[n].events, known[n].pages,
					 policies[p].name, (unsigned)hits,
					 (unsigned)known[n].hits[p]);
		}
		stream_finish(&s);
	}
}

/* ---- Brute force ---------------------------------------------------------- */

#define IDS 5
#define SETS (1u << IDS)
#define EVENTS_MAX 24

/* Most hits from event `i` on, for each set of pages held then. */
static void step_back(const uint32_t *event, uint32_t pages, const int *after,
		      int *before)
{
	uint32_t bit = 1u << EVENT_ID(*event), set, all, keep;

	for (set = 0; set < SETS; set++) {
		unsigned op = EVENT_OP(*event);
		int asks = op == EVENT_ASK || op == EVENT_GET;
		int best = 0;

		all = op == EVENT_ASK || op == EVENT_PUT ? set | bit
							 : set & ~bit;
		for (keep = 0; keep < SETS; keep++)
			if (!(keep & ~all) &&
			    (uint32_t)__builtin_popcount(keep) <= pages &&
			    after[keep] > best)
				best = after[keep];
		before[set] = best + (asks && (set & bit));
	}
}

static uint64_t most_hits(const struct stream *s, uint32_t pages)
{
	int hits[2][SETS] = { 0 };
	uint64_t i = s->count;
	unsigned now = 0;

	while (i--) {
		step_back(&s->event[i], pages, hits[now], hits[!now]);
		now = !now;
	}
	return (uint64_t)hits[now][0];
}

/* As a first level gives them: what is there is not put, what is out not had. */
static struct stream random_stream(struct rng *rng, int asks)
{
	uint64_t i, count = rng_below(rng, EVENTS_MAX) + 1;
	struct stream s = { 0 };
	uint32_t above = 0;

	for (i = 0; i < count; i++) {
		uint32_t id = (uint32_t)rng_below(rng, IDS);
		unsigned op = EVENT_FLUSH;

		if (asks) {
			op = rng_below(rng, 8) ? EVENT_ASK : EVENT_FLUSH;
		} else if (above & 1u << id) {
			op = EVENT_PUT;
			above &= ~(1u << id);
		} else {
			op = rng_below(rng, 8) ? EVENT_GET : EVENT_FLUSH;
			above |= 1u << id;
		}
		assert_false(stream_add(&s, op, id));
	}
	return s;
}

/* Nobody does better than optimal, and optimal does as well as is possible. */
static void by_force(void **state)
{
	struct rng rng = { .state = rng_seed("TMEM_POLICIES_SEED") };
	unsigned round;
	int p;

	(void)state;
	for (round = 0; round < 4000; round++) {
		struct stream s = random_stream(&rng, (int)(round & 1));
		uint32_t pages = (uint32_t)rng_below(&rng, IDS) + 1;
		uint64_t most = most_hits(&s, pages);

		assert_int_equal(hits_of(POLICY_OPTIMAL, &s, pages), most);
		for (p = 0; p < POLICIES; p++)
			assert_true(hits_of(p, &s, pages) <= most);
		stream_finish(&s);
	}
}

/* ---- S3-FIFO, in the large ------------------------------------------------ */

static void ask(struct stream *s, uint32_t from, uint32_t to)
{
	for (; from < to; from++)
		assert_false(stream_add(s, EVENT_ASK, from));
}

/* Hot pages used three times stay for any scan; LRU keeps none of them. */
static void scan(void **state)
{
	struct stream s = { 0 };
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		ask(&s, 0, 50);
	ask(&s, 1000, 3000);
	ask(&s, 0, 50);
	assert_int_equal(hits_of(POLICY_S3FIFO, &s, 100), 150);
	assert_int_equal(hits_of(POLICY_LRU, &s, 100), 100);
	assert_int_equal(hits_of(POLICY_FIFO, &s, 100), 100);
	assert_int_equal(hits_of(POLICY_OPTIMAL, &s, 100), 150);
	stream_finish(&s);
}

/*
 * Pages evicted from small and asked again go to main, if ghost still has them:
 * of 100 new pages in a cache of 100, a scan of 50 pushes out the first 50; asked
 * again they are in main, where a scan of 200 does not reach them.
 */
static void ghost(void **state)
{
	struct stream s = { 0 };

	(void)state;
	ask(&s, 0, 100);
	ask(&s, 1000, 1050);
	ask(&s, 0, 50);
	ask(&s, 2000, 2200);
	ask(&s, 0, 50);
	assert_int_equal(hits_of(POLICY_S3FIFO, &s, 100), 50);
	assert_int_equal(hits_of(POLICY_LRU, &s, 100), 0);
	stream_finish(&s);

	/* 91 more than ghost has room for are forgotten. */
	s = (struct stream){ 0 };
	ask(&s, 0, 100);
	ask(&s, 1000, 1191);
	ask(&s, 0, 50);
	ask(&s, 2000, 2200);
	ask(&s, 0, 50);
	assert_int_equal(hits_of(POLICY_S3FIFO, &s, 100), 0);
	stream_finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_hand),
		cmocka_unit_test(by_force),
		cmocka_unit_test(scan),
		cmocka_unit_test(ghost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
