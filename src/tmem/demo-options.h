/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demo-options.h - what `tmem demo` is asked to do.
 */
#ifndef TMEM_COMMAND_DEMO_OPTIONS_H
#define TMEM_COMMAND_DEMO_OPTIONS_H

#include <stdint.h>

/** Data must be this many times the first level: or it has no victims. */
#define DEMO_DATA_PER_L1 2u

/** DEMO_WHERE_MAX - room for the store's name when --pool made it, bytes. */
#define DEMO_WHERE_MAX 64

/** struct demo_options - parsed and checked. */
struct demo_options {
	const char *dir;
	const char *where; /* as tmem_open() wants it */
	const char *domain;
	uint64_t limit_bytes; /* of a store whose name says none; else 0 */
	uint32_t data_pages;  /* most pages to sample */
	uint32_t l1_pages;
	uint64_t rounds; /* accesses are this times the pages sampled */
	uint64_t seed;
	uint64_t seconds; /* most time for all; 0: as long as it takes */
	int json;
	int daemon;	     /* twice at once, as domains of a private one */
	int quiet;	     /* no progress */
	int scalable;	     /* sizes are nobody's wish: see demo-scale.h */
	uint64_t pool_bytes; /* unless --store */
	char pool[DEMO_WHERE_MAX]; /* what `where` points to, unless --store */
};

/**
 * demo_options_parse() - from the command line.
 * @o: out: points into @argv and into itself.
 *
 * Return: 0; 1 help was asked for and given; -EINVAL wrong usage, told.
 */
int demo_options_parse(struct demo_options *o, int argc, char **argv)
	__attribute__((warn_unused_result));

/**
 * demo_options_scale() - halve data, first level and pool some times. Only if
 * they are scalable.
 */
void demo_options_scale(struct demo_options *o, unsigned halvings);

#endif
