/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fusefile.c - a disk as a file of this host, by FUSE.
 *
 * The kernel's protocol (linux/fuse.h) without a library: of one file there is
 * little to say, and nothing here allocates once it runs. Requests come from the
 * kernel alone.
 */
#include "fusefile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "home.h"

/* Of one transfer: what the kernel gathers for a batch of swap. Each thread has a
 * buffer of it. */
#define TRANSFER_BYTES (128u << 10)
#define TRANSFER_PAGES (TRANSFER_BYTES / TMEM_PRESWAP_PAGE)

/* The least that the kernel takes, and what is before the bytes of a write. */
#define ROOM_BYTES (TRANSFER_BYTES + TMEM_PRESWAP_PAGE)

/* Of a thread's stack, below its buffers: home's transfers take 128 KiB of it. */
#define STACK_BYTES (192u << 10)

#define OS_PAGE 4096u

#define BACKGROUND 64u /* requests that wait in the kernel */

/* Since 7.28 the kernel heeds max_pages; 7.31 is older than what else is asked. */
#define MINOR 31u

/* The attributes of a file that nobody changes, seconds. */
#define ATTR_VALID_S 3600u

/** struct request - as it was read. */
struct request {
	const struct fuse_in_header *head;
	void *arg;
	uint32_t arg_len;
	uint8_t *room; /* TRANSFER_BYTES, for an answer */
};

static void answer(const struct fusefile *f, const struct request *r, int err,
		   const void *bytes, size_t len)
{
	const struct fuse_out_header head = {
		.len = (uint32_t)(sizeof(head) + (err ? 0 : len)),
		.error = err,
		.unique = r->head->unique,
	};
	const struct iovec parts[] = {
		{ .iov_base = (void *)(uintptr_t)&head,
		  .iov_len = sizeof(head) },
		{ .iov_base = (void *)(uintptr_t)bytes, .iov_len = len },
	};

	/* ENOENT: it was interrupted; ENODEV: unmounted. */
	(void)!writev(f->fd, parts, err || !len ? 1 : 2);
}

static void greet(const struct fusefile *f, const struct request *r)
{
	const struct fuse_init_in *in = r->arg;
	const struct fuse_init_out out = {
		.major = FUSE_KERNEL_VERSION,
		.minor = MINOR,
		.max_readahead = in->max_readahead,
		.flags = in->flags & (FUSE_ASYNC_READ | FUSE_BIG_WRITES |
				      FUSE_ASYNC_DIO | FUSE_MAX_PAGES),
		.max_background = BACKGROUND,
		.congestion_threshold = BACKGROUND,
		.max_write = TRANSFER_BYTES,
		.max_pages = TRANSFER_PAGES,
	};

	answer(f, r, 0, &out, sizeof(out));
}

static void tell_attributes(const struct fusefile *f, const struct request *r)
{
	const uint64_t bytes = f->volume->pages * TMEM_PRESWAP_PAGE;
	const struct fuse_attr_out out = {
		.attr_valid = ATTR_VALID_S,
		.attr = { .ino = FUSE_ROOT_ID,
			  .size = bytes,
			  .mode = S_IFREG | 0600,
			  .nlink = 1,
			  .blksize = TMEM_PRESWAP_PAGE },
	};

	answer(f, r, 0, &out, sizeof(out));
}

/* Return: 1 it lies in the disk, and in a buffer. */
static int is_inside(const struct fusefile *f, uint64_t offset, uint32_t count)
{
	const uint64_t bytes = f->volume->pages * TMEM_PRESWAP_PAGE;

	return count <= TRANSFER_BYTES && offset <= bytes &&
	       count <= bytes - offset;
}

static void read_some(const struct fusefile *f, const struct request *r)
{
	const struct fuse_read_in *in = r->arg;
	int err = -EIO;

	if (is_inside(f, in->offset, in->size))
		err = volume_read(f->volume, r->room, in->size, in->offset);
	answer(f, r, err, r->room, in->size);
}

static void write_some(const struct fusefile *f, const struct request *r)
{
	const struct fuse_write_in *in = r->arg;
	const struct fuse_write_out out = { .size = in->size };
	int err = -EIO;

	if (in->size <= r->arg_len - sizeof(*in) &&
	    is_inside(f, in->offset, in->size))
		err = volume_write(f->volume, in + 1, in->size, in->offset);
	answer(f, r, err, &out, sizeof(out));
}

/* A hole reads as zeros to its last byte; pages that are not all in it stay. */
static int punch(struct volume *v, uint32_t count, uint64_t at)
{
	const uint32_t in = at % TMEM_PRESWAP_PAGE;
	uint32_t head = in ? TMEM_PRESWAP_PAGE - in : 0, tail;
	int err;

	head = head < count ? head : count;
	tail = (count - head) % TMEM_PRESWAP_PAGE;
	err = volume_zero(v, head, at);
	if (!err)
		err = volume_trim(v, count - head - tail, at + head);
	if (!err)
		err = volume_zero(v, tail, at + count - tail);
	return err;
}

/* What the kernel makes of discards: holes, and ranges of zeros. */
static void allocate(const struct fusefile *f, const struct request *r)
{
	const struct fuse_fallocate_in *in = r->arg;
	uint64_t at = in->offset, end = at + in->length;
	const int hole = !!(in->mode & FALLOC_FL_PUNCH_HOLE);
	int err = 0;

	if (!hole && !(in->mode & FALLOC_FL_ZERO_RANGE))
		err = -EOPNOTSUPP;
	else if (end < at || end > f->volume->pages * TMEM_PRESWAP_PAGE)
		err = -EINVAL;
	while (!err && at < end) {
		uint32_t n = end - at < INT32_MAX + 1u ? (uint32_t)(end - at)
						       : INT32_MAX + 1u;

		err = hole ? punch(f->volume, n, at)
			   : volume_zero(f->volume, n, at);
		at += n;
	}
	answer(f, r, err, NULL, 0);
}

