/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay-options.h - what `tmem replay` is asked to do.
 */
#ifndef TMEM_COMMAND_REPLAY_OPTIONS_H
#define TMEM_COMMAND_REPLAY_OPTIONS_H

#include <stdint.h>

#include "replay-size.h"
#include "replay-stream.h"

/** REPLAY_SIZES_MAX - sizes in one run: more make no curve any smoother. */
#define REPLAY_SIZES_MAX 64

/** struct replay_options - parsed and checked. */
struct replay_options {
	const char *trace; /* "-": standard input */
	enum stream_mode mode;
	struct replay_size l1;
	struct replay_size size[REPLAY_SIZES_MAX];
	unsigned sizes;
	int several;	     /* --sizes */
	const char *content; /* file; NULL: random */
	const char *plot;    /* file; NULL: none */
	int verify;
	int json;
	uint32_t agers; /* as tmem_open() wants it */
};

/** replay_mode_name() - as it is typed. */
const char *replay_mode_name(enum stream_mode mode);

/**
 * replay_options_parse() - from the command line.
 * @o: out: points into @argv.
 *
 * Return: 0; 1 help was asked for and given; -EINVAL wrong usage, told.
 */
int replay_options_parse(struct replay_options *o, int argc, char **argv)
	__attribute__((warn_unused_result));

#endif
