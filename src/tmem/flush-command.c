/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flush-command.c - `tmem flush`, `evict`: memory back, by taking what may be
 * taken, or by destroying what may not.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "control-options.h"
#include "daemon-view.h"
#include "overview.h"
#include "parse.h"
#include "quote.h"

/* ---- flush --------------------------------------------------------------- */

static const struct argp_option flush_options[] = {
	CONTROL_SOCKET,
	CONTROL_JSON,
	{ .name = "size",
	  .key = CONTROL_KEY_SIZE,
	  .arg = "SIZE",
	  .doc = "Take so much, in whole segments; all of it unless said" },
	{ 0 },
};

static const struct argp flush_argp = {
	.options = flush_options,
	.parser = control_parse_option,
	.args_doc = "[DOMAIN]",
	.doc = "Take ephemeral memory back at once and give it to the kernel: "
	       "from a domain, or from whoever has most beyond its "
	       "entitlement. Tell how much it was.",
	.children = command_common,
};

/* No more than is there to begin with: sessions that go on putting borrow again as
 * fast as it is taken, and taking that too would have no end. */
static int bound(struct daemon_talk *t, struct tmem_wire_flush *m)
{
	struct daemon_view v = { 0 };
	const struct tmem_wire_domain *d;
	int err = daemon_view_take(&v, t);
	uint64_t most = v.status.freeable_bytes;

	if (m->domain[0]) {
		d = err ? NULL : daemon_view_find(&v, m->domain);
		most = d ? d->freeable_bytes : 0;
	}
	if (m->bytes > most)
		m->bytes = most;
	daemon_view_finish(&v);
	return err;
}

/* A daemon takes a turn's worth at a time. */
static int flush_all(struct daemon_talk *t, struct tmem_wire_flush *m,
		     uint64_t *ret_bytes)
{
	struct tmem_wire_answer answer = { 0 };
	int err;

	do {
		err = control_steer(t, m, &answer);
		*ret_bytes += answer.bytes;
		m->bytes -= answer.bytes < m->bytes ? answer.bytes : m->bytes;
	} while (!err && answer.more && answer.bytes && m->bytes);
	return err;
}

int flush_run(int argc, char **argv)
{
	struct tmem_wire_flush m = { .head = { TMEM_WIRE_FLUSH, sizeof(m) } };
	struct control_options o;
	struct daemon_talk talk;
	uint64_t bytes = 0;
	int err, code = control_parse(&flush_argp, argc, argv, 0, 1,
				      "at most one DOMAIN", &o);

	if (code >= 0)
		return code;
	if (o.args_count && control_name(o.args[0], m.domain))
		return COMMAND_USAGE;
	m.bytes = o.size;
	err = daemon_talk_open(&talk, o.socket);
	if (!err)
		err = bound(&talk, &m);
	if (!err)
		err = flush_all(&talk, &m, &bytes);
	daemon_talk_close(&talk);
	if (err)
		return control_complain(&talk);
	control_print_size(&o, "flushed_bytes", bytes);
	return COMMAND_DONE;
}

/* ---- evict --------------------------------------------------------------- */

/* What a session gets to destroy its pools in; packed and swept, a GiB of
 * persistent pages takes a tenth of that. */
#define EVICT_NS (3 * TMEM_NS_PER_SEC)
#define EVICT_NAP_NS (20 * TMEM_NS_PER_MS)

static const struct argp_option evict_options[] = {
	CONTROL_SOCKET,
	{ .name = "yes",
	  .key = CONTROL_KEY_YES,
	  .doc = "Do not ask: for use without a terminal" },
	{ 0 },
};

static const struct argp evict_argp = {
	.options = evict_options,
	.parser = control_parse_option,
	.args_doc = "DOMAIN",
	.doc = "Destroy all of a domain's pools, persistent ones included, and "
	       "end the sessions that do not do so. Tell what was lost.",
	.children = command_common,
};

/* Return: 1 yes. */
static int ask(const char *name, const struct tmem_wire_domain *d)
{
	char answer[16] = "", lent[TMEM_FORMAT_SIZE_MAX];

	(void)tmem_format_size(overview_lent_bytes(d->lent_bytes), lent,
			       sizeof(lent));
	(void)fprintf(stderr,
		      "%s: %" PRIu32 " session%s, %s lent, %" PRIu64
		      " ephemeral and %" PRIu64
		      " persistent pages.\nDestroy all of them? [y/N] ",
		      name, d->sessions, d->sessions == 1 ? "" : "s", lent,
		      d->claimed.pages_ephemeral, d->claimed.pages_persistent);
	(void)fflush(stderr);
	if (!fgets(answer, sizeof(answer), stdin))
		(void)fputs("\n", stderr);
	return answer[0] == 'y' || answer[0] == 'Y';
}

