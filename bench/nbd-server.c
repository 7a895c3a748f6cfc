/* SPDX-License-Identifier: BSD-2-Clause */
/* nbd-server.c - an nbdkit of a benchmark's own. */
#include "nbd-server.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "private.h"

#define PROGRAM "/usr/sbin/nbdkit"
#define PROGRAM_TOO "/usr/bin/nbdkit"
#define PLUGIN_FILE "nbdkit-tmem-plugin.so"
#define START_NS (10 * TMEM_NS_PER_SEC)

/* As many as nbdkit starts by itself, so that the depth is served. */
#define THREADS "16"

static const char *program(void)
{
	return access(PROGRAM, X_OK) ? PROGRAM_TOO : PROGRAM;
}

int nbd_server_exists(void)
{
	return !access(program(), X_OK);
}

const char *nbd_server_plugin(char *path)
{
	char self[PATH_MAX] = "";
	char *slash;
	int step, len;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) > 0) {
		for (step = 0; step < 2; step++) { /* .../bench/NAME */
			slash = strrchr(self, '/');
			if (slash)
				*slash = 0;
		}
		len = snprintf(path, PATH_MAX, "%s/" PLUGIN_FILE, self);
		if (len < PATH_MAX && !access(path, R_OK))
			return path;
	}
	return "tmem";
}

/* In the child; never returns. */
static void execute(const struct nbd_server *s, const char *const *args)
{
	const char *argv[NBD_SERVER_ARGS_MAX + 8] = { NULL };
	unsigned n = 0;

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	argv[n++] = program();
	argv[n++] = "--foreground";
	argv[n++] = "--threads";
	argv[n++] = THREADS;
	argv[n++] = "--unix";
	argv[n++] = s->socket;
	while (*args)
		argv[n++] = *args++;
	(void)execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

void nbd_server_start(struct nbd_server *s, const char *const *args)
{
	const struct timespec ms = { .tv_nsec = TMEM_NS_PER_MS };
	uint64_t end = tmem_clock_ns() + START_NS;

	memset(s, 0, sizeof(*s));
	strcpy(s->dir, "/tmp/tmem-bench.XXXXXX");
	if (!mkdtemp(s->dir))
		private_die("no directory in /tmp: %s", strerror(errno));
	(void)snprintf(s->socket, sizeof(s->socket), "%s/nbd.sock", s->dir);
	s->pid = private_fork();
	if (!s->pid)
		execute(s, args);
	while (access(s->socket, F_OK)) {
		if (waitpid(s->pid, NULL, WNOHANG) == s->pid ||
		    tmem_clock_ns() > end)
			private_die("nbdkit %s does not start", args[0]);
		(void)nanosleep(&ms, NULL);
	}
}

void nbd_server_stop(struct nbd_server *s)
{
	(void)kill(s->pid, SIGTERM);
	(void)waitpid(s->pid, NULL, 0);
	(void)unlink(s->socket);
	(void)rmdir(s->dir);
	s->pid = 0;
}

void nbd_server_pin(const struct nbd_server *s)
{
	const struct dirent *e;
	char path[64];
	cpu_set_t here;
	DIR *d;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)s->pid);
	d = opendir(path);
	if (!d || sched_getaffinity(0, sizeof(here), &here))
		private_die("%s: %s", path, strerror(errno));
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			(void)sched_setaffinity((pid_t)strtol(e->d_name, NULL,
							      10),
						sizeof(here), &here);
	(void)closedir(d);
}

uint64_t nbd_server_memory(const struct nbd_server *s)
{
	char path[64], line[256];
	uint64_t kib = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)s->pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Pss: %" SCNu64, &kib) == 1)
			break;
	}
	if (f)
		(void)fclose(f);
	return kib << 10;
}

uint64_t nbd_server_cpu(const struct nbd_server *s)
{
	char path[64], text[1024] = "";
	uint64_t user = 0, system = 0;
	const char *p;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)s->pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	p = fgets(text, sizeof(text), f) ? strrchr(text, ')') : NULL;
	(void)fclose(f);
	if (!p || sscanf(p + 1,
			 " %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
			 "%" SCNu64 " %" SCNu64,
			 &user, &system) != 2)
		return 0;
	return (user + system) *
	       (TMEM_NS_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK));
}
