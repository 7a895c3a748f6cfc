/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * supply.h - the session that the disks' pages lie in, and what it can promise.
 */
#ifndef TMEM_NBDKIT_SUPPLY_H
#define TMEM_NBDKIT_SUPPLY_H

#include <stdint.h>

#include <tmem/tmem.h>

#define SUPPLY_LINE_MAX 512

/** struct supply_wish - what was asked for on the command line. */
struct supply_wish {
	const char *store;	/* NULL: the host's, else one of its own */
	const char *domain;	/* NULL: the program's name */
	uint64_t limit_bytes;	/* 0: not said */
	uint64_t pages;		/* of all disks */
	uint64_t reserve_bytes; /* to have memory for ahead */
	int reserve_may_lack;	/* do without where there is not as much */
	int has_home;		/* what is refused has somewhere to go */
	/* Bytes of memory are wanted back; as struct tmem_open_opts.wanted. */
	void (*wanted)(void *ctx, uint64_t bytes);
	void *ctx;
};

/**
 * supply_open() - open the session.
 * @line: out: why not, in words for the user.
 *
 * Without a home the session must be able to keep every page, whatever is written.
 *
 * Return: 0; negative errno.
 */
int supply_open(const struct supply_wish *w, struct tmem **ret,
		char line[SUPPLY_LINE_MAX]);

/**
 * supply_prove() - without a home, on a daemon's memory: that it lends enough.
 * @t: a session that is for this alone: it is filled with noise.
 *
 * A quota is the daemon's to know. So as many pages as all disks have are put, and
 * given up again: some seconds for a large disk. It proves that much can be had,
 * not that it can be had later: what the daemon lends to others then is gone.
 *
 * Return: 0; -ENOSPC, told in @line; other errors.
 */
int supply_prove(const struct supply_wish *w, struct tmem *t,
		 char line[SUPPLY_LINE_MAX]);

/** supply_needed() - a limit that keeps so many pages of noise, bytes. */
uint64_t supply_needed(uint64_t pages);

#endif
