/* SPDX-License-Identifier: BSD-2-Clause */
/* options.c - the one table of what can be set, and how a value is read. */
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <tmem/tmem.h>

#include "bounds.h"
#include "config.h"
#include "parse.h"
#include "policies.h"

/* A budget of less lends nobody a store worth having. */
#define BUDGET_MIN (16 * TMEM_MIB)

/* At three descriptors a session, well within the million a process may have. */
#define SESSIONS_MAX 100000u

/* (uid_t)-1 means "nobody" to the kernel, and here "anybody". */
#define UID_MAX (UINT32_MAX - 1)

#define PERCENT_MAX 100u

#define IN_CONFIG(member)                                                      \
	.offset = offsetof(struct tmemd_config, member),                       \
	.size = sizeof(((struct tmemd_config *)0)->member)
#define IN_DOMAIN(member)                                                      \
	.offset = offsetof(struct tmemd_domain, member),                       \
	.size = sizeof(((struct tmemd_domain *)0)->member)

const struct tmemd_option tmemd_options[] = {
	{ .name = "config",
	  .arg = "FILE",
	  .standard = "/etc/tmem/tmemd.conf",
	  .help = "Read this file",
	  .kind = TMEMD_OPTION_PATH,
	  .scope = TMEMD_SCOPE_COMMAND,
	  IN_CONFIG(config) },
	{ .name = "socket",
	  .arg = "PATH",
	  .standard = "/run/tmem/tmemd.sock",
	  .help = "Listen here, unless a socket is inherited",
	  .kind = TMEMD_OPTION_PATH,
	  .scope = TMEMD_SCOPE_DAEMON,
	  .at_start = 1,
	  IN_CONFIG(socket) },
	{ .name = "budget",
	  .arg = "SIZE",
	  .standard = "25%",
	  .of = "RAM",
	  .min = BUDGET_MIN,
	  .max = TMEM_LIMIT_MAX,
	  .help = "Lend at most this much to all domains together",
	  .kind = TMEMD_OPTION_SIZE,
	  .scope = TMEMD_SCOPE_DAEMON,
	  IN_CONFIG(budget_bytes) },
	{ .name = "floor",
	  .arg = "SIZE",
	  .standard = "10%",
	  .of = "RAM",
	  .max = TMEM_LIMIT_MAX,
	  .help = "Leave this much available to everybody else",
	  .kind = TMEMD_OPTION_SIZE,
	  .scope = TMEMD_SCOPE_DAEMON,
	  IN_CONFIG(floor_bytes) },
	{ .name = "policy",
	  .arg = "POLICY",
	  .standard = "utility",
	  .help = "Divide by greedy, static, weighted or utility",
	  .kind = TMEMD_OPTION_POLICY,
	  .scope = TMEMD_SCOPE_DAEMON,
	  IN_CONFIG(policy) },
	{ .name = "frozen",
	  .arg = "YESNO",
	  .standard = "no",
	  .help = "Lend nothing more to any domain",
	  .kind = TMEMD_OPTION_YESNO,
	  .scope = TMEMD_SCOPE_DAEMON,
	  IN_CONFIG(frozen) },
	{ .name = "default-cap",
	  .arg = "SIZE",
	  .standard = "100%",
	  .of = "budget",
	  .min = TMEM_LIMIT_MIN,
	  .max = TMEM_LIMIT_MAX,
	  .help = "Lend at most this much to a domain without a cap of its own",
	  .kind = TMEMD_OPTION_SIZE,
	  .scope = TMEMD_SCOPE_DAEMON,
	  IN_CONFIG(default_cap_bytes) },
	{ .name = "default-persistent",
	  .arg = "SIZE",
	  .standard = "10%",
	  .of = "budget",
	  .max = TMEM_LIMIT_MAX,
	  .help = "Of that, let at most this much be persistent",
	  .kind = TMEMD_OPTION_SIZE,
	  .scope = TMEMD_SCOPE_DAEMON,
	  IN_CONFIG(default_persistent_bytes) },
	{ .name = "max-sessions",
	  .arg = "N",
	  .standard = "1000",
	  .min = 1,
	  .max = SESSIONS_MAX,
	  .help = "Serve at most this many sessions at a time",
	  .kind = TMEMD_OPTION_NUMBER,
	  .scope = TMEMD_SCOPE_DAEMON,
	  IN_CONFIG(max_sessions) },
	{ .name = "group",
	  .arg = "GROUP",
	  .standard = "tmem",
	  .help = "Let this group's members control the daemon, beside root",
	  .kind = TMEMD_OPTION_GROUP,
	  .scope = TMEMD_SCOPE_DAEMON,
	  .at_start = 1,
	  IN_CONFIG(group) },
	{ .name = "watch-group",
	  .arg = "GROUP",
	  .standard = "tmem-watch",
	  .help = "Let this group's members look, and change nothing",
	  .kind = TMEMD_OPTION_GROUP,
	  .scope = TMEMD_SCOPE_DAEMON,
	  .at_start = 1,
	  IN_CONFIG(watch_group) },
	{ .name = "log-level",
	  .arg = "LEVEL",
	  .standard = "info",
	  .help = "Log error, warning, info or debug, and what is worse",
	  .kind = TMEMD_OPTION_LEVEL,
	  .scope = TMEMD_SCOPE_DAEMON,
	  IN_CONFIG(log_level) },
	{ .name = "sandbox",
	  .arg = "YESNO",
	  .standard = "yes",
	  .help = "Give up after start what is not needed any more",
	  .kind = TMEMD_OPTION_YESNO,
	  .scope = TMEMD_SCOPE_DAEMON,
	  .at_start = 1,
	  IN_CONFIG(sandbox) },
	{ .name = "uid",
	  .arg = "N",
	  .standard = "anybody",
	  .max = UID_MAX,
	  .help = "The name belongs to this user",
	  .kind = TMEMD_OPTION_NUMBER,
	  .scope = TMEMD_SCOPE_DOMAIN,
	  IN_DOMAIN(uid) },
	{ .name = "cap",
	  .arg = "SIZE",
	  .of = "budget",
	  .min = TMEM_LIMIT_MIN,
	  .max = TMEM_LIMIT_MAX,
	  .standard = "default-cap",
	  .help = "Lend at most this much",
	  .kind = TMEMD_OPTION_SIZE,
	  .scope = TMEMD_SCOPE_DOMAIN,
	  IN_DOMAIN(cap_bytes) },
	{ .name = "persistent",
	  .arg = "SIZE",
	  .standard = "default-persistent",
	  .of = "budget",
	  .max = TMEM_LIMIT_MAX,
	  .help = "Let at most this much be persistent",
	  .kind = TMEMD_OPTION_SIZE,
	  .scope = TMEMD_SCOPE_DOMAIN,
	  IN_DOMAIN(persistent_bytes) },
	{ .name = "min",
	  .arg = "SIZE",
	  .standard = "0",
	  .of = "budget",
	  .max = TMEM_LIMIT_MAX,
	  .help = "Lend this much whatever others weigh",
	  .kind = TMEMD_OPTION_SIZE,
	  .scope = TMEMD_SCOPE_DOMAIN,
	  IN_DOMAIN(min_bytes) },
	{ .name = "weight",
	  .arg = "N",
	  .standard = "100",
	  .min = 1,
	  .max = TMEMD_WEIGHT_MAX,
	  .help = "Divide what is short in proportion to this",
	  .kind = TMEMD_OPTION_NUMBER,
	  .scope = TMEMD_SCOPE_DOMAIN,
	  IN_DOMAIN(weight) },
	{ .name = "frozen",
	  .arg = "YESNO",
	  .standard = "no",
	  .help = "Lend it nothing more, and have it refuse puts",
	  .kind = TMEMD_OPTION_YESNO,
	  .scope = TMEMD_SCOPE_DOMAIN,
	  IN_DOMAIN(frozen) },
};

