/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-steer.c - verbs that change a running daemon: what they do, what they leave
 * alone, and what they refuse; and looking at many domains and sessions.
 *
 * The old tools' faults are here by name: freeable that was always 0, a list that
 * ran over its buffer, a freeze that later domains did not know of, a destroy
 * that was a thaw.
 */
#include "hostile.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"
#include "pages.h"
#include "unit.h"

#define MIB (1ull << 20)
#define LOOKER_GID 65531
#define OTHER_UID 65532

#define BASE                                                                   \
	"budget = 256M\nfloor = 0\nmax-sessions = 400\n"                       \
	"default-persistent = 64M\nwatch-group = 65531\n"

/* TMEMD_DOMAINS_MAX */
#define TMEMD_SECTIONS 1024

static struct daemon d;

static int set_up(void **state)
{
	(void)state;
	if (!daemon_exists())
		return 0;
	daemon_init(&d);
	daemon_configure(&d, BASE);
	daemon_start(&d);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	daemon_stop(&d);
	daemon_finish(&d);
	return 0;
}

/* ---- Saying -------------------------------------------------------------- */

union verb {
	struct tmem_wire_head head;
	struct tmem_wire_set set;
	struct tmem_wire_flush flush;
	struct tmem_wire_evict evict;
	struct tmem_wire_sessions sessions;
};

static void exchange(const void *verb, size_t len, void *ret, size_t size)
{
	struct pollfd p = { .fd = daemon_connect(&d), .events = POLLIN };
	struct tmem_packet packet;

	assert_int_equal(tmem_packet_send(p.fd, verb, len, NULL, 0), 0);
	assert_int_equal(poll(&p, 1, (int)(DAEMON_PATIENCE_NS / 1000000)), 1);
	assert_int_equal(tmem_packet_receive(p.fd, ret, size, &packet), 1);
	(void)close(p.fd);
}

static struct tmem_wire_answer say(union verb *v, uint32_t type, size_t len)
{
	struct tmem_wire_answer a;

	v->head.type = type;
	v->head.len = (uint32_t)len;
	exchange(v, len, &a, sizeof(a));
	assert_int_equal(a.head.type, TMEM_WIRE_ANSWER);
	assert_int_equal(a.head.len, sizeof(a));
	/* A refusal says why, in one line. */
	assert_int_equal(!a.done, !!a.text[0]);
	assert_null(strchr(a.text, '\n'));
	return a;
}

static struct tmem_wire_answer set(const char *domain, const char *pair)
{
	const size_t head = offsetof(struct tmem_wire_set, pairs);
	union verb v = { .set = { .count = 1 } };

	strcpy(v.set.domain, domain);
	strcpy(v.set.pairs, pair);
	return say(&v, TMEM_WIRE_SET, head + strlen(pair) + 1);
}

static struct tmem_wire_answer flush(const char *domain, uint64_t bytes)
{
	union verb v = { .flush = { .bytes = bytes } };

	strcpy(v.flush.domain, domain);
	return say(&v, TMEM_WIRE_FLUSH, sizeof(v.flush));
}

static struct tmem_wire_answer evict(const char *domain, uint32_t flags)
{
	union verb v = { .evict = { .flags = flags } };

	strcpy(v.evict.domain, domain);
	return say(&v, TMEM_WIRE_EVICT, sizeof(v.evict));
}

static struct tmem_wire_domain domain_of(const char *name)
{
	struct tmem_wire_domain e;

	assert_int_equal(daemon_domain(&d, name, &e), 1);
	return e;
}

static void nap(void)
{
	(void)poll(NULL, 0, 2);
}

/* ---- Settings ------------------------------------------------------------ */

