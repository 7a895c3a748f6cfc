/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-life-client.c - what becomes of a lease when its client is killed, stopped
 * or forked, or when others hold its memory.
 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "content.h"
#include "machine.h"
#include "pages.h"
#include "rng.h"
#include "unit.h"

#define MIB (1ull << 20)

/* Slow machines and sanitizers aside, the beat lines are 200 and 100 ms;
 * `tmem bench lease` measures. */
#define SOON_NS 2000000000ull

#define TRIES 8

/* Of so many times three seconds, one must be of rest. */
#define REST_TRIES 8

static struct daemon d;
static struct witness w;

/* Its children start threads, and it has some itself: the thread sanitizer takes
 * that for a mistake. Asked at start; unused in other builds. */
const char *__tsan_default_options(void);

const char *__tsan_default_options(void)
{
	return "die_after_fork=0";
}

static int group_init(void **state)
{
	return witness_begin(&w, &d, NULL, state);
}

static void the_end(void **state)
{
	witness_end(&w, &d, state);
}

/* ---- A client in a process of its own ------------------------------------- */

struct client {
	pid_t pid;
	int said;  /* reads what it says: a byte when it is ready */
	int go_on; /* a byte makes it go on */
};

/* In the child: say that it is ready, wait to go on. */
static void pause_here(const struct client *c)
{
	char byte = 'r';

	if (write(c->said, &byte, 1) != 1 || read(c->go_on, &byte, 1) != 1)
		_exit(98);
}

static void start(struct client *c, void (*run)(const struct client *c))
{
	int said[2], go_on[2];

	assert_int_equal(pipe2(said, O_CLOEXEC), 0);
	assert_int_equal(pipe2(go_on, O_CLOEXEC), 0);
	c->pid = fork();
	assert_true(c->pid >= 0);
	if (!c->pid) {
		(void)close(said[0]);
		(void)close(go_on[1]);
		c->said = said[1];
		c->go_on = go_on[0];
		/* cmocka's handler would run the other tests here. */
		(void)signal(SIGBUS, SIG_DFL);
		run(c);
		_exit(0);
	}
	(void)close(said[1]);
	(void)close(go_on[0]);
	c->said = said[0];
	c->go_on = go_on[1];
}

static void wait_ready(const struct client *c)
{
	char byte;

	assert_int_equal(read(c->said, &byte, 1), 1);
}

static void let_go(const struct client *c)
{
	assert_int_equal(write(c->go_on, "g", 1), 1);
}

static int end(struct client *c, int sig)
{
	int status;

	if (sig)
		assert_int_equal(kill(c->pid, sig), 0);
	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	(void)close(c->said);
	(void)close(c->go_on);
	return status;
}

static struct tmem *open_here(const char *domain, uint64_t limit)
{
	struct tmem_open_opts opts = { .size = sizeof(opts),
				       .limit_bytes = limit,
				       .domain = domain };
	struct tmem *t;

	if (tmem_open(d.where, &opts, &t))
		_exit(97);
	return t;
}

/* ---- Killed -------------------------------------------------------------- */

static void fill_and_wait(const struct client *c)
{
	struct tmem *t = open_here("filler", 128 * MIB);
	int pool = pages_pool(t, 0);

	(void)pages_put(t, pool, 0, 112 * MIB / TMEM_PAGE_SIZE,
			PAGES_PATIENCE_MS);
	pause_here(c);
}

/* 1: free memory rose soon by nine tenths of what a killed client had. */
static int its_memory_comes_back(void)
{
	uint64_t lent, before, start_ns;
	struct client c;

	start(&c, fill_and_wait);
	wait_ready(&c);
	lent = daemon_lent(&d) - w.lent;
	assert_true(lent > 100 * MIB);
	before = machine_mem_free();
	start_ns = machine_now_ns();
	(void)end(&c, SIGKILL);
	while (machine_mem_free() < before + lent / 10 * 9)
		if (machine_now_ns() - start_ns > SOON_NS)
			return 0;
	print_message("%u MiB back after %.1f ms\n", (unsigned)(lent / MIB),
		      (double)(machine_now_ns() - start_ns) / 1e6);
	return 1;
}

/* Others may take what comes free, as a compiler does, but not every time. */
static void its_memory_is_back_at_once(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < TRIES; i++) {
		int back = its_memory_comes_back();

		witness_check(&w);
		if (back)
			return;
	}
	fail_msg("free memory did not rise by what was lent");
}

