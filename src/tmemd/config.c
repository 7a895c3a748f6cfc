/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config.c - what the operator wants: command line over file over default.
 *
 * A draft is filled in that order, so that the last one to speak wins and a bad
 * value in the file is told even where the command line overrides it. Shares
 * are worked out at the end, when the budget is known.
 */
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

#include <tmem/tmem.h>

#include "command-line.h"
#include "config-file.h"
#include "mem.h"
#include "parse.h"

#define SECTION_WORD "domain"

/* A domain's size that its section says nothing of. */
#define UNSAID UINT64_MAX

struct draft {
	struct tmemd_config *c;
	const struct tmem_logger *logger;
	int in_domain;			   /* a section of the last of them */
	unsigned lines[TMEMD_OPTIONS_MAX]; /* of the file, by row; 0: none */
	size_t room; /* domains that c->domains can hold */
};

static int complain(const struct draft *d, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int complain(const struct draft *d, unsigned line, const char *fmt, ...)
{
	char what[TMEM_LOGGER_LINE_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	if (line)
		tmem_logger_say(d->logger, TMEM_LOG_ERR, "%s:%u: %s",
				d->c->config, line, what);
	else
		tmem_logger_say(d->logger, TMEM_LOG_ERR, "%s", what);
	return -EINVAL;
}

/* ---- The command line --------------------------------------------------- */

static int take_defaults(struct draft *d)
{
	size_t i;

	for (i = 0; i < tmemd_options_count; i++) {
		const struct tmemd_option *o = &tmemd_options[i];

		if (o->scope != TMEMD_SCOPE_DOMAIN &&
		    tmemd_option_parse(o, o->standard, d->c))
			return complain(d, 0, "--%s: bad default", o->name);
	}
	return 0;
}

static int take_said(struct draft *d, enum tmemd_option_scope scope)
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
			return complain(d, 0, "--%s=%s: %s", o->name, text,
					tmemd_option_want(o, want,
							  sizeof(want)));
	}
	return 0;
}

/* ---- The file ----------------------------------------------------------- */

static int grow_domains(struct draft *d)
{
	size_t room = d->room ? 2 * d->room : 8;
	struct tmemd_domain *more;

	if (d->c->domain_count < d->room)
		return 0;
	more = tmem_mem_grow(d->c->domains, d->room * sizeof(*more),
			     room * sizeof(*more));
	if (!more)
		return -ENOMEM;
	d->c->domains = more;
	d->room = room;
	return 0;
}

static const struct tmemd_domain *find(const struct tmemd_config *c,
				       const char *name)
{
	size_t i;

	for (i = 0; i < c->domain_count; i++) {
		if (!strcmp(c->domains[i].name, name))
			return &c->domains[i];
	}
	return NULL;
}

/* A key may be given once in each section. */
static void forget_lines(struct draft *d)
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
	struct draft *d = ctx;
	const struct tmemd_domain *same;
	struct tmemd_domain *domain;
	char name[TMEMD_DOMAIN_MAX];

	if (!read_name(text, name, sizeof(name)))
		return complain(d, line,
				"[%s]: want [domain NAME], with a name of 1 to "
				"%u printable ASCII characters",
				text, TMEMD_DOMAIN_MAX - 1);
	same = find(d->c, name);
	if (same)
		return complain(d, line,
				"[domain %s]: there is one in line %u; want "
				"both in one",
				name, same->line);
	if (d->c->domain_count == TMEMD_DOMAINS_MAX)
		return complain(d, line,
				"more than %u domains; default-cap "
				"is for those that need no section",
				TMEMD_DOMAINS_MAX);
	if (grow_domains(d))
		return -ENOMEM;
	domain = &d->c->domains[d->c->domain_count++];
	*domain = (struct tmemd_domain){ .uid = TMEMD_UID_ANY,
					 .cap_bytes = UNSAID,
					 .persistent_bytes = UNSAID,
					 .weight = TMEMD_WEIGHT_STANDARD,
					 .line = line };
	(void)snprintf(domain->name, sizeof(domain->name), "%s", name);
	forget_lines(d);
	d->in_domain = 1;
	return 0;
}

