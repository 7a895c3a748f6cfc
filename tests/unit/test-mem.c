/* SPDX-License-Identifier: BSD-2-Clause */
/* test-mem.c - memory is zeroed, aligned, private to its process, and fails. */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"
#include "mem.h"
#include "unit.h"

static int all_zero(const uint8_t *p, size_t len)
{
	size_t n;

	for (n = 0; n < len; n++)
		if (p[n])
			return 0;
	return 1;
}

static void heap(void **state)
{
	size_t size;

	(void)state;
	for (size = 1; size < 20000; size = size * 3 + 1) {
		uint8_t *p = tmem_mem_alloc(size);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 64, 0);
		assert_true(all_zero(p, size));
		memset(p, 0x5a, size);
		tmem_mem_free(p, size);
	}
	tmem_mem_free(NULL, 0);
	assert_null(tmem_mem_alloc(0));
	assert_null(tmem_mem_alloc(SIZE_MAX));
	assert_null(tmem_mem_alloc(SIZE_MAX - 63));
}

static void growing(void **state)
{
	uint8_t *p = tmem_mem_grow(NULL, 0, 100), *larger;

	(void)state;
	assert_non_null(p);
	memset(p, 0x5a, 100);
	larger = tmem_mem_grow(p, 100, 1000);
	assert_non_null(larger);
	assert_int_equal(larger[0], 0x5a);
	assert_int_equal(larger[99], 0x5a);
	assert_true(all_zero(larger + 100, 900));

	/* A failure leaves the old memory as it was. */
	tmem_fault_set(TMEM_FAULT_ALLOC, 1);
	assert_null(tmem_mem_grow(larger, 1000, 2000));
	tmem_fault_set(TMEM_FAULT_ALLOC, 0);
	assert_int_equal(larger[99], 0x5a);
	tmem_mem_free(larger, 1000);
}

static void maps(void **state)
{
	const size_t size = 16 * TMEM_OS_PAGE;
	size_t align;

	(void)state;
	for (align = TMEM_OS_PAGE; align <= (4u << 20); align *= 4) {
		uint8_t *p = tmem_mem_map(size, align);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % align, 0);
		assert_true(all_zero(p, size));
		memset(p, 0x5a, size);
		tmem_mem_unmap(p, size);
	}
	tmem_mem_unmap(NULL, 0);
	assert_null(
		tmem_mem_map(SIZE_MAX & ~(size_t)(TMEM_OS_PAGE - 1), 1u << 21));
}

/* Not there in a child: asking the kernel about it says so. */
static void maps_are_not_inherited(void **state)
{
	uint8_t *p = tmem_mem_map(TMEM_OS_PAGE, TMEM_OS_PAGE);
	int status;
	pid_t pid;

	(void)state;
	assert_non_null(p);
	p[0] = 1;
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(msync(p, TMEM_OS_PAGE, MS_ASYNC) ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(p[0], 1);
	tmem_mem_unmap(p, TMEM_OS_PAGE);
}

static void wiped_in_a_child(void **state)
{
	uint8_t *p = tmem_mem_map_wipe();
	int status;
	pid_t pid;

	(void)state;
	assert_non_null(p);
	p[0] = 1;
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(p[0], 1);
	tmem_mem_unmap(p, TMEM_OS_PAGE);
}

/* Which of ten allocations fail? A bit each. */
static unsigned failures(void)
{
	unsigned n, failed = 0;

	for (n = 0; n < 10; n++) {
		void *p = tmem_mem_alloc(8);

		if (!p)
			failed |= 1u << n;
		tmem_mem_free(p, 8);
	}
	return failed;
}

static void the_nth_fails(void **state)
{
	unsigned long n;

	(void)state;
	for (n = 1; n <= 10; n++) {
		tmem_fault_set(TMEM_FAULT_ALLOC, n);
		assert_int_equal(failures(), 1u << (n - 1));
		assert_int_equal(tmem_fault_count(TMEM_FAULT_ALLOC), 10);
		tmem_fault_every(TMEM_FAULT_ALLOC, n);
		assert_int_equal(failures(), 0x3ffu & (0x3ffu << (n - 1)));
	}
	tmem_fault_set(TMEM_FAULT_ALLOC, 1);
	assert_null(tmem_mem_map(TMEM_OS_PAGE, TMEM_OS_PAGE));
	tmem_fault_set(TMEM_FAULT_ALLOC, 1);
	assert_null(tmem_mem_map_wipe());
	tmem_fault_set(TMEM_FAULT_SEGMENT, 1);
	tmem_fault_set(TMEM_FAULT_ALLOC, 0);
	assert_int_equal(failures(), 0);
	tmem_fault_set(TMEM_FAULT_SEGMENT, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heap),
		cmocka_unit_test(growing),
		cmocka_unit_test(maps),
		cmocka_unit_test(maps_are_not_inherited),
		cmocka_unit_test(wiped_in_a_child),
		cmocka_unit_test(the_nth_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
