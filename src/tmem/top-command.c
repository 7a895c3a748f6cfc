/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top-command.c - `tmem top`: a daemon watched until somebody has seen enough.
 *
 * One thread waits for a key, a signal, the daemon's words and the next refresh,
 * whichever is first: a daemon that does not answer stops nothing but the
 * figures. When it is gone it is looked for once a second.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "control-options.h"
#include "quote.h"
#include "top-demo.h"
#include "top-model.h"
#include "top-screen.h"

#define INTERVAL_NS TMEM_NS_PER_SEC
#define LOOK_NS TMEM_NS_PER_SEC

/* Without an answer for so long, that is told; it is waited for ten times longer,
 * and asked anew then. */
#define PATIENCE_NS (2 * TMEM_NS_PER_SEC)

enum {
	KEY_SORT = CONTROL_KEY_OWN,
	KEY_INTERVAL,
	KEY_DEMO
};

/** struct top_options - the command line; first what is common. */
struct top_options {
	struct control_options common;
	uint64_t interval_ns;
	enum top_sort sort;
	int demo;
};

/** struct top - all that runs. */
struct top {
	struct daemon_talk talk;
	struct daemon_view view;
	struct top_model model;
	struct top_screen screen;
	uint64_t interval_ns;
	uint64_t next_ns; /* the next refresh, or look for a daemon */
	uint64_t asked_ns;
	int asking; /* a view is under way */
	int signals;
	int stale; /* what is on the screen is not how things are */
	char trouble[DAEMON_TALK_FAULT_MAX + 32];
};

/* ---- The daemon ---------------------------------------------------------- */

static void lose(struct top *t)
{
	daemon_talk_close(&t->talk);
	(void)snprintf(t->trouble, sizeof(t->trouble), "%s; trying again",
		       t->talk.fault);
	t->asking = 0;
	t->stale = 1;
	t->next_ns = tmem_clock_ns() + LOOK_NS;
}

static void ask(struct top *t)
{
	t->asked_ns = tmem_clock_ns();
	t->next_ns = t->asked_ns + t->interval_ns;
	if (t->talk.fd < 0 && daemon_talk_open(&t->talk, t->talk.socket)) {
		lose(t);
		return;
	}
	t->asking = 1;
	if (daemon_view_begin(&t->view, &t->talk))
		lose(t);
}

static void hear(struct top *t)
{
	int ret = daemon_view_step(&t->view, &t->talk);

	if (ret < 0) {
		lose(t);
		return;
	}
	if (!ret)
		return;
	t->asking = 0;
	t->stale = 1;
	t->trouble[0] = 0;
	if (top_model_update(&t->model, &t->view))
		(void)snprintf(t->trouble, sizeof(t->trouble), "out of memory");
}

/* What is due: a refresh, a look for the daemon, a word about its silence. */
static void look_at_clock(struct top *t)
{
	uint64_t now = tmem_clock_ns(), since = now - t->asked_ns;

	if (t->asking && since > 10 * PATIENCE_NS) {
		(void)daemon_talk_fail(&t->talk, -ETIMEDOUT);
		lose(t);
	} else if (t->asking && since > PATIENCE_NS) {
		(void)snprintf(t->trouble, sizeof(t->trouble),
			       "the daemon has not answered for %u s",
			       (unsigned)(since / TMEM_NS_PER_SEC));
		t->stale = 1;
		t->next_ns = now + LOOK_NS;
	} else if (!t->asking && now >= t->next_ns && !t->screen.paused) {
		ask(t);
	} else if (now >= t->next_ns) {
		t->next_ns = now + t->interval_ns;
	}
}

/* ---- Waiting ------------------------------------------------------------- */

static int wait_ms(const struct top *t)
{
	uint64_t now = tmem_clock_ns();

	return now >= t->next_ns
		       ? 0
		       : (int)((t->next_ns - now) / TMEM_NS_PER_MS + 1);
}

/* Return: 1 enough has been seen. */
static int take_keys(struct top *t)
{
	enum top_wish wish;

	while ((wish = top_screen_key(&t->screen, &t->model)) != TOP_NO_KEY) {
		t->stale = 1;
		if (wish == TOP_QUIT)
			return 1;
		if (wish == TOP_REFRESH)
			t->next_ns = 0;
	}
	return 0;
}

static int turn(struct top *t)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = t->signals, .events = POLLIN },
		{ .fd = t->talk.fd, .events = POLLIN },
	};
	int n = poll(fds, 3, wait_ms(t));

	/* Interrupted by a new size: a key tells of it. */
	if (take_keys(t) || (n > 0 && fds[1].revents) ||
	    (n > 0 && fds[0].revents & (POLLHUP | POLLERR)))
		return 1;
	if (n > 0 && fds[2].revents) {
		if (t->asking) {
			hear(t);
		} else { /* it says nothing unasked but that it is gone */
			(void)daemon_talk_fail(&t->talk, -ECONNRESET);
			lose(t);
		}
	}
	look_at_clock(t);
	return 0;
}

