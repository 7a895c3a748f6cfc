/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command.h - what all subcommands share: the table's row, exit codes, one way
 * to complain, one way to parse options.
 *
 * A subcommand is a row in main.c's table. Its argv[0] is "tmem NAME". Names of
 * this program have no tmem_ in front: that is the library's, which is linked
 * in.
 */
#ifndef TMEM_COMMAND_COMMAND_H
#define TMEM_COMMAND_COMMAND_H

#include <argp.h>

/** struct command - a subcommand. */
struct command {
	const char *name;		   /* as it is typed */
	const char *summary;		   /* for `tmem --help`, one line */
	int (*run)(int argc, char **argv); /* returns an exit code */
};

/** enum - exit codes. */
enum {
	COMMAND_DONE = 0,
	COMMAND_FAILED = 1, /* the request was understood, and not met */
	COMMAND_USAGE = 2   /* the request makes no sense as it stands */
};

/** Longest line that is printed on stderr, bytes; the rest is cut off. */
#define COMMAND_LINE_MAX 1024

/** command_version - the release, as text. */
extern const char command_version[];

/**
 * command_complain() - one line on stderr, in one write.
 * @code: returned, so that a caller can complain and leave at once.
 * @format: printf's; control characters are the caller's to quote.
 */
int command_complain(int code, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * command_common - --help, and errors in one line: for argp's children.
 */
extern const struct argp_child command_common[];

/**
 * command_refuse() - for argp parser functions: say what is wrong with a value.
 *
 * Return: what the parser function must return.
 */
int command_refuse(struct argp_state *state, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * command_parse() - parse options, --help included.
 * @argp: its children must be command_common.
 * @flags: ARGP_IN_ORDER or 0.
 * @input: for the parser function.
 *
 * Return: 0 go on; 1 help was asked for and given; -EINVAL wrong usage, told.
 */
int command_parse(const struct argp *argp, int argc, char **argv, unsigned flags,
		  void *input) __attribute__((warn_unused_result));

/** The rows. */
int bench_command_run(int argc, char **argv);
int demo_run(int argc, char **argv);
int evict_run(int argc, char **argv);
int flush_run(int argc, char **argv);
int freeable_run(int argc, char **argv);
int freeze_run(int argc, char **argv);
int list_run(int argc, char **argv);
int metrics_run(int argc, char **argv);
int policy_run(int argc, char **argv);
int replay_run(int argc, char **argv);
int report_run(int argc, char **argv);
int set_run(int argc, char **argv);
int show_run(int argc, char **argv);
int status_run(int argc, char **argv);
int swapoff_run(int argc, char **argv);
int swapon_run(int argc, char **argv);
int thaw_run(int argc, char **argv);
int top_run(int argc, char **argv);

#endif
