/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-swap.c - the kernel swaps to a store while the store is frozen, refused,
 * shrunk, and its host made short: every byte comes back, and at the end home.
 *
 * A process may use 16 MiB and touches four times that. What is lent to the swap,
 * and what it must do without, is set by a private tmemd's configuration.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon.h"
#include "machine.h"
#include "swap.h"
#include "toucher.h"
#include "unit.h"

#define MIB (1ull << 20)
#define LIMIT (16 * MIB)
#define TOUCHED (4 * LIMIT)
#define SIZE (96 * MIB)
#define SIZE_TEXT "96M"

/* Much longer than any of it takes: 2 to 3 seconds. */
#define PATIENCE_MS 30000

#define ROOMY "budget = 512M\ndefault-persistent = 256M\n"
#define FROZEN ROOMY "frozen = yes\n"
#define SHRUNK "budget = 16M\ndefault-persistent = 16M\n"
#define REFUSED "budget = 16M\ndefault-persistent = 0\n"

static struct daemon d;
static struct swap s;
static struct memlimit m;
static struct toucher t;

static int set_up(void **state)
{
	(void)state;
	swap_init(&s);
	swap_make_backing(&s, SIZE);
	daemon_init(&d);
	assert_false(memlimit_init(&m, LIMIT));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	toucher_end(&t);
	memlimit_finish(&m);
	swap_finish(&s);
	if (d.pid)
		daemon_stop(&d);
	daemon_finish(&d);
	return 0;
}

static void start(const char *config)
{
	const char *const args[] = { SIZE_TEXT,	 "--store", d.where,
				     "--domain", "swap",    "--backing",
				     s.backing,	 NULL };

	daemon_configure(&d, config);
	daemon_start(&d);
	assert_int_equal(swap_on(&s, args), 0);
	toucher_start(&t, &m, TOUCHED);
}

static void configure(const char *config)
{
	daemon_configure(&d, config);
	daemon_signal(&d, SIGHUP);
}

static void assert_all_right(struct toucher_answer a)
{
	assert_int_equal(a.wrong, 0);
	assert_int_equal(a.lost, 0);
}

static void write_all(void)
{
	assert_all_right(toucher_write(&t, PATIENCE_MS));
	/* That it was swapped at all: a part is in memory yet, and pages of
	 * zeros take no swap. */
	assert_true(swap_used(&s) >= TOUCHED / 2);
}

static void check_all(void)
{
	struct toucher_answer a = toucher_check(&t, PATIENCE_MS);

	assert_all_right(a);
	assert_int_equal(a.right, TOUCHED / 4096);
}

/* With room for it, all comes home, and nothing is left in the store. */
static void come_home(void)
{
	struct tmem_wire_domain domain;

	assert_false(memlimit_set(&m, 2 * TOUCHED));
	assert_int_equal(swap_off(&s, PATIENCE_MS), 0);
	assert_false(daemon_domain(&d, "swap", &domain));
	check_all();
}

static void calm(void **state)
{
	(void)state;
	start(ROOMY);
	write_all();
	check_all();
	assert_true(daemon_lent(&d) >= 4 * MIB);
	assert_int_equal(swap_backed(&s), 0); /* all of it lies in the store */
	assert_all_right(toucher_mix(&t, 500, PATIENCE_MS));
	come_home();
}

/* Refusals go to the backing, and what is in the store can still be read. */
static void frozen(void **state)
{
	(void)state;
	start(ROOMY);
	write_all();
	toucher_tell_mix(&t, 1500);
	configure(FROZEN);
	assert_all_right(toucher_answer(&t, PATIENCE_MS));
	assert_true(swap_backed(&s) > 0);
	configure(ROOMY);
	assert_all_right(toucher_mix(&t, 500, PATIENCE_MS));
	check_all();
	come_home();
}

static void refused(void **state)
{
	(void)state;
	start(REFUSED);
	write_all();
	assert_true(swap_backed(&s) >= TOUCHED / 4);
	check_all();
	come_home();
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
	uint64_t enough = 16 * MIB;

	(void)state;
	start(ROOMY);
	write_all();
	assert_true(daemon_lent(&d) > enough);
	assert_int_equal(swap_backed(&s), 0);
	toucher_tell_mix(&t, 1500);
	configure(SHRUNK);
	assert_all_right(toucher_answer(&t, PATIENCE_MS));
	daemon_until(&d, is_shrunk, &enough);
	assert_true(swap_backed(&s) > 0);
	check_all();
	come_home();
}

/* The floor is so high that a locked allocation makes the host short. */
static void host_short(void **state)
{
	const uint64_t taken = 64 * MIB;
	char config[256];
	uint64_t lent;
	void *p;

	(void)state;
	start(ROOMY);
	write_all();
	lent = daemon_lent(&d);
	assert_int_equal(swap_backed(&s), 0);
	toucher_tell_mix(&t, 1500);
	(void)snprintf(
		config, sizeof(config), ROOMY "floor = %lluM\n",
		(unsigned long long)((machine_mem_available() - taken / 4) /
				     MIB));
	configure(config);
	p = mmap(NULL, taken, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(p != MAP_FAILED);
	assert_false(mlock(p, taken));
	assert_all_right(toucher_answer(&t, PATIENCE_MS));
	lent /= 2;
	daemon_until(&d, is_shrunk, &lent);
	assert_true(swap_backed(&s) > 0);
	check_all();
	assert_false(munmap(p, taken));
	configure(ROOMY);
	come_home();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(calm),   TEST(frozen),	TEST(refused),
		TEST(shrunk), TEST(host_short),
	};

	swap_need();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
