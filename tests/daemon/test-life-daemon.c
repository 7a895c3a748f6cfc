/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test-life-daemon.c - what becomes of sessions when the daemon goes, comes back,
 * or another takes its place.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bounds.h"
#include "daemon.h"
#include "leftover.h"
#include "lines.h"
#include "machine.h"
#include "packet.h"
#include "pages.h"
#include "unit.h"

#define MIB (1ull << 20)
#define GUEST_LIMIT (64 * MIB)
#define KEPT 2000u
#define CACHED 2000u

/** struct guest - a session with pages of both kinds. */
struct guest {
	struct tmem *t;
	int kept, cached;
	struct lines lines;
};

static struct daemon d;

static int group_init(void **state)
{
	if (leftover_note(state))
		return -1;
	daemon_init(&d);
	return 0;
}

static void the_end(void **state)
{
	daemon_finish(&d);
	leftover_none(state);
}

/* More than half of what is kept at hand is there: the daemon is asked for the rest
 * below that. */
static int has_stock(const struct tmem_wire_status_reply *s, void *ctx)
{
	(void)ctx;
	return s->lent_bytes[TMEM_WIRE_PERSISTENT] >=
	       KEPT * TMEM_PAGE_SIZE + GUEST_LIMIT / 16;
}

/* Alone, it has what it holds; of that, a tenth is room to clean in. A daemon that
 * gets no turn may have lent no more than what the pages are in. */
static void guest_init(struct guest *g)
{
	struct tmem_open_opts opts = { .size = sizeof(opts),
				       .limit_bytes = GUEST_LIMIT,
				       .domain = "guest",
				       .log = lines_take,
				       .log_ctx = &g->lines };

	lines_init(&g->lines);
	assert_int_equal(tmem_open(d.where, &opts, &g->t), 0);
	g->kept = pages_pool(g->t, 1);
	g->cached = pages_pool(g->t, 0);
	assert_int_equal(pages_put(g->t, g->kept, 0, KEPT, PAGES_PATIENCE_MS),
			 KEPT);
	assert_int_equal(pages_put(g->t, g->cached, 0, CACHED,
				   PAGES_PATIENCE_MS),
			 CACHED);
	daemon_until(&d, has_stock, NULL);
}

/* All that was promised is there, and what is cached is right. */
static void guest_check(struct guest *g)
{
	assert_int_equal(pages_get(g->t, g->kept, 0, KEPT), KEPT);
	assert_true(pages_get(g->t, g->cached, 0, CACHED) >= 0);
	assert_int_equal(tmem_check(g->t), 0);
}

static void guest_finish(struct guest *g)
{
	tmem_close(g->t);
	lines_finish(&g->lines);
}

static int has_returned(const struct tmem_wire_status_reply *s, void *ctx)
{
	(void)ctx;
	return s->returned == 1 && s->sessions == 1;
}

static int has_given(const struct tmem_wire_status_reply *s, void *ctx)
{
	return s->given * tmem_segment_size(GUEST_LIMIT) >=
	       *(const uint64_t *)ctx;
}

static int is_empty(const struct tmem_wire_status_reply *s, void *ctx)
{
	(void)ctx;
	return !s->sessions && !s->domains && !s->lent_bytes[0] &&
	       !s->lent_bytes[1] && !s->lent_bytes[2];
}

/* Without the daemon: all is there, and what is freed can be used again. */
static void live_alone(struct guest *g)
{
	struct tmem_key key;
	unsigned i;

	guest_check(g);
	for (i = 0; i < KEPT; i += 2) {
		key = tmem_key(7, i);
		assert_int_equal(tmem_flush_page(g->t, g->kept, &key), 1);
	}
	/* Half of them back in: there is no other memory than what was held. */
	for (i = 0; i < KEPT; i += 2)
		assert_int_equal(
			pages_put(g->t, g->kept, i, 1, PAGES_PATIENCE_MS), 1);
	guest_check(g);
}

