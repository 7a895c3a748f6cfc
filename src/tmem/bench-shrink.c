/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench-shrink.c - filling a fresh store, and giving its memory back.
 *
 * A store is opened, filled with raw ephemeral pages (first_fill_put_ns: every
 * segment comes from the kernel), and shrunk by all it has. Memory is given back
 * when MemFree says so: how much it rose of what the store says it gave is
 * shrink_memfree_pct. On 4 KiB pages, the same is compared with one
 * madvise(MADV_DONTNEED) of as many touched bytes, in turns.
 */
#include <errno.h>
#include <sys/mman.h>

#include "bench-mill.h"
#include "bench.h"
#include "clock.h"

/* Filled that far: what is short of segments no longer takes fresh ones. */
#define FILL_PCT 90

#define GIB ((double)(1u << 30))

struct shrunk {
	double put_ns;	    /* a put, while filling */
	double ns_per_byte; /* of giving back */
	double memfree_pct;
};

/* Batches from which the processor was taken away are left out. */
static double fill(struct bench_mill *m, uint64_t pages)
{
	uint64_t done, sum = 0, counted = 0, ns;
	struct bench_timer t;

	for (done = 0; done < pages; done += BENCH_BATCH) {
		bench_timer_start(&t, m->bench->plan.clock_ns);
		bench_mill_put(m, BENCH_BATCH);
		if (!bench_timer_stop(&t, &ns) && counted)
			continue;
		sum += ns;
		counted += BENCH_BATCH;
	}
	return (double)sum / (double)counted;
}

/* Since `from_ns`, of which this thread was kept waiting for a processor. */
static double worked_ns(uint64_t from_ns, uint64_t waited_ns)
{
	uint64_t ns = tmem_clock_ns() - from_ns;
	uint64_t waited = bench_waited_ns() - waited_ns;

	return (double)(ns > waited ? ns - waited : 1);
}

static int fill_and_shrink(struct bench *b, const struct bench_store_plan *plan,
			   struct shrunk *ret)
{
	uint64_t pages = plan->bytes / TMEM_PAGE_SIZE * FILL_PCT / 100;
	uint64_t from, waited, free_before, given = 0;
	struct bench_mill mill;
	int err = bench_mill_open(b, &mill, plan, pages);

	if (!err) {
		ret->put_ns = fill(&mill, pages);
		err = bench_mill_check(&mill);
	}
	if (!err) {
		free_before = bench_machine_free_bytes();
		waited = bench_waited_ns();
		from = tmem_clock_ns();
		err = tmem_shrink(mill.session, plan->bytes, &given);
		ret->ns_per_byte =
			worked_ns(from, waited) / (double)(given ? given : 1);
		ret->memfree_pct = 100 *
				   ((double)bench_machine_free_bytes() -
				    (double)free_before) /
				   (double)(given ? given : 1);
	}
	bench_mill_close(&mill);
	if (!err && given < plan->bytes / 2)
		err = bench_fail(b, -EIO, "shrinking gave little back");
	return err;
}

static int shrink_huge(struct bench *b)
{
	const struct bench_store_plan plan = {
		.bytes = b->sizes.store_bytes,
		.agers = TMEM_NO_AGERS,
	};
	double put[BENCH_REPEATS_MAX], ms[BENCH_REPEATS_MAX];
	double pct[BENCH_REPEATS_MAX];
	struct shrunk s = { 0 };
	unsigned i;
	int err;

	for (i = 0; i < b->sizes.shrinks; i++) {
		err = fill_and_shrink(b, &plan, &s);
		if (err)
			return err;
		put[i] = s.put_ns;
		ms[i] = s.ns_per_byte * GIB / TMEM_NS_PER_MS;
		pct[i] = s.memfree_pct;
	}
	bench_report_add(&b->report, NULL, "first_fill_put_ns",
			 "put into memory fresh from the kernel", put, i);
	bench_report_add(&b->report, NULL, "shrink_huge_ms_per_gib",
			 "giving back, milliseconds a GiB", ms, i);
	bench_report_add(&b->report, NULL, "shrink_memfree_pct",
			 "... how much of it MemFree rose by", pct, i);
	return 0;
}

static double madvise_ns_per_byte(struct bench_area *a)
{
	uint64_t from, waited;

	bench_area_touch(a);
	waited = bench_waited_ns();
	from = tmem_clock_ns();
	(void)madvise(a->at, a->bytes, MADV_DONTNEED);
	return worked_ns(from, waited) / (double)a->bytes;
}

static int shrink_4k(struct bench *b)
{
	const struct bench_store_plan plan = {
		.bytes = b->sizes.store_bytes,
		.agers = TMEM_NO_AGERS,
		.small = 1,
	};
	double ratio[BENCH_REPEATS_MAX], ms[BENCH_REPEATS_MAX];
	struct shrunk s = { 0 };
	struct bench_area area;
	unsigned i;
	int err;

	if (bench_area_init(&area, b->sizes.store_bytes / 100 * FILL_PCT, 0))
		return bench_fail(b, -ENOMEM, "out of memory");
	for (i = 0, err = 0; i < b->sizes.shrinks && !err; i++) {
		err = fill_and_shrink(b, &plan, &s);
		ms[i] = s.ns_per_byte * GIB / TMEM_NS_PER_MS;
		ratio[i] = s.ns_per_byte / madvise_ns_per_byte(&area);
	}
	bench_area_finish(&area);
	if (err)
		return err;
	bench_report_add(&b->report, NULL, "shrink_4k_ms_per_gib",
			 "giving back on 4 KiB pages, milliseconds a GiB", ms,
			 i);
	bench_report_add(&b->report, NULL, "shrink_4k_ratio",
			 "... / one madvise() of as much", ratio, i);
	return 0;
}

int bench_shrink(struct bench *b)
{
	int err = shrink_huge(b);

	return err ? err : shrink_4k(b);
}