const size_t tmemd_options_count =
	sizeof(tmemd_options) / sizeof(tmemd_options[0]);

_Static_assert(sizeof(tmemd_options) / sizeof(tmemd_options[0]) <=
		       TMEMD_OPTIONS_MAX,
	       "struct tmemd_config has room for each row");

static const struct {
	const char *name;
	int level;
} levels[] = {
	{ "error", TMEM_LOG_ERR },
	{ "warning", TMEM_LOG_WARNING },
	{ "info", TMEM_LOG_INFO },
	{ "debug", TMEM_LOG_DEBUG },
};

int tmemd_option_find(enum tmemd_option_scope scope, const char *name)
{
	size_t i;

	for (i = 0; i < tmemd_options_count; i++) {
		if (tmemd_options[i].scope == scope &&
		    !strcmp(tmemd_options[i].name, name))
			return (int)i;
	}
	return -ENOENT;
}

/* "25%": the rest is worked out when all is known. */
static int parse_share(const struct tmemd_option *o, const char *text,
		       uint64_t *ret)
{
	char digits[sizeof("100")];
	size_t len = strlen(text) - 1;
	uint64_t percent = 0;

	if (!o->of || len >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (tmem_parse_uint(digits, PERCENT_MAX, &percent) ||
	    (!percent && o->min))
		return -EINVAL;
	*ret = TMEMD_SHARE | percent;
	return 0;
}

static int parse_size(const struct tmemd_option *o, const char *text,
		      uint64_t *ret)
{
	uint64_t bytes = 0;

	if (*text && text[strlen(text) - 1] == '%')
		return parse_share(o, text, ret);
	if (tmem_parse_size(text, &bytes) || bytes < o->min || bytes > o->max)
		return -EINVAL;
	*ret = bytes;
	return 0;
}

static int parse_path(const struct tmemd_option *o, const char *text, char *ret)
{
	size_t len = strlen(text);

	if (!len || len >= o->size)
		return -EINVAL;
	memset(ret, 0, o->size);
	memcpy(ret, text, len);
	return 0;
}

static int parse_number(const struct tmemd_option *o, const char *text,
			uint32_t *ret)
{
	uint64_t value = 0;

	if (tmem_parse_uint(text, o->max, &value) || value < o->min)
		return -EINVAL;
	*ret = (uint32_t)value;
	return 0;
}

static int parse_level(const char *text, int *ret)
{
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (!strcmp(levels[i].name, text)) {
			*ret = levels[i].level;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_yesno(const char *text, int *ret)
{
	int yes = !strcmp(text, "yes");

	if (!yes && strcmp(text, "no") != 0)
		return -EINVAL;
	*ret = yes;
	return 0;
}

/* Only a number is known at once: looking up a name takes files and libraries
 * that the sandbox does not let in. */
static int parse_group(const char *text, struct tmemd_group *ret)
{
	struct tmemd_group g = { 0 };
	uint64_t number = 0;
	size_t len = strlen(text);

	if (!len || len >= sizeof(g.name))
		return -EINVAL;
	memcpy(g.name, text, len);
	if (!tmem_parse_uint(text, UID_MAX, &number)) {
		g.known = 1;
		g.gid = (gid_t)number;
	}
	*ret = g;
	return 0;
}

static int parse_policy(const char *text, const struct tmemd_policy **ret)
{
	const struct tmemd_policy *policy = tmemd_policy_find(text);

	if (!policy)
		return -EINVAL;
	*ret = policy;
	return 0;
}

/* "want greedy, static or utility" */
static void want_policy(char *buf, size_t len)
{
	size_t i, at = 0;

	for (i = 0; tmemd_policies[i] && at < len; i++)
		at += (size_t)snprintf(buf + at, len - at, "%s%s",
				       !i		       ? "want "
				       : tmemd_policies[i + 1] ? ", "
							       : " or ",
				       tmemd_policies[i]->name);
}

int tmemd_option_parse(const struct tmemd_option *o, const char *text,
		       void *base)
{
	void *ret = (char *)base + o->offset;

	switch (o->kind) {
	case TMEMD_OPTION_PATH:
		return parse_path(o, text, ret);
	case TMEMD_OPTION_SIZE:
		return parse_size(o, text, ret);
	case TMEMD_OPTION_NUMBER:
		return parse_number(o, text, ret);
	case TMEMD_OPTION_LEVEL:
		return parse_level(text, ret);
	case TMEMD_OPTION_YESNO:
		return parse_yesno(text, ret);
	case TMEMD_OPTION_GROUP:
		return parse_group(text, ret);
	case TMEMD_OPTION_POLICY:
		return parse_policy(text, ret);
	}
	return -EINVAL;
}

const char *tmemd_option_want(const struct tmemd_option *o, char *buf,
			      size_t len)
{
	char min[TMEM_FORMAT_SIZE_MAX], max[TMEM_FORMAT_SIZE_MAX];

	switch (o->kind) {
	case TMEMD_OPTION_PATH:
		(void)snprintf(buf, len, "want a path of 1 to %zu characters",
			       o->size - 1);
		break;
	case TMEMD_OPTION_SIZE:
		(void)tmem_format_size(o->min, min, sizeof(min));
		(void)tmem_format_size(o->max, max, sizeof(max));
		(void)snprintf(buf, len,
			       "want bytes, with K, M, G or T, from %s to %s, "
			       "or a share of the %s as in 25%%",
			       min, max, o->of);
		break;
	case TMEMD_OPTION_NUMBER:
		(void)snprintf(buf, len, "want a number from %llu to %llu",
			       (unsigned long long)o->min,
			       (unsigned long long)o->max);
		break;
	case TMEMD_OPTION_LEVEL:
		(void)snprintf(buf, len, "want error, warning, info or debug");
		break;
	case TMEMD_OPTION_YESNO:
		(void)snprintf(buf, len, "want yes or no");
		break;
	case TMEMD_OPTION_GROUP:
		(void)snprintf(buf, len,
			       "want a group that exists, by name or number");
		break;
	case TMEMD_OPTION_POLICY:
		want_policy(buf, len);
		break;
	}
	return buf;
}
