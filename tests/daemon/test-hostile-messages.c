/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-hostile-messages.c - clients that say what makes no sense are refused or
 * dropped for a counted reason, and others notice nothing.
 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "machine.h"
#include "rng.h"
#include "unit.h"

/* The user and group "nobody": anybody but root will do. */
#define OTHER_UID 65534u
#define ANOTHER_UID 65533u

static struct daemon d;
static struct witness w;

static int group_init(void **state)
{
	return witness_begin(&w, &d, NULL, state);
}

static void the_end(void **state)
{
	witness_end(&w, &d, state);
}

/* Says it on a new connection, and is refused for it. */
static void refused_at_once(const void *message, size_t len, const int *fds,
			    unsigned count, uint32_t reason)
{
	uint64_t before = hostile_count(&d, reason);
	int fd = daemon_connect(&d);

	hostile_send(fd, message, len, fds, count);
	hostile_refused(&d, fd, reason, before);
	(void)close(fd);
}

/* The same in the middle of a session. */
static void dropped(const void *message, size_t len, const int *fds,
		    unsigned count, uint32_t reason)
{
	uint64_t before = hostile_count(&d, reason);
	struct hostile h;

	hostile_open(&h, &d, 8 << 20);
	hostile_send(h.fd, message, len, fds, count);
	hostile_refused(&d, h.fd, reason, before);
	hostile_close(&h);
}

static void no_message_at_all(void **state)
{
	char junk[TMEM_WIRE_MESSAGE_MAX + 1];
	struct tmem_wire_head head = { TMEM_WIRE_HELLO, sizeof(head) };
	uint32_t lengths[] = { 0, 1, 7, 9, UINT32_MAX };
	struct tmem_wire_hello hello;
	size_t i;

	(void)state;
	memset(junk, 0x5a, sizeof(junk));
	for (i = 1; i <= sizeof(junk); i = i * 4 + 1)
		refused_at_once(junk, i, NULL, 0, TMEM_WIRE_BAD_MESSAGE);
	refused_at_once(junk, sizeof(junk), NULL, 0, TMEM_WIRE_BAD_MESSAGE);
	refused_at_once(&head, sizeof(head), NULL, 0, TMEM_WIRE_BAD_MESSAGE);
	hello = hostile_hello("hostile", 0);
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		hello.head.len = lengths[i];
		refused_at_once(&hello, sizeof(hello), NULL, 0,
				TMEM_WIRE_BAD_MESSAGE);
	}
	for (i = 0; i < 100; i++) {
		int late = i == TMEM_WIRE_READY || i == TMEM_WIRE_DESTROYED;

		head.type = (uint32_t)i;
		if (i == TMEM_WIRE_STATUS)
			continue;
		refused_at_once(&head, sizeof(head), NULL, 0,
				late ? TMEM_WIRE_BAD_ORDER
				     : TMEM_WIRE_BAD_MESSAGE);
	}
	witness_check(&w);
}

static void hellos_that_are_none(void **state)
{
	struct tmem_wire_hello h = hostile_hello("hostile", 0);
	const struct tmem_wire_hello good = h;

	(void)state;
	h.magic++;
	refused_at_once(&h, sizeof(h), NULL, 0, TMEM_WIRE_BAD_MESSAGE);
	h = good;
	h.pad = 1;
	refused_at_once(&h, sizeof(h), NULL, 0, TMEM_WIRE_BAD_MESSAGE);
	h = good;
	h.flags = 2;
	refused_at_once(&h, sizeof(h), NULL, 0, TMEM_WIRE_BAD_MESSAGE);
	h = good;
	h.version_min = 3;
	h.version_max = 2;
	refused_at_once(&h, sizeof(h), NULL, 0, TMEM_WIRE_BAD_MESSAGE);
	h = good;
	h.version_min = h.version_max = TMEM_WIRE_VERSION + 1;
	refused_at_once(&h, sizeof(h), NULL, 0, TMEM_WIRE_VERSION_UNKNOWN);
	h = good;
	h.limit_bytes = 1;
	refused_at_once(&h, sizeof(h), NULL, 0, TMEM_WIRE_NO_MEMORY);
	/* Bytes behind the name's end would be a second, hidden name. */
	h = good;
	h.domain[20] = 'x';
	refused_at_once(&h, sizeof(h), NULL, 0, TMEM_WIRE_BAD_MESSAGE);
	refused_at_once(&good, sizeof(good) - 1, NULL, 0, TMEM_WIRE_BAD_MESSAGE);
	witness_check(&w);
}

