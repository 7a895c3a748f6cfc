/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swap.h - `tmem swapon` under test: a swap of its own that comes before the
 * machine's, and nothing left of it.
 *
 * What the machine lacks for it is said, and skipped; not in continuous
 * integration ($CI), where it is there and a skip would hide a defect.
 */
#ifndef TESTS_SWAP_SWAP_H
#define TESTS_SWAP_SWAP_H

#include <stdint.h>
#include <sys/types.h>

/* Before any other swap, so that nothing of a test goes there. */
#define SWAP_PRIORITY "32000"

struct swap {
	char dir[64];	  /* scratch */
	char record[80];  /* its --dir */
	char backing[80]; /* a file for --backing; made by swap_make_backing() */
	char device[64];  /* "": not up */
	pid_t server;	  /* nbdkit */
	int zswap;	  /* it was on before */
};

/** swap_need() - ends the program, skipped or failed, where it cannot be had; waits for
 * other programs that are past this. */
void swap_need(void);

/** swap_init() - a scratch directory; zswap is off until swap_finish(), which
 * takes down whatever is up. */
void swap_init(struct swap *s);
void swap_finish(struct swap *s);

/** swap_make_backing() - a file with nothing in it. */
void swap_make_backing(struct swap *s, uint64_t bytes);

/**
 * swap_on() - `tmem swapon` with these arguments, at most 12, then NULL; by the way
 * of every machine: a file by FUSE. What it says on failure is printed.
 *
 * Return: exit status.
 */
int swap_on(struct swap *s, const char *const *args);

/**
 * swap_on_cut() - the same, cut short by a signal.
 * @after_ms: from when it began.
 *
 * Return: exit status; -1: that signal ended it.
 */
int swap_on_cut(struct swap *s, const char *const *args, int sig,
		unsigned after_ms);

/** swap_left() - 1: a mount, a loop device or a process has to do with it yet, which
 * is printed. */
int swap_left(const struct swap *s);

/** swap_off() - `tmem swapoff`. Return: exit status; -1: not done in
 * @patience_ms. */
int swap_off(struct swap *s, int patience_ms);

/** swap_off_unseen() - the same where /proc/swaps shows nothing, as in a container. */
int swap_off_unseen(struct swap *s, int patience_ms);

/** swap_off_stopped() - the same, stopped again and again, @times at most, and going
 * on each time. */
int swap_off_stopped(struct swap *s, unsigned times, int patience_ms);

/** swap_used() - bytes that are on the device now. */
uint64_t swap_used(const struct swap *s);

/** swap_backed() - bytes of the backing file that have something in them. */
uint64_t swap_backed(const struct swap *s);

#endif
