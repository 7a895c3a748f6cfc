/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * set-command.c - `tmem set`, `freeze`, `thaw`, `policy`: a daemon's settings
 * changed.
 *
 * All of them are one message of KEY=VALUE texts, taken by the daemon as its file
 * is: all or none.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "control-options.h"
#include "quote.h"

/* ---- The message --------------------------------------------------------- */

static int add_pair(struct tmem_wire_set *m, const char *pair)
{
	const size_t head = offsetof(struct tmem_wire_set, pairs);
	const size_t at = m->head.len - head, len = strlen(pair) + 1;
	char quoted[QUOTE_MAX];
	size_t i;

	for (i = 0; pair[i] >= ' ' && pair[i] <= '~'; i++)
		;
	if (pair[i] || !strchr(pair, '=') || pair[0] == '=') {
		(void)command_complain(0, "%s: want KEY=VALUE",
				       quote_text(pair, quoted, sizeof(quoted)));
		return -EINVAL;
	}
	if (len > sizeof(m->pairs) - at) {
		(void)command_complain(0, "settings: at most %d bytes of them",
				       TMEM_WIRE_PAIRS_MAX);
		return -E2BIG;
	}
	memcpy(m->pairs + at, pair, len);
	m->head.len += (uint32_t)len;
	m->count++;
	return 0;
}

/* @domain: NULL: the daemon's own settings. Return: an exit code. */
static int set(const char *socket, const char *domain, char *const *pairs,
	       unsigned count)
{
	struct tmem_wire_set m = {
		.head = { TMEM_WIRE_SET, offsetof(struct tmem_wire_set, pairs) },
	};
	struct tmem_wire_answer answer;
	struct daemon_talk talk;
	unsigned i;
	int err;

	if (domain && control_name(domain, m.domain))
		return COMMAND_USAGE;
	for (i = 0; i < count; i++)
		if (add_pair(&m, pairs[i]))
			return COMMAND_USAGE;
	err = daemon_talk_open(&talk, socket);
	if (!err)
		err = control_steer(&talk, &m, &answer);
	daemon_talk_close(&talk);
	return err ? control_complain(&talk) : COMMAND_DONE;
}

/* ---- set ----------------------------------------------------------------- */

static const struct argp_option set_options[] = {
	CONTROL_SOCKET,
	{ .name = "domain",
	  .key = CONTROL_KEY_DOMAIN,
	  .arg = "NAME",
	  .doc = "The domain, should its name have a = in it" },
	{ 0 },
};

static const struct argp set_argp = {
	.options = set_options,
	.parser = control_parse_option,
	.args_doc = "[DOMAIN] KEY=VALUE...",
	.doc = "Change settings, all of them or none: those of a domain, or the "
	       "daemon's own. Keys and values are those of tmemd.conf. They "
	       "hold until the daemon is restarted or reads its file again.",
	.children = command_common,
};

int set_run(int argc, char **argv)
{
	struct control_options o;
	int code = control_parse(&set_argp, argc, argv, 1, CONTROL_ARGS_MAX,
				 "KEY=VALUE", &o);
	unsigned first = 0;

	if (code >= 0)
		return code;
	if (!o.domain && !strchr(o.args[0], '='))
		o.domain = o.args[first++];
	if (first == o.args_count)
		return command_complain(COMMAND_USAGE,
					"want KEY=VALUE behind the domain; see "
					"tmem set --help");
	return set(o.socket, o.domain, o.args + first, o.args_count - first);
}

/* ---- freeze, thaw -------------------------------------------------------- */

static const struct argp_option socket_options[] = {
	CONTROL_SOCKET,
	{ 0 },
};

static const struct argp freeze_argp = {
	.options = socket_options,
	.parser = control_parse_option,
	.args_doc = "[DOMAIN]",
	.doc = "Lend nothing more and have puts refused: to a domain, or to all, "
	       "those to come included. What they hold stays.",
	.children = command_common,
};

static const struct argp thaw_argp = {
	.options = socket_options,
	.parser = control_parse_option,
	.args_doc = "[DOMAIN]",
	.doc = "Undo freeze: of a domain, or of all, those that were frozen one "
	       "by one included.",
	.children = command_common,
};

static int freeze(const struct argp *argp, int argc, char **argv, char *pair)
{
	struct control_options o;
	int code =
		control_parse(argp, argc, argv, 0, 1, "at most one DOMAIN", &o);

	return code >= 0 ? code
			 : set(o.socket, o.args_count ? o.args[0] : NULL, &pair,
			       1);
}

int freeze_run(int argc, char **argv)
{
	char pair[] = "frozen=yes";

	return freeze(&freeze_argp, argc, argv, pair);
}

int thaw_run(int argc, char **argv)
{
	char pair[] = "frozen=no";

	return freeze(&thaw_argp, argc, argv, pair);
}

/* ---- policy -------------------------------------------------------------- */

static const struct argp policy_argp = {
	.options = socket_options,
	.parser = control_parse_option,
	.args_doc = "[NAME]",
	.doc = "Tell by which policy memory is divided, or have another one: "
	       "greedy, static, weighted or utility.",
	.children = command_common,
};

int policy_run(int argc, char **argv)
{
	struct tmem_wire_status_reply s;
	struct control_options o;
	struct daemon_talk talk;
	char pair[TMEM_WIRE_PAIRS_MAX], *pairs[] = { pair };
	int code = control_parse(&policy_argp, argc, argv, 0, 1,
				 "at most one NAME", &o);

	if (code >= 0)
		return code;
	if (o.args_count) {
		(void)snprintf(pair, sizeof(pair), "policy=%s", o.args[0]);
		return set(o.socket, NULL, pairs, 1);
	}
	if (daemon_talk_glance(&talk, o.socket, &s))
		return control_complain(&talk);
	(void)printf("%.*s\n", (int)sizeof(s.policy), s.policy);
	return COMMAND_DONE;
}
