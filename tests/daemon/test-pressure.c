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

#define CONFIG_BYTES 128u

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

static char *config_of(char config[static CONFIG_BYTES], unsigned floor_mib)
{
	(void)snprintf(config, CONFIG_BYTES, "budget = %uM\nfloor = %uM\n",
		       BUDGET_MIB, floor_mib);
	return config;
}

static void configure(unsigned floor_mib)
{
	char config[CONFIG_BYTES];

	daemon_configure(&d, config_of(config, floor_mib));
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
	configure(FLOOR_MIB);
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

/* Waits until it has looked so often. Return: how long that was. */
static uint64_t until_looks(unsigned more)
{
	uint64_t from = machine_now_ns(), end = from + DAEMON_PATIENCE_NS;
	uint64_t looks = atomic_load(&s->looks);

	while (atomic_load(&s->looks) < looks + more) {
		assert_true(machine_now_ns() < end);
		(void)usleep(1000);
	}
	return machine_now_ns() - from;
}

/* How long after lending it looks again. */
static uint64_t look_after_lending_ns(void)
{
	struct tmem *t = fill(8 * MIB);
	uint64_t ns = until_looks(2);

	tmem_close(t);
	return ns;
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
	configure(FLOOR_MIB);
	for (i = 0; i < LOOK_TRIES && least_ns > LOOK_NS; i++) {
		/* A timer without sessions runs out. */
		(void)usleep(i ? 1100 * 1000 : 0);
		ns = look_after_lending_ns();
		least_ns = ns < least_ns ? ns : least_ns;
	}
	assert_true(least_ns <= LOOK_NS);
}

/* How long after a far floor became a near one it looks. Nobody asks it anything:
 * who asks has it look. */
static uint64_t look_after_reload_ns(void)
{
	char config[CONFIG_BYTES];
	struct tmem *t;
	uint64_t ns;

	atomic_store(&s->available_kib, 64ull << 20);
	daemon_reload(&d, config_of(config, 0), "configuration read");
	t = fill(8 * MIB);
	/* From here on the next one would be a second away. */
	(void)until_looks(1);
	atomic_store(&s->available_kib, (FLOOR_MIB + 1024) * 1024);
	daemon_reload(&d, config_of(config, FLOOR_MIB), "configuration read");
	ns = until_looks(1);
	tmem_close(t);
	return ns;
}

/* The timer was set by the old floor. Most times: the machine may be busy, and there
 * are other reasons to look. */
static void looks_soon_after_a_new_floor(void **state)
{
	int i, soon = 0;

	(void)state;
	configure(0);
	for (i = 0; i < 3; i++)
		soon += look_after_reload_ns() <= LOOK_NS;
	assert_true(soon >= 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(gives_back_before_all_else,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(looks_soon_after_lending,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(looks_soon_after_a_new_floor,
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