static void work_for_ever(const struct client *c)
{
	struct tmem *t = open_here("worker", 32 * MIB);
	int pools[2] = { pages_pool(t, 0), pages_pool(t, 1) };
	struct rng rng = { (uint64_t)getpid() };
	unsigned first, count;
	uint64_t given;

	(void)c;
	for (;;) {
		first = (unsigned)rng_below(&rng, 4096);
		count = (unsigned)rng_below(&rng, 512);
		switch (rng_below(&rng, 8)) {
		case 0:
			(void)tmem_shrink(t, rng_below(&rng, 16 * MIB), &given);
			break;
		case 1:
			(void)tmem_pool_destroy(t, pools[0]);
			pools[0] = pages_pool(t, 0);
			break;
		case 2:
			if (pages_get(t, pools[rng_below(&rng, 2)], first,
				      count) < 0)
				_exit(96);
			break;
		case 3:
			tmem_close(t);
			t = open_here("worker", 32 * MIB);
			pools[0] = pages_pool(t, 0);
			pools[1] = pages_pool(t, 1);
			break;
		default:
			(void)pages_put(t, pools[rng_below(&rng, 2)], first,
					count, 0);
		}
	}
}

static void killed_at_any_point(void **state)
{
	struct rng rng = { rng_seed("TMEM_SEED") };
	struct client c;
	int i, status;

	(void)state;
	for (i = 0; i < 40; i++) {
		start(&c, work_for_ever);
		(void)poll(NULL, 0, (int)rng_below(&rng, 60));
		status = end(&c, SIGKILL);
		assert_true(WIFSIGNALED(status));
	}
	witness_check(&w);
}

/* ---- Stopped ------------------------------------------------------------- */

static void read_after_the_stop(const struct client *c)
{
	struct tmem *t = open_here("stopped", 64 * MIB);
	int pool = pages_pool(t, 0), found;
	unsigned in = pages_put(t, pool, 0, 12000, PAGES_PATIENCE_MS);

	if (pages_get(t, pool, 0, 12000) != (int)in)
		_exit(95);
	pause_here(c);
	found = pages_get(t, pool, 0, 12000);
	if (found < 0)
		_exit(94); /* wrong bytes */
	if (found == (int)in)
		_exit(93); /* nothing was taken */
	if (tmem_check(t))
		_exit(92);
	/* It goes on within what it gets. */
	(void)pages_put(t, pool, 0, 2000, 0);
	if (pages_get(t, pool, 0, 2000) < 0)
		_exit(91);
	tmem_close(t);
}

/* Its ephemeral memory is taken without its doing anything. */
static void a_stopped_client_is_not_waited_for(void **state)
{
	uint64_t start_ns;
	struct client c;

	(void)state;
	start(&c, read_after_the_stop);
	wait_ready(&c);
	assert_int_equal(kill(c.pid, SIGSTOP), 0);
	assert_true(daemon_lent(&d) > 48 * MIB);
	daemon_configure(&d, "budget = 24M\ndefault-persistent = 16M\n");
	start_ns = machine_now_ns();
	daemon_signal(&d, SIGHUP);
	while (daemon_lent(&d) > 24 * MIB)
		assert_true(machine_now_ns() - start_ns < DAEMON_PATIENCE_NS);
	print_message("taken back after %.1f ms\n",
		      (double)(machine_now_ns() - start_ns) / 1e6);
	let_go(&c);
	assert_int_equal(kill(c.pid, SIGCONT), 0);
	assert_int_equal(end(&c, 0), 0);
	daemon_configure(&d, "budget = 256M\ndefault-persistent = 128M\n");
	daemon_signal(&d, SIGHUP);
	witness_check(&w);
}

/* ---- Forked -------------------------------------------------------------- */

/* The grandchild holds every descriptor, and outlives it. */
static void fork_and_wait(const struct client *c)
{
	struct tmem *t = open_here("forker", 16 * MIB);
	uint8_t page[TMEM_PAGE_SIZE] = { 0 };
	int pool = pages_pool(t, 1);
	struct tmem_key key = tmem_key(7, 1);
	char byte;

	if (pages_put(t, pool, 0, 100, PAGES_PATIENCE_MS) != 100)
		_exit(95);
	if (!fork()) {
		if (tmem_get(t, pool, &key, page) != -EPERM ||
		    tmem_put(t, pool, &key, page) != -EPERM)
			_exit(94);
		pause_here(c);
		/* The parent is gone, and the lease: nothing of it here. */
		tmem_close(t);
		byte = 'd';
		(void)!write(c->said, &byte, 1);
		_exit(0);
	}
	(void)pause();
}

