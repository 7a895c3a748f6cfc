/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.h - the one table of what can be set, and how a value is read.
 *
 * A row is an option of the command line and a key of the file at once; rows of
 * [domain NAME] are keys only. Parsing, ranges, defaults, complaints, --help and
 * the test of the manual all come from the table.
 */
#ifndef TMEM_TMEMD_OPTIONS_H
#define TMEM_TMEMD_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** TMEMD_SOCKET_MAX - bytes of the socket's path, its end included: sun_path. */
#define TMEMD_SOCKET_MAX 108u

/** TMEMD_PATH_MAX - bytes of another path, its end included: with a complaint
 * behind it, it fits a line of the log. */
#define TMEMD_PATH_MAX 256u

/** TMEMD_GROUP_MAX - bytes of a group's name, its end included; groupadd(8)'s. */
#define TMEMD_GROUP_MAX 33u

/** TMEMD_SHARE - beside a percentage, in a size that is not worked out yet. */
#define TMEMD_SHARE (1ull << 63)

/** struct tmemd_group - of a name or a number. */
struct tmemd_group {
	char name[TMEMD_GROUP_MAX]; /* as it was given */
	int known; /* 0: not looked up, or there is none such */
	gid_t gid; /* if known */
};

enum tmemd_option_kind {
	TMEMD_OPTION_PATH, /* char[size], not empty */
	TMEMD_OPTION_SIZE, /* uint64_t bytes; a share is TMEMD_SHARE | percent */
	TMEMD_OPTION_NUMBER, /* uint32_t */
	TMEMD_OPTION_LEVEL,  /* int, TMEM_LOG_* */
	TMEMD_OPTION_YESNO,  /* int, 1 or 0 */
	TMEMD_OPTION_GROUP,  /* struct tmemd_group */
	TMEMD_OPTION_POLICY  /* const struct tmemd_policy * */
};

enum tmemd_option_scope {
	TMEMD_SCOPE_COMMAND, /* the command line alone */
	TMEMD_SCOPE_DAEMON,  /* the command line, and the file's beginning */
	TMEMD_SCOPE_DOMAIN   /* a [domain NAME] section of the file */
};

/**
 * struct tmemd_option - a row.
 * @name: as it is typed, without dashes.
 * @arg: what stands for the value in --help: its unit.
 * @standard: the value if none is given, as text; of a domain's row, in words.
 * @of: what a percentage is of; NULL: none may be given.
 * @min: the least number or size.
 * @max: the largest.
 * @help: a line, without default and range.
 * @kind: how the value is read.
 * @scope: where it may stand.
 * @at_start: 1: read once; a change takes a restart.
 * @offset: of the value, in struct tmemd_config or struct tmemd_domain.
 * @size: of the value, bytes.
 */
struct tmemd_option {
	const char *name;
	const char *arg;
	const char *standard;
	const char *of;
	uint64_t min;
	uint64_t max;
	const char *help;
	enum tmemd_option_kind kind;
	enum tmemd_option_scope scope;
	int at_start;
	size_t offset;
	size_t size;
};

/** The rows, in the order of --help; options_count of them. */
#define TMEMD_OPTIONS_MAX 24u
extern const struct tmemd_option tmemd_options[];
extern const size_t tmemd_options_count;

/** TMEMD_WANT_MAX - room for what tmemd_option_want() says, bytes. */
#define TMEMD_WANT_MAX 160u

/**
 * tmemd_option_find() - a row by its name.
 *
 * Return: its index; -ENOENT there is none in @scope.
 */
int tmemd_option_find(enum tmemd_option_scope scope, const char *name);

/**
 * tmemd_option_parse() - read a value.
 * @o: the row.
 * @text: as typed.
 * @base: out: the struct that the row's offset is of; untouched on failure.
 *
 * Return: 0; -EINVAL it makes no sense, see tmemd_option_want().
 */
int tmemd_option_parse(const struct tmemd_option *o, const char *text,
		       void *base) __attribute__((warn_unused_result));

/** tmemd_option_want() - what a row takes, in words: "want yes or no". */
const char *tmemd_option_want(const struct tmemd_option *o, char *buf,
			      size_t len);

#endif
