/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lease-link.c - a lease's conversation with the daemon.
 *
 * All of it is one thread's, but for the lists and counts under the lock. What a
 * daemon says is checked as far as a wrong one could crash this process: it
 * decides over this memory anyway.
 */
#include "lease-link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "mem.h"
#include "packet.h"

/* What a daemon has for an answer; it needs a tenth of a millisecond. */
#define ANSWER_MS 5000

/** union message - room for any; aligned for each. */
union message {
	struct tmem_wire_head head;
	struct tmem_wire_welcome welcome;
	struct tmem_wire_refused refused;
	struct tmem_wire_loans loans;
	struct tmem_wire_count count;
	unsigned char bytes[TMEM_WIRE_MESSAGE_MAX];
};

static int complain(const struct tmem_daemon_lease *l, int err, const char *what)
{
	tmem_logger_say(&l->logger, TMEM_LOG_ERR, "unix:%s: %s", l->path, what);
	return err;
}

/* ---- Hello --------------------------------------------------------------- */

/* One message, waiting for it. Return: 0; -ETIMEDOUT; -ECONNRESET. */
static int await(int fd, union message *m, struct tmem_packet *packet)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int ret;

	do {
		ret = poll(&p, 1, ANSWER_MS);
	} while (ret < 0 && errno == EINTR);
	if (!ret)
		return -ETIMEDOUT;
	ret = tmem_packet_receive(fd, m, sizeof(*m), packet);
	return ret == 1 ? 0 : -ECONNRESET;
}

static int refusal(const struct tmem_daemon_lease *l, union message *m)
{
	m->refused.text[sizeof(m->refused.text) - 1] = 0;
	(void)complain(l, 0, m->refused.text);
	switch (m->refused.reason) {
	case TMEM_WIRE_BAD_NAME:
		return -EINVAL;
	case TMEM_WIRE_NOT_OWNER:
	case TMEM_WIRE_NO_RIGHTS:
	case TMEM_WIRE_BAD_RETURN:
		return -EPERM;
	case TMEM_WIRE_CROWDED:
	case TMEM_WIRE_NO_MEMORY:
		return -ENOSPC;
	default:
		return -EPROTO;
	}
}

/* Whoever answers must be who answered before: pages are in that memory. */
static int check_daemon(struct tmem_daemon_lease *l, int fd, int returning)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return -errno;
	if (returning && cred.uid != l->daemon_uid)
		return complain(l, -EPERM,
				"another user's daemon is there now; the "
				"memory stays here");
	l->daemon_uid = cred.uid;
	return 0;
}

static int check_welcome(const struct tmem_daemon_lease *l,
			 const struct tmem_wire_welcome *w, size_t len,
			 int returning)
{
	const uint32_t size = w->segment_size;

	if (len != sizeof(*w) || w->head.type != TMEM_WIRE_WELCOME ||
	    w->version != TMEM_WIRE_VERSION || size < TMEM_OS_PAGE ||
	    size & (size - 1) || !w->segments_max || !w->limit_bytes)
		return -EPROTO;
	if (returning && (size != l->lease.segment_size ||
			  w->segments_max != l->lease.segments_max))
		return -EPROTO;
	return 0;
}

/* A file shorter than it should be would be a fault at the first look. */
static int check_size(int fd, uint64_t least)
{
	struct stat st;

	return fstat(fd, &st) || (uint64_t)st.st_size < least ? -EPROTO : 0;
}

static int say_hello(struct tmem_daemon_lease *l, int fd, int returning)
{
	struct tmem_wire_hello h = {
		.head = { TMEM_WIRE_HELLO, sizeof(h) },
		.magic = TMEM_WIRE_MAGIC,
		.version_min = TMEM_WIRE_VERSION,
		.version_max = TMEM_WIRE_VERSION,
		.flags = returning ? TMEM_WIRE_RETURNING : 0,
		.limit_bytes = l->limit_asked,
	};
	const int fds[] = { l->data_fd, l->control_fd };

	memcpy(h.domain, l->domain, sizeof(h.domain));
	return tmem_packet_send(fd, &h, sizeof(h), fds, returning ? 2 : 0);
}

/*
 * In the place of the one before, so that whoever reads epochs need not know: the
 * kernel lets no reader see anything between the two. Not by mmap(): a race
 * detector takes replacing a mapping for writing to it.
 */
static void *map_over(void *at, size_t bytes, int fd)
{
	long p = syscall(SYS_mmap, at, bytes, PROT_READ, MAP_SHARED | MAP_FIXED,
			 fd, 0l);

	return p < 0 ? MAP_FAILED : (void *)p;
}

