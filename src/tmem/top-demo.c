/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top-demo.c - something to watch: a private daemon and two busy programs.
 *
 * Each is `tmem demo`'s second half without an end: it reads real files over and
 * over through a small cache, puts the cache's victims into the store and looks
 * there before it reads the disk. Together they want more than the daemon has.
 */
#include "top-demo.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "demo.h"

#define BUDGET_BYTES (192ull << 20)

/** struct program - one of them: what it reads, and how much of it. */
struct program {
	const char *domain, *dir, *data, *l1, *seed;
};

static const struct program programs[TOP_DEMO_PROGRAMS] = {
	{ "libraries", "/usr/lib", "192M", "16M", "1" },
	{ "documents", "/usr/share", "96M", "4M", "2" },
};

/* In the child; never returns. What ends this program ends it too. */
static void be_program(const struct program *p, const struct private_daemon *d,
		       pid_t parent)
{
	char *argv[] = { (char[]){ "tmem demo" },
			 (char[]){ "--data" },
			 strdup(p->data),
			 (char[]){ "--l1" },
			 strdup(p->l1),
			 (char[]){ "--seed" },
			 strdup(p->seed),
			 strdup(p->dir),
			 NULL };
	struct demo_options o;
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || nothing < 0 ||
	    dup2(nothing, STDIN_FILENO) < 0 ||
	    dup2(nothing, STDOUT_FILENO) < 0 ||
	    dup2(nothing, STDERR_FILENO) < 0 || demo_options_parse(&o, 8, argv))
		_exit(COMMAND_FAILED);
	o.where = d->where;
	o.domain = p->domain;
	o.limit_bytes = 0; /* as much as it may have */
	o.quiet = 1;
	o.scalable = 0;
	_exit(demo_keep_on(&o));
}

int top_demo_start(struct top_demo *d)
{
	pid_t parent = getpid();
	int i;

	memset(d, 0, sizeof(*d));
	if (private_daemon_start(&d->daemon, BUDGET_BYTES))
		return command_complain(COMMAND_FAILED, "top --demo: %s",
					d->daemon.fault);
	for (i = 0; i < TOP_DEMO_PROGRAMS; i++) {
		d->programs[i] = fork();
		if (!d->programs[i])
			be_program(&programs[i], &d->daemon, parent);
		if (d->programs[i] < 0) {
			d->programs[i] = 0;
			return command_complain(COMMAND_FAILED, "top --demo: %s",
						strerror(errno));
		}
	}
	return COMMAND_DONE;
}

void top_demo_stop(struct top_demo *d)
{
	int i;

	for (i = 0; i < TOP_DEMO_PROGRAMS; i++)
		if (d->programs[i]) {
			(void)kill(d->programs[i], SIGKILL);
			(void)waitpid(d->programs[i], NULL, 0);
		}
	private_daemon_stop(&d->daemon);
}
