/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-arbiter.c - who gets memory of a running daemon, and how the host gets it
 * back.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "content.h"
#include "daemon.h"
#include "leftover.h"
#include "machine.h"
#include "memlimit.h"
#include "pages.h"
#include "unit.h"

#define MIB (1ull << 20)

/* Stores of the size that these tests have use segments of 256 KiB. */
#define SEGMENT (256ull << 10)

/* What a session may hold ahead of its need, at first. */
#define STOCK (12 * MIB)

/* What a store uses that is not lent to it. */
#define OUTSIDE (2 * MIB)

/* Longer than it takes a session to give back what it holds ahead. */
#define SETTLED_US (1200 * 1000)

/* Rounds of floods; it settles in a few. */
#define ROUNDS 40
#define BURST 1024 /* pages a round */

/* More than others on a machine that builds beside its tests take and give back. */
#define ROOM (1536 * MIB)
#define TAKE (16 * MIB) /* at once */

#define THRASHERS 3

/* Of so many times three seconds, one must be of rest. */
#define REST_TRIES 8

/* In four seconds. */
#define STALLED_US 600000u

static struct daemon d;

static int set_up(void **state)
{
	(void)state;
	daemon_init(&d);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	daemon_finish(&d);
	return 0;
}

/** struct user - a domain's session, and how far it has put. */
struct user {
	const char *name;
	struct tmem *t;
	int pool;
	unsigned next;
};

static void user_open(struct user *u, const char *name)
{
	memset(u, 0, sizeof(*u));
	u->name = name;
	u->t = daemon_open(&d, name, 0);
	u->pool = pages_pool(u->t, 0);
}

static void user_flood(struct user *u, unsigned pages)
{
	(void)pages_put(u->t, u->pool, u->next, pages, 0);
	u->next += pages;
}

static struct tmem_wire_domain domain_of(const char *name)
{
	struct tmem_wire_domain e;

	assert_true(daemon_domain(&d, name, &e));
	return e;
}

static uint64_t held(const char *name)
{
	struct tmem_wire_domain e = domain_of(name);

	return e.lent_bytes[0] + e.lent_bytes[1] + e.lent_bytes[2];
}

static void flood_all(struct user *users, unsigned count, unsigned rounds)
{
	unsigned i, n;

	for (n = 0; n < rounds; n++)
		for (i = 0; i < count; i++)
			user_flood(&users[i], BURST);
}

/* How soon a lone domain has what it may: that is the machine's to say. */
static void flood_until(struct user *u, uint64_t bytes)
{
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;

	while (held(u->name) <= bytes) {
		user_flood(u, BURST);
		assert_true(machine_now_ns() < end);
	}
}

static uint64_t used(const struct user *u)
{
	struct tmem_stats stats = { .size = sizeof(stats) };

	assert_int_equal(tmem_stats(u->t, &stats), 0);
	return stats.used_bytes;
}

/* Until the store itself has that: what is only at hand is given back after a second
 * in which the test gets no turn. */
static void fill_until(struct user *u, uint64_t bytes)
{
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;

	while (used(u) <= bytes + OUTSIDE) {
		user_flood(u, BURST);
		assert_true(machine_now_ns() < end);
	}
}

/* Floods until all but 4 of 64 MiB are lent, the first one's share between two
 * percentages: how many rounds that takes is the machine's to say, too. */
static void flood_to_share(struct user *u, double low, double high)
{
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;
	double one, other, share;

	do {
		flood_all(u, 2, ROUNDS);
		one = (double)held(u[0].name);
		other = (double)held(u[1].name);
		share = 100 * one / (one + other);
	} while ((one + other <= 60.0 * MIB || share <= low || share >= high) &&
		 machine_now_ns() < end);
	assert_true(one + other > 60.0 * MIB);
	assert_true(share > low && share < high);
}

/* ---- Dividing ------------------------------------------------------------ */

static void weights_split(void **state)
{
	struct user u[2];

	(void)state;
	daemon_configure(&d, "budget = 64M\npolicy = weighted\n"
			     "[domain light]\n[domain heavy]\nweight = 300\n");
	daemon_start(&d);
	user_open(&u[0], "light");
	user_open(&u[1], "heavy");
	/* The light one has it all before the heavy one comes. */
	flood_until(&u[0], 64 * MIB - STOCK);
	flood_to_share(u, 22, 28);
	tmem_close(u[0].t);
	tmem_close(u[1].t);
}

