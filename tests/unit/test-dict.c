/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-dict.c - dictionaries live as long as they are referred to, there are at
 * most four of a class, and what cannot be had leaves nothing.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "bounds.h"
#include "codec.h"
#include "content.h"
#include "dict.h"
#include "fault.h"
#include "lease.h"
#include "leftover.h"
#include "segment.h"
#include "unit.h"

#define LEVEL 1

static struct bed {
	struct tmem_lease *lease;
	struct tmem_space space;
	struct tmem_dicts dicts;
	uint8_t bytes[TMEM_DICT_BYTES];
} b;

static void bed_init(void)
{
	struct tmem_lease_opts opts = {
		.bytes_max = 64 * TMEM_MIB,
		.segment_size = 64 * TMEM_KIB,
	};

	assert_int_equal(tmem_lease_embedded_create(&opts, &b.lease), 0);
	assert_int_equal(tmem_space_init(&b.space, b.lease, 64 * TMEM_MIB), 0);
	tmem_dicts_init(&b.dicts, &b.space);
	page_fill(b.bytes, sizeof(b.bytes), CONTENT_TEXT, 1);
}

static void bed_finish(void)
{
	tmem_dicts_finish(&b.dicts);
	tmem_space_finish(&b.space, 0);
	b.lease->ops->destroy(b.lease, 0);
}

static int add(enum tmem_class cls)
{
	return tmem_dict_add(&b.dicts, cls, b.bytes, sizeof(b.bytes), LEVEL);
}

static uint32_t adopt(enum tmem_class cls)
{
	int n = add(cls);

	assert_true(n > 0);
	tmem_dict_adopt(&b.dicts, cls, (uint32_t)n);
	return (uint32_t)n;
}

static uint64_t charged(void)
{
	return atomic_load(&b.space.heap_bytes);
}

static void refs_keep_them(void **state)
{
	uint32_t first, second, pinned;

	(void)state;
	bed_init();
	assert_int_equal(tmem_dict_pin(&b.dicts, TMEM_CLASS_EPHEMERAL), 0);
	assert_null(tmem_dict_at(&b.dicts, 0));
	assert_null(tmem_dict_at(&b.dicts, TMEM_DICTS));
	first = adopt(TMEM_CLASS_EPHEMERAL);
	assert_true(charged() > TMEM_DICT_BYTES);
	pinned = tmem_dict_pin(&b.dicts, TMEM_CLASS_EPHEMERAL);
	assert_int_equal(pinned, first);
	second = adopt(TMEM_CLASS_EPHEMERAL);
	assert_int_not_equal(second, first);
	/* Another class's are none of its business. */
	assert_int_equal(tmem_dict_pin(&b.dicts, TMEM_CLASS_PERSISTENT), 0);
	assert_int_equal(tmem_dict_free_unused(&b.dicts, NULL, 0), 0);
	tmem_dict_unpin(&b.dicts, pinned);
	assert_int_equal(tmem_dict_free_unused(&b.dicts, NULL, 0), 1u << first);
	assert_int_equal(atomic_load(&b.dicts.live), 1);
	assert_int_equal(tmem_dict_free_unused(&b.dicts, NULL, 0), 0);
	pinned = tmem_dict_pin(&b.dicts, TMEM_CLASS_EPHEMERAL);
	assert_int_equal(pinned, second);
	tmem_dict_unpin(&b.dicts, pinned);
	bed_finish();
}

static void four_of_a_class(void **state)
{
	uint32_t n[TMEM_DICTS_LIVE], i;

	(void)state;
	bed_init();
	for (i = 0; i < TMEM_DICTS_LIVE; i++) {
		assert_int_equal(
			tmem_dict_oldest(&b.dicts, TMEM_CLASS_PERSISTENT), 0);
		n[i] = adopt(TMEM_CLASS_PERSISTENT);
		/* As segments do. */
		atomic_fetch_add(&b.space.dict_refs[n[i]], 1);
	}
	assert_int_equal(tmem_dict_oldest(&b.dicts, TMEM_CLASS_PERSISTENT),
			 n[0]);
	assert_int_equal(add(TMEM_CLASS_PERSISTENT), -ENOSPC);
	assert_true(adopt(TMEM_CLASS_EPHEMERAL) > 0);
	atomic_fetch_sub(&b.space.dict_refs[n[1]], 1);
	assert_int_equal(tmem_dict_free_unused(&b.dicts, NULL, 0), 1u << n[1]);
	assert_int_equal(tmem_dict_oldest(&b.dicts, TMEM_CLASS_PERSISTENT), 0);
	assert_int_equal(adopt(TMEM_CLASS_PERSISTENT), n[1]);
	assert_int_equal(tmem_dict_oldest(&b.dicts, TMEM_CLASS_PERSISTENT),
			 n[0]);
	bed_finish();
}

static void what_cannot_be_had(void **state)
{
	unsigned long nth;
	uint64_t before;

	(void)state;
	bed_init();
	before = charged();
	for (nth = 1; nth <= 2; nth++) {
		tmem_fault_set(TMEM_FAULT_ALLOC, nth);
		assert_int_equal(add(TMEM_CLASS_EPHEMERAL), -ENOMEM);
		tmem_fault_set(TMEM_FAULT_ALLOC, 0);
		assert_int_equal(charged(), before);
		assert_int_equal(atomic_load(&b.dicts.live), 0);
	}
	assert_int_equal(
		tmem_space_charge(&b.space,
				  64 * TMEM_MIB - tmem_space_used(&b.space)),
		0);
	assert_int_equal(add(TMEM_CLASS_EPHEMERAL), -ENOMEM);
	bed_finish();
}

/* Pinned by one thread while another replaces and frees. */
static void *pin_and_unpin(void *arg)
{
	unsigned *wrong = arg;
	uint32_t i, n;

	for (i = 0; i < 20000; i++) {
		n = tmem_dict_pin(&b.dicts, TMEM_CLASS_EPHEMERAL);
		*wrong += !n || !tmem_dict_at(&b.dicts, n)->encode;
		tmem_dict_unpin(&b.dicts, n);
	}
	return NULL;
}

static void pinned_beside_replacing(void **state)
{
	pthread_t thread;
	unsigned i, wrong = 0;
	int n;

	(void)state;
	bed_init();
	(void)adopt(TMEM_CLASS_EPHEMERAL);
	assert_int_equal(pthread_create(&thread, NULL, pin_and_unpin, &wrong),
			 0);
	for (i = 0; i < 100; i++) {
		n = add(TMEM_CLASS_EPHEMERAL);
		if (n > 0)
			tmem_dict_adopt(&b.dicts, TMEM_CLASS_EPHEMERAL,
					(uint32_t)n);
		(void)tmem_dict_free_unused(&b.dicts, NULL, 0);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(wrong, 0);
	bed_finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refs_keep_them),
		cmocka_unit_test(four_of_a_class),
		cmocka_unit_test(what_cannot_be_had),
		cmocka_unit_test(pinned_beside_replacing),
		cmocka_unit_test(leftover_none),
	};

	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
