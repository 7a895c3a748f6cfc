/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config.h - what the operator wants: command line over file over default.
 *
 * A struct tmemd_config never changes. Reading again makes a new one, or tells
 * why not and leaves the old one in force.
 */
#ifndef TMEM_TMEMD_CONFIG_H
#define TMEM_TMEMD_CONFIG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "logger.h"
#include "options.h"

/** TMEMD_DOMAIN_MAX - bytes of a domain's name, its end included. */
#define TMEMD_DOMAIN_MAX 64u

/** TMEMD_DOMAINS_MAX - most [domain NAME] sections: they are searched in turn,
 * once per client that says hello. */
#define TMEMD_DOMAINS_MAX 1024u

/** TMEMD_WEIGHT_STANDARD - a domain's weight unless it says otherwise. */
#define TMEMD_WEIGHT_STANDARD 100u

/** TMEMD_UID_ANY - a domain's name belongs to whoever holds it first. */
#define TMEMD_UID_ANY UINT32_MAX

struct tmemd_policy;

/**
 * struct tmemd_domain - what a domain may have.
 * @name: its name.
 * @uid: the user that the name belongs to, or TMEMD_UID_ANY.
 * @cap_bytes: most memory lent to all its sessions together.
 * @persistent_bytes: most of that in persistent segments; at most the cap.
 * @min_bytes: what it is lent whatever others weigh; at most the cap.
 * @weight: what is short is divided in proportion to it; 1 at least.
 * @frozen: 1: nothing more is lent, and its sessions refuse puts.
 * @line: where in the file it began; 0: it was set by hand.
 */
struct tmemd_domain {
	char name[TMEMD_DOMAIN_MAX];
	uint32_t uid;
	uint64_t cap_bytes;
	uint64_t persistent_bytes;
	uint64_t min_bytes;
	uint32_t weight;
	int frozen;
	unsigned line;
};

/**
 * struct tmemd_config - all that can be set.
 * @config: the file's path.
 * @socket: the path to listen at, unless a socket is inherited.
 * @budget_bytes: most memory lent to all domains together.
 * @floor_bytes: MemAvailable is not to fall below it for what is lent.
 * @policy: how the budget is divided.
 * @frozen: 1: every domain is, those to come included.
 * @default_cap_bytes: cap of a domain without its own.
 * @default_persistent_bytes: persistent quota of a domain without its own.
 * @log_level: the last level that is logged, TMEM_LOG_*.
 * @group: who may look and steer beside root and the daemon's own user.
 * @watch_group: who may look, and change nothing.
 * @max_sessions: most sessions at a time.
 * @sandbox: 1: give up after start what is not needed any more.
 * @domains: domain_count of them, as in the file.
 * @sections: the same, as they were said: shares, and what nothing was said of.
 * @sizes: the daemon's own sizes as they were said, by row.
 * @domain_count: how many.
 * @said: the command line's texts by row; NULL: not given. Not copied.
 */
struct tmemd_config {
	char config[TMEMD_PATH_MAX];
	char socket[TMEMD_SOCKET_MAX];
	uint64_t budget_bytes;
	uint64_t floor_bytes;
	const struct tmemd_policy *policy;
	int frozen;
	uint64_t default_cap_bytes;
	uint64_t default_persistent_bytes;
	int log_level;
	struct tmemd_group group;
	struct tmemd_group watch_group;
	uint32_t max_sessions;
	int sandbox;
	struct tmemd_domain *domains;
	struct tmemd_domain *sections;
	uint64_t sizes[TMEMD_OPTIONS_MAX];
	size_t domain_count;
	const char *said[TMEMD_OPTIONS_MAX];
};

/**
 * tmemd_config_create() - from command line and file.
 * @argc: of main().
 * @argv: of main(); must live as long as the configuration and its successors.
 * @version: for --version.
 * @logger: is told in one line what is wrong. For the file, the line begins with
 *	FILE:LINE.
 * @ret: out: freed by tmemd_config_destroy().
 *
 * --help, --version and --check are answered on standard output. A file that was
 * not named on the command line need not exist.
 *
 * Return: 0; 1 answered, nothing else to do; -EINVAL told; -ENOMEM.
 */
int tmemd_config_create(int argc, char **argv, const char *version,
			const struct tmem_logger *logger,
			struct tmemd_config **ret)
	__attribute__((warn_unused_result));

/**
 * tmemd_config_reread() - read the file again.
 * @old: what is in force; left alone.
 * @logger: is told what is wrong, or that a changed value takes a restart.
 * @ret: out: the new one.
 *
 * Works inside of the sandbox: nothing but the file is opened.
 *
 * Return: 0; -EINVAL told; -ENOMEM.
 */
int tmemd_config_reread(const struct tmemd_config *old,
			const struct tmem_logger *logger,
			struct tmemd_config **ret)
	__attribute__((warn_unused_result));

/**
 * tmemd_config_change() - some keys set anew, until the file is read again.
 * @old: what is in force; left alone.
 * @domain: whose keys; NULL: the daemon's own. One without a section gets one.
 * @pairs: @len bytes of KEY=VALUE texts, each with its end.
 * @logger: is told in one line why not.
 * @ret: out: the new one, with all of them.
 *
 * frozen=no of the daemon's own thaws every domain, those that were frozen by
 * themselves included. Allocates; reads no file.
 *
 * Return: 0; -EINVAL told; -ENOMEM.
 */
int tmemd_config_change(const struct tmemd_config *old, const char *domain,
			const char *pairs, size_t len,
			const struct tmem_logger *logger,
			struct tmemd_config **ret)
	__attribute__((warn_unused_result));

/**
 * tmemd_config_forget() - without the section of a domain.
 * @old: what is in force; left alone.
 * @logger: is told in one line why not.
 *
 * Return: 0; -EINVAL told; -ENOMEM.
 */
int tmemd_config_forget(const struct tmemd_config *old, const char *domain,
			const struct tmem_logger *logger,
			struct tmemd_config **ret)
	__attribute__((warn_unused_result));

/** tmemd_config_destroy() - NULL is fine. */
void tmemd_config_destroy(struct tmemd_config *c);

/**
 * tmemd_config_domain() - what the domain of a name may have.
 * @ret: out: its section, or the defaults under that name.
 *
 * Return: 1 it has a section, 0 it has none; -EINVAL that is no name.
 */
int tmemd_config_domain(const struct tmemd_config *c, const char *name,
			struct tmemd_domain *ret);

/** tmemd_domain_name_ok() - 1: 1 to 63 printable ASCII characters, no ']', no
 * blank at either end. */
int tmemd_domain_name_ok(const char *name);

#endif
