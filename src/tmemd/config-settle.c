/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config-settle.c - what depends on the rest of a configuration: shares of the
 * budget, a domain's defaults, minimums that fit together, groups.
 *
 * What was said stays beside what it comes to, so that a setting that is changed
 * later moves whatever was said as a share of it, or not at all.
 */
#include <errno.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>

#include <tmem/tmem.h>

#include "config-draft.h"
#include "mem.h"
#include "parse.h"

/* ---- Drafts -------------------------------------------------------------- */

int tmemd_draft_complain(const struct tmemd_draft *d, unsigned line,
			 const char *fmt, ...)
{
	char what[TMEM_LOGGER_LINE_MAX];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	if (line && !d->changing)
		tmem_logger_say(d->logger, TMEM_LOG_ERR, "%s:%u: %s",
				d->c->config, line, what);
	else
		tmem_logger_say(d->logger, TMEM_LOG_ERR, "%s", what);
	return -EINVAL;
}

struct tmemd_domain *tmemd_sections_find(struct tmemd_domain *sections,
					 size_t count, const char *name)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(sections[i].name, name))
			return &sections[i];
	return NULL;
}

static int grow(struct tmemd_draft *d)
{
	size_t room = d->room ? 2 * d->room : 8;
	struct tmemd_domain *more;

	if (d->c->domain_count < d->room)
		return 0;
	more = tmem_mem_grow(d->c->sections, d->room * sizeof(*more),
			     room * sizeof(*more));
	if (!more)
		return -ENOMEM;
	d->c->sections = more;
	d->room = room;
	return 0;
}

int tmemd_draft_section(struct tmemd_draft *d, const char *name, unsigned line,
			struct tmemd_domain **ret)
{
	if (d->c->domain_count == TMEMD_DOMAINS_MAX)
		return tmemd_draft_complain(
			d, line,
			"more than %u domains; default-cap is for those that "
			"need no section",
			TMEMD_DOMAINS_MAX);
	if (grow(d))
		return -ENOMEM;
	*ret = &d->c->sections[d->c->domain_count++];
	**ret = (struct tmemd_domain){ .uid = TMEMD_UID_ANY,
				       .cap_bytes = TMEMD_UNSAID,
				       .persistent_bytes = TMEMD_UNSAID,
				       .weight = TMEMD_WEIGHT_STANDARD,
				       .line = line };
	(void)snprintf((*ret)->name, sizeof((*ret)->name), "%s", name);
	return 0;
}

/* ---- Sizes --------------------------------------------------------------- */

static uint64_t ram_bytes(void)
{
	struct sysinfo info;

	return sysinfo(&info) ? 0 : (uint64_t)info.totalram * info.mem_unit;
}

static uint64_t percent_of(const struct tmemd_draft *d, const char *of,
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
static int settle(const struct tmemd_draft *d, enum tmemd_option_scope scope,
		  void *base, const char *whose, unsigned line)
{
	char is[TMEM_FORMAT_SIZE_MAX], least[TMEM_FORMAT_SIZE_MAX];
	size_t i;

	for (i = 0; i < tmemd_options_count; i++) {
		const struct tmemd_option *o = &tmemd_options[i];
		uint64_t *value = (uint64_t *)((char *)base + o->offset);
		uint64_t bytes;

		if (o->scope != scope || o->kind != TMEMD_OPTION_SIZE)
			continue;
		if (scope == TMEMD_SCOPE_DAEMON)
			d->c->sizes[i] = *value;
		if (!(*value & TMEMD_SHARE))
			continue;
		bytes = percent_of(d, o->of, *value & ~TMEMD_SHARE);
		if (bytes < o->min) {
			(void)tmem_format_size(bytes, is, sizeof(is));
			(void)tmem_format_size(o->min, least, sizeof(least));
			return tmemd_draft_complain(
				d, line ? line : d->lines[i],
				"%s%s: %u%% of the %s is %s; the least "
				"is %s",
				whose, o->name,
				(unsigned)(*value & ~TMEMD_SHARE), o->of, is,
				least);
		}
		*value = bytes < o->max ? bytes : o->max;
	}
	return 0;
}

static int settle_domain(const struct tmemd_draft *d,
			 struct tmemd_domain *domain)
{
	const struct tmemd_config *c = d->c;
	char whose[TMEMD_DOMAIN_MAX + sizeof("[domain ] ")];
	char min[TMEM_FORMAT_SIZE_MAX], cap[TMEM_FORMAT_SIZE_MAX];
	int err;

	(void)snprintf(whose, sizeof(whose), "[domain %s] ", domain->name);
	if (domain->cap_bytes == TMEMD_UNSAID)
		domain->cap_bytes = c->default_cap_bytes;
	if (domain->persistent_bytes == TMEMD_UNSAID)
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
	return tmemd_draft_complain(
		d, domain->line,
		"%smin is %s, and the cap is %s; want a min of at most "
		"the cap",
		whose, min, cap);
}

/* Together, so that each can be kept whoever comes. */
static int check_minimums(const struct tmemd_draft *d)
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
		return tmemd_draft_complain(
			d, d->c->domains[i].line,
			"[domain %s] with its min, all minimums are "
			"%s, and the budget is %s; want smaller "
			"minimums or a larger budget",
			d->c->domains[i].name, sum_text, most);
	}
	return 0;
}

int tmemd_draft_settle(const struct tmemd_draft *d)
{
	struct tmemd_config *c = d->c;
	int err = settle(d, TMEMD_SCOPE_DAEMON, c, "", 0);
	size_t i;

	if (!err && c->domain_count) {
		c->domains =
			tmem_mem_alloc(c->domain_count * sizeof(*c->domains));
		err = c->domains ? 0 : -ENOMEM;
	}
	for (i = 0; !err && i < c->domain_count; i++) {
		c->domains[i] = c->sections[i];
		err = settle_domain(d, &c->domains[i]);
	}
	return err ? err : check_minimums(d);
}

/* ---- Groups -------------------------------------------------------------- */

/* No group of a default's name is fine: then only root may. */
static int look_up(const struct tmemd_draft *d, const char *key,
		   struct tmemd_group *g)
{
	int row = tmemd_option_find(TMEMD_SCOPE_DAEMON, key);
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
	return tmemd_draft_complain(
		d, d->lines[row],
		"%s %s: there is none; create it by groupadd, or give another",
		key, g->name);
}

int tmemd_draft_groups(const struct tmemd_draft *d)
{
	int err = look_up(d, "group", &d->c->group);

	return err ? err : look_up(d, "watch-group", &d->c->watch_group);
}