static void a_cap_holds_at_once(void **state)
{
	struct tmem *t = daemon_open(&d, "web", 0);
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;
	int pool = pages_pool(t, 0);

	(void)state;
	(void)pages_put(t, pool, 0, 8192, PAGES_PATIENCE_MS);
	assert_true(domain_of("web").lent_bytes[0] > 16 * MIB);
	assert_int_equal(set("web", "cap=16M").done, 1);
	assert_true(domain_of("web").cap_bytes == 16 * MIB);
	while (domain_of("web").lent_bytes[0] > 16 * MIB) {
		assert_true(machine_now_ns() < end);
		nap();
	}
	assert_int_equal(set("web", "cap=1Q").done, 0);
	assert_int_equal(set("nobody", "weight=3").done, 0);
	assert_true(domain_of("web").cap_bytes == 16 * MIB);
	assert_int_equal(set("", "policy=greedy").done, 1);
	assert_string_equal(daemon_status(&d).policy, "greedy");
	assert_int_equal(set("", "policy=utility").done, 1);
	tmem_close(t);
	/* Still so for who comes next; the file's word counts once it is read. */
	t = daemon_open(&d, "web", 0);
	assert_true(domain_of("web").cap_bytes == 16 * MIB);
	daemon_signal(&d, SIGHUP);
	while (domain_of("web").cap_bytes != 256 * MIB)
		nap();
	tmem_close(t);
}

static void a_freeze_holds_for_later_domains(void **state)
{
	struct tmem_key key = tmem_key(1, 1);
	char page[TMEM_PAGE_SIZE] = "page";
	struct tmem *t;
	int pool;

	(void)state;
	assert_int_equal(set("", "frozen=yes").done, 1);
	assert_true(daemon_status(&d).flags & TMEM_WIRE_FROZEN);
	t = daemon_open(&d, "later", 0);
	pool = pages_pool(t, 0);
	assert_int_equal(tmem_put(t, pool, &key, page), 0);
	assert_true(domain_of("later").flags & TMEM_WIRE_FROZEN);
	assert_int_equal(set("later", "frozen=no").done, 0);
	assert_int_equal(set("", "frozen=no").done, 1);
	assert_int_equal(pages_put(t, pool, 0, 1, PAGES_PATIENCE_MS), 1);
	assert_int_equal(set("later", "frozen=yes").done, 1);
	assert_int_equal(set("", "frozen=no").done, 1);
	assert_false(domain_of("later").flags & TMEM_WIRE_FROZEN);
	tmem_close(t);
}

/* ---- Memory back --------------------------------------------------------- */

/* What was asked for comes, and what is too much in stock is given back, whenever
 * the session gets a turn: figures of two answers are compared only where neither
 * happened in between. */
static int moved(const struct tmem_wire_status_reply *a,
		 const struct tmem_wire_status_reply *b)
{
	return a->lent != b->lent || a->given != b->given;
}

static void freeable_is_what_a_flush_frees(void **state)
{
	struct tmem *t = daemon_open(&d, "flushed", 0);
	int cache = pages_pool(t, 0), kept = pages_pool(t, 1);
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;
	struct tmem_wire_status_reply before, after;
	struct tmem_wire_domain e;
	struct tmem_wire_answer a;

	(void)state;
	do {
		assert_true(machine_now_ns() < end);
		before = daemon_status(&d);
		e = domain_of("flushed");
		after = daemon_status(&d);
	} while (moved(&before, &after));
	assert_true(before.freeable_bytes == e.freeable_bytes);
	(void)pages_put(t, cache, 0, 8192, PAGES_PATIENCE_MS);
	assert_int_equal(pages_put(t, kept, 0, 1000, PAGES_PATIENCE_MS), 1000);
	/* Nothing is lent meanwhile. */
	assert_int_equal(set("", "frozen=yes").done, 1);
	e = domain_of("flushed");
	assert_true(e.freeable_bytes >= 16 * MIB);
	assert_true(e.freeable_bytes == e.lent_bytes[TMEM_WIRE_EPHEMERAL]);
	do {
		assert_true(machine_now_ns() < end);
		before = daemon_status(&d);
		a = flush("flushed", 4 * MIB);
		after = daemon_status(&d);
		assert_true(a.done && a.bytes >= 4 * MIB && a.bytes < 8 * MIB);
	} while (after.given != before.given);
	assert_true(after.freeable_bytes == before.freeable_bytes - a.bytes);
	/* All the rest, of whoever has it. */
	a = flush("", UINT64_MAX);
	assert_true(a.done && !a.more);
	assert_true(daemon_status(&d).freeable_bytes == 0);
	e = domain_of("flushed");
	assert_true(!e.lent_bytes[TMEM_WIRE_EPHEMERAL] && !e.freeable_bytes);
	assert_true(flush("flushed", UINT64_MAX).bytes == 0);
	assert_int_equal(flush("nobody", MIB).done, 0);
	/* What was promised is there. */
	assert_int_equal(pages_get(t, kept, 0, 1000), 1000);
	assert_int_equal(set("", "frozen=no").done, 1);
	tmem_close(t);
}