static void flood_spares_who_is_below(void **state)
{
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;
	struct user modest, flood;
	uint64_t before;

	(void)state;
	/* Weighted: utility would move the line with what is missed. */
	daemon_configure(&d, "budget = 64M\npolicy = weighted\n");
	daemon_start(&d);
	user_open(&modest, "modest");
	user_flood(&modest, 20 * MIB / 4096);
	/* What it has in stock beyond its part would rightly be taken, and may
	 * still be on its way; a second without need, and the stock falls. */
	do {
		assert_true(machine_now_ns() < end);
		before = held("modest");
		(void)usleep(SETTLED_US);
	} while (before > 31 * MIB || held("modest") != before);
	user_open(&flood, "flood");
	flood_until(&flood, 30 * MIB);
	flood_all(&flood, 1, ROUNDS);
	flood_until(&flood, 30 * MIB);
	assert_true(held("modest") + STOCK >= before);
	assert_true(domain_of("modest").revoked == 0);
	tmem_close(flood.t);
	tmem_close(modest.t);
}

static void greedy_takes_nothing_for_others(void **state)
{
	struct user first, second;

	(void)state;
	daemon_configure(&d, "budget = 64M\npolicy = greedy\n");
	daemon_start(&d);
	user_open(&first, "first");
	/* With what is at hand beside it, room is left for the other one's index,
	 * which everybody gets. */
	fill_until(&first, 40 * MIB);
	user_open(&second, "second");
	flood_all(&second, 1, 20);
	assert_true(held("second") <= 64 * MIB - 40 * MIB);
	assert_true(held("first") > 40 * MIB);
	assert_true(domain_of("first").revoked == 0);
	tmem_close(first.t);
	tmem_close(second.t);
}

static void static_lends_no_more_than_parts(void **state)
{
	struct user u, idle;

	(void)state;
	daemon_configure(&d, "budget = 64M\npolicy = static\n");
	daemon_start(&d);
	user_open(&idle, "idle");
	user_open(&u, "busy");
	flood_until(&u, 32 * MIB - 2 * SEGMENT);
	flood_all(&u, 1, 20);
	assert_true(held("busy") <= 32 * MIB);
	flood_until(&u, 32 * MIB - 2 * SEGMENT);
	tmem_close(u.t);
	tmem_close(idle.t);
}

static void caps_hold_to_the_segment(void **state)
{
	struct user u;

	(void)state;
	daemon_configure(&d, "budget = 64M\n[domain capped]\ncap = 10M\n");
	daemon_start(&d);
	user_open(&u, "capped");
	flood_until(&u, 10 * MIB - 2 * SEGMENT);
	flood_all(&u, 1, 10);
	assert_true(held("capped") <= 10 * MIB);
	flood_until(&u, 10 * MIB - 2 * SEGMENT);
	/* A lower one holds at once. */
	daemon_reload(&d, "budget = 64M\n[domain capped]\ncap = 5M\n",
		      "configuration read");
	assert_true(held("capped") <= 5 * MIB);
	flood_all(&u, 1, 10);
	assert_true(held("capped") <= 5 * MIB);
	tmem_close(u.t);
}

static void minimum_comes_before_greed(void **state)
{
	struct user first, second;

	(void)state;
	daemon_configure(&d, "budget = 64M\npolicy = greedy\n"
			     "[domain second]\nmin = 24M\n");
	daemon_start(&d);
	user_open(&first, "first");
	/* Too little is at hand beside it to be given back to the second one. */
	fill_until(&first, 56 * MIB);
	user_open(&second, "second");
	flood_until(&second, 24 * MIB - 2 * SEGMENT);
	flood_all(&second, 1, ROUNDS);
	flood_until(&second, 24 * MIB - 2 * SEGMENT);
	assert_true(held("second") <= 26 * MIB);
	tmem_close(first.t);
	tmem_close(second.t);
}

/* The original kept a dead client's weight in the sum. */
static void the_dead_weigh_nothing(void **state)
{
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;
	struct user u[3];

	(void)state;
	daemon_configure(&d, "budget = 64M\npolicy = weighted\n"
			     "[domain c]\nweight = 10000\n");
	daemon_start(&d);
	user_open(&u[0], "a");
	user_open(&u[1], "b");
	user_open(&u[2], "c");
	do {
		flood_all(u, 3, ROUNDS);
		assert_true(machine_now_ns() < end);
	} while (held("c") <= 56 * MIB);
	tmem_close(u[2].t);
	flood_to_share(u, 47, 53);
	tmem_close(u[0].t);
	tmem_close(u[1].t);
}