static int unknown_key(const struct draft *d, unsigned line, const char *key)
{
	char known[TMEM_LOGGER_LINE_MAX / 2] = "";
	enum tmemd_option_scope scope = d->in_domain ? TMEMD_SCOPE_DOMAIN
						     : TMEMD_SCOPE_DAEMON;
	size_t i, len = 0;

	if (d->in_domain && tmemd_option_find(TMEMD_SCOPE_DAEMON, key) >= 0)
		return complain(d, line,
				"%s: not of a domain; move it above the first "
				"[domain NAME]",
				key);
	if (!d->in_domain && tmemd_option_find(TMEMD_SCOPE_DOMAIN, key) >= 0)
		return complain(d, line,
				"%s: of a domain; move it below a [domain NAME]",
				key);
	if (tmemd_option_find(TMEMD_SCOPE_COMMAND, key) >= 0)
		return complain(d, line, "%s: only on the command line", key);
	for (i = 0; i < tmemd_options_count && len < sizeof(known); i++) {
		if (tmemd_options[i].scope == scope)
			len += (size_t)snprintf(known + len, sizeof(known) - len,
						"%s%s", len ? ", " : "",
						tmemd_options[i].name);
	}
	return complain(d, line, "%s: no such key; there are %s", key, known);
}

static int take_pair(void *ctx, unsigned line, const char *key,
		     const char *value)
{
	struct draft *d = ctx;
	int i = tmemd_option_find(
		d->in_domain ? TMEMD_SCOPE_DOMAIN : TMEMD_SCOPE_DAEMON, key);
	char want[TMEMD_WANT_MAX];
	void *base = d->c;

	if (i < 0)
		return unknown_key(d, line, key);
	if (d->lines[i])
		return complain(d, line,
				"%s: given in line %u already; want one of them",
				key, d->lines[i]);
	d->lines[i] = line;
	if (d->in_domain)
		base = &d->c->domains[d->c->domain_count - 1];
	if (tmemd_option_parse(&tmemd_options[i], value, base))
		return complain(d, line, "%s = %s: %s", key, value,
				tmemd_option_want(&tmemd_options[i], want,
						  sizeof(want)));
	return 0;
}

/* ---- What depends on the rest ------------------------------------------- */

static uint64_t ram_bytes(void)
{
	struct sysinfo info;

	return sysinfo(&info) ? 0 : (uint64_t)info.totalram * info.mem_unit;
}

static uint64_t percent_of(const struct draft *d, const char *of,
			   uint64_t percent)
{
	uint64_t all = strcmp(of, "RAM") != 0 ? d->c->budget_bytes : ram_bytes();

	/* Exact, and no product that could pass 64 bits. */
	return all / 100 * percent + all % 100 * percent / 100;
}

/*
 * Makes the shares among the sizes of a scope bytes. `whose` begins a complaint,
 * `line` is where a domain began. The budget's row comes before its shares'.
 */
static int settle(const struct draft *d, enum tmemd_option_scope scope,
		  void *base, const char *whose, unsigned line)
{
	char is[TMEM_FORMAT_SIZE_MAX], least[TMEM_FORMAT_SIZE_MAX];
	size_t i;

	for (i = 0; i < tmemd_options_count; i++) {
		const struct tmemd_option *o = &tmemd_options[i];
		uint64_t *value = (uint64_t *)((char *)base + o->offset);
		uint64_t bytes;

		if (o->scope != scope || o->kind != TMEMD_OPTION_SIZE ||
		    !(*value & TMEMD_SHARE))
			continue;
		bytes = percent_of(d, o->of, *value & ~TMEMD_SHARE);
		if (bytes < o->min) {
			(void)tmem_format_size(bytes, is, sizeof(is));
			(void)tmem_format_size(o->min, least, sizeof(least));
			return complain(d, line ? line : d->lines[i],
					"%s%s: %u%% of the %s is %s; the least "
					"is %s",
					whose, o->name,
					(unsigned)(*value & ~TMEMD_SHARE),
					o->of, is, least);
		}
		*value = bytes < o->max ? bytes : o->max;
	}
	return 0;
}

