/* SPDX-License-Identifier: BSD-2-Clause */
/* hostile.c - a client made by hand, and one that must notice nothing. */
#include "hostile.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "content.h"
#include "leftover.h"
#include "machine.h"
#include "unit.h"
#include "walk.h"

#define WITNESS_PAGES 512u
#define WITNESS_LIMIT (8u << 20)
#define SILENCE_MS 500

/* ---- The witness --------------------------------------------------------- */

static void put_all(struct witness *w, int pool)
{
	uint8_t page[TMEM_PAGE_SIZE];
	struct tmem_key key;
	unsigned i;
	int ret;

	for (i = 0; i < WITNESS_PAGES; i++) {
		key = tmem_key(1, i);
		page_fill(page, sizeof(page), CONTENT_RANDOM, i);
		/* Memory may be on its way for a moment. */
		do {
			ret = tmem_put(w->t, pool, &key, page);
		} while (!ret);
		assert_int_equal(ret, 1);
	}
}

/* Return: pages found. */
static unsigned get_all(struct witness *w, int pool)
{
	uint8_t page[TMEM_PAGE_SIZE];
	struct tmem_key key;
	unsigned i, found = 0;
	int ret;

	for (i = 0; i < WITNESS_PAGES; i++) {
		key = tmem_key(1, i);
		ret = tmem_get(w->t, pool, &key, page);
		assert_in_range(ret, 0, 1);
		if (ret)
			assert_true(page_equal(page, sizeof(page),
					       CONTENT_RANDOM, i));
		found += (unsigned)ret;
	}
	return found;
}

/* What is lent in all is what the witness has by its own control page. That can be
 * less than it was, and never more: where it got no turn, its stock falls to the least
 * later than settle() waited for. */
static int is_settled(const struct tmem_wire_status_reply *s, void *ctx)
{
	const uint64_t lent =
		s->lent_bytes[0] + s->lent_bytes[1] + s->lent_bytes[2];
	struct walk own = { .only = "witness" };
	struct witness *w = ctx;

	assert_int_equal(walk_add(&own, getpid()), 1);
	if (s->sessions != 1 || s->domains != 1 || lent > w->lent ||
	    lent != own.lent_bytes[0] + own.lent_bytes[1] + own.lent_bytes[2])
		return 0;
	w->lent = lent;
	return 1;
}

/* Once its stock is down to the least, what is lent stands still. */
static void settle(struct witness *w)
{
	uint64_t since = machine_now_ns(), lent;

	w->lent = daemon_lent(w->d);
	while (machine_now_ns() - since < 1500000000ull) {
		lent = daemon_lent(w->d);
		if (lent != w->lent)
			since = machine_now_ns();
		w->lent = lent;
		(void)poll(NULL, 0, 20);
	}
}

void witness_init(struct witness *w, const struct daemon *d)
{
	const struct tmem_pool_opts kept = { .size = sizeof(kept),
					     .flags = TMEM_POOL_PERSISTENT };
	const struct tmem_pool_opts cached = { .size = sizeof(cached),
					       .flags = TMEM_POOL_KEEP };

	w->d = d;
	w->t = daemon_open(d, "witness", WITNESS_LIMIT);
	w->kept = tmem_pool_create(w->t, &kept);
	w->cached = tmem_pool_create(w->t, &cached);
	assert_true(w->kept >= 0 && w->cached >= 0);
	put_all(w, w->kept);
	put_all(w, w->cached);
	settle(w);
	w->fds = daemon_fds(d);
}

void witness_check(struct witness *w)
{
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;

	daemon_until(w->d, is_settled, w);
	/* The status's own connection is closed a moment later. */
	while (daemon_fds(w->d) != w->fds) {
		assert_true(machine_now_ns() < end);
		(void)poll(NULL, 0, 1);
	}
	assert_int_equal(get_all(w, w->kept), WITNESS_PAGES);
	assert_int_equal(get_all(w, w->cached), WITNESS_PAGES);
	assert_int_equal(tmem_check(w->t), 0);
}

void witness_finish(struct witness *w)
{
	tmem_close(w->t);
}

int witness_begin(struct witness *w, struct daemon *d, const char *config,
		  void **state)
{
	if (leftover_note(state))
		return -1;
	daemon_init(d);
	if (config)
		daemon_configure(d, config);
	daemon_start(d);
	witness_init(w, d);
	return 0;
}

void witness_end(struct witness *w, struct daemon *d, void **state)
{
	witness_check(w);
	witness_finish(w);
	daemon_finish(d);
	leftover_none(state);
}

