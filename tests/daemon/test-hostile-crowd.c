/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-hostile-crowd.c - clients that are too many, too silent, too deaf or too greedy.
 */
#include "hostile.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "machine.h"
#include "unit.h"

#define CROWD 4000

/* For sessions. */
#define PLACES 20
#define PLACES_TEXT "20"

static struct daemon d;
static struct witness w;

static int group_init(void **state)
{
	return witness_begin(&w, &d,
			     "budget = 256M\ndefault-persistent = 128M\n"
			     "max-sessions = " PLACES_TEXT "\n",
			     state);
}

static void the_end(void **state)
{
	witness_end(&w, &d, state);
}

static void silence(void **state)
{
	uint64_t before = hostile_count(&d, TMEM_WIRE_SILENT);
	int fd = daemon_connect(&d);

	(void)state;
	hostile_refused(&d, fd, TMEM_WIRE_SILENT, before);
	(void)close(fd);
	witness_check(&w);
}

/* A session may be silent as long as it likes. */
static void silence_is_a_sessions_right(void **state)
{
	struct tmem_wire_loan loan;
	struct hostile h;

	(void)state;
	hostile_open(&h, &d, 4 << 20);
	(void)poll(NULL, 0, 2500);
	assert_int_equal(hostile_ask(&h, TMEM_WIRE_EPHEMERAL, 1, &loan, 1), 1);
	hostile_close(&h);
	witness_check(&w);
}

/* Whoever has something to say gets a word in. */
static void thousands_of_connections(void **state)
{
	static int fds[CROWD];
	struct rlimit limit, old;
	struct tmem *t;
	int i;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	limit = old;
	if (limit.rlim_cur < CROWD + 64)
		limit.rlim_cur = CROWD + 64;
	if (limit.rlim_cur > limit.rlim_max)
		skip_for("too few descriptors are allowed");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (i = 0; i < CROWD; i++)
		fds[i] = daemon_connect(&d);
	/* With its queue of connections full, a daemon that gets no turn has no place
	 * even for that. An answer comes after all that are in it. */
	(void)daemon_status(&d);
	t = daemon_open(&d, "honest", 4 << 20);
	tmem_close(t);
	assert_true(hostile_count(&d, TMEM_WIRE_CROWDED) > CROWD / 2);
	for (i = 0; i < CROWD; i++)
		(void)close(fds[i]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	witness_check(&w);
}

static void more_sessions_than_places(void **state)
{
	struct tmem_open_opts opts = { .size = sizeof(opts),
				       .limit_bytes = 1 << 20,
				       .agers = TMEM_NO_AGERS,
				       .domain = "many" };
	struct tmem *t[32] = { NULL };
	int i, n = 0, err = 0;

	(void)state;
	for (i = 0; i < 32 && !err; i++) {
		err = tmem_open(d.where, &opts, &t[i]);
		n += !err;
	}
	assert_int_equal(err, -ENOSPC);
	/* And the witness. One user has half of the places; root all of them. */
	assert_int_equal(n, geteuid() ? PLACES / 2 - 1 : PLACES - 1);
	for (i = 0; i < n; i++)
		tmem_close(t[i]);
	witness_check(&w);
}

/* Asks for everything a thousand times over, and reads nothing. */
static void deafness(void **state)
{
	struct tmem_wire_ask ask = { .head = { TMEM_WIRE_ASK, sizeof(ask) },
				     .cls = TMEM_WIRE_EPHEMERAL };
	struct tmem_wire_loans give = { .head = { TMEM_WIRE_GIVE, 24 },
					.count = 1 };
	struct hostile h;
	uint64_t i;

	(void)state;
	hostile_open(&h, &d, 4 << 20);
	for (i = 1; i <= 3000; i++) {
		ask.total = i;
		hostile_send(h.fd, &ask, sizeof(ask), NULL, 0);
		/* It guesses right: the lowest is lent first. */
		hostile_send(h.fd, &give, give.head.len, NULL, 0);
		if (i % 64 == 0)
			(void)daemon_status(&d);
	}
	hostile_close(&h);
	witness_check(&w);
}

/* Both are there before the daemon looks; others are heard while it lends. */
static void greed(void **state)
{
	const struct tmem_wire_status verb = { { TMEM_WIRE_STATUS,
						 sizeof(verb) } };
	struct tmem_wire_ask ask = { .head = { TMEM_WIRE_ASK, sizeof(ask) },
				     .cls = TMEM_WIRE_EPHEMERAL };
	struct tmem_packet packet = { 0 };
	struct tmem_wire_status_reply reply;
	union hostile_message m;
	struct hostile h;
	int fd;

	(void)state;
	hostile_open(&h, &d, 128 << 20);
	ask.total = (128 << 20) / h.welcome.segment_size;
	daemon_signal(&d, SIGSTOP);
	hostile_send(h.fd, &ask, sizeof(ask), NULL, 0);
	fd = daemon_connect(&d);
	hostile_send(fd, &verb, sizeof(verb), NULL, 0);
	daemon_signal(&d, SIGCONT);
	assert_true(hostile_receive(fd, &m, &packet));
	assert_int_equal(m.head.type, TMEM_WIRE_STATUS_REPLY);
	memcpy(&reply, &m, sizeof(reply));
	assert_in_range(reply.lent_bytes[TMEM_WIRE_EPHEMERAL], 1, 96 << 20);
	(void)close(fd);
	hostile_close(&h);
	witness_check(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence),
		cmocka_unit_test(silence_is_a_sessions_right),
		cmocka_unit_test(thousands_of_connections),
		cmocka_unit_test(more_sessions_than_places),
		cmocka_unit_test(deafness),
		cmocka_unit_test(greed),
		cmocka_unit_test(the_end),
	};

	if (!daemon_exists())
		return 77;
	return cmocka_run_group_tests(tests, group_init, NULL);
}