static int settle_domain(const struct draft *d, struct tmemd_domain *domain)
{
	const struct tmemd_config *c = d->c;
	char whose[TMEMD_DOMAIN_MAX + sizeof("[domain ] ")];
	char min[TMEM_FORMAT_SIZE_MAX], cap[TMEM_FORMAT_SIZE_MAX];
	int err;

	(void)snprintf(whose, sizeof(whose), "[domain %s] ", domain->name);
	if (domain->cap_bytes == UNSAID)
		domain->cap_bytes = c->default_cap_bytes;
	if (domain->persistent_bytes == UNSAID)
		domain->persistent_bytes = c->default_persistent_bytes;
	err = settle(d, TMEMD_SCOPE_DOMAIN, domain, whose, domain->line);
	if (err)
		return err;
	if (domain->persistent_bytes > domain->cap_bytes)
		domain->persistent_bytes = domain->cap_bytes;
	domain->frozen |= c->frozen;
	if (domain->min_bytes <= domain->cap_bytes)
		return 0;
	(void)tmem_format_size(domain->min_bytes, min, sizeof(min));
	(void)tmem_format_size(domain->cap_bytes, cap, sizeof(cap));
	return complain(d, domain->line,
			"%smin is %s, and the cap is %s; want a min of at most "
			"the cap",
			whose, min, cap);
}

/* Together, so that each can be kept whoever comes. */
static int check_minimums(const struct draft *d)
{
	char sum_text[TMEM_FORMAT_SIZE_MAX], most[TMEM_FORMAT_SIZE_MAX];
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < d->c->domain_count; i++) {
		sum += d->c->domains[i].min_bytes;
		if (sum <= d->c->budget_bytes)
			continue;
		(void)tmem_format_size(sum, sum_text, sizeof(sum_text));
		(void)tmem_format_size(d->c->budget_bytes, most, sizeof(most));
		return complain(d, d->c->domains[i].line,
				"[domain %s] with its min, all minimums are "
				"%s, and the budget is %s; want smaller "
				"minimums or a larger budget",
				d->c->domains[i].name, sum_text, most);
	}
	return 0;
}

static int settle_all(const struct draft *d)
{
	int err = settle(d, TMEMD_SCOPE_DAEMON, d->c, "", 0);
	size_t i;

	for (i = 0; !err && i < d->c->domain_count; i++)
		err = settle_domain(d, &d->c->domains[i]);
	return err ? err : check_minimums(d);
}

/* No group of the default's name is fine: then only root may. */
static int look_up_group(const struct draft *d)
{
	int row = tmemd_option_find(TMEMD_SCOPE_DAEMON, "group");
	struct tmemd_group *g = &d->c->group;
	const struct group *entry;

	if (g->known)
		return 0;
	entry = getgrnam(g->name);
	if (entry) {
		g->known = 1;
		g->gid = entry->gr_gid;
		return 0;
	}
	if (!d->lines[row] && !d->c->said[row])
		return 0;
	return complain(d, d->lines[row],
			"group %s: there is none; create it by groupadd, or "
			"give another",
			g->name);
}

/* ---- All of it ---------------------------------------------------------- */

static int read_file(struct draft *d, int must_exist)
{
	const struct tmemd_config_taker taker = { .section = take_section,
						  .pair = take_pair,
						  .ctx = d };

	return tmemd_config_file_read(d->c->config, must_exist, &taker,
				      d->logger);
}

static int fill(struct draft *d)
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
		err = settle_all(d);
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
static void keep(const struct draft *d, const struct tmemd_config *old)
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
	struct draft d = { .logger = logger };
	int err, check;

	d.c = tmem_mem_alloc(sizeof(*d.c));
	if (!d.c)
		return -ENOMEM;
	err = tmemd_command_line_read(argc, argv, version, logger, d.c->said,
				      &check);
	if (!err)
		err = fill(&d);
	if (!err)
		err = look_up_group(&d);
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
	struct draft d = { .logger = logger };
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
	tmem_mem_free(c, sizeof(*c));
}

int tmemd_config_domain(const struct tmemd_config *c, const char *name,
			struct tmemd_domain *ret)
{
	const struct tmemd_domain *domain = find(c, name);

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