static void names_that_are_none(void **state)
{
	static const char *const names[] = { "",   "a\nb", "a\x7f", "\xc3\xa4",
					     " a", "a ",   "a]b" };
	struct tmem_wire_hello h;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		h = hostile_hello(names[i], 0);
		refused_at_once(&h, sizeof(h), NULL, 0, TMEM_WIRE_BAD_NAME);
	}
	memset(h.domain, 'x', sizeof(h.domain));
	refused_at_once(&h, sizeof(h), NULL, 0, TMEM_WIRE_BAD_NAME);
	witness_check(&w);
}

/* 0: welcomed, else the reason. For a child: no assertion. */
static int try_name(void *ctx)
{
	struct tmem_wire_hello h = hostile_hello(ctx, 4 << 20);
	union hostile_message m;
	struct tmem_packet packet;
	struct pollfd p = { .events = POLLIN };
	int fd;

	if (tmem_packet_connect(d.socket, &fd))
		return 90;
	p.fd = fd;
	if (tmem_packet_send(fd, &h, sizeof(h), NULL, 0) ||
	    poll(&p, 1, 5000) != 1 ||
	    tmem_packet_receive(fd, &m, sizeof(m), &packet) != 1)
		return 91;
	return m.head.type == TMEM_WIRE_REFUSED ? (int)m.refused.reason : 0;
}

static int try_status(void *ctx)
{
	const struct tmem_wire_status verb = { { TMEM_WIRE_STATUS,
						 sizeof(verb) } };
	union hostile_message m;
	struct tmem_packet packet;
	struct pollfd p = { .events = POLLIN };
	int fd;

	(void)ctx;
	if (tmem_packet_connect(d.socket, &fd))
		return 90;
	p.fd = fd;
	if (tmem_packet_send(fd, &verb, sizeof(verb), NULL, 0) ||
	    poll(&p, 1, 5000) != 1 ||
	    tmem_packet_receive(fd, &m, sizeof(m), &packet) != 1)
		return 91;
	return m.head.type == TMEM_WIRE_REFUSED ? (int)m.refused.reason : 0;
}

static void somebody_elses_name(void **state)
{
	char name[] = "theirs", ours[] = "witness";
	struct tmem *t;

	(void)state;
	if (geteuid())
		skip_for("being somebody else takes root");
	/* Whoever holds it first; root may join anybody. */
	assert_int_equal(hostile_as(OTHER_UID, try_name, ours),
			 TMEM_WIRE_NOT_OWNER);
	assert_int_equal(hostile_as(OTHER_UID, try_name, name), 0);
	witness_check(&w);
	/* By configuration, before anybody holds it. */
	daemon_configure(&d, "budget = 256M\ndefault-persistent = 128M\n"
			     "[domain theirs]\nuid = 65533\n");
	daemon_signal(&d, SIGHUP);
	while (hostile_as(OTHER_UID, try_name, name) != TMEM_WIRE_NOT_OWNER)
		;
	assert_int_equal(hostile_as(ANOTHER_UID, try_name, name), 0);
	t = daemon_open(&d, name, 4 << 20);
	tmem_close(t);
	witness_check(&w);
}

static void control_is_not_for_everybody(void **state)
{
	(void)state;
	if (geteuid())
		skip_for("being somebody else takes root");
	assert_int_equal(hostile_as(OTHER_UID, try_status, NULL),
			 TMEM_WIRE_NO_RIGHTS);
	assert_int_equal(hostile_as(0, try_status, NULL), 0);
	witness_check(&w);
}