/* ---- The client ---------------------------------------------------------- */

struct tmem_wire_hello hostile_hello(const char *domain, uint64_t limit)
{
	struct tmem_wire_hello h = {
		.head = { TMEM_WIRE_HELLO, sizeof(h) },
		.magic = TMEM_WIRE_MAGIC,
		.version_min = TMEM_WIRE_VERSION,
		.version_max = TMEM_WIRE_VERSION,
		.limit_bytes = limit,
	};

	memcpy(h.domain, domain, strlen(domain));
	return h;
}

void hostile_send(int fd, const void *message, size_t len, const int *fds,
		  unsigned count)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int err;

	do {
		(void)poll(&p, 1, 1000);
		err = tmem_packet_send(fd, message, len, fds, count);
	} while (err == -EAGAIN);
	/* It may have had enough already. */
	assert_true(!err || err == -EPIPE || err == -ECONNRESET);
}

int hostile_receive(int fd, union hostile_message *m, struct tmem_packet *packet)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, (int)(DAEMON_PATIENCE_NS / 1000000)), 1);
	return tmem_packet_receive(fd, m, sizeof(*m), packet);
}

void hostile_open(struct hostile *h, const struct daemon *d, uint64_t limit)
{
	struct tmem_wire_hello hello = hostile_hello("hostile", limit);
	const struct tmem_wire_ready ready = { { TMEM_WIRE_READY,
						 sizeof(ready) } };
	union hostile_message m;
	struct tmem_packet packet;

	h->fd = daemon_connect(d);
	hostile_send(h->fd, &hello, sizeof(hello), NULL, 0);
	assert_int_equal(hostile_receive(h->fd, &m, &packet), 1);
	assert_int_equal(m.head.type, TMEM_WIRE_WELCOME);
	assert_int_equal(packet.fds_count, 2);
	h->control = packet.fds[0];
	h->data = packet.fds[1];
	h->welcome = m.welcome;
	hostile_send(h->fd, &ready, sizeof(ready), NULL, 0);
}

static uint32_t ask(struct hostile *h, uint32_t cls, uint64_t total,
		    struct tmem_wire_loan *loans, uint32_t max, int silence_ms)
{
	const struct tmem_wire_ask m_ask = {
		.head = { TMEM_WIRE_ASK, sizeof(m_ask) },
		.cls = cls,
		.total = total,
	};
	struct pollfd p = { .fd = h->fd, .events = POLLIN };
	union hostile_message m;
	struct tmem_packet packet;
	uint32_t i, n = 0;

	hostile_send(h->fd, &m_ask, sizeof(m_ask), NULL, 0);
	while (n < max && poll(&p, 1, silence_ms) == 1) {
		if (tmem_packet_receive(h->fd, &m, sizeof(m), &packet) != 1)
			break;
		for (i = 0; m.head.type == TMEM_WIRE_LENT &&
			    m.loans.cls == cls && i < m.loans.count && n < max;
		     i++)
			loans[n++] = m.loans.loans[i];
	}
	return n;
}

uint32_t hostile_ask(struct hostile *h, uint32_t cls, uint64_t total,
		     struct tmem_wire_loan *loans, uint32_t due)
{
	return ask(h, cls, total, loans, due,
		   (int)(DAEMON_PATIENCE_NS / 1000000));
}

uint32_t hostile_grab(struct hostile *h, uint32_t cls,
		      struct tmem_wire_loan *loans, uint32_t max)
{
	return ask(h, cls, UINT64_MAX, loans, max, SILENCE_MS);
}

void hostile_close(struct hostile *h)
{
	(void)close(h->fd);
	(void)close(h->data);
	(void)close(h->control);
}

uint64_t hostile_count(const struct daemon *d, uint32_t reason)
{
	return daemon_status(d).reasons[reason];
}

void hostile_refused(const struct daemon *d, int fd, uint32_t reason,
		     uint64_t before)
{
	union hostile_message m = { 0 };
	struct tmem_packet packet;
	uint32_t told = 0;
	int ret;

	while ((ret = hostile_receive(fd, &m, &packet)) == 1) {
		tmem_packet_close(&packet);
		if (m.head.type == TMEM_WIRE_REFUSED)
			told = m.refused.reason;
	}
	assert_int_equal(ret, 0);
	assert_int_equal(told, reason);
	assert_true(hostile_count(d, reason) > before);
}

int hostile_as(uid_t uid, int (*what)(void *ctx), void *ctx)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		_exit(setresuid(uid, uid, uid) ? 99 : what(ctx));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}