/* Of the same domain as before; NULL: it is over, or another has its name. */
static const struct tmem_wire_domain *
look_again(struct daemon_view *v, struct daemon_talk *t,
	   const struct tmem_wire_domain *before, int *err)
{
	const struct tmem_wire_domain *d;

	*err = daemon_view_take(v, t);
	if (*err)
		return NULL;
	d = daemon_view_find(v, before->name);
	return d && d->number == before->number ? d : NULL;
}

/* Return: sessions that have not done so in time; negative errno, told. */
static int await_emptied(struct daemon_talk *t, struct daemon_view *v,
			 const struct tmem_wire_domain *before)
{
	const struct timespec nap = { .tv_nsec = EVICT_NAP_NS };
	const uint64_t end = tmem_clock_ns() + EVICT_NS;
	const struct tmem_wire_domain *d;
	int err;

	for (;;) {
		d = look_again(v, t, before, &err);
		if (!d)
			return err;
		if (!d->emptying || tmem_clock_ns() > end)
			return (int)d->emptying;
		(void)nanosleep(&nap, NULL);
	}
}

static int evict(struct daemon_talk *t, struct daemon_view *v,
		 const struct tmem_wire_domain *before, uint64_t *ret_ended)
{
	struct tmem_wire_evict m = { .head = { TMEM_WIRE_EVICT, sizeof(m) } };
	struct tmem_wire_answer answer = { 0 };
	int n, err;

	memcpy(m.domain, before->name, sizeof(m.domain));
	err = control_steer(t, &m, &answer);
	n = err ? err : await_emptied(t, v, before);
	*ret_ended = 0;
	if (n <= 0)
		return n;
	m.flags = TMEM_WIRE_FORCE;
	err = control_steer(t, &m, &answer);
	*ret_ended = answer.sessions;
	return err;
}

static void tell_lost(const char *name, const struct tmem_wire_domain *before,
		      uint64_t left_bytes, uint64_t ended)
{
	uint64_t bytes = overview_lent_bytes(before->lent_bytes);
	char text[TMEM_FORMAT_SIZE_MAX];

	(void)tmem_format_size(bytes > left_bytes ? bytes - left_bytes : 0,
			       text, sizeof(text));
	/* One that did not report has not said what it kept. */
	(void)printf("%s: lost %s%" PRIu64 " ephemeral and %" PRIu64
		     " persistent pages; %s given back\n",
		     name,
		     before->reported < before->sessions ? "at least " : "",
		     before->claimed.pages_ephemeral,
		     before->claimed.pages_persistent, text);
	if (ended)
		(void)printf("%s: %" PRIu64 " of %" PRIu32
			     " sessions did not answer and %s ended\n",
			     name, ended, before->sessions,
			     ended == 1 ? "was" : "were");
}

static int evict_domain(const struct control_options *o, struct daemon_talk *t)
{
	const struct tmem_wire_domain *d = NULL;
	struct daemon_view view = { 0 };
	struct tmem_wire_domain before = { 0 };
	char name[QUOTE_MAX];
	uint64_t ended = 0;
	int err = daemon_view_take(&view, t), sure = 0;

	(void)quote_text(o->args[0], name, sizeof(name));
	if (!err) {
		d = daemon_view_find(&view, o->args[0]);
		if (!d)
			err = daemon_talk_no_domain(t, o->args[0]);
	}
	if (d) {
		before = *d;
		sure = o->yes || ask(name, &before);
	}
	if (!err && sure)
		err = evict(t, &view, &before, &ended);
	if (!err && sure)
		d = look_again(&view, t, &before, &err);
	if (!err && sure)
		tell_lost(name, &before,
			  d ? overview_lent_bytes(d->lent_bytes) : 0, ended);
	daemon_view_finish(&view);
	if (err)
		return control_complain(t);
	return sure ? COMMAND_DONE
		    : command_complain(COMMAND_FAILED, "nothing destroyed");
}

int evict_run(int argc, char **argv)
{
	struct control_options o;
	struct daemon_talk talk;
	int code =
		control_parse(&evict_argp, argc, argv, 1, 1, "one DOMAIN", &o);

	if (code >= 0)
		return code;
	if (!o.yes && !isatty(STDIN_FILENO))
		return command_complain(COMMAND_USAGE,
					"no terminal to ask on; say --yes to "
					"destroy without being asked");
	if (daemon_talk_open(&talk, o.socket))
		return control_complain(&talk);
	code = evict_domain(&o, &talk);
	daemon_talk_close(&talk);
	return code;
}