static void watch(struct top *t)
{
	int done = 0;

	while (!done) {
		if (t->stale)
			top_screen_draw(&t->screen, &t->model, t->talk.socket,
					t->trouble);
		t->stale = 0;
		done = turn(t);
	}
}

static int catch_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int run(const struct top_options *o, const char *socket)
{
	struct top t = {
		.talk = { .fd = -1, .socket = socket },
		.model = { .sort = o->sort },
		.interval_ns = o->interval_ns,
	};
	int code = COMMAND_DONE;

	/* One that is not there, or that says no, is told as elsewhere. */
	if (daemon_talk_open(&t.talk, socket) ||
	    daemon_view_take(&t.view, &t.talk) ||
	    top_model_update(&t.model, &t.view)) {
		daemon_talk_close(&t.talk);
		daemon_view_finish(&t.view);
		return control_complain(&t.talk);
	}
	t.stale = 1;
	t.next_ns = tmem_clock_ns() + t.interval_ns;
	t.signals = catch_signals();
	if (top_screen_open(&t.screen)) {
		code = command_complain(COMMAND_FAILED,
					"top wants a terminal; for a program, "
					"there is tmem list --json");
	} else {
		watch(&t);
		top_screen_close(&t.screen);
	}
	daemon_talk_close(&t.talk);
	daemon_view_finish(&t.view);
	top_model_finish(&t.model);
	(void)close(t.signals);
	return code;
}

/* ---- The command line ---------------------------------------------------- */

static error_t take_interval(struct top_options *o, const char *arg,
			     struct argp_state *state)
{
	char *end, quoted[QUOTE_MAX];
	double seconds = strtod(arg, &end);

	if (*arg >= '0' && *arg <= '9' && !*end && seconds >= 0.1 &&
	    seconds <= 3600) {
		o->interval_ns = (uint64_t)(seconds * (double)TMEM_NS_PER_SEC);
		return 0;
	}
	return command_refuse(state,
			      "--interval=%s: want seconds, from 0.1 to 3600",
			      quote_text(arg, quoted, sizeof(quoted)));
}

static error_t take_sort(struct top_options *o, const char *arg,
			 struct argp_state *state)
{
	int by = top_sort_find(arg);
	char quoted[QUOTE_MAX];

	if (by >= 0) {
		o->sort = (enum top_sort)by;
		return 0;
	}
	return command_refuse(state,
			      "--sort=%s: want name, lent, entitled, share, "
			      "ratio, hits, ops, ghosts, evictions or agers",
			      quote_text(arg, quoted, sizeof(quoted)));
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct top_options *o = state->input;

	switch (key) {
	case KEY_INTERVAL:
		return take_interval(o, arg, state);
	case KEY_SORT:
		return take_sort(o, arg, state);
	case KEY_DEMO:
		o->demo = 1;
		return 0;
	default:
		return control_parse_option(key, arg, state);
	}
}

static const struct argp_option options[] = {
	CONTROL_SOCKET,
	{ .name = "interval",
	  .key = KEY_INTERVAL,
	  .arg = "SECONDS",
	  .doc = "Refresh so often (1)" },
	{ .name = "sort",
	  .key = KEY_SORT,
	  .arg = "COLUMN",
	  .doc = "Sort by name, lent, entitled, share, ratio, hits, ops, "
		 "ghosts, evictions or agers (lent)" },
	{ .name = "demo",
	  .key = KEY_DEMO,
	  .doc = "Watch a private daemon with two busy programs, which end "
		 "with this one" },
	{ 0 },
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Watch a daemon's domains: what they hold, what they do, how well "
	       "it goes. ? tells the keys, q quits.",
	.children = command_common,
};

int top_run(int argc, char **argv)
{
	struct top_options o = { .interval_ns = INTERVAL_NS,
				 .sort = TOP_BY_LENT };
	struct top_demo demo;
	int code;

	o.common.socket = TMEM_WIRE_SOCKET;
	switch (command_parse(&argp, argc, argv, 0, &o)) {
	case 0:
		break;
	case 1:
		return COMMAND_DONE;
	default:
		return COMMAND_USAGE;
	}
	if (o.common.args_count)
		return command_complain(COMMAND_USAGE,
					"want no arguments; see tmem top "
					"--help");
	if (!o.demo)
		return run(&o, o.common.socket);
	code = top_demo_start(&demo);
	if (!code)
		code = run(&o, demo.daemon.socket);
	top_demo_stop(&demo);
	return code;
}