static void a_child_does_not_keep_the_lease(void **state)
{
	struct client c;
	char byte;

	(void)state;
	start(&c, fork_and_wait);
	wait_ready(&c);
	assert_int_equal(daemon_status(&d).sessions, 2);
	assert_int_equal(kill(c.pid, SIGKILL), 0);
	assert_int_equal(waitpid(c.pid, NULL, 0), c.pid);
	witness_check(&w);
	let_go(&c);
	assert_int_equal(read(c.said, &byte, 1), 1);
	assert_int_equal(byte, 'd');
	(void)close(c.said);
	(void)close(c.go_on);
	witness_check(&w);
}

/* A child that closes its copy of a session leaves the parent's alone. */
static void a_child_may_close(void **state)
{
	struct tmem *t = daemon_open(&d, "parent", 8 * MIB);
	int pool = pages_pool(t, 1), status;
	pid_t pid;

	(void)state;
	assert_int_equal(pages_put(t, pool, 0, 200, PAGES_PATIENCE_MS), 200);
	pid = fork();
	if (!pid) {
		tmem_close(t);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(pages_put(t, pool, 200, 300, PAGES_PATIENCE_MS), 300);
	assert_int_equal(pages_get(t, pool, 0, 500), 500);
	tmem_close(t);
	witness_check(&w);
}

/* ---- Held by others ------------------------------------------------------- */

static volatile uint8_t *held;

static void touch_for_ever(const struct client *c)
{
	pause_here(c);
	held[0] = 1;
}

static void whoever_holds_the_memory_loses_it(void **state)
{
	struct tmem_wire_loan loan;
	struct hostile h;
	struct client c;
	int status;

	(void)state;
	hostile_open(&h, &d, 4 << 20);
	assert_int_equal(hostile_ask(&h, TMEM_WIRE_PERSISTENT, 1, &loan, 1), 1);
	held = mmap(NULL, h.welcome.segment_size, PROT_READ | PROT_WRITE,
		    MAP_SHARED, h.data,
		    (off_t)loan.segment * h.welcome.segment_size);
	assert_ptr_not_equal(held, MAP_FAILED);
	held[0] = 1;
	start(&c, touch_for_ever);
	wait_ready(&c);
	/* The child holds the socket, the memory and a mapping of it. */
	assert_int_equal(shutdown(h.fd, SHUT_RDWR), 0);
	(void)close(h.fd);
	witness_check(&w);
	let_go(&c);
	status = end(&c, 0);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGBUS);
	/* And for ever: it cannot be made larger again. */
	assert_int_equal(ftruncate(h.data, 4096), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(fallocate(h.data, 0, 0, 4096), -1);
	(void)munmap((void *)(uintptr_t)held, h.welcome.segment_size);
	(void)close(h.data);
	(void)close(h.control);
}

/* ---- At rest --------------------------------------------------------------- */

/* A tick is 10 ms; one may have been nearly full before. */
static int rests_for_ms(int ms)
{
	uint64_t mine = daemon_ticks_of(getpid());
	uint64_t its = daemon_ticks_of(d.pid);

	(void)poll(NULL, 0, ms);
	return daemon_ticks_of(getpid()) <= mine + 1 &&
	       daemon_ticks_of(d.pid) <= its + 1;
}

/* Once what was begun is done: pages that were put go on becoming smaller. */
static void nobody_does_anything(void **state)
{
	int i;

	(void)state;
	witness_check(&w);
	(void)poll(NULL, 0, 1500);
	for (i = 0; !rests_for_ms(3000); i++)
		assert_true(i < REST_TRIES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_memory_is_back_at_once),
		cmocka_unit_test(killed_at_any_point),
		cmocka_unit_test(a_stopped_client_is_not_waited_for),
		cmocka_unit_test(a_child_does_not_keep_the_lease),
		cmocka_unit_test(a_child_may_close),
		cmocka_unit_test(whoever_holds_the_memory_loses_it),
		cmocka_unit_test(nobody_does_anything),
		cmocka_unit_test(the_end),
	};

	if (!daemon_exists())
		return 77;
	return cmocka_run_group_tests(tests, group_init, NULL);
}
