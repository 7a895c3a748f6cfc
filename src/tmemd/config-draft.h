/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config-draft.h - a configuration in the making.
 */
#ifndef TMEM_TMEMD_CONFIG_DRAFT_H
#define TMEM_TMEMD_CONFIG_DRAFT_H

#include "config.h"

/** TMEMD_UNSAID - a domain's size that its section says nothing of. */
#define TMEMD_UNSAID UINT64_MAX

struct tmemd_draft {
	struct tmemd_config *c;
	const struct tmem_logger *logger;
	int in_domain;			   /* a section of the last of them */
	int changing;			   /* no file is being read */
	unsigned lines[TMEMD_OPTIONS_MAX]; /* of the file, by row; 0: none */
	size_t room; /* sections that c->sections can hold */
};

/** tmemd_draft_complain() - one line, with its place unless @line is 0. Return:
 * -EINVAL. */
int tmemd_draft_complain(const struct tmemd_draft *d, unsigned line,
			 const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** tmemd_sections_find() - NULL: there is none of that name. */
struct tmemd_domain *tmemd_sections_find(struct tmemd_domain *sections,
					 size_t count, const char *name);

/** tmemd_draft_section() - a new one, nothing said. Return: 0; -EINVAL told,
 * -ENOMEM. */
int tmemd_draft_section(struct tmemd_draft *d, const char *name, unsigned line,
			struct tmemd_domain **ret);

/** tmemd_draft_settle() - work out what depends on the rest. Return: 0; -EINVAL
 * told, -ENOMEM. */
int tmemd_draft_settle(const struct tmemd_draft *d);

/** tmemd_draft_groups() - look up their numbers: before the sandbox. Return: 0;
 * -EINVAL told. */
int tmemd_draft_groups(const struct tmemd_draft *d);

#endif
