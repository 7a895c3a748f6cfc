/* SPDX-License-Identifier: BSD-2-Clause */
/* private-daemon.c - a tmemd of one's own: started, used, ended. */
#include "private-daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "packet.h"

/* It needs some milliseconds; a machine under load may take longer. */
#define START_NS (10 * TMEM_NS_PER_SEC)

#define PATH_BYTES 4096

/* The least that a daemon lends. */
#define BUDGET_MIN (16ull << 20)

/* Beside this program, as in a build directory or on a system that has one
 * folder for both kinds of programs. */
static void find_program(char *path)
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_BYTES - 8);
	char *slash;

	path[n > 0 ? n : 0] = 0;
	slash = strrchr(path, '/');
	strcpy(slash ? slash + 1 : path, "tmemd");
	if (!slash || access(path, X_OK))
		strcpy(path, "tmemd");
}

/* In the child; never returns. */
static void execute(const struct private_daemon *d)
{
	char path[PATH_BYTES];

	/* Nobody else would end it. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	find_program(path);
	(void)execlp(path, "tmemd", "--config", d->config, "--socket",
		     d->socket, "--log-level", "error", (char *)NULL);
	_exit(127);
}

static int answers(const struct private_daemon *d)
{
	int fd;

	if (tmem_packet_connect(d->socket, &fd))
		return 0;
	(void)close(fd);
	return 1;
}

/* Return: 0, negative errno: it ended, or does not answer. */
static int wait_for(struct private_daemon *d)
{
	const struct timespec ms = { .tv_nsec = TMEM_NS_PER_MS };
	uint64_t end = tmem_clock_ns() + START_NS;
	int status;

	while (!answers(d)) {
		if (waitpid(d->pid, &status, WNOHANG) == d->pid) {
			d->pid = 0;
			return WIFEXITED(status) && WEXITSTATUS(status) == 127
				       ? -ENOENT
				       : -EIO;
		}
		if (tmem_clock_ns() > end)
			return -ETIMEDOUT;
		(void)nanosleep(&ms, NULL);
	}
	return 0;
}

int private_daemon_configure(const struct private_daemon *d,
			     uint64_t budget_bytes)
{
	FILE *f = fopen(d->config, "we");
	int bad;

	if (!f)
		return -errno;
	if (budget_bytes < BUDGET_MIN)
		budget_bytes = BUDGET_MIN;
	bad = fprintf(f, "budget = %" PRIu64 "\ndefault-persistent = 100%%\n",
		      budget_bytes) < 0;
	bad |= fclose(f) != 0;
	if (bad)
		return -EIO;
	return d->pid > 0 && kill(d->pid, SIGHUP) ? -errno : 0;
}

int private_daemon_start(struct private_daemon *d, uint64_t budget_bytes)
{
	int err;

	memset(d, 0, sizeof(*d));
	strcpy(d->dir, "/tmp/tmem.XXXXXX");
	if (!mkdtemp(d->dir)) {
		err = -errno;
		d->dir[0] = 0;
		(void)snprintf(d->fault, sizeof(d->fault),
			       "no directory in /tmp: %s", strerror(-err));
		return err;
	}
	(void)snprintf(d->socket, sizeof(d->socket), "%s/tmemd.sock", d->dir);
	(void)snprintf(d->config, sizeof(d->config), "%s/tmemd.conf", d->dir);
	(void)snprintf(d->where, sizeof(d->where), "unix:%s", d->socket);
	err = private_daemon_configure(d, budget_bytes);
	if (!err) {
		d->pid = fork();
		if (!d->pid)
			execute(d);
		err = d->pid < 0 ? -errno : wait_for(d);
	}
	if (err) {
		(void)snprintf(d->fault, sizeof(d->fault),
			       err == -ENOENT ? "there is no tmemd beside this "
						"program or in $PATH"
					      : "a private tmemd does not "
						"start: %s",
			       strerror(-err));
		private_daemon_stop(d);
	}
	return err;
}

void private_daemon_stop(struct private_daemon *d)
{
	if (d->pid > 0) {
		(void)kill(d->pid, SIGTERM);
		(void)waitpid(d->pid, NULL, 0);
	}
	d->pid = 0;
	if (!d->dir[0])
		return;
	/* Its own to remove, unless it was killed. */
	(void)unlink(d->socket);
	(void)unlink(d->config);
	(void)rmdir(d->dir);
	d->dir[0] = 0;
}