static void comes_back(int sig)
{
	struct guest g;
	uint64_t lent;

	daemon_start(&d);
	guest_init(&g);
	lent = daemon_lent(&d);
	daemon_signal(&d, sig);
	(void)daemon_wait(&d);
	live_alone(&g);
	daemon_start(&d);
	daemon_until(&d, has_returned, NULL);
	/* What it held is on the new one's books. */
	assert_true(daemon_lent(&d) > lent / 2);
	guest_check(&g);
	/* And more is to be had. */
	assert_int_equal(
		pages_put(g.t, g.cached, 5000, 6000, PAGES_PATIENCE_MS), 6000);
	assert_true(pages_get(g.t, g.cached, 5000, 6000) > 5000);
	guest_check(&g);
	assert_true(lines_say(&g.lines, "daemon is gone"));
	assert_true(lines_say(&g.lines, "daemon is back"));
	guest_finish(&g);
	daemon_until(&d, is_empty, NULL);
	daemon_stop(&d);
}

static void killed(void **state)
{
	(void)state;
	comes_back(SIGKILL);
}

static void asked_to_end(void **state)
{
	(void)state;
	comes_back(SIGTERM);
}

/* While it is away, memory can go back to the kernel and is not lost. */
static void shrinking_alone(void **state)
{
	struct guest g;
	uint64_t given;

	(void)state;
	daemon_start(&d);
	guest_init(&g);
	daemon_kill(&d);
	assert_int_equal(tmem_shrink(g.t, 4 * MIB, &given), 0);
	assert_true(given > 0);
	assert_int_equal(pages_put(g.t, g.cached, 0, 500, PAGES_PATIENCE_MS),
			 500);
	guest_check(&g);
	daemon_start(&d);
	daemon_until(&d, has_returned, NULL);
	guest_check(&g);
	/* Now it is given to somebody: to a daemon that had nothing back before,
	 * or less. Not by what is lent, to which a new stock comes meanwhile. */
	assert_int_equal(tmem_shrink(g.t, 64 * MIB, &given), 0);
	assert_true(given > 0);
	daemon_until(&d, has_given, &given);
	guest_check(&g);
	guest_finish(&g);
	daemon_stop(&d);
}

/* A session that is closed while there is no daemon is simply gone. */
static void closing_alone(void **state)
{
	struct guest g;

	(void)state;
	daemon_start(&d);
	guest_init(&g);
	daemon_kill(&d);
	guest_finish(&g);
	daemon_start(&d);
	daemon_until(&d, is_empty, NULL);
	daemon_stop(&d);
}

/* A smaller quota than what it holds: it keeps what it has, and is told. */
static void not_wanted_back(void **state)
{
	struct guest g;
	uint64_t end;

	(void)state;
	daemon_start(&d);
	guest_init(&g);
	daemon_kill(&d);
	daemon_configure(&d, "budget = 256M\ndefault-persistent = 1M\n");
	daemon_start(&d);
	end = machine_now_ns() + DAEMON_PATIENCE_NS;
	while (!lines_say(&g.lines, "exceeds cap or quota")) {
		assert_true(machine_now_ns() < end);
		(void)poll(NULL, 0, 1);
	}
	live_alone(&g);
	guest_finish(&g);
	daemon_until(&d, is_empty, NULL);
	daemon_configure(&d, "budget = 256M\ndefault-persistent = 128M\n");
	daemon_stop(&d);
}

/* ---- Another daemon at the same place --------------------------------------- */

static void the_path_replaced(void **state)
{
	struct daemon other;
	struct guest g;

	(void)state;
	daemon_start(&d);
	guest_init(&g);
	assert_int_equal(unlink(d.socket), 0);
	other = d;
	other.pid = 0;
	daemon_start(&other);
	/* The session stays where it is. */
	assert_int_equal(
		pages_put(g.t, g.cached, 5000, 2000, PAGES_PATIENCE_MS), 2000);
	assert_int_equal(daemon_status(&other).sessions, 0);
	guest_check(&g);
	/* And goes over when that one ends, which leaves the other's socket. */
	daemon_signal(&d, SIGTERM);
	assert_int_equal(daemon_wait(&d), 0);
	daemon_until(&other, has_returned, NULL);
	guest_check(&g);
	guest_finish(&g);
	daemon_stop(&other);
}

static void two_at_one_place(void **state)
{
	struct daemon second;
	int status;

	(void)state;
	daemon_start(&d);
	second = d;
	second.pid = 0;
	daemon_run(&second);
	status = daemon_wait(&second);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_true(daemon_says(&d, "another daemon listens there"));
	assert_int_equal(daemon_status(&d).sessions, 0);
	daemon_stop(&d);
}

