/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-alloc.c - T3, T22: whatever cannot be had, wherever: the nth allocation,
 * segment, thread or codec context fails, for n = 1, 2, 3 ... until the work
 * passes no nth such point.
 *
 * After each: the calls returned what they may, pages stored earlier are intact,
 * nothing stale is readable, the walkers are content, and closing gives back
 * everything. Then the same with all points from the nth on failing.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "content.h"
#include "fault.h"
#include "leftover.h"
#include "machine.h"
#include "opened.h"
#include "rng.h"
#include "unit.h"
#include <tmem/tmem.h>

#define MIB ((uint64_t)1 << 20)
#define PAGE 4096u
#define EARLIER 60u /* pages stored before anything fails */
#define KEYS 700u   /* of the work under test */

/* Every point up to here is tried, then only some; TMEM_TEST_LONG=1: all. */
#define EVERY_UP_TO (MACHINE_SANITIZED ? 8u : 24u)

static const char *const kind_names[TMEM_FAULT_KINDS] = { "allocation",
							  "segment", "thread",
							  "codec context" };

/* What must be found under a key of the work: the version, 0 nothing. */
struct scene {
	struct opened o;
	int earlier; /* a persistent pool, whose pages must survive */
	int pers, eph;
	uint32_t pers_version[KEYS];
	uint32_t eph_version[KEYS];
	const char *work;
	enum tmem_fault_kind kind;
	unsigned long nth;
	int from_nth_on;
};

static struct scene scene; /* too large for a stack */
static unsigned long every_up_to;

