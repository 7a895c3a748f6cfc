/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config-change.c - settings changed while the daemon runs: all of them or none.
 *
 * A copy of what was said, with the new texts put in, is settled like a file that
 * has just been read. So a key means the same wherever it is given, shares move
 * with what they are of, and what does not fit together is refused.
 */
#include <errno.h>
#include <string.h>

#include "config-draft.h"
#include "mem.h"

/* A key is short; whatever is longer is none. */
#define KEY_MAX 32

static int copy(const struct tmemd_config *old, struct tmemd_draft *d)
{
	struct tmemd_config *c = tmem_mem_alloc(sizeof(*c));
	size_t i, bytes = old->domain_count * sizeof(*c->sections);

	if (!c)
		return -ENOMEM;
	*c = *old;
	d->c = c;
	d->room = c->domain_count;
	c->domains = NULL;
	c->sections = NULL;
	for (i = 0; i < tmemd_options_count; i++)
		if (tmemd_options[i].scope == TMEMD_SCOPE_DAEMON &&
		    tmemd_options[i].kind == TMEMD_OPTION_SIZE)
			memcpy((char *)c + tmemd_options[i].offset,
			       &old->sizes[i], sizeof(old->sizes[i]));
	if (!bytes)
		return 0;
	c->sections = tmem_mem_alloc(bytes);
	if (!c->sections)
		return -ENOMEM;
	memcpy(c->sections, old->sections, bytes);
	return 0;
}

static int find_row(const struct tmemd_draft *d, const char *key)
{
	const enum tmemd_option_scope mine = d->in_domain ? TMEMD_SCOPE_DOMAIN
							  : TMEMD_SCOPE_DAEMON;
	const enum tmemd_option_scope other = d->in_domain ? TMEMD_SCOPE_DAEMON
							   : TMEMD_SCOPE_DOMAIN;
	int i = tmemd_option_find(mine, key);

	if (i >= 0)
		return i;
	if (tmemd_option_find(other, key) >= 0)
		return tmemd_draft_complain(
			d, 0,
			d->in_domain ? "%s: of the daemon, not of a domain; "
				       "leave out the domain"
				     : "%s: of a domain; name one",
			key);
	return tmemd_draft_complain(
		d, 0, "%s: no such key; tmemd.conf(5) tells them", key);
}

/* What a change cannot reach. Return: 0; -EINVAL told. */
static int check_reach(const struct tmemd_draft *d, int row,
		       const struct tmemd_domain *section)
{
	const struct tmemd_option *o = &tmemd_options[row];

	if (o->at_start)
		return tmemd_draft_complain(
			d, 0, "%s: takes a restart; set it in tmemd.conf",
			o->name);
	if (o->offset == offsetof(struct tmemd_domain, uid) && section)
		return tmemd_draft_complain(
			d, 0, "%s: whose a name is, is for tmemd.conf to say",
			o->name);
	if (section && d->c->frozen && !section->frozen &&
	    o->offset == offsetof(struct tmemd_domain, frozen))
		return tmemd_draft_complain(
			d, 0, "every domain is frozen; thaw all of them first");
	return 0;
}

static int take_pair(struct tmemd_draft *d, const char *pair,
		     struct tmemd_domain *section)
{
	const char *equals = strchr(pair, '=');
	char key[KEY_MAX] = "", want[TMEMD_WANT_MAX];
	int row;

	if (!equals || equals == pair || equals - pair >= KEY_MAX)
		return tmemd_draft_complain(d, 0, "%s: want KEY=VALUE", pair);
	memcpy(key, pair, (size_t)(equals - pair));
	row = find_row(d, key);
	if (row < 0)
		return row;
	if (d->lines[row]++)
		return tmemd_draft_complain(
			d, 0, "%s: given twice; want one of them", key);
	if (tmemd_option_parse(&tmemd_options[row], equals + 1,
			       section ? (void *)section : (void *)d->c))
		return tmemd_draft_complain(
			d, 0, "%s: %s", pair,
			tmemd_option_want(&tmemd_options[row], want,
					  sizeof(want)));
	return check_reach(d, row, section);
}

/* Whoever thaws all means those too that were frozen one by one. */
static void thaw_sections(struct tmemd_draft *d)
{
	size_t i;

	if (d->in_domain || d->c->frozen ||
	    !d->lines[tmemd_option_find(TMEMD_SCOPE_DAEMON, "frozen")])
		return;
	for (i = 0; i < d->c->domain_count; i++)
		d->c->sections[i].frozen = 0;
}

static int take_pairs(struct tmemd_draft *d, const char *domain,
		      const char *pairs, size_t len)
{
	struct tmemd_domain *section = NULL;
	size_t at = 0;
	int err = 0;

	if (domain)
		section = tmemd_sections_find(d->c->sections,
					      d->c->domain_count, domain);
	if (domain && !section)
		err = tmemd_draft_section(d, domain, 0, &section);
	d->in_domain = !!domain;
	while (!err && at < len) {
		err = take_pair(d, pairs + at, section);
		at += strlen(pairs + at) + 1;
	}
	if (!err)
		thaw_sections(d);
	return err;
}

int tmemd_config_change(const struct tmemd_config *old, const char *domain,
			const char *pairs, size_t len,
			const struct tmem_logger *logger,
			struct tmemd_config **ret)
{
	struct tmemd_draft d = { .logger = logger, .changing = 1 };
	int err = copy(old, &d);

	if (!err)
		err = take_pairs(&d, domain, pairs, len);
	if (!err)
		err = tmemd_draft_settle(&d);
	if (err)
		tmemd_config_destroy(d.c);
	else
		*ret = d.c;
	return err;
}

int tmemd_config_forget(const struct tmemd_config *old, const char *domain,
			const struct tmem_logger *logger,
			struct tmemd_config **ret)
{
	struct tmemd_draft d = { .logger = logger, .changing = 1 };
	struct tmemd_domain *section;
	int err = copy(old, &d);

	if (!err) {
		section = tmemd_sections_find(d.c->sections, d.c->domain_count,
					      domain);
		if (section)
			memmove(section, section + 1,
				(size_t)(d.c->sections + --d.c->domain_count -
					 section) *
					sizeof(*section));
		err = tmemd_draft_settle(&d);
	}
	if (err)
		tmemd_config_destroy(d.c);
	else
		*ret = d.c;
	return err;
}
