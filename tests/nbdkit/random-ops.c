/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * random-ops.c - see random-ops.h.
 *
 * The disk's first half is dealt out in shares of 1000 bytes, in turns: most pages
 * there have four threads at work on them. The second half is dealt out in ranges
 * of 256 KiB: requests there are up to that long, at any offset. A trim may leave
 * bytes at its ends, so it is given whole pages, in the second half.
 */
#include "random-ops.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "content.h"
#include "rng.h"
#include "unit.h"

#define PAGE 4096u
#define SHARE 1000u
#define RANGE (256u << 10)
#define THREADS_MAX 8u
#define BLOCK (64u << 10) /* of the last comparison */

/** struct file - the plain file, mapped: what the disk should hold. */
struct file {
	uint8_t *bytes;
	size_t size;
};

/** struct worker - a thread. */
struct worker {
	const struct random_disk *disk;
	struct random_result *result;
	struct file *file;
	unsigned number, threads;
	uint64_t end_ns;
	struct rng rng;
	pthread_t thread;
	uint8_t buffer[RANGE];
	char fault[160]; /* cmocka may only be told by the main thread */
};

/** struct span - bytes of one thread. */
struct span {
	uint64_t offset;
	uint32_t count;
	int whole; /* of whole pages */
};

static void file_open(struct file *f, uint64_t bytes)
{
	char path[] = "/tmp/tmem-random.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	(void)unlink(path);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	f->size = bytes;
	f->bytes = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(f->bytes != MAP_FAILED);
	(void)close(fd);
}

/* ---- What to do ------------------------------------------------------------ */

static struct span draw_small(struct worker *w)
{
	uint64_t shares = w->disk->bytes / 2 / SHARE / w->threads;
	uint32_t in = (uint32_t)rng_below(&w->rng, SHARE);
	struct span s = {
		.offset = (rng_below(&w->rng, shares) * w->threads + w->number) *
				  SHARE +
			  in,
		.count = 1 + (uint32_t)rng_below(&w->rng, SHARE - in),
	};

	return s;
}

static struct span draw_large(struct worker *w)
{
	uint64_t half = w->disk->bytes / 2;
	uint64_t ranges = half / RANGE / w->threads;
	uint64_t range = rng_below(&w->rng, ranges) * w->threads + w->number;
	uint32_t in = (uint32_t)rng_below(&w->rng, RANGE);
	uint32_t count = 1 + (uint32_t)rng_below(&w->rng, RANGE - in);
	struct span s = { .offset = half + range * RANGE };

	/* Most are a page, some pages, or any bytes. */
	s.whole = rng_below(&w->rng, 4) != 0;
	if (s.whole) {
		in -= in % PAGE;
		count = rng_below(&w->rng, 2) ? PAGE : count / PAGE * PAGE;
		if (!count)
			count = PAGE;
	}
	s.offset += in;
	s.count = count;
	return s;
}

static void fill(struct worker *w, uint8_t *to, uint32_t count)
{
	enum content_kind kind =
		(enum content_kind)rng_below(&w->rng, CONTENT_KINDS);
	uint32_t at, n;

	for (at = 0; at < count; at += n) {
		n = count - at < PAGE ? count - at : PAGE;
		page_fill(to + at, n, kind, rng_next(&w->rng));
	}
}

/* ---- Doing it --------------------------------------------------------------- */

static void complain(struct worker *w, const char *what, const struct span *s,
		     int err)
{
	(void)snprintf(w->fault, sizeof(w->fault),
		       "thread %u: %s of %u bytes at %llu: %s", w->number, what,
		       s->count, (unsigned long long)s->offset,
		       err ? strerror(-err) : "other bytes than were written");
}

static void do_read(struct worker *w, const struct span *s)
{
	int err = w->disk->read(w->disk->ctx, w->number, w->buffer, s->count,
				s->offset);

	if (err || memcmp(w->buffer, w->file->bytes + s->offset, s->count))
		complain(w, "a read", s, err);
	w->result->reads++;
	w->result->compared_bytes += s->count;
}

