/* SPDX-License-Identifier: BSD-2-Clause */
/* guard.c - a worker, and who tidies up behind it. */
#include "guard.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "private.h"

void *guard_share(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		private_die("out of memory");
	return p;
}

static int await(pid_t worker, const sigset_t *set)
{
	int status = 1;

	while (!waitpid(worker, &status, WNOHANG)) {
		const int sig = sigwaitinfo(set, NULL);

		if (sig > 0 && sig != SIGCHLD)
			(void)kill(-worker, SIGKILL);
	}
	/* What the worker started, and did not wait for. */
	(void)kill(-worker, SIGKILL);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int guard_run(const struct guard_task *t)
{
	sigset_t set, before;
	pid_t worker;
	int status;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	/* Blocked from before there is a worker: none is missed. */
	if (sigprocmask(SIG_BLOCK, &set, &before))
		private_die("signals: %s", strerror(errno));
	worker = private_fork();
	if (!worker) {
		(void)setpgid(0, 0);
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
		t->work(t->ctx);
		exit(0);
	}
	(void)setpgid(worker, worker); /* whoever is first */
	status = await(worker, &set);
	/* A terminal and timeout(1) send them to all of a group, so to what tidies
	 * up, too; and a shell (dash) blocks nothing that its parent blocked. */
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	t->tidy(t->ctx);
	return status;
}
