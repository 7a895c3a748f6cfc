/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-pressure.c - what the daemon does while memory is short: looks in time, gives
 * back before it talks, allocates nothing before that.
 *
 * The shortage is made up (short.c): real ones of this size are rare on machines
 * that run tests, and nobody could say when they began.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon.h"
#include "leftover.h"
#include "machine.h"
#include "pages.h"
#include "short.h"
#include "unit.h"

#define MIB (1ull << 20)
/* More than is lent, so that a shortage takes all of it. */
#define FLOOR_MIB 512

#define BUDGET_MIB 320
#define SEGMENT (256ull << 10)

/* More than two turns take: 512 each. And more than a client may give back by itself
 * meanwhile are left. */
#define SEGMENTS_WATCHED 1056
#define SEGMENTS_FILLED 1152

/* Two looks near the floor, and some. */
#define LOOK_NS 400000000ull
#define LOOK_TRIES 20

static struct daemon d;
static struct short_of_memory *s;

static void module(char *path, size_t size)
{
	const char *build = getenv("TMEM_BUILD");

	(void)snprintf(path, size, "%s/tests/daemon-short.so",
		       build ? build : ".");
}

static int set_up(void **state)
{
	char path[4096];
	int fd;

	(void)state;
	daemon_init(&d);
	(void)snprintf(path, sizeof(path), "%s/short", d.dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, sizeof(*s)), 0);
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(s, MAP_FAILED);
	(void)close(fd);
	atomic_store(&s->available_kib, SHORT_AS_IT_IS);
	(void)setenv(SHORT_ENV, path, 1);
	module(path, sizeof(path));
	(void)setenv("LD_PRELOAD", path, 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	daemon_finish(&d);
	(void)unsetenv("LD_PRELOAD");
	(void)unsetenv(SHORT_ENV);
	return munmap(s, sizeof(*s));
}

static void configure(void)
{
	char config[128];

	(void)snprintf(config, sizeof(config), "budget = %uM\nfloor = %uM\n",
		       BUDGET_MIB, FLOOR_MIB);
	daemon_configure(&d, config);
	daemon_start(&d);
	(void)unsetenv("LD_PRELOAD");
}

static struct tmem *fill(uint64_t bytes)
{
	struct tmem *t = daemon_open(&d, "cache", 0);
	int pool = pages_pool(t, 0);

	(void)pages_put(t, pool, 0, (unsigned)(bytes / 4096), PAGES_PATIENCE_MS);
	return t;
}

static int all_taken(const struct tmem_wire_status_reply *status, void *ctx)
{
	(void)ctx;
	return !status->lent_bytes[TMEM_WIRE_EPHEMERAL];
}

static void gives_back_before_all_else(void **state)
{
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;
	struct tmem *t;

	(void)state;
	configure();
	t = fill(SEGMENTS_FILLED * SEGMENT);
	assert_true(daemon_status(&d).lent_bytes[TMEM_WIRE_EPHEMERAL] >
		    (SEGMENTS_WATCHED + 32) * SEGMENT);
	atomic_store(&s->watched, SEGMENTS_WATCHED);
	atomic_store(&s->available_kib, 0);
	/* It is not asked: an answer would be a message. */
	while (atomic_load(&s->punches) < SEGMENTS_WATCHED) {
		assert_true(machine_now_ns() < end);
		(void)usleep(1000);
	}
	daemon_until(&d, all_taken, NULL);
	assert_int_equal(atomic_load(&s->allocations), 0);
	assert_int_equal(atomic_load(&s->messages), 0);
	tmem_close(t);
}

/* How long after lending it looks again. */
static uint64_t look_after_lending_ns(void)
{
	uint64_t from, end, looks;
	struct tmem *t = fill(8 * MIB);

	from = machine_now_ns();
	end = from + DAEMON_PATIENCE_NS;
	looks = atomic_load(&s->looks);
	while (atomic_load(&s->looks) < looks + 2) {
		assert_true(machine_now_ns() < end);
		(void)usleep(1000);
	}
	tmem_close(t);
	return machine_now_ns() - from;
}

/* The timer is set when nothing is lent yet: once something is, that must not be a
 * second ahead. Of a few times, since the machine may be busy. */
static void looks_soon_after_lending(void **state)
{
	uint64_t least_ns = UINT64_MAX, ns;
	int i;

	(void)state;
	/* Near the floor, where a tenth of a second is meant. */
	atomic_store(&s->available_kib, (FLOOR_MIB + 128) * 1024);
	configure();
	for (i = 0; i < LOOK_TRIES && least_ns > LOOK_NS; i++) {
		/* A timer without sessions runs out. */
		(void)usleep(i ? 1100 * 1000 : 0);
		ns = look_after_lending_ns();
		least_ns = ns < least_ns ? ns : least_ns;
	}
	assert_true(least_ns <= LOOK_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(gives_back_before_all_else,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(looks_soon_after_lending,
						set_up, tear_down),
		cmocka_unit_test(leftover_none),
	};
	char path[4096];

	module(path, sizeof(path));
	/* A sanitizer has its own malloc(). */
	if (MACHINE_SANITIZED || !daemon_exists() || access(path, R_OK))
		return 77;
	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
