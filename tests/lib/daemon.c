/* SPDX-License-Identifier: BSD-2-Clause */
/* daemon.c - a private tmemd under test, and what it says of itself. */
#include "daemon.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"
#include "packet.h"
#include "unit.h"

#define FDS_MAX 64
#define DOMAINS_MAX 1024 /* more than any test has */

static void program(char *path, size_t size)
{
	const char *build = getenv("TMEM_BUILD");

	(void)snprintf(path, size, "%s/tmemd", build ? build : ".");
}

int daemon_exists(void)
{
	char path[4096];

	program(path, sizeof(path));
	return !access(path, X_OK);
}

static void nap(void)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	(void)nanosleep(&ms, NULL);
}

void daemon_init(struct daemon *d)
{
	memset(d, 0, sizeof(*d));
	strcpy(d->dir, "/tmp/tmem-test.XXXXXX");
	assert_non_null(mkdtemp(d->dir));
	/* Other users are to reach the socket. */
	assert_int_equal(chmod(d->dir, 0755), 0);
	(void)snprintf(d->socket, sizeof(d->socket), "%s/socket", d->dir);
	(void)snprintf(d->where, sizeof(d->where), "unix:%s", d->socket);
	(void)snprintf(d->config, sizeof(d->config), "%s/conf", d->dir);
	(void)snprintf(d->log, sizeof(d->log), "%s/log", d->dir);
	daemon_configure(d, "budget = 256M\ndefault-persistent = 128M\n");
}

void daemon_finish(struct daemon *d)
{
	char path[512];
	struct dirent *e;
	DIR *dir;

	if (d->pid)
		daemon_stop(d);
	dir = opendir(d->dir);
	while (dir && (e = readdir(dir))) {
		(void)snprintf(path, sizeof(path), "%s/%s", d->dir, e->d_name);
		(void)unlink(path);
	}
	if (dir)
		(void)closedir(dir);
	assert_int_equal(rmdir(d->dir), 0);
}