static void sync_all(const struct fusefile *f, const struct request *r)
{
	answer(f, r, volumes_sync(f->volume, 1), NULL, 0);
}

static void obey(const struct fusefile *f, const struct request *r)
{
	static const struct fuse_open_out opened;
	static const struct fuse_statfs_out statistics = {
		.st = { .bsize = TMEM_PRESWAP_PAGE, .namelen = 255 },
	};

	switch (r->head->opcode) {
	case FUSE_READ:
		read_some(f, r);
		break;
	case FUSE_WRITE:
		write_some(f, r);
		break;
	case FUSE_FALLOCATE:
		allocate(f, r);
		break;
	case FUSE_INIT:
		greet(f, r);
		break;
	case FUSE_GETATTR:
	case FUSE_SETATTR: /* its size stays; times are nobody's */
		tell_attributes(f, r);
		break;
	case FUSE_OPEN:
		answer(f, r, 0, &opened, sizeof(opened));
		break;
	case FUSE_STATFS:
		answer(f, r, 0, &statistics, sizeof(statistics));
		break;
	case FUSE_FSYNC:
		sync_all(f, r);
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		answer(f, r, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT: /* none takes long */
		break;
	default:
		answer(f, r, -ENOSYS, NULL, 0);
	}
}

/* Its memory is there before it is needed: the first requests of a size, or the first
 * page that the store refuses, are no time to ask the kernel for some. */
static __attribute__((noinline)) void touch_stack(void)
{
	volatile uint8_t stack[STACK_BYTES];
	size_t i;

	for (i = 0; i < sizeof(stack); i += OS_PAGE)
		stack[i] = 0;
}

/* Cancelled only while it waits: nothing is half done, and no lock is held. */
static void *serve(void *ctx)
{
	const struct fusefile *f = ctx;
	uint8_t room[ROOM_BYTES + TRANSFER_BYTES]
		__attribute__((aligned(TMEM_PRESWAP_PAGE)));
	struct request r = { .room = room + ROOM_BYTES };
	int was;

	(void)pthread_setname_np(pthread_self(), "fusefile");
	memset(room, 0, sizeof(room));
	touch_stack();
	for (;;) {
		ssize_t n;

		(void)pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &was);
		n = read(f->fd, room, ROOM_BYTES);
		(void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &was);
		if (n < 0 &&
		    (errno == EINTR || errno == ENOENT || errno == EAGAIN))
			continue;
		if (n < (ssize_t)sizeof(*r.head))
			return NULL; /* unmounted */
		r.head = (const struct fuse_in_header *)room;
		r.arg = room + sizeof(*r.head);
		r.arg_len = (uint32_t)((size_t)n - sizeof(*r.head));
		obey(f, &r);
	}
}

static int complain(char *line, const char *path, const char *what, int err)
{
	(void)snprintf(line, FUSEFILE_LINE_MAX, "file=%.150s: %s: %s", path,
		       what, strerror(-err));
	return err;
}

int fusefile_check(const char *path, char line[FUSEFILE_LINE_MAX])
{
	struct stat st;

	if (stat(path, &st))
		return complain(line, path, "to be mounted over", -errno);
	if (!S_ISREG(st.st_mode)) {
		(void)snprintf(line, FUSEFILE_LINE_MAX,
			       "file=%.150s: want a regular file, as touch(1) "
			       "makes one",
			       path);
		return -EINVAL;
	}
	if (access("/dev/fuse", R_OK | W_OK))
		return complain(line, path, "/dev/fuse", -errno);
	return geteuid() ? complain(line, path, "mount", -EPERM) : 0;
}

int fusefile_start(struct fusefile *f, const char *path, struct volume *v,
		   char line[FUSEFILE_LINE_MAX])
{
	char options[96];
	int err = 0;

	memset(f, 0, sizeof(*f));
	f->volume = v;
	f->fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (f->fd < 0)
		return complain(line, path, "/dev/fuse", -errno);
	(void)snprintf(options, sizeof(options),
		       "fd=%d,rootmode=%o,user_id=0,group_id=0", f->fd,
		       S_IFREG | 0600u);
	if (mount("tmem", path, "fuse", MS_NOSUID | MS_NODEV, options)) {
		err = complain(line, path, "mount", -errno);
		(void)close(f->fd);
		return err;
	}
	f->path = path;
	for (; !err && f->count < FUSEFILE_THREADS; f->count += !err)
		err = -pthread_create(&f->threads[f->count], NULL, serve, f);
	if (err) {
		fusefile_stop(f);
		return complain(line, path, "a thread", err);
	}
	return 0;
}

void fusefile_stop(struct fusefile *f)
{
	unsigned i;

	if (!f->path)
		return;
	(void)umount2(f->path, MNT_DETACH);
	for (i = 0; i < f->count; i++)
		(void)pthread_cancel(f->threads[i]);
	for (i = 0; i < f->count; i++)
		(void)pthread_join(f->threads[i], NULL);
	(void)close(f->fd); /* what still has it open is told: EIO */
	f->path = NULL;
	f->count = 0;
}
