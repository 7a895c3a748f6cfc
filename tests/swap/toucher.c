/* SPDX-License-Identifier: BSD-2-Clause */
/* toucher.c - a process that uses more memory than its cgroup allows. */
#include "toucher.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "content.h"
#include "machine.h"
#include "rng.h"
#include "unit.h"

#define PAGE 4096u

/* Longer than a kill takes: a process that waits for a device dies when that
 * answers, with an error at the latest. */
#define END_NS 20000000000ull

enum {
	ORDER_WRITE,
	ORDER_CHECK,
	ORDER_MIX
};

struct order {
	uint32_t what;
	uint32_t ms;
};

/* ---- The process ---------------------------------------------------------- */

/** struct memory - the pages, and their generations (0: never written). */
struct memory {
	uint8_t *bytes;
	uint64_t pages;
	uint16_t *generations;
	struct rng rng;
};

/* The handler's: it has no other way to what it interrupts. */
static sigjmp_buf lost_page;

static void on_lost(int sig)
{
	(void)sig;
	siglongjmp(lost_page, 1);
}

static enum content_kind kind_of(uint64_t n)
{
	static const enum content_kind kinds[] = {
		CONTENT_TEXT, CONTENT_TEXT, CONTENT_BARELY, CONTENT_TEXT,
		CONTENT_SAME, CONTENT_TEXT, CONTENT_RANDOM, CONTENT_ZERO,
	};

	return kinds[n % (sizeof(kinds) / sizeof(kinds[0]))];
}

static uint64_t seed_of(const struct memory *m, uint64_t n)
{
	return n << 16 | m->generations[n];
}

static void look(const struct memory *m, uint64_t n, struct toucher_answer *a)
{
	uint8_t *page = m->bytes + n * PAGE;

	if (!m->generations[n])
		return;
	if (sigsetjmp(lost_page, 1)) {
		a->lost++;
		return;
	}
	if (page_equal(page, PAGE, kind_of(n), seed_of(m, n))) {
		a->right++;
		return;
	}
	if (!a->wrong++)
		a->first_wrong = n;
}

/* A lost page is mapped anew, as a program could that knows what it lost. */
static void write_page(struct memory *m, uint64_t n, struct toucher_answer *a)
{
	uint8_t *page = m->bytes + n * PAGE;

	m->generations[n]++;
	if (sigsetjmp(lost_page, 1)) {
		a->lost++;
		if (mmap(page, PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			 0) == MAP_FAILED)
			_exit(1);
	}
	page_fill(page, PAGE, kind_of(n), seed_of(m, n));
}

static void mix(struct memory *m, unsigned ms, struct toucher_answer *a)
{
	uint64_t end = machine_now_ns() + ms * 1000000ull, n;

	while (machine_now_ns() < end) {
		n = rng_below(&m->rng, m->pages);
		look(m, n, a);
		if (rng_below(&m->rng, 2))
			write_page(m, n, a);
	}
}

static void obey(struct memory *m, const struct order *o,
		 struct toucher_answer *a)
{
	uint64_t n;

	if (o->what == ORDER_MIX) {
		mix(m, o->ms, a);
		return;
	}
	for (n = 0; n < m->pages; n++) {
		if (o->what == ORDER_WRITE)
			write_page(m, n, a);
		else
			look(m, n, a);
	}
}

/* Never returns. */
static void run(uint64_t bytes, int in, int out)
{
	struct sigaction sa = { .sa_handler = on_lost };
	struct memory m = { .pages = bytes / PAGE, .rng = { .state = bytes } };
	struct toucher_answer a;
	struct order o;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)sigaction(SIGBUS, &sa, NULL);
	m.generations = calloc(m.pages, sizeof(*m.generations));
	if (!m.generations || mlockall(MCL_CURRENT))
		_exit(1);
	m.bytes = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* Huge pages are swapped as a whole or split; neither is in question. */
	if (m.bytes == MAP_FAILED || madvise(m.bytes, bytes, MADV_NOHUGEPAGE))
		_exit(1);
	while (read(in, &o, sizeof(o)) == sizeof(o)) {
		a = (struct toucher_answer){ 0 };
		obey(&m, &o, &a);
		if (write(out, &a, sizeof(a)) != sizeof(a))
			break;
	}
	_exit(0);
}

/* ---- Who tells it --------------------------------------------------------- */

void toucher_start(struct toucher *t, const struct memlimit *m, uint64_t bytes)
{
	int to[2], from[2];

	assert_false(pipe(to));
	assert_false(pipe(from));
	t->pid = fork();
	assert_true(t->pid >= 0);
	if (!t->pid) {
		/* Before it has any page of its own. */
		if (memlimit_enter(m, getpid()))
			_exit(1);
		(void)close(to[1]);
		(void)close(from[0]);
		run(bytes, to[0], from[1]);
	}
	(void)close(to[0]);
	(void)close(from[1]);
	t->to = to[1];
	t->from = from[0];
}

static void tell(struct toucher *t, uint32_t what, unsigned ms)
{
	const struct order o = { .what = what, .ms = ms };

	assert_int_equal(write(t->to, &o, sizeof(o)), sizeof(o));
}

struct toucher_answer toucher_answer(struct toucher *t, int patience_ms)
{
	struct pollfd p = { .fd = t->from, .events = POLLIN };
	struct toucher_answer a = { 0 };
	int n = poll(&p, 1, patience_ms);

	if (n != 1)
		print_error("no answer in %d ms\n", patience_ms);
	assert_int_equal(n, 1);
	/* A process that was killed leaves a closed pipe. */
	assert_int_equal(read(t->from, &a, sizeof(a)), sizeof(a));
	if (a.wrong)
		print_error("%llu pages wrong, the first is %llu\n",
			    (unsigned long long)a.wrong,
			    (unsigned long long)a.first_wrong);
	return a;
}

struct toucher_answer toucher_write(struct toucher *t, int patience_ms)
{
	tell(t, ORDER_WRITE, 0);
	return toucher_answer(t, patience_ms);
}

struct toucher_answer toucher_check(struct toucher *t, int patience_ms)
{
	tell(t, ORDER_CHECK, 0);
	return toucher_answer(t, patience_ms);
}

void toucher_tell_mix(struct toucher *t, unsigned ms)
{
	tell(t, ORDER_MIX, ms);
}

struct toucher_answer toucher_mix(struct toucher *t, unsigned ms,
				  int patience_ms)
{
	toucher_tell_mix(t, ms);
	return toucher_answer(t, patience_ms);
}

void toucher_end(struct toucher *t)
{
	const struct timespec nap = { .tv_nsec = 10000000 };
	uint64_t end = machine_now_ns() + END_NS;

	if (!t->pid)
		return;
	(void)kill(t->pid, SIGKILL);
	while (!waitpid(t->pid, NULL, WNOHANG) && machine_now_ns() < end)
		(void)nanosleep(&nap, NULL);
	(void)close(t->to);
	(void)close(t->from);
	t->pid = 0;
}
