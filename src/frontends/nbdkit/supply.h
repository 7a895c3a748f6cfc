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
	const char *store;    /* NULL: the host's, else one of its own */
	const char *domain;   /* NULL: the program's name */
	uint64_t limit_bytes; /* 0: not said */
	uint64_t pages;	      /* of all disks */
	int has_home;	      /* what is refused has somewhere to go */
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

/** supply_needed() - a limit that keeps so many pages of noise, bytes. */
uint64_t supply_needed(uint64_t pages);

#endif