/* A dead one's socket is no obstacle: every test above that kills relies on it. */

/* ---- A service manager ------------------------------------------------------ */

/** struct manager - keeps descriptors, as systemd would. */
struct manager {
	char path[96];
	int socket;
	unsigned count;
	int fds[32];
	char names[32][16];
};

static void manager_init(struct manager *m)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	memset(m, 0, sizeof(*m));
	(void)snprintf(m->path, sizeof(m->path), "%s/notify", d.dir);
	strcpy(sun.sun_path, m->path);
	m->socket =
		socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(m->socket >= 0);
	assert_int_equal(bind(m->socket, (struct sockaddr *)&sun, sizeof(sun)),
			 0);
}

static void manager_forget(struct manager *m, const char *name)
{
	unsigned i;

	for (i = 0; i < m->count;)
		if (!strcmp(m->names[i], name)) {
			(void)close(m->fds[i]);
			m->count--;
			m->fds[i] = m->fds[m->count];
			memmove(m->names[i], m->names[m->count],
				sizeof(m->names[i]));
		} else {
			i++;
		}
}

/* Reads what the daemon has said so far. */
static void manager_listen(struct manager *m)
{
	struct tmem_packet packet;
	char text[1024], name[16], *at;

	while (tmem_packet_receive(m->socket, text, sizeof(text) - 1,
				   &packet) == 1) {
		text[packet.len] = 0;
		at = strstr(text, "FDNAME=");
		if (at)
			assert_int_equal(sscanf(at, "FDNAME=%15s", name), 1);
		if (strstr(text, "FDSTOREREMOVE=1")) {
			manager_forget(m, name);
		} else if (strstr(text, "FDSTORE=1")) {
			assert_int_equal(packet.fds_count, 1);
			strcpy(m->names[m->count], name);
			m->fds[m->count++] = packet.fds[0];
			packet.fds_count = 0;
		}
		tmem_packet_close(&packet);
	}
}

static void manager_start(struct manager *m)
{
	char names[600] = "";
	unsigned i;

	for (i = 0; i < m->count; i++)
		(void)snprintf(names + strlen(names),
			       sizeof(names) - strlen(names), "%s%s",
			       i ? ":" : "", m->names[i]);
	daemon_start_with(&d, m->fds, m->count, names, m->path);
}

static void manager_finish(struct manager *m)
{
	while (m->count)
		(void)close(m->fds[--m->count]);
	(void)close(m->socket);
	(void)unlink(m->path);
}

static void leases_survive_in_the_store(void **state)
{
	struct manager m;
	struct guest g;
	uint64_t lent;

	(void)state;
	manager_init(&m);
	manager_start(&m);
	guest_init(&g);
	lent = daemon_lent(&d);
	manager_listen(&m);
	assert_int_equal(m.count, 2);
	daemon_kill(&d);
	live_alone(&g);
	manager_start(&m);
	/* On the books from the first moment, whether or not it is back. */
	assert_true(daemon_lent(&d) >= lent / 2);
	assert_true(daemon_says(&d, "stored lease restored"));
	daemon_until(&d, has_returned, NULL);
	guest_check(&g);
	assert_int_equal(
		pages_put(g.t, g.cached, 5000, 6000, PAGES_PATIENCE_MS), 6000);
	guest_check(&g);
	/* Once more, with what is in the store now. */
	manager_listen(&m);
	assert_int_equal(m.count, 2);
	daemon_kill(&d);
	manager_start(&m);
	daemon_until(&d, has_returned, NULL);
	guest_check(&g);
	guest_finish(&g);
	daemon_until(&d, is_empty, NULL);
	manager_listen(&m);
	assert_int_equal(m.count, 0);
	daemon_stop(&d);
	manager_finish(&m);
}

/* Its owner died while there was no daemon: nobody else would ever free it. */
static void an_orphan_in_the_store(void **state)
{
	struct manager m;
	struct guest g;
	pid_t pid;

	(void)state;
	manager_init(&m);
	manager_start(&m);
	pid = fork();
	if (!pid) {
		guest_init(&g);
		(void)pause();
		_exit(0);
	}
	while (daemon_lent(&d) < 16 * MIB)
		(void)poll(NULL, 0, 1);
	manager_listen(&m);
	assert_int_equal(m.count, 2);
	daemon_kill(&d);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	manager_start(&m);
	daemon_until(&d, is_empty, NULL);
	manager_listen(&m);
	assert_int_equal(m.count, 0);
	daemon_stop(&d);
	manager_finish(&m);
}