#define EXPECT(s, x)                                                           \
	do {                                                                   \
		if (!(x))                                                      \
			fail_in(s, #x, __LINE__);                              \
	} while (0)

static void fail_in(const struct scene *s, const char *what, int line)
{
	unsigned kind;

	for (kind = 0; kind < TMEM_FAULT_KINDS; kind++)
		tmem_fault_set((enum tmem_fault_kind)kind, 0);
	fail_msg("line %d: %s, during \"%s\", %s %lu%s failing\n%s", line, what,
		 s->work, kind_names[s->kind], s->nth,
		 s->from_nth_on ? " and later" : "", s->o.lines.text);
}

/* ---- Pages -------------------------------------------------------------- */

static struct tmem_key key_of(uint64_t i)
{
	return tmem_key(i % 9, i / 9);
}

static void fill(uint8_t *page, uint64_t i, uint32_t version)
{
	page_fill(page, PAGE, (i + version) % CONTENT_KINDS, i << 32 | version);
}

static void put_earlier(struct scene *s)
{
	uint8_t page[PAGE];
	uint64_t i;

	s->earlier = opened_pool(&s->o, TMEM_POOL_PERSISTENT, 0);
	for (i = 0; i < EARLIER; i++) {
		struct tmem_key key = key_of(i);

		fill(page, i, 0);
		assert_int_equal(tmem_put(s->o.t, s->earlier, &key, page), 1);
	}
}

static void earlier_is_intact(struct scene *s)
{
	uint8_t page[PAGE];
	uint64_t i;

	for (i = 0; i < EARLIER; i++) {
		struct tmem_key key = key_of(i);

		EXPECT(s, tmem_get(s->o.t, s->earlier, &key, page) == 1);
		EXPECT(s, page_equal(page, PAGE, i % CONTENT_KINDS, i << 32));
	}
}

/* A put that may be refused; then nothing is left under the key. */
static void put(struct scene *s, int pool, uint32_t *version, uint64_t i,
		uint32_t to)
{
	struct tmem_key key = key_of(i);
	uint8_t page[PAGE];
	int ret;

	if (pool < 0)
		return;
	fill(page, i, to);
	ret = tmem_put(s->o.t, pool, &key, page);
	EXPECT(s, ret == 0 || ret == 1);
	version[i] = ret ? to : 0;
}

static void get(struct scene *s, int pool, const uint32_t *version, uint64_t i,
		int persistent)
{
	struct tmem_key key = key_of(i);
	uint8_t page[PAGE];
	int ret;

	if (pool < 0)
		return;
	ret = tmem_get(s->o.t, pool, &key, page);
	EXPECT(s, ret == 0 || ret == 1);
	if (persistent)
		EXPECT(s, ret == (version[i] != 0));
	if (!ret)
		return;
	EXPECT(s, version[i]);
	EXPECT(s, page_equal(page, PAGE, (i + version[i]) % CONTENT_KINDS,
			     i << 32 | version[i]));
}

static void get_all(struct scene *s)
{
	uint64_t i;

	for (i = 0; i < KEYS; i++) {
		get(s, s->pers, s->pers_version, i, 1);
		get(s, s->eph, s->eph_version, i, 0);
	}
}

/* ---- Works -------------------------------------------------------------- */

static int make_pool(struct scene *s, uint32_t flags, uint32_t page_size)
{
	struct tmem_pool_opts opts = {
		.size = sizeof(opts),
		.flags = flags,
		.page_size = page_size,
		.name = "a pool with a name that must be copied",
	};
	int pool = tmem_pool_create(s->o.t, &opts);

	EXPECT(s, pool >= 0 || pool == -ENOMEM);
	return pool >= 0 ? pool : -1;
}

/* Nothing more than what is always done before and after. */
static void do_nothing(struct scene *s)
{
	(void)s;
}

static void do_pools(struct scene *s)
{
	int pools[12];
	unsigned i;

	for (i = 0; i < 12; i++)
		pools[i] = make_pool(s, i % 2 ? TMEM_POOL_PERSISTENT : 0,
				     4096u << i % 3);
	for (i = 0; i < 12; i++)
		if (pools[i] >= 0)
			EXPECT(s, tmem_pool_destroy(s->o.t, pools[i]) == 0);
}

static void do_fill(struct scene *s)
{
	uint64_t i;

	for (i = 0; i < KEYS; i++) {
		put(s, s->pers, s->pers_version, i, 1);
		put(s, s->eph, s->eph_version, i, 1);
	}
}

/* T3: puts over pages that are there, in another form each time. */
static void do_overwrite(struct scene *s)
{
	uint32_t version;
	uint64_t i;

	for (version = 2; version < 5; version++) {
		for (i = 0; i < KEYS / 2; i++) {
			put(s, s->pers, s->pers_version, i, version);
			get(s, s->pers, s->pers_version, i, 1);
			put(s, s->eph, s->eph_version, i, version);
		}
	}
}

static void do_objects(struct scene *s)
{
	static const uint8_t zero[PAGE];
	uint64_t i;

	for (i = 0; i < KEYS; i++) {
		struct tmem_key key = tmem_key(1000 + i, i);
		int ret = tmem_put(s->o.t, s->pers, &key, zero);

		EXPECT(s, ret == 0 || ret == 1);
		EXPECT(s, tmem_flush_object(s->o.t, s->pers, &key) == ret);
	}
}

/* Neither gets nor flushes may ask for anything they could be refused. */
static void do_get_and_flush(struct scene *s)
{
	uint64_t i;

	get_all(s);
	for (i = 0; i < KEYS / 3; i++) {
		struct tmem_key key = key_of(i);

		EXPECT(s, tmem_flush_page(s->o.t, s->pers, &key) ==
				  (s->pers_version[i] != 0));
		s->pers_version[i] = 0;
		(void)tmem_flush_page(s->o.t, s->eph, &key);
		s->eph_version[i] = 0;
	}
	for (i = KEYS / 3; i < KEYS; i++) {
		struct tmem_key key = tmem_key(4, 0);

		if (i % 9 != 4)
			continue;
		(void)tmem_flush_object(s->o.t, s->pers, &key);
		(void)tmem_flush_object(s->o.t, s->eph, &key);
		s->pers_version[i] = s->eph_version[i] = 0;
	}
	get_all(s);
}

static void do_submit(struct scene *s)
{
	static uint8_t pages[32][PAGE];
	struct tmem_op ops[32];
	uint64_t i, base;

	for (base = 0; base + 32 <= KEYS; base += 32) {
		memset(ops, 0, sizeof(ops));
		for (i = 0; i < 32; i++) {
			fill(pages[i], base + i, 9);
			ops[i].code = TMEM_OP_PUT;
			ops[i].pool = s->pers;
			ops[i].key = key_of(base + i);
			ops[i].page = pages[i];
		}
		EXPECT(s, tmem_submit(s->o.t, ops, 32) == 0);
		for (i = 0; i < 32; i++) {
			EXPECT(s, ops[i].result == 0 || ops[i].result == 1);
			s->pers_version[base + i] = ops[i].result ? 9 : 0;
		}
	}
}

/* A part put that fails on a page that is there leaves no page. */
static void do_parts(struct scene *s)
{
	uint8_t patch[64], want[PAGE], got[PAGE];
	uint64_t i;

	memset(patch, 0x77, sizeof(patch));
	for (i = 0; i < KEYS / 4; i++) {
		struct tmem_op op = {
			.code = TMEM_OP_PUT,
			.pool = s->pers,
			.key = key_of(i),
			.page = patch,
			.offset = 100,
			.len = sizeof(patch),
		};
		uint32_t version = s->pers_version[i];

		EXPECT(s, tmem_submit(s->o.t, &op, 1) == 0);
		EXPECT(s, op.result == 0 || (op.result == 1 && version));
		EXPECT(s, tmem_get(s->o.t, s->pers, &op.key, got) == op.result);
		if (op.result) {
			fill(want, i, version);
			memcpy(want + 100, patch, sizeof(patch));
			EXPECT(s, !memcmp(got, want, PAGE));
		}
		EXPECT(s,
		       tmem_flush_page(s->o.t, s->pers, &op.key) == op.result);
		s->pers_version[i] = 0;
	}
}

static void do_shrink(struct scene *s)
{
	EXPECT(s, tmem_shrink(s->o.t, MIB / 2, NULL) == 0);
	EXPECT(s, tmem_shrink(s->o.t, UINT64_MAX, NULL) == 0);
}

static void do_limits(struct scene *s)
{
	EXPECT(s, tmem_set_limit(s->o.t, MIB) == 0);
	EXPECT(s, tmem_set_limit(s->o.t, 16 * MIB) == 0);
	do_fill(s);
	EXPECT(s, tmem_set_limit(s->o.t, 2 * MIB) == 0);
}

static void do_age(struct scene *s)
{
	int i, ret;

	for (i = 0; i < 200; i++) {
		ret = tmem_age(s->o.t, 500);
		EXPECT(s, ret == 0 || ret == 1);
		if (!ret)
			break;
	}
}

/* As much as makes dictionaries: samples are drawn, pages become dense. */
static void do_dense(struct scene *s)
{
	int i, ret;

	do_fill(s);
	for (i = 0; i < 400; i++) {
		ret = tmem_age(s->o.t, 4000);
		EXPECT(s, ret == 0 || ret == 1);
		if (!ret)
			break;
	}
	get_all(s);
}

static void do_figures(struct scene *s)
{
	struct tmem_stats stats = { .size = sizeof(stats) };
	int ret;

	EXPECT(s, tmem_stats(s->o.t, &stats) == 0);
	ret = tmem_check(s->o.t);
	EXPECT(s, ret == 0 || ret == -ENOMEM);
}

static const struct work {
	const char *name;
	void (*before)(struct scene *s); /* with nothing failing */
	void (*during)(struct scene *s);
	const char *where; /* NULL: a small store */
} works[] = {
	{ "create and destroy pools", do_nothing, do_pools, NULL },
	{ "fill", do_nothing, do_fill, NULL },
	{ "fill and age", do_fill, do_age, NULL },
	{ "fill and make dense", do_nothing, do_dense,
	  "embedded:size=8M,codec=zstd,raw=0" },
	{ "overwrite", do_fill, do_overwrite, NULL },
	{ "many objects", do_nothing, do_objects, NULL },
	{ "get and flush", do_fill, do_get_and_flush, NULL },
	{ "batches", do_fill, do_submit, NULL },
	{ "parts", do_fill, do_parts, NULL },
	{ "shrink", do_fill, do_shrink, NULL },
	{ "limits", do_fill, do_limits, NULL },
	{ "figures", do_fill, do_figures, NULL },
};

/* ---- The loop ----------------------------------------------------------- */

static void arm(struct scene *s, unsigned long nth)
{
	s->nth = nth;
	if (s->from_nth_on)
		tmem_fault_every(s->kind, nth);
	else
		tmem_fault_set(s->kind, nth);
}

/* 1: the point was reached, so there may be a next one. */
static int disarm(struct scene *s)
{
	int reached = tmem_fault_count(s->kind) >= s->nth;

	tmem_fault_set(s->kind, 0);
	return reached;
}

static int try_work(struct scene *s, const struct work *work, unsigned long nth)
{
	int reached;

	opened_init(&s->o, work->where ? work->where : "embedded:size=2M");
	put_earlier(s);
	s->work = work->name;
	s->pers = opened_pool(&s->o, TMEM_POOL_PERSISTENT, 0);
	s->eph = opened_pool(&s->o, TMEM_POOL_KEEP, 0);
	memset(s->pers_version, 0, sizeof(s->pers_version));
	memset(s->eph_version, 0, sizeof(s->eph_version));
	work->before(s);
	arm(s, nth);
	work->during(s);
	reached = disarm(s);
	/* Whatever failed in all the rounds before, this one did it all. */
	if (work->during == do_dense && !reached) {
		EXPECT(s, opened_stats(&s->o).pages_dense > KEYS / 4);
		EXPECT(s, opened_stats(&s->o).dictionaries > 0);
	}
	EXPECT(s, tmem_check(s->o.t) == 0);
	earlier_is_intact(s);
	get_all(s);
	/* And it goes on working. */
	do_fill(s);
	get_all(s);
	earlier_is_intact(s);
	opened_finish(&s->o);
	return reached;
}

static unsigned long next_after(unsigned long nth)
{
	return nth < every_up_to ? nth + 1
				 : nth + nth / (2 - MACHINE_SANITIZED) + 1;
}

static void all_works(enum tmem_fault_kind kind)
{
	struct scene *s = &scene;
	unsigned long nth, tried = 0;
	size_t i;

	s->kind = kind;
	for (s->from_nth_on = 0; s->from_nth_on < 2; s->from_nth_on++) {
		for (i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
			nth = 1;
			while (try_work(s, &works[i], nth))
				nth = next_after(nth);
			tried += nth;
		}
	}
	print_message("%s: the last point tried was on average %lu\n",
		      kind_names[kind], tried / (2 * i));
}

static void the_nth_allocation(void **state)
{
	(void)state;
	all_works(TMEM_FAULT_ALLOC);
}

static void the_nth_segment(void **state)
{
	(void)state;
	all_works(TMEM_FAULT_SEGMENT);
}

static void the_nth_codec_context(void **state)
{
	(void)state;
	all_works(TMEM_FAULT_CODEC);
}

/* ---- Opening ------------------------------------------------------------ */

/* Opens with a point failing: it works, or says -ENOMEM and leaves nothing. */
static int try_open(struct scene *s, const char *where, unsigned long nth)
{
	struct tmem *const untouched = (struct tmem *)0x5a5a5a50;
	unsigned threads = machine_threads();
	struct tmem *t = untouched;
	struct tmem_open_opts opts = {
		.size = sizeof(opts),
		.agers = 3,
		.log = lines_take,
		.log_ctx = &s->o.lines,
	};
	int err, reached;

	lines_init(&s->o.lines);
	arm(s, nth);
	err = tmem_open(where, &opts, &t);
	reached = disarm(s);
	EXPECT(s, err == 0 || err == -ENOMEM);
	if (err) {
		EXPECT(s, t == untouched);
		leftover_none(NULL);
		EXPECT(s, machine_threads() == threads);
		/* A second try in the same process works. */
		EXPECT(s, tmem_open(where, &opts, &t) == 0);
	}
	s->o.t = t;
	put_earlier(s);
	earlier_is_intact(s);
	EXPECT(s, tmem_check(t) == 0);
	tmem_close(t);
	lines_finish(&s->o.lines);
	return reached;
}

static void opening(void **state)
{
	static const char *const where[] = { "embedded:size=2M",
					     "embedded:size=64M" };
	struct scene *s = &scene;
	unsigned long nth;
	int kind, i;

	(void)state;
	s->work = "open";
	for (kind = 0; kind < TMEM_FAULT_KINDS; kind++) {
		s->kind = (enum tmem_fault_kind)kind;
		for (i = 0; i < 4; i++) {
			s->from_nth_on = i % 2;
			nth = 1;
			while (try_open(s, where[i / 2], nth))
				nth = next_after(nth);
		}
	}
}

/* A failed open in a loop keeps nothing: address space would run out. */
static void failed_opens_keep_nothing(void **state)
{
	struct scene *s = &scene;
	uint64_t before = 0;
	int i;

	(void)state;
	s->work = "open again and again";
	s->kind = TMEM_FAULT_ALLOC;
	s->from_nth_on = 1;
	for (i = 0; i < 200; i++) {
		(void)try_open(s, "embedded:size=64M", 3 + i % 5);
		if (i == 20)
			before = machine_address_space();
	}
	EXPECT(s, machine_address_space() <= before + 64 * MIB);
}

/* With nothing to be had at all, what needs nothing works (semantics 5). */
static void flushes_need_no_memory(void **state)
{
	struct scene *s = &scene;
	uint8_t page[PAGE];
	int kind, frozen;
	uint64_t i;

	(void)state;
	s->work = "flush with nothing to be had";
	for (frozen = 0; frozen < 2; frozen++) {
		opened_init(&s->o, "embedded:size=2M");
		put_earlier(s);
		assert_int_equal(tmem_freeze(s->o.t, frozen), 0);
		for (kind = 0; kind < TMEM_FAULT_KINDS; kind++)
			tmem_fault_every((enum tmem_fault_kind)kind, 1);
		earlier_is_intact(s);
		for (i = 0; i < EARLIER / 2; i++) {
			struct tmem_key key = key_of(i);

			EXPECT(s,
			       tmem_flush_page(s->o.t, s->earlier, &key) == 1);
			EXPECT(s, tmem_get(s->o.t, s->earlier, &key, page) == 0);
		}
		for (i = 0; i < 9; i++) {
			struct tmem_key key = tmem_key(i, 0);

			EXPECT(s, tmem_flush_object(s->o.t, s->earlier, &key) ==
					  1);
			EXPECT(s, tmem_flush_object(s->o.t, s->earlier, &key) ==
					  0);
		}
		EXPECT(s, opened_stats(&s->o).pages_persistent == 0);
		EXPECT(s, tmem_pool_destroy(s->o.t, s->earlier) == 0);
		for (kind = 0; kind < TMEM_FAULT_KINDS; kind++)
			tmem_fault_set((enum tmem_fault_kind)kind, 0);
		opened_finish(&s->o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opening),
		cmocka_unit_test(failed_opens_keep_nothing),
		cmocka_unit_test(the_nth_allocation),
		cmocka_unit_test(the_nth_segment),
		cmocka_unit_test(the_nth_codec_context),
		cmocka_unit_test(flushes_need_no_memory),
		cmocka_unit_test(leftover_none),
	};

	every_up_to = rng_setting("TMEM_TEST_LONG", 0) ? 100000 : EVERY_UP_TO;
	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