static void do_write(struct worker *w, const struct span *s)
{
	int err;

	fill(w, w->buffer, s->count);
	err = w->disk->write(w->disk->ctx, w->number, w->buffer, s->count,
			     s->offset);
	if (err)
		complain(w, "a write", s, err);
	memcpy(w->file->bytes + s->offset, w->buffer, s->count);
	w->result->writes++;
}

static void do_clear(struct worker *w, const struct span *s)
{
	const struct random_disk *d = w->disk;
	int trims = s->whole && rng_below(&w->rng, 2), err;

	err = trims ? d->trim(d->ctx, w->number, s->count, s->offset)
		    : d->zero(d->ctx, w->number, s->count, s->offset);
	if (err)
		complain(w, trims ? "a trim" : "a zero", s, err);
	memset(w->file->bytes + s->offset, 0, s->count);
	if (trims)
		w->result->trims++;
	else
		w->result->zeros++;
}

static void do_flush(struct worker *w, const struct span *s)
{
	int err = w->disk->flush(w->disk->ctx, w->number);

	if (err)
		complain(w, "a flush", s, err);
	w->result->flushes++;
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	while (!w->fault[0] && tmem_clock_ns() < w->end_ns) {
		struct span s = rng_below(&w->rng, 2) ? draw_small(w)
						      : draw_large(w);
		uint64_t what = rng_below(&w->rng, 200);

		if (what < 90)
			do_read(w, &s);
		else if (what < 180)
			do_write(w, &s);
		else if (what < 199)
			do_clear(w, &s);
		else
			do_flush(w, &s);
	}
	return NULL;
}

static void compare_all(const struct random_disk *d, const struct file *f)
{
	static uint8_t block[BLOCK];
	uint64_t at;

	for (at = 0; at < d->bytes; at += BLOCK) {
		uint32_t n = d->bytes - at < BLOCK ? (uint32_t)(d->bytes - at)
						   : BLOCK;

		assert_int_equal(d->read(d->ctx, 0, block, n, at), 0);
		assert_memory_equal(block, f->bytes + at, n);
	}
}

void random_ops_run(const struct random_disk *disk, unsigned threads,
		    unsigned seconds, uint64_t seed, struct random_result *ret)
{
	struct worker *workers = calloc(threads, sizeof(*workers));
	struct file file;
	unsigned i;

	assert_non_null(workers);
	assert_in_range(threads, 1, THREADS_MAX);
	file_open(&file, disk->bytes);
	for (i = 0; i < threads; i++) {
		workers[i] = (struct worker){
			.disk = disk,
			.result = ret,
			.file = &file,
			.number = i,
			.threads = threads,
			.end_ns = tmem_clock_ns() + seconds * TMEM_NS_PER_SEC,
			.rng.state = seed + i,
		};
		assert_int_equal(pthread_create(&workers[i].thread, NULL,
						worker_main, &workers[i]),
				 0);
	}
	for (i = 0; i < threads; i++)
		(void)pthread_join(workers[i].thread, NULL);
	for (i = 0; i < threads; i++)
		if (workers[i].fault[0])
			fail_msg("%s", workers[i].fault);
	compare_all(disk, &file);
	print_message("seed %llu: %llu reads, %llu writes, %llu zeros, %llu "
		      "trims, %llu flushes, %llu MiB compared, none differs\n",
		      (unsigned long long)seed, (unsigned long long)ret->reads,
		      (unsigned long long)ret->writes,
		      (unsigned long long)ret->zeros,
		      (unsigned long long)ret->trims,
		      (unsigned long long)ret->flushes,
		      (unsigned long long)ret->compared_bytes >> 20);
	(void)munmap(file.bytes, file.size);
	free(workers);
}