/* ---- Whose lease ---------------------------------------------------------- */

/* For a child: no assertion. */
static int live_idle(void)
{
	struct tmem_open_opts opts = { .size = sizeof(opts),
				       .limit_bytes = 64 * MIB,
				       .domain = "guest" };
	struct tmem *t;
	int pool;

	/* Also if the test fails. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (tmem_open(d.where, &opts, &t))
		return 1;
	pool = pages_pool(t, 1);
	if (pool < 0 || pages_put(t, pool, 0, KEPT, 10000) != KEPT)
		return 2;
	for (;;)
		(void)pause();
}

static int has_pages(const struct tmem_wire_status_reply *s, void *ctx)
{
	(void)ctx;
	return s->lent_bytes[TMEM_WIRE_PERSISTENT] >= KEPT * TMEM_PAGE_SIZE;
}

/* A process with a session and nothing else to do. */
static pid_t start_client(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(live_idle());
	assert_true(pid > 0);
	daemon_until(&d, has_pages, NULL);
	return pid;
}

static void end_client(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Another process with this number; -1: this machine or user cannot. */
static pid_t start_as(pid_t pid)
{
	struct clone_args args = { .exit_signal = SIGCHLD,
				   .set_tid = (uintptr_t)&pid,
				   .set_tid_size = 1 };
	long ret = syscall(SYS_clone3, &args, sizeof(args));

	if (!ret) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			(void)pause();
	}
	return (pid_t)ret;
}

static struct tmem_wire_session only_session(void)
{
	struct tmem_wire_sessions verb = {
		.head = { TMEM_WIRE_SESSIONS, sizeof(verb) },
		.domain = "guest",
	};
	struct tmem_wire_sessions_reply r;
	struct tmem_packet packet;
	struct pollfd p = { .fd = daemon_connect(&d), .events = POLLIN };

	assert_int_equal(tmem_packet_send(p.fd, &verb, sizeof(verb), NULL, 0),
			 0);
	assert_int_equal(poll(&p, 1, DAEMON_PATIENCE_NS / 1000000), 1);
	assert_int_equal(tmem_packet_receive(p.fd, &r, sizeof(r), &packet), 1);
	tmem_packet_close(&packet);
	(void)close(p.fd);
	assert_int_equal(r.head.type, TMEM_WIRE_SESSIONS_REPLY);
	assert_int_equal(r.count, 1);
	return r.sessions[0];
}

/* What a daemon of before births were kept has left, or one on an old kernel. */
static void manager_forget_birth(struct manager *m)
{
	struct tmem_wire_control *c;
	unsigned i = m->names[0][0] == 'c' ? 0 : 1;
	int fd = memfd_create("control", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(m->names[i][0], 'c');
	assert_int_equal(fstat(m->fds[i], &st), 0);
	assert_int_equal(ftruncate(fd, st.st_size), 0);
	c = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		 fd, 0);
	assert_true(c != MAP_FAILED);
	assert_int_equal(pread(m->fds[i], c, (size_t)st.st_size, 0), st.st_size);
	c->birth = 0;
	assert_int_equal(munmap(c, (size_t)st.st_size), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS,
			       F_SEAL_GROW | F_SEAL_SHRINK |
				       F_SEAL_FUTURE_WRITE | F_SEAL_SEAL),
			 0);
	(void)close(m->fds[i]);
	m->fds[i] = fd;
}

