/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-model-daemon.c - random operations on a leased session, held against the
 * reference, while another domain takes memory from it and the daemon dies.
 *
 * TMEM_MODEL_SEED repeats the operations; what happens beside them is left to
 * chance.
 */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon.h"
#include "hostile.h"
#include "leftover.h"
#include "lines.h"
#include "machine.h"
#include "model.h"
#include "rng.h"
#include "unit.h"

#define MIB (1ull << 20)
#define STEPS 4000
#define STEP_BYTES 64 /* more than any step takes */

struct scene {
	struct daemon d;
	pid_t hog; /* 0: none */
	struct tmem *t;
	struct model *m;
	struct rng rng;
	struct lines lines;
};

static uint64_t seed;

/* In a child: takes all that can be taken, and lets go of it again. */
static void be_hog(const struct daemon *d)
{
	struct tmem_wire_loan loans[256];
	struct hostile h;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		hostile_open(&h, d, 16 * MIB);
		(void)hostile_grab(&h, TMEM_WIRE_PERSISTENT, loans, 128);
		(void)poll(NULL, 0, 3);
		hostile_close(&h);
		(void)poll(NULL, 0, 10);
	}
}

static void scene_init(struct scene *s, int with_hog)
{
	struct tmem_open_opts opts = { .size = sizeof(opts),
				       .limit_bytes = 8 * MIB,
				       .domain = "model",
				       .log = lines_take,
				       .log_ctx = &s->lines };
	struct model_opts how = { .limit_bytes = 8 * MIB,
				  .limit_least = 4 * MIB,
				  .limit_most = 16 * MIB };

	lines_init(&s->lines);
	daemon_init(&s->d);
	/* Two that want 16M and 8M at least of 20M. */
	daemon_configure(&s->d, "budget = 20M\ndefault-persistent = 100%\n"
				"[domain hostile]\npersistent = 16M\n");
	daemon_start(&s->d);
	s->hog = with_hog ? fork() : 0;
	assert_true(s->hog >= 0);
	if (with_hog && !s->hog)
		be_hog(&s->d);
	assert_int_equal(tmem_open(s->d.where, &opts, &s->t), 0);
	how.t = s->t;
	s->rng.state = seed;
	s->m = model_create(&how);
	assert_non_null(s->m);
}

static void scene_finish(struct scene *s)
{
	struct model_counts c = model_counts(s->m);

	print_message("%llu steps: %llu of %llu gets hit, %llu of %llu puts "
		      "stored\n",
		      (unsigned long long)c.steps, (unsigned long long)c.hits,
		      (unsigned long long)c.gets, (unsigned long long)c.stored,
		      (unsigned long long)c.puts);
	assert_true(c.hits > c.gets / 64);
	assert_true(c.stored > c.puts / 16);
	model_destroy(s->m);
	tmem_close(s->t);
	lines_finish(&s->lines);
	daemon_finish(&s->d);
}

static void end_hog(struct scene *s)
{
	if (!s->hog)
		return;
	(void)kill(s->hog, SIGKILL);
	(void)waitpid(s->hog, NULL, 0);
	s->hog = 0;
}

static void must(struct scene *s, int ok)
{
	if (ok)
		return;
	end_hog(s);
	fail_msg("TMEM_MODEL_SEED=%llu: %s", (unsigned long long)seed,
		 model_fault(s->m));
}

static void random_step(struct scene *s)
{
	uint64_t words[STEP_BYTES / 8];
	struct model_bytes in = {
		.at = (const uint8_t *)words,
		.end = (const uint8_t *)(words + STEP_BYTES / 8),
	};
	size_t i;

	for (i = 0; i < STEP_BYTES / 8; i++)
		words[i] = rng_next(&s->rng);
	must(s, model_step(s->m, &in) == 1);
}

static void run_steps(struct scene *s, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++) {
		random_step(s);
		if (i % 500 == 499) {
			must(s, !model_settle(s->m));
			must(s, !tmem_check(s->t));
		}
	}
}

static void alone(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, 0);
	run_steps(&s, STEPS);
	scene_finish(&s);
}

/* The other one gets a turn when it gets one. */
static void beside_one_that_takes(void **state)
{
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;
	struct tmem_wire_domain line;
	struct scene s;

	(void)state;
	scene_init(&s, 1);
	do {
		run_steps(&s, STEPS);
		assert_int_equal(daemon_domain(&s.d, "model", &line), 1);
	} while (!line.revoked && machine_now_ns() < end);
	print_message("%llu segments revoked\n",
		      (unsigned long long)line.revoked);
	assert_true(line.revoked > 0);
	end_hog(&s);
	scene_finish(&s);
}

static int is_back(const struct tmem_wire_status_reply *st, void *ctx)
{
	(void)ctx;
	return st->returned == 1;
}

static void under_daemons_that_die(void **state)
{
	struct scene s;
	int i;

	(void)state;
	scene_init(&s, 0);
	for (i = 0; i < 8; i++) {
		run_steps(&s, STEPS / 16);
		daemon_kill(&s.d);
		run_steps(&s, STEPS / 16);
		daemon_start(&s.d);
		/* Some of it while the lease is on its way back. */
		run_steps(&s, STEPS / 16);
		daemon_until(&s.d, is_back, NULL);
	}
	scene_finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alone),
		cmocka_unit_test(beside_one_that_takes),
		cmocka_unit_test(under_daemons_that_die),
		cmocka_unit_test(leftover_none),
	};

	if (!daemon_exists())
		return 77;
	seed = rng_seed("TMEM_MODEL_SEED");
	return cmocka_run_group_tests(tests, leftover_note, NULL);
}
