/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * claim.c - a lease that somebody hands back, and whether to believe it.
 */
#include "claim.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bounds.h"
#include "loan.h"
#include "mem.h"

/* No lease of ours has more: 2 TiB of the largest segments. It bounds what a
 * forged head makes the daemon read. */
#define SEGMENTS_MAX (1u << 20)

#define SEGMENT_SIZE_MIN (64 * TMEM_KIB)

static int check_head(const struct tmem_wire_control *h)
{
	uint64_t size = h->segment_size;

	if (h->magic != TMEM_WIRE_MAGIC || h->version != TMEM_WIRE_VERSION ||
	    size < SEGMENT_SIZE_MIN || size > TMEM_SEGMENT_HUGE ||
	    size & (size - 1) || !h->segments_max ||
	    h->segments_max > SEGMENTS_MAX ||
	    size * h->segments_max > TMEM_LIMIT_MAX ||
	    h->domain[sizeof(h->domain) - 1])
		return -EPROTO;
	return 0;
}

static uint64_t control_bytes(uint32_t segments_max)
{
	return (TMEM_WIRE_CONTROL_BYTES(segments_max) + TMEM_OS_PAGE - 1) &
	       ~(uint64_t)(TMEM_OS_PAGE - 1);
}

int tmemd_claim_parse(const void *copy, size_t bytes, struct tmemd_claim *ret)
{
	struct tmemd_claim c = { 0 };
	uint32_t n;

	if (bytes < sizeof(c.head))
		return -EPROTO;
	memcpy(&c.head, copy, sizeof(c.head));
	if (check_head(&c.head) || bytes != control_bytes(c.head.segments_max))
		return -EPROTO;
	c.epochs =
		(const uint32_t *)((const uint8_t *)copy + TMEM_WIRE_EPOCHS_AT);
	c.classes = (const uint8_t *)(c.epochs + c.head.segments_max);
	for (n = 0; n < c.head.segments_max; n++) {
		if (c.classes[n] > TMEM_WIRE_CLASSES)
			return -EPROTO;
		if (c.classes[n])
			c.lent_bytes[c.classes[n] - 1] += c.head.segment_size;
	}
	*ret = c;
	return 0;
}

/* A memfd like ours, open for both, with exactly these seals. */
static int check_memfd(int fd, int seals, dev_t dev, struct stat *st)
{
	int flags = fcntl(fd, F_GETFL), got = fcntl(fd, F_GET_SEALS);

	if (flags < 0 || flags & O_PATH || (flags & O_ACCMODE) != O_RDWR ||
	    got < 0 || (got & ~TMEMD_SEAL_EXEC) != seals || fstat(fd, st) ||
	    !S_ISREG(st->st_mode) || st->st_dev != dev)
		return -EPROTO;
	return 0;
}

static int read_all(int fd, void *to, size_t bytes)
{
	size_t done = 0;
	ssize_t n;

	while (done < bytes) {
		n = pread(fd, (uint8_t *)to + done, bytes - done, (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EPROTO;
		done += (size_t)n;
	}
	return 0;
}

int tmemd_claim_read(int data, int control, dev_t dev, struct tmemd_claim *ret,
		     ino_t *ret_ino)
{
	struct tmemd_claim c;
	struct stat d, s;
	size_t bytes;
	void *copy;
	int err;

	if (check_memfd(data, TMEMD_DATA_SEALS, dev, &d) ||
	    check_memfd(control, TMEMD_CONTROL_SEALS, dev, &s) ||
	    s.st_size <= 0 || (uint64_t)s.st_size > control_bytes(SEGMENTS_MAX))
		return -EPROTO;
	bytes = (size_t)s.st_size;
	copy = tmem_mem_alloc(bytes);
	if (!copy)
		return -ENOMEM;
	err = read_all(control, copy, bytes);
	if (!err)
		err = tmemd_claim_parse(copy, bytes, &c);
	if (!err && (uint64_t)d.st_size !=
			    (uint64_t)c.head.segments_max * c.head.segment_size)
		err = -EPROTO;
	if (err) {
		tmem_mem_free(copy, bytes);
		return err;
	}
	c.copy = copy;
	c.bytes = bytes;
	*ret = c;
	*ret_ino = d.st_ino;
	return 0;
}

int tmemd_claim_fits(const struct tmemd_claim *c, uint64_t cap_bytes,
		     uint64_t persistent_bytes)
{
	return (uint64_t)c->head.segments_max * c->head.segment_size <=
		       cap_bytes &&
	       c->lent_bytes[TMEM_WIRE_PERSISTENT] <= persistent_bytes;
}

void tmemd_claim_finish(struct tmemd_claim *c)
{
	tmem_mem_free(c->copy, c->bytes);
	c->copy = NULL;
}