/* Stopped over a restart, it is away; it is named only if it is it for sure. */
static void away(int birth_known)
{
	struct tmem_wire_session s;
	struct manager m;
	pid_t pid;

	manager_init(&m);
	manager_start(&m);
	pid = start_client();
	manager_listen(&m);
	assert_int_equal(m.count, 2);
	assert_int_equal(only_session().pid, pid);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	daemon_kill(&d);
	if (!birth_known)
		manager_forget_birth(&m);
	manager_start(&m);
	s = only_session();
	assert_int_equal(s.flags & TMEM_WIRE_AWAY, TMEM_WIRE_AWAY);
	assert_int_equal(s.pid, birth_known ? pid : 0);
	assert_int_equal(kill(pid, SIGCONT), 0);
	daemon_until(&d, has_returned, NULL);
	s = only_session();
	assert_int_equal(s.flags & TMEM_WIRE_AWAY, 0);
	assert_int_equal(s.pid, pid);
	/* And that was written down: the next daemon knows it. */
	manager_listen(&m);
	assert_int_equal(m.count, 2);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	daemon_kill(&d);
	manager_start(&m);
	s = only_session();
	assert_int_equal(s.flags & TMEM_WIRE_AWAY, TMEM_WIRE_AWAY);
	assert_int_equal(s.pid, pid);
	end_client(pid);
	daemon_until(&d, is_empty, NULL);
	daemon_stop(&d);
	manager_finish(&m);
}

/* Linux 6.9 and later: two processes' pidfds are two files. */
static int births_are_known(void)
{
	struct stat a = { 0 }, b = { 0 };
	int mine = (int)syscall(SYS_pidfd_open, getpid(), 0);
	int other = (int)syscall(SYS_pidfd_open, getppid(), 0);

	(void)fstat(mine, &a);
	(void)fstat(other, &b);
	(void)close(mine);
	(void)close(other);
	return a.st_ino != b.st_ino;
}

static void away_and_named(void **state)
{
	(void)state;
	if (!births_are_known())
		skip_for("pidfds have no inode of their own before Linux 6.9");
	away(1);
}

static void away_and_unknown(void **state)
{
	(void)state;
	if (!births_are_known())
		skip_for("pidfds have no inode of their own before Linux 6.9");
	away(0);
}

/* Its number is another process's by now: that one has no lease, and the memory is not
 * to wait for its end. */
static void a_stranger_with_its_number(void **state)
{
	struct manager m;
	pid_t pid;

	(void)state;
	if (!births_are_known())
		skip_for("pidfds have no inode of their own before Linux 6.9");
	manager_init(&m);
	manager_start(&m);
	pid = start_client();
	manager_listen(&m);
	daemon_kill(&d);
	end_client(pid);
	if (start_as(pid) != pid) {
		manager_finish(&m);
		skip_for("no process can be given a number here");
	}
	manager_start(&m);
	daemon_until(&d, is_empty, NULL);
	assert_true(daemon_says(&d, "stored lease ended"));
	manager_listen(&m);
	assert_int_equal(m.count, 0);
	/* Where nobody can tell, it is not named. */
	end_client(pid);
	pid = start_client();
	manager_listen(&m);
	assert_int_equal(m.count, 2);
	daemon_kill(&d);
	manager_forget_birth(&m);
	end_client(pid);
	assert_int_equal(start_as(pid), pid);
	manager_start(&m);
	assert_int_equal(only_session().pid, 0);
	end_client(pid);
	daemon_until(&d, is_empty, NULL);
	daemon_stop(&d);
	manager_finish(&m);
}

static void started_by_a_connection(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct guest g;

	(void)state;
	strcpy(sun.sun_path, d.socket);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 16), 0);
	daemon_start_with(&d, &fd, 1, "tmemd.socket", NULL);
	guest_init(&g);
	guest_check(&g);
	guest_finish(&g);
	/* The socket is the manager's: it stays. */
	daemon_signal(&d, SIGTERM);
	assert_int_equal(daemon_wait(&d), 0);
	assert_int_equal(unlink(d.socket), 0);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed),
		cmocka_unit_test(asked_to_end),
		cmocka_unit_test(shrinking_alone),
		cmocka_unit_test(closing_alone),
		cmocka_unit_test(not_wanted_back),
		cmocka_unit_test(the_path_replaced),
		cmocka_unit_test(two_at_one_place),
		cmocka_unit_test(leases_survive_in_the_store),
		cmocka_unit_test(an_orphan_in_the_store),
		cmocka_unit_test(away_and_named),
		cmocka_unit_test(away_and_unknown),
		cmocka_unit_test(a_stranger_with_its_number),
		cmocka_unit_test(started_by_a_connection),
		cmocka_unit_test(the_end),
	};

	if (!daemon_exists())
		return 77;
	return cmocka_run_group_tests(tests, group_init, NULL);
}