/* ---- Domains emptied ----------------------------------------------------- */

static void await_emptied(const char *name)
{
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;

	while (domain_of(name).emptying) {
		assert_true(machine_now_ns() < end);
		nap();
	}
}

/* A session keeps this much at hand of a class that it has used, and one more. */
#define STOCK (10 * MIB)

/* What was emptied is on its way when the session says that it is done. */
static void await_given_back(const char *name, uint64_t below)
{
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;

	while (domain_of(name).lent_bytes[TMEM_WIRE_PERSISTENT] >= below) {
		assert_true(machine_now_ns() < end);
		nap();
	}
}

static void evict_destroys(void **state)
{
	struct tmem *t = daemon_open(&d, "evicted", 0);
	struct tmem *other = daemon_open(&d, "other", 0);
	int cache = pages_pool(t, 0), kept = pages_pool(t, 1);
	int theirs = pages_pool(other, 1);
	struct tmem_key key = tmem_key(1, 1);
	char page[TMEM_PAGE_SIZE] = "page";
	struct tmem_wire_answer a;
	struct tmem_wire_domain e;

	(void)state;
	assert_int_equal(pages_put(t, kept, 0, 4000, PAGES_PATIENCE_MS), 4000);
	(void)pages_put(t, cache, 0, 4000, PAGES_PATIENCE_MS);
	assert_int_equal(pages_put(other, theirs, 0, 100, PAGES_PATIENCE_MS),
			 100);
	e = domain_of("evicted");
	assert_true(e.lent_bytes[TMEM_WIRE_PERSISTENT] > 15 * MIB);
	a = evict("evicted", 0);
	assert_true(a.done && a.sessions == 1 && a.bytes > 15 * MIB);
	await_emptied("evicted");
	/* Neither a thaw nor a promise: they are gone, and so is the memory. */
	assert_int_equal(tmem_get(t, kept, &key, page), -EBADF);
	assert_int_equal(tmem_put(t, cache, &key, page), -EBADF);
	e = domain_of("evicted");
	assert_true(e.claimed.pools == 0 && !e.claimed.pages_persistent);
	await_given_back("evicted", STOCK);
	/* Whoever is not meant notices nothing; who is may begin anew. */
	assert_int_equal(pages_get(other, theirs, 0, 100), 100);
	kept = pages_pool(t, 1);
	assert_int_equal(pages_put(t, kept, 0, 10, PAGES_PATIENCE_MS), 10);
	assert_int_equal(pages_get(t, kept, 0, 10), 10);
	/* It has done as it was told: nothing to force. */
	assert_int_equal(evict("evicted", TMEM_WIRE_FORCE).sessions, 0);
	assert_int_equal(pages_get(t, kept, 0, 10), 10);
	assert_int_equal(evict("nobody", 0).done, 0);
	assert_int_equal(tmem_check(t), 0);
	tmem_close(t);
	tmem_close(other);
}

static void evict_ends_who_does_not_answer(void **state)
{
	uint64_t before = hostile_count(&d, TMEM_WIRE_EVICTED);
	struct tmem_wire_domain e;
	struct hostile h;

	(void)state;
	hostile_open(&h, &d, 16 << 20);
	assert_int_equal(evict("hostile", 0).sessions, 1);
	assert_int_equal(domain_of("hostile").emptying, 1);
	assert_int_equal(evict("hostile", TMEM_WIRE_FORCE).sessions, 1);
	assert_int_equal(daemon_domain(&d, "hostile", &e), 0);
	assert_true(hostile_count(&d, TMEM_WIRE_EVICTED) == before + 1);
	hostile_close(&h);
}

/* ---- Looking at many ----------------------------------------------------- */

/* A list waits for a moment, and a session that gets no turn says nothing in it. */
static struct tmem_wire_domain once_it_reported(const char *name)
{
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;
	struct tmem_wire_domain e = domain_of(name);

	while (!e.reported) {
		assert_true(machine_now_ns() < end);
		nap();
		e = domain_of(name);
	}
	return e;
}

#define MANY 137

