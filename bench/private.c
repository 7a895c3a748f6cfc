/* SPDX-License-Identifier: BSD-2-Clause */
/* private.c - a tmemd of a benchmark's own, and what it says of itself. */
#include "private.h"

#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "packet.h"

#define PATH_BYTES 4096u
#define PATIENCE_MS 20000

void private_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)fputs("bench: ", stderr);
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
	va_end(args);
	exit(1);
}

pid_t private_fork(void)
{
	pid_t pid = fork();

	if (pid < 0)
		private_die("fork: %s", strerror(errno));
	if (!pid)
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

void private_kill(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static void in_dir(const struct private *p, const char *name, char *path)
{
	(void)snprintf(path, PATH_BYTES, "%s/%s", p->dir, name);
}

/* BUILD/bench/NAME is this program, BUILD/tmemd the daemon. */
static void find_program(char *path)
{
	char own[PATH_BYTES] = "";

	if (readlink("/proc/self/exe", own, sizeof(own) - 1) <= 0)
		private_die("/proc/self/exe: %s", strerror(errno));
	(void)snprintf(path, PATH_BYTES, "%s/../tmemd", dirname(own));
	if (access(path, X_OK))
		private_die("%s: %s", path, strerror(errno));
}

static void write_config(const struct private *p, const char *config)
{
	char path[PATH_BYTES];
	FILE *f;

	in_dir(p, "conf", path);
	f = fopen(path, "we");
	if (!f || fputs(config, f) < 0 || fclose(f))
		private_die("%s: %s", path, strerror(errno));
}

static void execute(const struct private *p)
{
	char program[PATH_BYTES], socket[PATH_BYTES], conf[PATH_BYTES];

	find_program(program);
	in_dir(p, "socket", socket);
	in_dir(p, "conf", conf);
	/* It has something to put away. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)execl(program, program, "--socket", socket, "--config", conf,
		    "--log-level", "warning", (char *)NULL);
	private_die("%s: %s", program, strerror(errno));
}

void private_start(struct private *p, const char *config)
{
	struct tmem_wire_status_reply status;
	const struct timespec ms = { .tv_nsec = 1000000 };
	char path[PATH_BYTES];
	int tries = PATIENCE_MS;

	strcpy(p->dir, "/tmp/tmem-bench.XXXXXX");
	if (!mkdtemp(p->dir))
		private_die("%s: %s", p->dir, strerror(errno));
	write_config(p, config);
	in_dir(p, "socket", path);
	(void)snprintf(p->where, sizeof(p->where), "unix:%.90s", path);
	p->pid = private_fork();
	if (!p->pid)
		execute(p);
	while (tmem_packet_connect(path, &p->fd)) {
		if (!tries-- || waitpid(p->pid, NULL, WNOHANG))
			private_die("tmemd does not start");
		(void)nanosleep(&ms, NULL);
	}
	/* Who connects and says nothing is dropped. */
	private_status(p, &status);
}

void private_reload(struct private *p, const char *config, uint64_t floor)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	struct tmem_wire_status_reply status;
	int tries = PATIENCE_MS;

	write_config(p, config);
	(void)kill(p->pid, SIGHUP);
	for (private_status(p, &status); status.floor_bytes != floor;
	     private_status(p, &status)) {
		if (!tries--)
			private_die("tmemd does not reload");
		(void)nanosleep(&ms, NULL);
	}
}

void private_stop(struct private *p)
{
	static const char *const names[] = { "conf", "socket" };
	char path[PATH_BYTES];
	size_t i;

	(void)close(p->fd);
	(void)kill(p->pid, SIGTERM);
	(void)waitpid(p->pid, NULL, 0);
	for (i = 0; i < 2; i++) {
		in_dir(p, names[i], path);
		(void)unlink(path);
	}
	(void)rmdir(p->dir);
}

static void converse(struct private *p, const void *verb, size_t len,
		     void *reply, size_t size)
{
	struct pollfd poller = { .fd = p->fd, .events = POLLIN };
	struct tmem_packet packet;

	if (tmem_packet_send(p->fd, verb, len, NULL, 0) ||
	    poll(&poller, 1, PATIENCE_MS) != 1 ||
	    tmem_packet_receive(p->fd, reply, size, &packet) != 1)
		private_die("tmemd does not answer");
}

void private_status(struct private *p, struct tmem_wire_status_reply *ret)
{
	const struct tmem_wire_status verb = { { TMEM_WIRE_STATUS,
						 sizeof(verb) } };

	converse(p, &verb, sizeof(verb), ret, sizeof(*ret));
}

unsigned private_list(struct private *p, struct tmem_wire_domain *ret)
{
	const struct tmem_wire_list verb = { { TMEM_WIRE_LIST, sizeof(verb) },
					     0 };
	struct tmem_wire_list_reply reply;

	converse(p, &verb, sizeof(verb), &reply, sizeof(reply));
	memcpy(ret, reply.domains, reply.count * sizeof(*ret));
	return reply.count;
}

uint64_t private_lent(const uint64_t lent[TMEM_WIRE_CLASSES])
{
	return lent[TMEM_WIRE_EPHEMERAL] + lent[TMEM_WIRE_PERSISTENT] +
	       lent[TMEM_WIRE_METADATA];
}
