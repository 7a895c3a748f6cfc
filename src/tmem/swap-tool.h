/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swap-tool.h - other people's programs: found, run with a time limit, ended.
 *
 * What serves a swap disk must neither wait for that disk nor be killed for want
 * of memory. So all that is started here, and what it starts in turn, is an I/O
 * flusher (prctl(2)): its allocations start no I/O and are not throttled; and the
 * OOM killer leaves it alone. Both last over execve(), and both take
 * CAP_SYS_RESOURCE. Locking its memory is a program's own task, since that does
 * not last.
 */
#ifndef TMEM_COMMAND_SWAP_TOOL_H
#define TMEM_COMMAND_SWAP_TOOL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** SWAP_TOOL_ARGS_MAX - most arguments of a program, its name and the NULL at
 * the end included. */
#define SWAP_TOOL_ARGS_MAX 24u

/** SWAP_TOOL_SAY_MAX - what is kept of a program's words, bytes. */
#define SWAP_TOOL_SAY_MAX 512u

/** SWAP_TOOL_PATIENCE_S - how long a program may take that only sets something
 * up; each of ours takes a few milliseconds. */
#define SWAP_TOOL_PATIENCE_S 30u

/** struct swap_process - one that stays; its start tells it from a later one with
 * the same number. */
struct swap_process {
	pid_t pid;	/* 0: none */
	uint64_t start; /* clock ticks since boot */
};

/**
 * swap_tool_find() - where a program is: $PATH, then where administrators' are.
 * @path: out: PATH_MAX bytes.
 *
 * Return: 1, 0 there is none.
 */
int swap_tool_find(const char *name, char *path);

/**
 * swap_tool_run() - run it until it ends.
 * @argv: its name, which is looked for as by swap_tool_find(), and arguments.
 * @say: out: SWAP_TOOL_SAY_MAX bytes: on success what it printed, up to the end
 *	of the first line; on failure one line that tells why.
 *
 * Return: 0; -ENOENT there is none; -EIO it failed; -ETIMEDOUT; another negative
 * errno.
 */
int swap_tool_run(const char *const *argv, char *say);

/**
 * swap_tool_start() - run it in a session of its own; it is nobody's child.
 * @log: a file for what it prints.
 * @ret_gate: out: it waits for swap_tool_go(), and ends if this process does first.
 *
 * Return: 0, negative errno.
 */
int swap_tool_start(const char *const *argv, const char *log,
		    struct swap_process *ret, int *ret_gate);

/** swap_tool_go() - let it begin. */
void swap_tool_go(int gate);

/** swap_tool_hold_signals() - what a user interrupts by (SIGHUP, SIGINT, SIGTERM)
 * waits until it is asked for. What is started does not inherit that. */
void swap_tool_hold_signals(void);

/** swap_tool_interrupted() - 1: one has come since this was last asked. */
int swap_tool_interrupted(void);

/** swap_process_find() - of a number. Return: 0, -ESRCH. */
int swap_process_find(pid_t pid, struct swap_process *ret);

/** swap_process_lives() - 1 yes, 0 no or none. */
int swap_process_lives(const struct swap_process *p);

/** swap_tool_patience_ns() - when SWAP_TOOL_PATIENCE_S from now are over, of
 * tmem_clock_ns(). */
uint64_t swap_tool_patience_ns(void);

/**
 * swap_process_nap() - a moment, while waiting for what a process is to do.
 * @p: NULL: it is nobody's to do.
 * @end_ns: by swap_tool_patience_ns().
 *
 * Return: 0 look again; -ESRCH it has ended; -ETIMEDOUT; -EINTR a signal came.
 */
int swap_process_nap(const struct swap_process *p, uint64_t end_ns);

/** swap_process_protected() - 1 yes, 0 there was no right to. */
int swap_process_protected(const struct swap_process *p);

/**
 * swap_process_end() - wait for it to end by itself, then ask it to, then kill it.
 * @grace_ms: for the first of these; 0: ask at once.
 *
 * Return: 0 it is gone, -ETIMEDOUT it cannot even be killed.
 */
int swap_process_end(const struct swap_process *p, int grace_ms);

/** swap_tool_first_line() - of a file's words, for a complaint. @say as above. */
void swap_tool_first_line(const char *log, char *say);

#endif
