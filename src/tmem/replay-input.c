/* SPDX-License-Identifier: BSD-2-Clause */
/* replay-input.c - a trace's bytes, plain or packed by zstd. */
#include "replay-input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

/* What zstd likes to be fed at a time. */
#define BUF_BYTES (128u * 1024)

#define MAGIC_LEN 4

/* Parallel zstd begins with a frame that says nothing: 0x184d2a50 to 5f. */
static int is_zstd(const uint8_t *b, size_t len)
{
	static const uint8_t frame[MAGIC_LEN] = { 0x28, 0xb5, 0x2f, 0xfd };
	static const uint8_t skip[MAGIC_LEN - 1] = { 0x2a, 0x4d, 0x18 };

	if (len < MAGIC_LEN)
		return 0;
	return !memcmp(b, frame, sizeof(frame)) ||
	       ((b[0] & 0xf0) == 0x50 && !memcmp(b + 1, skip, sizeof(skip)));
}

/* Fills the buffer from `len` on, as far as one read goes. */
static int fill(struct input *in)
{
	ssize_t n;

	do {
		n = read(in->fd, in->buf + in->len, BUF_BYTES - in->len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	in->len += (size_t)n;
	in->end = !n;
	return 0;
}

int input_open(struct input *in, const char *path)
{
	int err = 0;

	memset(in, 0, sizeof(*in));
	in->fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC)
				   : STDIN_FILENO;
	if (in->fd < 0)
		return -errno;
	in->buf = calloc(1, BUF_BYTES);
	if (!in->buf)
		return -ENOMEM;
	while (!err && !in->end && in->len < MAGIC_LEN)
		err = fill(in);
	if (err || !is_zstd(in->buf, in->len))
		return err;
	in->zstd = ZSTD_createDCtx();
	return in->zstd ? 0 : -ENOMEM;
}

void input_close(struct input *in)
{
	if (in->fd > STDIN_FILENO)
		(void)close(in->fd);
	free(in->buf);
	(void)ZSTD_freeDCtx(in->zstd);
	memset(in, 0, sizeof(*in));
	in->fd = -1;
}

/* Something to hand on, unless the end has come. */
static int refill(struct input *in)
{
	if (in->at < in->len || in->end)
		return 0;
	in->at = in->len = 0;
	return fill(in);
}

static int read_plain(struct input *in, void *buf, size_t len, size_t *ret_len)
{
	int err = refill(in);
	size_t n = in->len - in->at;

	if (err)
		return err;
	if (n > len)
		n = len;
	memcpy(buf, in->buf + in->at, n);
	in->at += n;
	*ret_len = n;
	return 0;
}

int input_read(struct input *in, void *buf, size_t len, size_t *ret_len)
{
	ZSTD_outBuffer to = { .dst = buf, .size = len };
	ZSTD_inBuffer from;
	size_t before;
	int err;

	if (!in->zstd)
		return read_plain(in, buf, len, ret_len);
	do {
		err = refill(in);
		if (err)
			return err;
		from = (ZSTD_inBuffer){ in->buf, in->len, in->at };
		if (from.pos == from.size && !in->hint)
			break;
		before = from.pos;
		in->hint = ZSTD_decompressStream(in->zstd, &to, &from);
		in->at = from.pos;
		if (ZSTD_isError(in->hint)) {
			in->why = ZSTD_getErrorName(in->hint);
			return -EBADMSG;
		}
		if (!to.pos && from.pos == before && in->end) {
			in->why = "cut short";
			return -EBADMSG;
		}
	} while (!to.pos);
	*ret_len = to.pos;
	return 0;
}
