/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demo-daemon.c - `tmem demo --daemon`: the demo twice at once, as two domains of
 * a private daemon.
 *
 * Each is a process of its own with another seed. What it prints goes to a file
 * without a name, so that the two do not mix, and is printed when both are done.
 */
#include "demo-daemon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "daemon-talk.h"
#include "demo.h"
#include "overview.h"
#include "private-daemon.h"

#define DOMAINS 2

/** struct half - one of the two. */
struct half {
	char domain[16];
	FILE *out;
	pid_t pid; /* 0: not started */
};

/* In the child; never returns. */
static void be_half(const struct demo_options *o, const struct private_daemon *d,
		    const struct half *h, unsigned n)
{
	struct demo_options mine = *o;
	int code;

	mine.where = d->where;
	mine.domain = h->domain;
	mine.limit_bytes = o->pool_bytes;
	mine.seed = o->seed + n;
	mine.quiet = 1;
	if (dup2(fileno(h->out), STDOUT_FILENO) < 0)
		_exit(COMMAND_FAILED);
	code = demo_once(&mine);
	if (fflush(stdout))
		code = COMMAND_FAILED;
	_exit(code);
}

static int start(struct half *h, const struct demo_options *o,
		 const struct private_daemon *d, unsigned n)
{
	(void)snprintf(h->domain, sizeof(h->domain), "demo-%u", n + 1);
	h->out = tmpfile();
	if (h->out)
		h->pid = fork();
	if (!h->out || h->pid < 0) {
		h->pid = 0;
		return command_complain(COMMAND_FAILED, "demo: %s",
					strerror(errno));
	}
	if (!h->pid)
		be_half(o, d, h, n);
	return COMMAND_DONE;
}

static int wait_for(const struct half *h)
{
	int status;

	if (!h->pid)
		return COMMAND_DONE;
	if (waitpid(h->pid, &status, 0) == h->pid && WIFEXITED(status))
		return WEXITSTATUS(status);
	return command_complain(COMMAND_FAILED, "demo: %s was ended", h->domain);
}

static void copy_out(FILE *from)
{
	char text[4096];
	size_t n;

	if (fseek(from, 0, SEEK_SET))
		return;
	while ((n = fread(text, 1, sizeof(text), from)))
		(void)fwrite(text, 1, n, stdout);
}

static void print_text(const struct half *halves,
		       const struct tmem_wire_status_reply *s)
{
	unsigned n;

	for (n = 0; n < DOMAINS; n++) {
		(void)printf("domain %s\n\n", halves[n].domain);
		copy_out(halves[n].out);
		(void)printf("\n");
	}
	(void)printf("daemon\n\n");
	overview_status(stdout, s);
}

static void print_json(const struct half *halves,
		       const struct tmem_wire_status_reply *s)
{
	unsigned n;

	(void)printf("{ \"domains\": {\n");
	for (n = 0; n < DOMAINS; n++) {
		(void)printf("%s\"%s\": ", n ? ",\n" : "", halves[n].domain);
		copy_out(halves[n].out);
	}
	(void)printf("},\n\"daemon\": ");
	overview_status_json(stdout, s);
	(void)printf("}\n");
}

static int run_both(const struct demo_options *o, const struct private_daemon *d)
{
	struct half halves[DOMAINS] = { 0 };
	struct tmem_wire_status_reply s;
	struct daemon_talk talk;
	int code = COMMAND_DONE, other;
	unsigned n;

	for (n = 0; n < DOMAINS && !code; n++)
		code = start(&halves[n], o, d, n);
	for (n = 0; n < DOMAINS; n++) {
		other = wait_for(&halves[n]);
		code = code ? code : other;
	}
	if (!code && daemon_talk_glance(&talk, d->socket, &s))
		code = command_complain(COMMAND_FAILED, "%s", talk.fault);
	if (!code && o->json)
		print_json(halves, &s);
	else if (!code)
		print_text(halves, &s);
	for (n = 0; n < DOMAINS; n++)
		if (halves[n].out)
			(void)fclose(halves[n].out);
	return code;
}

int demo_daemon(const struct demo_options *o)
{
	struct private_daemon d;
	int code;

	if (private_daemon_start(&d, DOMAINS * o->pool_bytes))
		return command_complain(COMMAND_FAILED, "demo: %s", d.fault);
	code = run_both(o, &d);
	private_daemon_stop(&d);
	return code;
}
