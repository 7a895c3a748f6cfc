/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config.c - what the operator wants: command line over file over default.
 *
 * A draft is filled in that order, so that the last one to speak wins and a bad
 * value in the file is told even where the command line overrides it. What
 * depends on the rest is worked out at the end (config-settle.c).
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <tmem/tmem.h>

#include "command-line.h"
#include "config-draft.h"
#include "config-file.h"
#include "mem.h"
#include "parse.h"

#define SECTION_WORD "domain"

/* ---- The command line --------------------------------------------------- */

static int take_defaults(struct tmemd_draft *d)
{
	size_t i;

	for (i = 0; i < tmemd_options_count; i++) {
		const struct tmemd_option *o = &tmemd_options[i];

		if (o->scope != TMEMD_SCOPE_DOMAIN &&
		    tmemd_option_parse(o, o->standard, d->c))
			return tmemd_draft_complain(d, 0, "--%s: bad default",
						    o->name);
	}
	return 0;
}

static int take_said(struct tmemd_draft *d, enum tmemd_option_scope scope)
{
	char want[TMEMD_WANT_MAX];
	size_t i;

	for (i = 0; i < tmemd_options_count; i++) {
		const struct tmemd_option *o = &tmemd_options[i];
		const char *text = d->c->said[i];

		if (o->scope != scope || !text)
			continue;
		d->lines[i] = 0;
		if (tmemd_option_parse(o, text, d->c))
			return tmemd_draft_complain(
				d, 0, "--%s=%s: %s", o->name, text,
				tmemd_option_want(o, want, sizeof(want)));
	}
	return 0;
}

/* ---- The file ----------------------------------------------------------- */

/* A key may be given once in each section. */
static void forget_lines(struct tmemd_draft *d)
{
	size_t i;

	for (i = 0; i < tmemd_options_count; i++) {
		if (tmemd_options[i].scope == TMEMD_SCOPE_DOMAIN)
			d->lines[i] = 0;
	}
}

/* The name in "domain NAME", without blanks around; NULL: it is none. */
static const char *read_name(const char *text, char *buf, size_t size)
{
	const char *name = text + strspn(text, " \t");
	size_t word = strlen(SECTION_WORD), len;

	if (strncmp(name, SECTION_WORD, word) != 0 ||
	    !strspn(name + word, " \t"))
		return NULL;
	name += word + strspn(name + word, " \t");
	for (len = strlen(name); len && strchr(" \t", name[len - 1]);)
		len--;
	if (len >= size)
		return NULL;
	memcpy(buf, name, len);
	buf[len] = '\0';
	return tmemd_domain_name_ok(buf) ? buf : NULL;
}

static int take_section(void *ctx, unsigned line, const char *text)
{
	struct tmemd_draft *d = ctx;
	const struct tmemd_domain *same;
	struct tmemd_domain *domain;
	char name[TMEMD_DOMAIN_MAX];
	int err;

	if (!read_name(text, name, sizeof(name)))
		return tmemd_draft_complain(
			d, line,
			"[%s]: want [domain NAME], with a name of 1 to "
			"%u printable ASCII characters",
			text, TMEMD_DOMAIN_MAX - 1);
	same = tmemd_sections_find(d->c->sections, d->c->domain_count, name);
	if (same)
		return tmemd_draft_complain(
			d, line,
			"[domain %s]: there is one in line %u; want "
			"both in one",
			name, same->line);
	err = tmemd_draft_section(d, name, line, &domain);
	if (err)
		return err;
	forget_lines(d);
	d->in_domain = 1;
	return 0;
}

static int unknown_key(const struct tmemd_draft *d, unsigned line,
		       const char *key)
{
	char known[TMEM_LOGGER_LINE_MAX / 2] = "";
	enum tmemd_option_scope scope = d->in_domain ? TMEMD_SCOPE_DOMAIN
						     : TMEMD_SCOPE_DAEMON;
	size_t i, len = 0;

	if (d->in_domain && tmemd_option_find(TMEMD_SCOPE_DAEMON, key) >= 0)
		return tmemd_draft_complain(
			d, line,
			"%s: not of a domain; move it above the first "
			"[domain NAME]",
			key);
	if (!d->in_domain && tmemd_option_find(TMEMD_SCOPE_DOMAIN, key) >= 0)
		return tmemd_draft_complain(
			d, line,
			"%s: of a domain; move it below a [domain NAME]", key);
	if (tmemd_option_find(TMEMD_SCOPE_COMMAND, key) >= 0)
		return tmemd_draft_complain(
			d, line, "%s: only on the command line", key);
	for (i = 0; i < tmemd_options_count && len < sizeof(known); i++) {
		if (tmemd_options[i].scope == scope)
			len += (size_t)snprintf(known + len, sizeof(known) - len,
						"%s%s", len ? ", " : "",
						tmemd_options[i].name);
	}
	return tmemd_draft_complain(d, line, "%s: no such key; there are %s",
				    key, known);
}