static void messages_at_the_wrong_time(void **state)
{
	struct tmem_wire_ask ask = { .head = { TMEM_WIRE_ASK, sizeof(ask) } };
	struct tmem_wire_hello hello = hostile_hello("hostile", 0);
	struct tmem_wire_status status = { { TMEM_WIRE_STATUS,
					     sizeof(status) } };

	(void)state;
	refused_at_once(&ask, sizeof(ask), NULL, 0, TMEM_WIRE_BAD_ORDER);
	dropped(&hello, sizeof(hello), NULL, 0, TMEM_WIRE_BAD_ORDER);
	dropped(&status, sizeof(status), NULL, 0, TMEM_WIRE_BAD_ORDER);
	witness_check(&w);
}

static void asks_out_of_range(void **state)
{
	struct tmem_wire_ask ask = { .head = { TMEM_WIRE_ASK, sizeof(ask) } };
	struct tmem_wire_loan loans[512];
	struct hostile h;
	uint32_t n;

	(void)state;
	ask.cls = TMEM_WIRE_CLASSES;
	dropped(&ask, sizeof(ask), NULL, 0, TMEM_WIRE_BAD_MESSAGE);
	ask.cls = UINT32_MAX;
	dropped(&ask, sizeof(ask), NULL, 0, TMEM_WIRE_BAD_MESSAGE);
	/* More than there is: all that there is, and no more. */
	hostile_open(&h, &d, 64 << 20);
	n = hostile_grab(&h, TMEM_WIRE_EPHEMERAL, loans, 512);
	assert_true(n > 0);
	assert_true(daemon_lent(&d) <= 256ull << 20);
	/* Less than it has: nothing happens. */
	assert_int_equal(hostile_ask(&h, TMEM_WIRE_EPHEMERAL, 0, loans, 0), 0);
	/* The witness was there first, and its quota is its own. */
	n = hostile_grab(&h, TMEM_WIRE_PERSISTENT, loans, 512);
	assert_true((uint64_t)n * h.welcome.segment_size <= 128ull << 20);
	n = hostile_grab(&h, TMEM_WIRE_METADATA, loans, 512);
	assert_true((uint64_t)n * h.welcome.segment_size <= 256ull << 17);
	hostile_close(&h);
	/* Its cache made room for promises; those were taken from the hostile
	 * one first, which had most. */
	witness_check(&w);
}

static void gifts_that_are_none(void **state)
{
	struct tmem_wire_loans give = { .head = { TMEM_WIRE_GIVE, 0 } };
	size_t one =
		offsetof(struct tmem_wire_loans, loans) + sizeof(give.loans[0]);
	uint64_t before;
	struct hostile h;

	(void)state;
	give.head.len = (uint32_t)offsetof(struct tmem_wire_loans, loans);
	dropped(&give, give.head.len, NULL, 0, TMEM_WIRE_BAD_MESSAGE);
	give.head.len = (uint32_t)one;
	give.count = 2;
	dropped(&give, one, NULL, 0, TMEM_WIRE_BAD_MESSAGE);
	give.count = UINT32_MAX / 8 + 2; /* 8 times it is 8 */
	dropped(&give, one, NULL, 0, TMEM_WIRE_BAD_MESSAGE);
	give.count = 1;
	dropped(&give, one, NULL, 0, TMEM_WIRE_BAD_LOAN);
	give.loans[0].segment = UINT32_MAX;
	dropped(&give, one, NULL, 0, TMEM_WIRE_BAD_LOAN);
	/* The same one twice. */
	before = hostile_count(&d, TMEM_WIRE_BAD_LOAN);
	hostile_open(&h, &d, 8 << 20);
	assert_int_equal(hostile_ask(&h, TMEM_WIRE_EPHEMERAL, 1, give.loans, 1),
			 1);
	hostile_send(h.fd, &give, one, NULL, 0);
	hostile_send(h.fd, &give, one, NULL, 0);
	hostile_refused(&d, h.fd, TMEM_WIRE_BAD_LOAN, before);
	hostile_close(&h);
	/* Of another life of the segment: it was revoked, nothing to say. */
	hostile_open(&h, &d, 8 << 20);
	assert_int_equal(hostile_ask(&h, TMEM_WIRE_EPHEMERAL, 1, give.loans, 1),
			 1);
	give.loans[0].epoch += 7;
	hostile_send(h.fd, &give, one, NULL, 0);
	assert_int_equal(hostile_ask(&h, TMEM_WIRE_EPHEMERAL, 2, give.loans, 1),
			 1);
	hostile_close(&h);
	witness_check(&w);
}