static int map_control(struct tmem_daemon_lease *l, int fd, uint32_t segments)
{
	size_t bytes = (TMEM_WIRE_CONTROL_BYTES(segments) + TMEM_OS_PAGE - 1) &
		       ~(uint64_t)(TMEM_OS_PAGE - 1);
	void *p;

	if (check_size(fd, bytes))
		return -EPROTO;
	p = l->control ? map_over(l->control, bytes, fd)
		       : mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -ENOMEM;
	(void)madvise(p, bytes, MADV_DONTFORK);
	l->control = p;
	l->control_bytes = bytes;
	if (l->control_fd >= 0)
		(void)close(l->control_fd);
	l->control_fd = fd;
	return 0;
}

/* Takes the lease that came with the welcome. */
static int take_lease(struct tmem_daemon_lease *l,
		      const struct tmem_wire_welcome *w,
		      struct tmem_packet *packet, int returning)
{
	uint64_t bytes = (uint64_t)w->segments_max * w->segment_size;
	int err;

	if (packet->fds_count != (returning ? 1 : 2) || packet->cut)
		return -EPROTO;
	if (!returning && check_size(packet->fds[1], bytes))
		return -EPROTO;
	err = map_control(l, packet->fds[0], w->segments_max);
	if (err)
		return err;
	packet->fds[0] = -1; /* taken */
	if (returning)
		return 0;
	l->data_fd = packet->fds[1];
	packet->fds[1] = -1;
	l->lease.segment_size = w->segment_size;
	l->lease.segments_max = w->segments_max;
	return 0;
}

static void close_rest(struct tmem_packet *packet)
{
	unsigned i;

	for (i = 0; i < packet->fds_count; i++)
		if (packet->fds[i] >= 0)
			(void)close(packet->fds[i]);
}

static int converse(struct tmem_daemon_lease *l, int fd, int returning,
		    struct tmem_wire_welcome *ret)
{
	struct tmem_packet packet = { 0 };
	union message m;
	int err = check_daemon(l, fd, returning);

	if (!err)
		err = say_hello(l, fd, returning);
	if (!err)
		err = await(fd, &m, &packet);
	if (err == -EPERM)
		return err;
	if (err)
		return complain(l, err, "the daemon does not answer");
	if (packet.len == sizeof(m.refused) && m.head.type == TMEM_WIRE_REFUSED)
		err = refusal(l, &m);
	else if (check_welcome(l, &m.welcome, packet.len, returning) ||
		 take_lease(l, &m.welcome, &packet, returning))
		err = complain(
			l, -EPROTO,
			"what answers is no tmemd, or of another release");
	close_rest(&packet);
	if (!err)
		*ret = m.welcome;
	return err;
}

static int say_ready(int fd)
{
	const struct tmem_wire_ready r = { { TMEM_WIRE_READY, sizeof(r) } };

	return tmem_packet_send(fd, &r, sizeof(r), NULL, 0);
}

static int link_to(struct tmem_daemon_lease *l, int returning,
		   struct tmem_wire_welcome *ret)
{
	int fd, err = tmem_packet_connect(l->path, &fd);

	if (err)
		return err;
	err = converse(l, fd, returning, ret);
	if (!err)
		err = say_ready(fd);
	if (err) {
		(void)close(fd);
		return err;
	}
	l->socket = fd;
	l->takes_hints = !!(ret->features & TMEM_WIRE_TAKES_HINTS);
	return 0;
}

int tmem_link_open(struct tmem_daemon_lease *l,
		   struct tmem_wire_welcome *ret_welcome)
{
	return link_to(l, 0, ret_welcome);
}

/* ---- Coming back --------------------------------------------------------- */

static const uint8_t *classes_of(const struct tmem_daemon_lease *l)
{
	return (const uint8_t *)(l->lease.epochs + l->lease.segments_max);
}

uint32_t tmem_link_lent(const struct tmem_daemon_lease *l)
{
	const uint8_t *classes = classes_of(l);
	uint32_t n, lent = 0;

	for (n = 0; n < l->lease.segments_max; n++)
		lent += !!__atomic_load_n(&classes[n], __ATOMIC_RELAXED);
	return lent;
}

/* What was under way when the daemon went: lent, and never heard of. */
static void reconcile(struct tmem_daemon_lease *l)
{
	const uint8_t *classes = classes_of(l);
	uint32_t n, epoch;

	l->lent = tmem_link_lent(l);
	for (n = 0; n < l->lease.segments_max; n++) {
		if (!classes[n])
			continue;
		epoch = atomic_load(&l->lease.epochs[n]);
		if (!tmem_stock_known(&l->stock, n, epoch))
			tmem_stock_put(&l->stock,
				       (enum tmem_class)(classes[n] - 1), n,
				       epoch);
	}
}