static void each_once_however_many(void **state)
{
	struct tmem *t[MANY], *same[2 * TMEM_WIRE_SESSIONS_MAX + 1];
	struct tmem_wire_sessions_reply r = { .count = TMEM_WIRE_SESSIONS_MAX };
	union verb v = { .sessions = { .domain = "same" } };
	struct tmem_wire_domain e;
	unsigned i, sessions = 0;
	uint64_t last = 0;
	char name[64];

	(void)state;
	for (i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "%03u-%059d", i, 7);
		t[i] = daemon_open(&d, name, MIB);
	}
	for (i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "%03u-%059d", i, 7);
		e = once_it_reported(name);
		assert_string_equal(e.name, name);
		assert_true(e.number > last && e.reported == 1);
		last = e.number;
		if (i % 2) /* others go, and hide nobody */
			tmem_close(t[i - 1]);
	}
	for (i = 1; i < MANY; i += 2)
		tmem_close(t[i]);
	tmem_close(t[MANY - 1]);
	for (i = 0; i < 2 * TMEM_WIRE_SESSIONS_MAX + 1; i++)
		same[i] = daemon_open(&d, "same", MIB);
	v.head.type = TMEM_WIRE_SESSIONS;
	v.head.len = sizeof(v.sessions);
	for (last = 0; r.count == TMEM_WIRE_SESSIONS_MAX;) {
		exchange(&v, sizeof(v.sessions), &r, sizeof(r));
		assert_int_equal(r.head.type, TMEM_WIRE_SESSIONS_REPLY);
		for (i = 0; i < r.count; i++) {
			assert_true(r.sessions[i].number > last);
			assert_int_equal(r.sessions[i].pid, getpid());
			last = r.sessions[i].number;
		}
		sessions += r.count;
		v.sessions.after = last;
	}
	assert_int_equal(sessions, 2 * TMEM_WIRE_SESSIONS_MAX + 1);
	for (i = 0; i < 2 * TMEM_WIRE_SESSIONS_MAX + 1; i++)
		tmem_close(same[i]);
}

/* What was counted of sessions that are over stays in, while the domain lives. */
static void counts_do_not_fall(void **state)
{
	struct tmem *stays = daemon_open(&d, "counted", MIB), *t;
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;
	struct tmem_stats said = { .size = sizeof(said) };
	struct tmem_wire_domain e;

	(void)state;
	t = daemon_open(&d, "counted", 8 * MIB);
	(void)pages_put(t, pages_pool(t, 0), 0, 100, PAGES_PATIENCE_MS);
	assert_int_equal(tmem_stats(t, &said), 0);
	assert_true(said.puts >= 100);
	while (domain_of("counted").claimed.puts != said.puts)
		assert_true(machine_now_ns() < end);
	tmem_close(t);
	do {
		e = domain_of("counted");
	} while (e.sessions == 2);
	assert_true(e.claimed.puts == said.puts && !e.claimed.pages_ephemeral);
	tmem_close(stays);
}

/* ---- Who may, and what is no verb ---------------------------------------- */

static int as_looker(uint32_t type, size_t len)
{
	union verb v = { .set = { .count = 1, .pairs = "weight=1" } };
	struct pollfd p = { .events = POLLIN };
	union hostile_message m;
	struct tmem_packet packet;

	v.head.type = type;
	v.head.len = (uint32_t)len;
	if (tmem_packet_connect(d.socket, &p.fd))
		return 90;
	if (tmem_packet_send(p.fd, &v, len, NULL, 0) || poll(&p, 1, 5000) != 1 ||
	    tmem_packet_receive(p.fd, &m, sizeof(m), &packet) != 1)
		return 91;
	return m.head.type == TMEM_WIRE_REFUSED ? (int)m.refused.reason : 0;
}

static int join_lookers(void)
{
	const gid_t group = LOOKER_GID;

	return setgroups(1, &group) || setresuid(OTHER_UID, OTHER_UID, OTHER_UID)
		       ? 92
		       : 0;
}

static int look(void *ctx)
{
	int err = join_lookers();

	(void)ctx;
	return err ? err
		   : as_looker(TMEM_WIRE_STATUS,
			       sizeof(struct tmem_wire_status));
}

static int steer(void *ctx)
{
	int err = join_lookers();

	(void)ctx;
	return err ? err
		   : as_looker(TMEM_WIRE_FLUSH, sizeof(struct tmem_wire_flush));
}