/* ---- Settings ------------------------------------------------------------ */

static void policy_changes_at_once(void **state)
{
	struct user u[2];

	(void)state;
	daemon_configure(&d, "budget = 64M\npolicy = greedy\n");
	daemon_start(&d);
	user_open(&u[0], "first");
	user_open(&u[1], "second");
	fill_until(&u[0], 50 * MIB);
	assert_true(held("first") > 50 * MIB);
	daemon_reload(&d, "budget = 64M\npolicy = static\n",
		      "configuration read");
	assert_string_equal(daemon_status(&d).policy, "static");
	assert_true(held("first") <= 32 * MIB);
	tmem_close(u[0].t);
	tmem_close(u[1].t);
}

static void frozen_refuses_puts(void **state)
{
	uint8_t page[4096] = { 1 };
	struct tmem_key key = tmem_key(1ull << 40, 7);
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;
	struct user u, later;
	unsigned in;

	(void)state;
	daemon_configure(&d, "budget = 64M\n");
	daemon_start(&d);
	user_open(&u, "early");
	in = pages_put(u.t, u.pool, 0, 64, PAGES_PATIENCE_MS);
	assert_true(in > 32);
	daemon_reload(&d, "budget = 64M\nfrozen = yes\n", "configuration read");
	while (tmem_put(u.t, u.pool, &key, page) == 1) {
		assert_true(machine_now_ns() < end);
		(void)usleep(1000);
	}
	/* All else works. */
	assert_int_equal(pages_get(u.t, u.pool, 0, 64), in);
	/* It holds for those who come later. */
	user_open(&later, "later");
	assert_int_equal(tmem_put(later.t, later.pool, &key, page), 0);
	assert_true(domain_of("later").flags & TMEM_WIRE_FROZEN);
	assert_true(domain_of("later").lent_bytes[0] == 0);
	daemon_reload(&d, "budget = 64M\n# thawed\n", "configuration read");
	while (tmem_put(later.t, later.pool, &key, page) != 1) {
		assert_true(machine_now_ns() < end);
		(void)usleep(1000);
	}
	tmem_close(u.t);
	tmem_close(later.t);
}

/* ---- The host ------------------------------------------------------------ */

/* Takes of the machine's memory until so little is available, and again whenever more
 * is, whatever others take and give back meanwhile; until it is killed. */
static pid_t take_memory(uint64_t available)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		if (machine_mem_available() < available) {
			(void)usleep(1000);
			continue;
		}
		if (mmap(NULL, TAKE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1,
			 0) == MAP_FAILED)
			_exit(1);
	}
}

static void end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static int shrunk_by_floor(const struct tmem_wire_status_reply *s, void *ctx)
{
	(void)ctx;
	/* An index is not taken, even if nothing may be lent. */
	return s->budget_shrunk && s->budget_reason == TMEM_WIRE_BUDGET_FLOOR &&
	       !s->lent_bytes[TMEM_WIRE_EPHEMERAL];
}

/* Only our own allocation may decide: the floor is set where others cannot cross it,
 * once the memory is lent, and memory is taken until it is crossed. */
static void floor_is_kept(void **state)
{
	char config[128];
	uint64_t floor;
	struct user u;
	pid_t pid;

	(void)state;
	if (machine_mem_available() < 2 * ROOM)
		skip_for("too little memory is available");
	daemon_configure(&d, "budget = 64M\nfloor = 0\n");
	daemon_start(&d);
	user_open(&u, "cache");
	flood_until(&u, 50 * MIB);
	floor = machine_mem_available() - ROOM;
	(void)snprintf(config, sizeof(config), "budget = 64M\nfloor = %lluM\n",
		       (unsigned long long)(floor / MIB));
	daemon_reload(&d, config, "configuration read");
	/* What CPUs keep at hand is available, and not in MemAvailable. */
	pid = take_memory(floor - ROOM / 2);
	daemon_until(&d, shrunk_by_floor, NULL);
	assert_true(daemon_says(&d, "reason=floor"));
	end(pid);
	assert_true(pages_get(u.t, u.pool, 0, BURST) >= 0);
	tmem_close(u.t);
}

