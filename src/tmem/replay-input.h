/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay-input.h - a trace's bytes, from a file or from standard input, plain
 * or packed by zstd. What they are is seen from the first four.
 */
#ifndef TMEM_COMMAND_REPLAY_INPUT_H
#define TMEM_COMMAND_REPLAY_INPUT_H

#include <stddef.h>
#include <stdint.h>

struct ZSTD_DCtx_s;

/** struct input - opened for reading, once from front to back. */
struct input {
	int fd;
	struct ZSTD_DCtx_s *zstd; /* NULL: plain */
	uint8_t *buf;		  /* what was read and not yet handed on */
	size_t at, len;
	int end;	 /* nothing more to read */
	size_t hint;	 /* of the last unpacking; 0: between two frames */
	const char *why; /* static: what is wrong with packed bytes, or NULL */
};

/**
 * input_open() - open and look at the first bytes.
 * @in: out: closed by input_close(), also after a failure.
 * @path: "-": standard input.
 *
 * Return: 0; -ENOMEM; what open(2) and read(2) give.
 */
int input_open(struct input *in, const char *path)
	__attribute__((warn_unused_result));

void input_close(struct input *in);

/**
 * input_read() - the next bytes, unpacked.
 * @ret_len: out: how many; 0: the end.
 *
 * Return: 0; -EBADMSG the packed bytes are damaged or cut short, see `why`; what
 *	read(2) gives.
 */
int input_read(struct input *in, void *buf, size_t len, size_t *ret_len)
	__attribute__((warn_unused_result));

#endif
