/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-swap.c - the kernel swaps to a store while the store is frozen, refused,
 * shrunk, and its host made short: every byte comes back, and at the end home.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machine.h"
#include "stage.h"
#include "unit.h"

/* Much longer than any of it takes: 2 to 3 seconds. */
#define PATIENCE_MS 30000

#define FROZEN STAGE_ROOMY "frozen = yes\n"
#define SHRUNK "budget = 16M\ndefault-persistent = 16M\n"
#define REFUSED "budget = 16M\ndefault-persistent = 0\n"

/* What may go to the backing while a session's stock of memory is short: it grows as
 * it is used up. A daemon that gets no turn lends nothing meanwhile, but not every
 * time. */
#define SHORT (STAGE_TOUCHED / 16)
#define WRITES_MAX 8

/* It takes a moment to bring pages home; after this the floor was not crossed. */
#define SHORT_AFTER_NS 3000000000ull

static void configure(struct stage *g, const char *config)
{
	daemon_configure(&g->d, config);
	daemon_signal(&g->d, SIGHUP);
}

static void assert_all_right(struct toucher_answer a)
{
	assert_int_equal(a.wrong, 0);
	assert_int_equal(a.lost, 0);
}

static void write_all(struct stage *g)
{
	assert_all_right(toucher_write(&g->t, PATIENCE_MS));
	/* That it was swapped at all: a part is in memory yet, and pages of
	 * zeros take no swap. */
	assert_true(swap_used(&g->s) >= STAGE_TOUCHED / 2);
}

/* Return: bytes in the backing. */
static uint64_t write_all_to_the_store(struct stage *g)
{
	int i;

	write_all(g);
	for (i = 1; swap_backed(&g->s) > SHORT; i++) {
		assert_true(i < WRITES_MAX);
		write_all(g);
	}
	return swap_backed(&g->s);
}

static void check_all(struct stage *g)
{
	struct toucher_answer a = toucher_check(&g->t, PATIENCE_MS);

	assert_all_right(a);
	assert_int_equal(a.right, STAGE_TOUCHED / 4096);
}

/* With room for it, all comes home, and nothing is left in the store. */
static void come_home(struct stage *g)
{
	struct tmem_wire_domain domain;

	assert_false(memlimit_set(&g->m, 2 * STAGE_TOUCHED));
	assert_int_equal(swap_off(&g->s, PATIENCE_MS), 0);
	assert_false(daemon_domain(&g->d, STAGE_DOMAIN, &domain));
	check_all(g);
}

static void calm(void **state)
{
	struct stage *g = *state;

	stage_start(g, STAGE_ROOMY);
	(void)write_all_to_the_store(g);
	check_all(g);
	assert_true(daemon_lent(&g->d) >= 4 * STAGE_MIB);
	assert_all_right(toucher_mix(&g->t, 500, PATIENCE_MS));
	come_home(g);
}

/* Refusals go to the backing, and what is in the store can still be read. */
static void frozen(void **state)
{
	struct stage *g = *state;
	uint64_t before, end;

	stage_start(g, STAGE_ROOMY);
	write_all(g);
	before = swap_backed(&g->s);
	end = machine_now_ns() + PATIENCE_MS * 1000000ull;
	toucher_tell_mix(&g->t, 1500);
	configure(g, FROZEN);
	assert_all_right(toucher_answer(&g->t, PATIENCE_MS));
	/* The session hears of it at its own pace. */
	while (swap_backed(&g->s) <= before) {
		assert_true(machine_now_ns() < end);
		assert_all_right(toucher_mix(&g->t, 100, PATIENCE_MS));
	}
	configure(g, STAGE_ROOMY);
	assert_all_right(toucher_mix(&g->t, 500, PATIENCE_MS));
	check_all(g);
	come_home(g);
}

static void refused(void **state)
{
	struct stage *g = *state;

	stage_start(g, REFUSED);
	write_all(g);
	assert_true(swap_backed(&g->s) >= STAGE_TOUCHED / 4);
	check_all(g);
	come_home(g);
}

static int is_shrunk(const struct tmem_wire_status_reply *r, void *ctx)
{
	uint64_t lent = 0;
	unsigned i;

	for (i = 0; i < TMEM_WIRE_CLASSES; i++)
		lent += r->lent_bytes[i];
	return lent <= *(uint64_t *)ctx;
}

/* Less than what is lent: pages come home until no more is. */
static void shrunk(void **state)
{
	struct stage *g = *state;
	uint64_t before, enough = 16 * STAGE_MIB;

	stage_start(g, STAGE_ROOMY);
	before = write_all_to_the_store(g);
	assert_true(daemon_lent(&g->d) > enough);
	toucher_tell_mix(&g->t, 1500);
	configure(g, SHRUNK);
	assert_all_right(toucher_answer(&g->t, PATIENCE_MS));
	daemon_until(&g->d, is_shrunk, &enough);
	assert_true(swap_backed(&g->s) > before);
	check_all(g);
	come_home(g);
}

static void configure_floor(struct stage *g, uint64_t floor)
{
	char config[256];

	(void)snprintf(config, sizeof(config), STAGE_ROOMY "floor = %lluM\n",
		       (unsigned long long)(floor / STAGE_MIB));
	configure(g, config);
}

/* The floor is so high that a locked allocation makes the host short. Where others give
 * back as much meanwhile, or CPUs keep it at hand, it is raised until it does. */
static void host_short(void **state)
{
	struct stage *g = *state;
	const uint64_t taken = 64 * STAGE_MIB;
	uint64_t before, lent, floor, since, end;
	struct tmem_wire_status_reply r;
	void *p;

	stage_start(g, STAGE_ROOMY);
	before = write_all_to_the_store(g);
	lent = daemon_lent(&g->d) / 2;
	toucher_tell_mix(&g->t, 1500);
	floor = machine_mem_available() - taken / 4;
	configure_floor(g, floor);
	p = mmap(NULL, taken, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(p != MAP_FAILED);
	assert_false(mlock(p, taken));
	assert_all_right(toucher_answer(&g->t, PATIENCE_MS));
	since = machine_now_ns();
	end = since + PATIENCE_MS * 1000000ull;
	while (r = daemon_status(&g->d), !is_shrunk(&r, &lent)) {
		assert_true(machine_now_ns() < end);
		if (machine_now_ns() - since > SHORT_AFTER_NS) {
			floor += taken;
			configure_floor(g, floor);
			since = machine_now_ns();
		}
		(void)usleep(1000);
	}
	assert_true(swap_backed(&g->s) > before);
	check_all(g);
	assert_false(munmap(p, taken));
	configure(g, STAGE_ROOMY);
	come_home(g);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, stage_set_up, stage_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(calm),   TEST(frozen),	TEST(refused),
		TEST(shrunk), TEST(host_short),
	};

	swap_need();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