static int take_pair(void *ctx, unsigned line, const char *key,
		     const char *value)
{
	struct tmemd_draft *d = ctx;
	int i = tmemd_option_find(
		d->in_domain ? TMEMD_SCOPE_DOMAIN : TMEMD_SCOPE_DAEMON, key);
	char want[TMEMD_WANT_MAX];
	void *base = d->c;

	if (i < 0)
		return unknown_key(d, line, key);
	if (d->lines[i])
		return tmemd_draft_complain(
			d, line,
			"%s: given in line %u already; want one of them", key,
			d->lines[i]);
	d->lines[i] = line;
	if (d->in_domain)
		base = &d->c->sections[d->c->domain_count - 1];
	if (tmemd_option_parse(&tmemd_options[i], value, base))
		return tmemd_draft_complain(d, line, "%s = %s: %s", key, value,
					    tmemd_option_want(&tmemd_options[i],
							      want,
							      sizeof(want)));
	return 0;
}

/* ---- All of it ---------------------------------------------------------- */

static int read_file(struct tmemd_draft *d, int must_exist)
{
	const struct tmemd_config_taker taker = { .section = take_section,
						  .pair = take_pair,
						  .ctx = d };

	return tmemd_config_file_read(d->c->config, must_exist, &taker,
				      d->logger);
}

static int fill(struct tmemd_draft *d)
{
	int row = tmemd_option_find(TMEMD_SCOPE_COMMAND, "config");
	int err = take_defaults(d);

	if (!err)
		err = take_said(d, TMEMD_SCOPE_COMMAND);
	if (!err)
		err = read_file(d, d->c->said[row] != NULL);
	if (!err)
		err = take_said(d, TMEMD_SCOPE_DAEMON);
	if (!err)
		err = tmemd_draft_settle(d);
	return err;
}

/* 1: the row's value is the same in both. Texts, and what begins with one, are
 * the same when these are. */
static int same(const struct tmemd_option *o, const void *a, const void *b)
{
	if (o->kind == TMEMD_OPTION_PATH || o->kind == TMEMD_OPTION_GROUP)
		return !strcmp(a, b);
	return !memcmp(a, b, o->size);
}

/* What is read once stays what it was. */
static void keep(const struct tmemd_draft *d, const struct tmemd_config *old)
{
	size_t i;

	for (i = 0; i < tmemd_options_count; i++) {
		const struct tmemd_option *o = &tmemd_options[i];
		char *new_value = (char *)d->c + o->offset;
		const char *old_value = (const char *)old + o->offset;

		if (!o->at_start)
			continue;
		if (!same(o, new_value, old_value))
			tmem_logger_say(d->logger, TMEM_LOG_WARNING,
					"%s:%u: %s: takes a restart; what it "
					"was stays in force",
					d->c->config, d->lines[i], o->name);
		memcpy(new_value, old_value, o->size);
	}
}

int tmemd_config_create(int argc, char **argv, const char *version,
			const struct tmem_logger *logger,
			struct tmemd_config **ret)
{
	struct tmemd_draft d = { .logger = logger };
	int err, check;

	d.c = tmem_mem_alloc(sizeof(*d.c));
	if (!d.c)
		return -ENOMEM;
	err = tmemd_command_line_read(argc, argv, version, logger, d.c->said,
				      &check);
	if (!err)
		err = fill(&d);
	if (!err)
		err = tmemd_draft_groups(&d);
	if (!err && check) {
		(void)printf("%s: fine\n", d.c->config);
		err = 1;
	}
	if (err)
		tmemd_config_destroy(d.c);
	else
		*ret = d.c;
	return err;
}

int tmemd_config_reread(const struct tmemd_config *old,
			const struct tmem_logger *logger,
			struct tmemd_config **ret)
{
	struct tmemd_draft d = { .logger = logger };
	int err;

	d.c = tmem_mem_alloc(sizeof(*d.c));
	if (!d.c)
		return -ENOMEM;
	memcpy(d.c->said, old->said, sizeof(d.c->said));
	err = fill(&d);
	if (err) {
		tmemd_config_destroy(d.c);
		return err;
	}
	keep(&d, old);
	*ret = d.c;
	return 0;
}

void tmemd_config_destroy(struct tmemd_config *c)
{
	if (!c)
		return;
	tmem_mem_free(c->domains, c->domain_count * sizeof(*c->domains));
	tmem_mem_free(c->sections, c->domain_count * sizeof(*c->sections));
	tmem_mem_free(c, sizeof(*c));
}

int tmemd_config_domain(const struct tmemd_config *c, const char *name,
			struct tmemd_domain *ret)
{
	const struct tmemd_domain *domain =
		tmemd_sections_find(c->domains, c->domain_count, name);

	if (!tmemd_domain_name_ok(name))
		return -EINVAL;
	if (domain) {
		*ret = *domain;
		return 1;
	}
	*ret = (struct tmemd_domain){ .uid = TMEMD_UID_ANY,
				      .cap_bytes = c->default_cap_bytes,
				      .persistent_bytes =
					      c->default_persistent_bytes,
				      .weight = TMEMD_WEIGHT_STANDARD,
				      .frozen = c->frozen };
	if (ret->persistent_bytes > ret->cap_bytes)
		ret->persistent_bytes = ret->cap_bytes;
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	return 0;
}

int tmemd_domain_name_ok(const char *name)
{
	size_t len = strlen(name), i;

	if (!len || len >= TMEMD_DOMAIN_MAX || name[0] == ' ' ||
	    name[len - 1] == ' ')
		return 0;
	for (i = 0; i < len; i++) {
		if (name[i] < ' ' || name[i] > '~' || name[i] == ']')
			return 0;
	}
	return 1;
}