/* Names that come and go, as those of containers: what was set for one that is gone
 * makes place for the next one, what a file says or a session is of does not. */
static void names_come_and_go(void **state)
{
	static char text[64 * 1024];
	struct tmem *gone, *here, *next;
	size_t len;
	int i;

	(void)state;
	len = (size_t)sprintf(text, "%s", BASE);
	for (i = 0; i < TMEMD_SECTIONS - 1; i++)
		len += (size_t)sprintf(text + len, "[domain file-%d]\n", i);
	daemon_reload(&d, text, "configuration read");
	gone = daemon_open(&d, "gone", 0);
	assert_true(set("gone", "weight=7").done);
	tmem_close(gone);
	here = daemon_open(&d, "here", 0);
	assert_true(set("here", "weight=8").done);
	assert_true(set("here", "weight=9").done);
	next = daemon_open(&d, "next", 0);
	assert_non_null(strstr(set("next", "weight=10").text,
			       "more than 1024 domains"));
	tmem_close(next);
	tmem_close(here);
	daemon_reload(&d, BASE, "configuration read");
}

static void lookers_change_nothing(void **state)
{
	(void)state;
	if (geteuid())
		skip_for("being somebody else takes root");
	assert_int_equal(hostile_as(0, look, NULL), 0);
	assert_int_equal(hostile_as(0, steer, NULL), TMEM_WIRE_NO_RIGHTS);
}

static void expect_refused(const void *message, size_t len, uint32_t reason)
{
	uint64_t before = hostile_count(&d, reason);
	int fd = daemon_connect(&d);

	hostile_send(fd, message, len, NULL, 0);
	hostile_refused(&d, fd, reason, before);
}

static void no_verbs(void **state)
{
	const size_t head = offsetof(struct tmem_wire_set, pairs);
	union verb v;

	(void)state;
	memset(&v, 0, sizeof(v));
	v.set = (struct tmem_wire_set){ .head = { TMEM_WIRE_SET,
						  (uint32_t)head + 2 },
					.count = 1,
					.pairs = "ab" };
	expect_refused(&v, head + 2, TMEM_WIRE_BAD_MESSAGE); /* no end */
	v.set.pairs[1] = 0;
	v.set.count = 2;
	expect_refused(&v, head + 2, TMEM_WIRE_BAD_MESSAGE);
	v.set.count = 1;
	v.set.pairs[0] = '\n';
	expect_refused(&v, head + 2, TMEM_WIRE_BAD_MESSAGE);
	v.set.head.len = (uint32_t)head;
	expect_refused(&v, head, TMEM_WIRE_BAD_MESSAGE);
	memset(v.set.domain, 'x', sizeof(v.set.domain));
	v.set.pairs[0] = 'a';
	v.set.head.len = (uint32_t)head + 2;
	expect_refused(&v, head + 2, TMEM_WIRE_BAD_NAME);
	memset(&v, 0, sizeof(v));
	v.evict.head =
		(struct tmem_wire_head){ TMEM_WIRE_EVICT, sizeof(v.evict) };
	v.evict.flags = 2;
	expect_refused(&v, sizeof(v.evict), TMEM_WIRE_BAD_MESSAGE);
	v.evict.flags = 0;
	strcpy(v.evict.domain + 8, "behind its end");
	expect_refused(&v, sizeof(v.evict), TMEM_WIRE_BAD_MESSAGE);
	memset(&v, 0, sizeof(v));
	v.flush.head =
		(struct tmem_wire_head){ TMEM_WIRE_FLUSH, sizeof(v.flush) };
	memset(v.flush.domain, 'x', sizeof(v.flush.domain));
	expect_refused(&v, sizeof(v.flush), TMEM_WIRE_BAD_NAME);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cap_holds_at_once),
		cmocka_unit_test(a_freeze_holds_for_later_domains),
		cmocka_unit_test(freeable_is_what_a_flush_frees),
		cmocka_unit_test(evict_destroys),
		cmocka_unit_test(evict_ends_who_does_not_answer),
		cmocka_unit_test(each_once_however_many),
		cmocka_unit_test(counts_do_not_fall),
		cmocka_unit_test(names_come_and_go),
		cmocka_unit_test(lookers_change_nothing),
		cmocka_unit_test(no_verbs),
	};

	if (!daemon_exists())
		return 77;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
