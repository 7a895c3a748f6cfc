/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-space.c - which segments are backed with memory when, and which may be lost.
 */
#include <string.h>
#include <sys/mman.h>

#include "bounds.h"
#include "lease.h"
#include "log.h"
#include "mem.h"
#include "unit.h"

#define LIMIT (64 * TMEM_MIB)

static struct bed {
	struct tmem_lease *lease;
	struct tmem_space space;
	struct tmem_log log;
} bed;

static void bed_init(uint64_t segment_size)
{
	struct tmem_lease_opts opts = { .bytes_max = LIMIT,
					.segment_size = segment_size };

	memset(&bed, 0, sizeof(bed));
	assert_int_equal(tmem_lease_embedded_create(&opts, &bed.lease), 0);
	assert_int_equal(tmem_space_init(&bed.space, bed.lease, LIMIT), 0);
	tmem_log_init(&bed.log, &bed.space);
}

static void bed_finish(void)
{
	tmem_log_finish(&bed.log);
	tmem_space_finish(&bed.space, 0);
	bed.lease->ops->destroy(bed.lease, 0);
}

/* OS pages of the segment that have memory. */
static unsigned backed(uint32_t segment)
{
	static unsigned char pages[TMEM_SEGMENT_HUGE / TMEM_OS_PAGE];
	size_t size = bed.lease->segment_size, i;
	unsigned n = 0;

	assert_int_equal(
		mincore(tmem_lease_segment(bed.lease, segment), size, pages), 0);
	for (i = 0; i < size / TMEM_OS_PAGE; i++)
		n += pages[i] & 1;
	return n;
}

/* The first page of a stream. Return: how much of its segment it brings along. */
static unsigned backed_by_first(enum tmem_stream stream)
{
	uint32_t info = tmem_entry_info(4096, TMEM_FORM_RAW, 12);
	struct tmem_room room;
	unsigned n;

	assert_int_equal(tmem_log_reserve(&bed.log, stream, 1, info, 1, &room),
			 0);
	n = backed(room.segment);
	tmem_log_abandon(&bed.log, &room);
	return n;
}

/* Only what is about to be filled, and not what would take long. */
static void new_ones_are_backed_for_puts(void **state)
{
	(void)state;
	bed_init(256 * TMEM_KIB);
	assert_int_equal(backed_by_first(TMEM_STREAM_PERSISTENT), 64);
	assert_int_equal(backed_by_first(TMEM_STREAM_EPHEMERAL), 64);
	assert_true(backed_by_first(TMEM_STREAM_KEPT) < 4);
	bed_finish();

	bed_init(TMEM_SEGMENT_HUGE);
	assert_true(backed_by_first(TMEM_STREAM_PERSISTENT) < 512);
	bed_finish();
}

/* A segment was free when somebody chose it to be lost, and was then filled with
 * promises: its epoch is the same. */
static void promises_are_not_lost(void **state)
{
	const enum tmem_class classes[] = { TMEM_CLASS_EPHEMERAL,
					    TMEM_CLASS_PERSISTENT };
	unsigned i;

	(void)state;
	for (i = 0; i < 2; i++) {
		const struct tmem_segment_plan plan = {
			.cls = classes[i],
			.queue = TMEM_QUEUE_NONE,
		};
		struct tmem_victim victim;
		uint64_t pages;

		bed_init(256 * TMEM_KIB);
		assert_true(tmem_space_open(&bed.space, &plan,
					    &victim.segment) >= 0);
		victim.epoch = tmem_word_epoch(
			atomic_load(&bed.space.segments[victim.segment].word));
		tmem_space_seal(&bed.space, victim.segment, 1);
		assert_int_equal(tmem_space_lose(&bed.space, &victim, 1, 1,
						 &pages),
				 classes[i] == TMEM_CLASS_EPHEMERAL);
		bed_finish();
	}
}

/* A new one says so, one from before does not. */
static void open_tells_new_from_used(void **state)
{
	const struct tmem_segment_plan plan = { .cls = TMEM_CLASS_PERSISTENT,
						.queue = TMEM_QUEUE_NONE };
	uint32_t n;

	(void)state;
	bed_init(256 * TMEM_KIB);
	assert_int_equal(tmem_space_open(&bed.space, &plan, &n), 1);
	tmem_space_seal(&bed.space, n, 1);
	assert_int_equal(tmem_space_retire(&bed.space, n), 1);
	assert_int_equal(tmem_space_open(&bed.space, &plan, &n), 0);
	bed_finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_ones_are_backed_for_puts),
		cmocka_unit_test(open_tells_new_from_used),
		cmocka_unit_test(promises_are_not_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