/* A hint names what may be taken first; what it names wrongly is passed over, and
 * what it names is the liar's own. */
static void hints_that_are_none(void **state)
{
	struct tmem_wire_hint hint = { .head = { TMEM_WIRE_HINT, 0 } };
	struct tmem_wire_loan loan;
	struct hostile h;
	uint32_t i;

	(void)state;
	hint.head.len = (uint32_t)offsetof(struct tmem_wire_hint, segments);
	hint.count = 1;
	dropped(&hint, hint.head.len, NULL, 0, TMEM_WIRE_BAD_MESSAGE);
	hint.count = UINT32_MAX / 4 + 2; /* 4 times it is 4 */
	hint.head.len += (uint32_t)sizeof(hint.segments[0]);
	dropped(&hint, hint.head.len, NULL, 0, TMEM_WIRE_BAD_MESSAGE);
	hint.count = 1;
	hint.pad = 1;
	dropped(&hint, hint.head.len, NULL, 0, TMEM_WIRE_BAD_MESSAGE);
	hint.pad = 0;
	hint.count = TMEM_WIRE_HINTS_MAX;
	hint.head.len = sizeof(hint);
	for (i = 0; i < TMEM_WIRE_HINTS_MAX; i++)
		hint.segments[i] = i % 3 ? UINT32_MAX - i : i % 2;
	hostile_open(&h, &d, 8 << 20);
	hostile_send(h.fd, &hint, sizeof(hint), NULL, 0);
	assert_int_equal(hostile_ask(&h, TMEM_WIRE_EPHEMERAL, 1, &loan, 1), 1);
	hostile_close(&h);
	witness_check(&w);
}

static void descriptors_where_none_belong(void **state)
{
	struct tmem_wire_ask ask = { .head = { TMEM_WIRE_ASK, sizeof(ask) } };
	struct tmem_wire_hello hello = hostile_hello("hostile", 0);
	const int fds[] = { 0, 0, 0, 0 };

	(void)state;
	refused_at_once(&hello, sizeof(hello), fds, 1, TMEM_WIRE_BAD_FDS);
	refused_at_once(&hello, sizeof(hello), fds, 4, TMEM_WIRE_BAD_FDS);
	dropped(&ask, sizeof(ask), fds, 1, TMEM_WIRE_BAD_FDS);
	hello.flags = TMEM_WIRE_RETURNING;
	refused_at_once(&hello, sizeof(hello), NULL, 0, TMEM_WIRE_BAD_FDS);
	refused_at_once(&hello, sizeof(hello), fds, 1, TMEM_WIRE_BAD_FDS);
	refused_at_once(&hello, sizeof(hello), fds, 3, TMEM_WIRE_BAD_FDS);
	witness_check(&w);
}

/* As many as the kernel lets through: the daemon sees a packet that was cut. */
static void hundreds_of_descriptors(void **state)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(253 * sizeof(int))];
	} room = { 0 };
	struct tmem_wire_hello hello = hostile_hello("hostile", 0);
	struct iovec iov = { &hello, sizeof(hello) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = room.bytes,
			      .msg_controllen = sizeof(room.bytes) };
	uint64_t before = hostile_count(&d, TMEM_WIRE_BAD_FDS);
	int fd = daemon_connect(&d), i, fds[253] = { 0 };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	(void)state;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	for (i = 0; i < 4; i++)
		assert_true(sendmsg(fd, &msg, MSG_NOSIGNAL) > 0 ||
			    errno == EPIPE || errno == ECONNRESET);
	hostile_refused(&d, fd, TMEM_WIRE_BAD_FDS, before);
	(void)close(fd);
	witness_check(&w);
}