int tmem_lease_daemon_return(struct tmem_lease *lease)
{
	struct tmem_daemon_lease *l = (struct tmem_daemon_lease *)lease;
	struct tmem_wire_welcome welcome;
	int err = link_to(l, 1, &welcome);

	if (err)
		return err;
	tmem_lock_acquire(&l->lock);
	reconcile(l);
	memset(l->asked, 0, sizeof(l->asked));
	memset(l->got, 0, sizeof(l->got));
	memset(l->grows, 0, sizeof(l->grows));
	atomic_store(&l->linked, 1);
	tmem_lock_release(&l->lock);
	return 0;
}

static void lose_link(struct tmem_daemon_lease *l)
{
	tmem_lock_acquire(&l->lock);
	atomic_store(&l->linked, 0);
	tmem_lock_release(&l->lock);
	(void)close(l->socket);
	l->socket = -1;
}

/* ---- Listening ----------------------------------------------------------- */

static int take_lent(struct tmem_daemon_lease *l,
		     const struct tmem_wire_loans *m)
{
	uint32_t i;

	if (m->cls >= TMEM_CLASSES || m->count > TMEM_WIRE_LOANS_MAX ||
	    m->head.len != offsetof(struct tmem_wire_loans, loans) +
				   m->count * sizeof(m->loans[0]))
		return -EPROTO;
	for (i = 0; i < m->count; i++)
		if (m->loans[i].segment >= l->lease.segments_max)
			return -EPROTO;
	/* Not when a put needs it: mapping takes memory, too. */
	for (i = 0; i < m->count && l->reserve_asked; i++)
		l->lease.ops->populate(&l->lease, m->loans[i].segment);
	tmem_lock_acquire(&l->lock);
	for (i = 0; i < m->count; i++)
		tmem_stock_put(&l->stock, (enum tmem_class)m->cls,
			       m->loans[i].segment, m->loans[i].epoch);
	if (atomic_load(&l->stock.kept[TMEM_CLASS_PERSISTENT].count) >=
	    atomic_load(&l->reserve))
		atomic_store(&l->has_reserved, 1);
	l->got[m->cls] += m->count;
	l->lent += m->count;
	tmem_lock_release(&l->lock);
	return 0;
}

static void note_revoked(struct tmem_daemon_lease *l, uint32_t count)
{
	tmem_lock_acquire(&l->lock);
	l->lent -= count < l->lent ? count : l->lent;
	tmem_lock_release(&l->lock);
}

/* Return: TMEM_LEASE_* bits, or negative errno. */
static int hear(struct tmem_daemon_lease *l, const union message *m, size_t len,
		uint32_t *ret_demand)
{
	if (len < sizeof(m->head) || m->head.len != len)
		return -EPROTO;
	switch (m->head.type) {
	case TMEM_WIRE_LENT:
		if (len < offsetof(struct tmem_wire_loans, loans) ||
		    take_lent(l, &m->loans))
			return -EPROTO;
		return TMEM_LEASE_CHANGED;
	case TMEM_WIRE_REVOKED:
		if (len != sizeof(m->count))
			return -EPROTO;
		note_revoked(l, m->count.count);
		return TMEM_LEASE_CHANGED;
	case TMEM_WIRE_DEMAND:
		if (len != sizeof(m->count))
			return -EPROTO;
		*ret_demand = m->count.count;
		return TMEM_LEASE_DEMAND;
	case TMEM_WIRE_REPORT:
		return TMEM_LEASE_REPORT;
	case TMEM_WIRE_DESTROY:
		return TMEM_LEASE_DESTROY;
	default:
		return 0; /* of a later release */
	}
}

unsigned tmem_lease_daemon_listen(struct tmem_lease *lease, uint32_t *ret_demand)
{
	struct tmem_daemon_lease *l = (struct tmem_daemon_lease *)lease;
	struct tmem_packet packet;
	unsigned events = 0;
	union message m;
	uint64_t wakes;
	int ret;

	*ret_demand = 0;
	(void)!read(l->wake_fd, &wakes, sizeof(wakes));
	while (l->socket >= 0) {
		ret = tmem_packet_receive(l->socket, &m, sizeof(m), &packet);
		if (ret == -EAGAIN)
			break;
		if (ret == 1) {
			tmem_packet_close(&packet);
			ret = hear(l, &m, packet.len, ret_demand);
			if (ret >= 0) {
				events |= (unsigned)ret;
				continue;
			}
		}
		lose_link(l);
		events |= TMEM_LEASE_GONE;
	}
	return events;
}

/* ---- Speaking ------------------------------------------------------------ */