/* In a cgroup of its own: reads a file larger than its limit, again and again. */
static pid_t thrash(const struct memlimit *m, const char *path)
{
	static char text[MIB];
	pid_t pid = fork();
	int fd;

	assert_true(pid >= 0);
	if (pid)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (memlimit_enter(m, getpid()))
		_exit(1);
	for (;;) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		while (read(fd, text, sizeof(text)) > 0)
			;
		(void)close(fd);
	}
}

static void write_file(const char *path, uint64_t bytes)
{
	static char text[MIB];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	memset(text, 1, sizeof(text));
	for (; bytes; bytes -= sizeof(text))
		assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
	assert_int_equal(fsync(fd), 0);
	/* What stays cached is charged to whoever wrote it, and nobody's limit is
	 * felt. */
	assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	(void)close(fd);
}

/* Time that some tasks stalled for memory, ever; 0 where the kernel does not tell. */
static uint64_t stalled_us(void)
{
	FILE *f = fopen("/proc/pressure/memory", "re");
	unsigned long long us = 0;

	if (!f)
		return 0;
	if (fscanf(f, "some avg10=%*f avg60=%*f avg300=%*f total=%llu", &us) !=
	    1)
		us = 0;
	(void)fclose(f);
	return us;
}

static void foreign_thrashing_does_not_shrink(void **state)
{
	struct tmem_wire_status_reply s;
	uint64_t before_us, stalled;
	struct memlimit m;
	char path[128];
	struct user u;
	pid_t pids[THRASHERS];
	unsigned i;

	(void)state;
	if (memlimit_init(&m, 16 * MIB))
		skip_for("no memory limits for cgroups, or not for us");
	daemon_configure(&d, "budget = 64M\nfloor = 256M\n");
	daemon_start(&d);
	user_open(&u, "cache");
	flood_until(&u, 50 * MIB);
	flood_all(&u, 1, 20);
	(void)snprintf(path, sizeof(path), "%s/file", d.dir);
	write_file(path, 64 * MIB);
	before_us = stalled_us();
	for (i = 0; i < THRASHERS; i++)
		pids[i] = thrash(&m, path);
	(void)sleep(4);
	s = daemon_status(&d);
	stalled = stalled_us() - before_us;
	for (i = 0; i < THRASHERS; i++) {
		assert_int_equal(waitpid(pids[i], NULL, WNOHANG), 0);
		end(pids[i]);
	}
	memlimit_finish(&m);
	assert_true(s.budget_bytes == 64 * MIB);
	assert_int_equal(s.budget_shrunk, 0);
	assert_int_equal(s.stalls, s.stalls_foreign);
	/* Twice what the daemon listens for, in each second: it was told. */
	if (stalled > STALLED_US)
		assert_true(s.stalls > 0);
	else
		print_message("hardly a stall: %llu us\n",
			      (unsigned long long)stalled);
	assert_true(held("cache") > 50 * MIB);
	tmem_close(u.t);
}

/* Of a few times, since it may get its turn late for what was to be done before, and
 * a look costs more on a busy machine. */
static void idle_takes_no_cpu(void **state)
{
	uint64_t before;
	struct user u;
	int i = 0;

	(void)state;
	if (MACHINE_SANITIZED)
		skip_for("a sanitizer takes time of its own");
	daemon_configure(&d, "budget = 64M\n");
	daemon_start(&d);
	user_open(&u, "cache");
	flood_all(&u, 1, 20);
	do {
		assert_true(i++ < REST_TRIES);
		(void)sleep(1);
		before = daemon_ticks_of(d.pid);
		(void)sleep(3);
		/* A tick is 10 ms: a third of a percent. */
	} while (daemon_ticks_of(d.pid) > before + 1);
	tmem_close(u.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(weights_split, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(flood_spares_who_is_below,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(greedy_takes_nothing_for_others,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(static_lends_no_more_than_parts,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(caps_hold_to_the_segment,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(minimum_comes_before_greed,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_dead_weigh_nothing, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(policy_changes_at_once, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(frozen_refuses_puts, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(floor_is_kept, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			foreign_thrashing_does_not_shrink, set_up, tear_down),
		cmocka_unit_test_setup_teardown(idle_takes_no_cpu, set_up,
						tear_down),
		cmocka_unit_test(leftover_none),
	};

	if (!daemon_exists())
		return 77;
	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