static void random_messages(void **state)
{
	static const uint32_t types[] = { 1, 2, 3, 4, 5, 16, 17, 64, 66, 99 };
	struct rng rng = { rng_seed("TMEM_SEED") };
	uint32_t message[64];
	struct hostile h;
	size_t i, len;
	int n;

	(void)state;
	for (n = 0; n < 300; n++) {
		hostile_open(&h, &d, 4 << 20);
		do {
			len = 8 + rng_below(&rng, 60) * 4;
			for (i = 0; i < len / 4; i++)
				message[i] =
					rng_below(&rng, 3)
						? (uint32_t)rng_below(&rng, 4)
						: (uint32_t)rng_next(&rng);
			message[0] = types[rng_below(&rng, 10)];
			message[1] = (uint32_t)len;
			hostile_send(h.fd, message, len, NULL, 0);
		} while (rng_below(&rng, 8));
		hostile_close(&h);
	}
	witness_check(&w);
}

static void lie(struct hostile *h, int byte)
{
	struct tmem_wire_stats lies;

	memset(&lies, byte, sizeof(lies));
	lies.head.type = TMEM_WIRE_STATS;
	lies.head.len = sizeof(lies);
	hostile_send(h->fd, &lies, sizeof(lies), NULL, 0);
}

/* What a client says of itself is shown as claimed, moves nothing, and is believed
 * as far as it can be so. */
static void lying_statistics(void **state)
{
	/* Twice what a thousand CPUs can do in the time that a test may take. */
	const uint64_t much = 1000 * DAEMON_PATIENCE_NS;
	struct tmem_wire_status_reply before = daemon_status(&d), after;
	struct tmem_wire_domain line, honest;
	struct hostile h;
	uint64_t lent = daemon_lent(&d), puts;

	(void)state;
	hostile_open(&h, &d, 8 << 20);
	lie(&h, 0xff);
	assert_int_equal(daemon_domain(&d, "hostile", &line), 1);
	assert_true(line.claimed.puts < much && line.claimed.gets < much);
	assert_true(line.claimed.ghost_hits < much);
	assert_int_equal(line.claimed.raw_bytes, 0);
	assert_int_equal(line.claimed.pages_dense, 0);
	assert_int_equal(
		line.lent_bytes[0] + line.lent_bytes[1] + line.lent_bytes[2], 0);
	assert_int_equal(daemon_lent(&d), lent);
	/* It never did any of that, it says now. */
	puts = line.claimed.puts;
	lie(&h, 0);
	assert_int_equal(daemon_domain(&d, "hostile", &line), 1);
	assert_true(line.claimed.puts >= puts);
	assert_int_equal(line.claimed.used_bytes, 0);
	assert_int_equal(line.doubted, 2);
	after = daemon_status(&d);
	assert_int_equal(after.doubts[TMEM_WIRE_DOUBT_TIME],
			 before.doubts[TMEM_WIRE_DOUBT_TIME] + 1);
	assert_int_equal(after.doubts[TMEM_WIRE_DOUBT_MEMORY],
			 before.doubts[TMEM_WIRE_DOUBT_MEMORY] + 1);
	assert_int_equal(after.doubts[TMEM_WIRE_DOUBT_BACKWARDS],
			 before.doubts[TMEM_WIRE_DOUBT_BACKWARDS] + 1);
	hostile_close(&h);
	witness_check(&w);
	/* Who told the truth through all of this was believed. */
	assert_int_equal(daemon_domain(&d, "witness", &honest), 1);
	assert_true(honest.claimed.puts > 0);
	assert_int_equal(honest.doubted, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_message_at_all),
		cmocka_unit_test(hellos_that_are_none),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(somebody_elses_name),
		cmocka_unit_test(control_is_not_for_everybody),
		cmocka_unit_test(messages_at_the_wrong_time),
		cmocka_unit_test(asks_out_of_range),
		cmocka_unit_test(gifts_that_are_none),
		cmocka_unit_test(hints_that_are_none),
		cmocka_unit_test(descriptors_where_none_belong),
		cmocka_unit_test(hundreds_of_descriptors),
		cmocka_unit_test(random_messages),
		cmocka_unit_test(lying_statistics),
		cmocka_unit_test(the_end),
	};

	if (!daemon_exists())
		return 77;
	return cmocka_run_group_tests(tests, group_init, NULL);
}