uint32_t tmem_link_wants(const struct tmem_daemon_lease *l, enum tmem_class cls)
{
	uint64_t coming = l->asked[cls] - l->got[cls];
	uint64_t have = atomic_load(&l->stock.kept[cls].count) + coming;
	uint64_t want = l->target[cls] > have ? l->target[cls] - have : 0;
	uint64_t room;

	/* What is coming for any class is within the limit as well. */
	room = l->lent;
	room += l->asked[TMEM_CLASS_EPHEMERAL] - l->got[TMEM_CLASS_EPHEMERAL];
	room += l->asked[TMEM_CLASS_PERSISTENT] - l->got[TMEM_CLASS_PERSISTENT];
	room += l->asked[TMEM_CLASS_METADATA] - l->got[TMEM_CLASS_METADATA];
	room = room < l->limit ? l->limit - room : 0;
	if (!atomic_load(&l->linked))
		return 0;
	return (uint32_t)(want < room ? want : room);
}

static int ask(struct tmem_daemon_lease *l, enum tmem_class cls)
{
	struct tmem_wire_ask m = {
		.head = { TMEM_WIRE_ASK, sizeof(m) },
		.cls = cls,
	};
	uint32_t more;
	int err;

	tmem_lock_acquire(&l->lock);
	more = tmem_link_wants(l, cls);
	l->asked[cls] += more;
	m.total = l->asked[cls];
	tmem_lock_release(&l->lock);
	if (!more)
		return 0;
	err = tmem_packet_send(l->socket, &m, sizeof(m), NULL, 0);
	if (err) {
		tmem_lock_acquire(&l->lock);
		l->asked[cls] -= more;
		tmem_lock_release(&l->lock);
	}
	return err;
}

static int give(struct tmem_daemon_lease *l)
{
	struct tmem_wire_loans m = { .head = { TMEM_WIRE_GIVE, 0 } };
	struct tmem_lent lent;
	int err;

	tmem_lock_acquire(&l->lock);
	while (m.count < TMEM_WIRE_LOANS_MAX &&
	       tmem_stock_next_back(&l->stock, &lent)) {
		m.loans[m.count].segment = lent.segment;
		m.loans[m.count++].epoch = lent.epoch;
	}
	tmem_lock_release(&l->lock);
	if (!m.count)
		return 0;
	m.head.len = (uint32_t)(offsetof(struct tmem_wire_loans, loans) +
				m.count * sizeof(m.loans[0]));
	err = tmem_packet_send(l->socket, &m, m.head.len, NULL, 0);
	tmem_lock_acquire(&l->lock);
	if (!err)
		l->lent -= m.count < l->lent ? m.count : l->lent;
	while (err && m.count--) {
		lent.segment = m.loans[m.count].segment;
		lent.epoch = m.loans[m.count].epoch;
		tmem_stock_undo_back(&l->stock, &lent);
	}
	tmem_lock_release(&l->lock);
	return err ? err : 1;
}

static int say_destroyed(struct tmem_daemon_lease *l)
{
	const struct tmem_wire_ready m = { { TMEM_WIRE_DESTROYED, sizeof(m) } };
	int err = tmem_packet_send(l->socket, &m, sizeof(m), NULL, 0);

	l->destroyed = !!err;
	return err;
}

int tmem_lease_daemon_speak(struct tmem_lease *lease)
{
	struct tmem_daemon_lease *l = (struct tmem_daemon_lease *)lease;
	enum tmem_class cls;
	int err = 0;

	if (l->socket < 0)
		return 0;
	for (cls = 0; cls < TMEM_CLASSES && !err; cls++)
		err = ask(l, cls);
	while (!err) {
		err = give(l);
		if (!err)
			break;
		err = err > 0 ? 0 : err;
	}
	if (!err && l->destroyed)
		err = say_destroyed(l);
	/* A broken link shows when listening. */
	return err == -EAGAIN ? err : 0;
}

void tmem_lease_daemon_report(struct tmem_lease *lease,
			      struct tmem_wire_stats *stats)
{
	struct tmem_daemon_lease *l = (struct tmem_daemon_lease *)lease;

	stats->head.type = TMEM_WIRE_STATS;
	stats->head.len = sizeof(*stats);
	if (l->socket >= 0) /* one that gets lost is asked for again */
		(void)tmem_packet_send(l->socket, stats, sizeof(*stats), NULL,
				       0);
}

void tmem_lease_daemon_hint(struct tmem_lease *lease, const uint32_t *segments,
			    uint32_t count)
{
	struct tmem_daemon_lease *l = (struct tmem_daemon_lease *)lease;
	struct tmem_wire_hint m = {
		.head = { TMEM_WIRE_HINT,
			  (uint32_t)(offsetof(struct tmem_wire_hint, segments) +
				     count * sizeof(*segments)) },
		.count = count,
	};

	memcpy(m.segments, segments, count * sizeof(*segments));
	if (l->socket >= 0 && l->takes_hints) /* the next one mends a lost one */
		(void)tmem_packet_send(l->socket, &m, m.head.len, NULL, 0);
}