void daemon_configure(const struct daemon *d, const char *text)
{
	FILE *f = fopen(d->config, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void set_number(const char *name, long n)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%ld", n);
	(void)setenv(name, text, 1);
}

/* In the child; never returns. */
static void execute(const struct daemon *d, const int *fds, unsigned count,
		    const char *names, const char *notify)
{
	int log = open(d->log, O_WRONLY | O_CREAT | O_APPEND, 0644);
	int high[FDS_MAX];
	char path[4096];
	unsigned i;

	/* A test that is killed leaves none behind. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)dup2(log, STDERR_FILENO);
	/* Out of the way first: they may be among their own new numbers. */
	for (i = 0; i < count; i++)
		high[i] = fcntl(fds[i], F_DUPFD, 3 + FDS_MAX);
	for (i = 0; i < count; i++) {
		(void)dup2(high[i], 3 + (int)i);
		(void)close(high[i]);
	}
	for (i = 3 + count; i < 256; i++)
		(void)close((int)i);
	if (count) {
		set_number("LISTEN_FDS", count);
		set_number("LISTEN_PID", getpid());
		(void)setenv("LISTEN_FDNAMES", names, 1);
	}
	if (notify)
		(void)setenv("NOTIFY_SOCKET", notify, 1);
	program(path, sizeof(path));
	/* At its end, the leak checker traces the daemon: that is refused inside
	 * of the sandbox, which has tests of its own under sanitizers. */
	(void)execl(path, path, "--socket", d->socket, "--config", d->config,
		    MACHINE_SANITIZED ? "--sandbox=no" : (char *)NULL,
		    (char *)NULL);
	_exit(127);
}

static void spawn(struct daemon *d, const int *fds, unsigned count,
		  const char *names, const char *notify)
{
	assert_int_equal(d->pid, 0);
	d->pid = fork();
	assert_true(d->pid >= 0);
	if (!d->pid)
		execute(d, fds, count, names, notify);
}

void daemon_run(struct daemon *d)
{
	spawn(d, NULL, 0, NULL, NULL);
}

static int answers(const struct daemon *d)
{
	int fd;

	if (tmem_packet_connect(d->socket, &fd))
		return 0;
	(void)close(fd);
	return 1;
}

void daemon_start_with(struct daemon *d, const int *fds, unsigned count,
		       const char *names, const char *notify)
{
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;

	spawn(d, fds, count, names, notify);
	while (!answers(d)) {
		assert_int_equal(waitpid(d->pid, NULL, WNOHANG), 0);
		assert_true(machine_now_ns() < end);
		nap();
	}
}

void daemon_start(struct daemon *d)
{
	daemon_start_with(d, NULL, 0, NULL, NULL);
}

void daemon_signal(const struct daemon *d, int sig)
{
	assert_int_equal(kill(d->pid, sig), 0);
}

int daemon_wait(struct daemon *d)
{
	int status;

	assert_int_equal(waitpid(d->pid, &status, 0), d->pid);
	d->pid = 0;
	return status;
}

void daemon_stop(struct daemon *d)
{
	daemon_signal(d, SIGTERM);
	assert_int_equal(daemon_wait(d), 0);
	assert_int_equal(access(d->socket, F_OK), -1);
}

void daemon_kill(struct daemon *d)
{
	daemon_signal(d, SIGKILL);
	(void)daemon_wait(d);
}

int daemon_connect(const struct daemon *d)
{
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;
	int fd, err;

	/* Its queue of connections may be full. */
	while ((err = tmem_packet_connect(d->socket, &fd)) == -EAGAIN) {
		assert_true(machine_now_ns() < end);
		nap();
	}
	assert_int_equal(err, 0);
	return fd;
}

/* Sends a verb and waits for its answer. */
static void converse_by(int fd, const void *verb, size_t len, void *reply,
			size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct tmem_packet packet;

	assert_int_equal(tmem_packet_send(fd, verb, len, NULL, 0), 0);
	assert_int_equal(poll(&p, 1, (int)(DAEMON_PATIENCE_NS / 1000000)), 1);
	assert_int_equal(tmem_packet_receive(fd, reply, size, &packet), 1);
	assert_int_equal(packet.fds_count, 0);
}

static void converse(const struct daemon *d, const void *verb, size_t len,
		     void *reply, size_t size)
{
	int fd = daemon_connect(d);

	converse_by(fd, verb, len, reply, size);
	(void)close(fd);
}

static struct tmem_wire_status_reply status_by(int fd)
{
	const struct tmem_wire_status verb = { { TMEM_WIRE_STATUS,
						 sizeof(verb) } };
	struct tmem_wire_status_reply reply;

	converse_by(fd, &verb, sizeof(verb), &reply, sizeof(reply));
	assert_int_equal(reply.head.type, TMEM_WIRE_STATUS_REPLY);
	assert_int_equal(reply.head.len, sizeof(reply));
	return reply;
}

struct tmem_wire_status_reply daemon_status(const struct daemon *d)
{
	int fd = daemon_connect(d);
	struct tmem_wire_status_reply reply = status_by(fd);

	(void)close(fd);
	return reply;
}

unsigned daemon_domains(const struct daemon *d, struct tmem_wire_domain *ret,
			unsigned max)
{
	struct tmem_wire_list verb = { { TMEM_WIRE_LIST, sizeof(verb) }, 0 };
	struct tmem_wire_list_reply reply;
	unsigned n = 0;

	do {
		converse(d, &verb, sizeof(verb), &reply, sizeof(reply));
		assert_int_equal(reply.head.type, TMEM_WIRE_LIST_REPLY);
		assert_true(n + reply.count <= max);
		memcpy(ret + n, reply.domains, reply.count * sizeof(*ret));
		n += reply.count;
		if (n)
			verb.after = ret[n - 1].number;
	} while (reply.count == TMEM_WIRE_ENTRIES_MAX);
	return n;
}

int daemon_domain(const struct daemon *d, const char *name,
		  struct tmem_wire_domain *ret)
{
	struct tmem_wire_domain all[DOMAINS_MAX];
	unsigned n = daemon_domains(d, all, DOMAINS_MAX);

	while (n--)
		if (!strcmp(all[n].name, name)) {
			*ret = all[n];
			return 1;
		}
	return 0;
}

static uint64_t sum_lent(const struct tmem_wire_status_reply *s)
{
	return s->lent_bytes[0] + s->lent_bytes[1] + s->lent_bytes[2];
}

void daemon_reload(const struct daemon *d, const char *text, const char *said)
{
	const uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;

	assert_int_equal(truncate(d->log, 0), 0);
	if (text)
		daemon_configure(d, text);
	daemon_signal(d, SIGHUP);
	while (!daemon_says(d, said)) {
		if (machine_now_ns() > end)
			fail_msg("\"%s\": not said: %s",
				 text ? text : d->config, said);
		(void)usleep(1000);
	}
	/* It says so in the middle of it; an answer comes after the end. */
	(void)daemon_status(d);
}

uint64_t daemon_lent(const struct daemon *d)
{
	struct tmem_wire_status_reply s = daemon_status(d);

	return sum_lent(&s);
}

static unsigned fds_of(pid_t pid)
{
	char path[64];
	unsigned n = 0;
	struct dirent *e;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	assert_non_null(dir);
	while ((e = readdir(dir)))
		n += e->d_name[0] != '.';
	(void)closedir(dir);
	return n;
}

unsigned daemon_fds(const struct daemon *d)
{
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;
	int fd = daemon_connect(d);
	struct tmem_wire_status_reply s = status_by(fd);
	unsigned n;

	while (s.connections > s.sessions + 1) {
		assert_true(machine_now_ns() < end);
		nap();
		s = status_by(fd);
	}
	n = fds_of(d->pid) - 1;
	(void)close(fd);
	return n;
}

uint64_t daemon_ticks_of(pid_t pid)
{
	unsigned long user = 0, system = 0;
	char path[64], text[1024];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = 0;
	(void)fclose(f);
	assert_non_null(strrchr(text, ')'));
	assert_int_equal(sscanf(strrchr(text, ')') + 1,
				" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
				"%lu %lu",
				&user, &system),
			 2);
	return user + system;
}

void daemon_until(const struct daemon *d,
		  int (*what)(const struct tmem_wire_status_reply *s, void *ctx),
		  void *ctx)
{
	uint64_t end = machine_now_ns() + DAEMON_PATIENCE_NS;
	struct tmem_wire_status_reply s = daemon_status(d);

	while (!what(&s, ctx)) {
		assert_true(machine_now_ns() < end);
		nap();
		s = daemon_status(d);
	}
}

struct tmem *daemon_open(const struct daemon *d, const char *domain,
			 uint64_t limit_bytes)
{
	struct tmem_open_opts opts = {
		.size = sizeof(opts),
		.limit_bytes = limit_bytes,
		.agers = TMEM_NO_AGERS,
		.domain = domain,
	};
	struct tmem *t = NULL;

	assert_int_equal(tmem_open(d->where, &opts, &t), 0);
	return t;
}

int daemon_says(const struct daemon *d, const char *text)
{
	FILE *f = fopen(d->log, "re");
	char line[2048];
	int found = 0;

	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, text) != NULL;
	(void)fclose(f);
	return found;
}
