/* SPDX-License-Identifier: BSD-2-Clause */
/* bench-corpus.c - pages to compress, loaded or made. */
#include "bench-corpus.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "bench-lz4.h"
#include "bench-run.h"
#include "bench-synthetic.h"

#define SUFFIX ".pages"

/* The same made-up pages on every machine, every time. */
#define SEED 20251

static int alloc_pages(struct bench_corpus *c, uint64_t count)
{
	c->pages = count ? aligned_alloc(TMEM_PAGE_SIZE, count * TMEM_PAGE_SIZE)
			 : NULL;
	c->count = c->pages ? count : 0;
	return c->pages ? 0 : -ENOMEM;
}

static int make_up(struct bench_corpora *c, uint64_t count)
{
	const struct bench_synthetic *kinds;
	unsigned n;

	kinds = bench_synthetic_kinds(&n);
	for (c->count = 0; c->count < n; c->count++) {
		struct bench_corpus *to = &c->corpus[c->count];

		(void)snprintf(to->name, sizeof(to->name), "%s",
			       kinds[c->count].name);
		if (alloc_pages(to, count))
			return -ENOMEM;
		bench_synthetic_fill(&kinds[c->count], to->pages, count,
				     SEED + c->count);
	}
	return 0;
}

/* ---- Loading ------------------------------------------------------------- */

static int read_all(int fd, uint8_t *to, uint64_t bytes)
{
	uint64_t done = 0;
	ssize_t n;

	while (done < bytes) {
		n = pread(fd, to + done, bytes - done, (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		done += (uint64_t)n;
	}
	return 0;
}

static int load(struct bench_corpus *c, int dir, const char *name,
		uint64_t count)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC), err;
	off_t bytes;

	if (fd < 0)
		return -errno;
	bytes = lseek(fd, 0, SEEK_END);
	if (bytes < (off_t)TMEM_PAGE_SIZE) {
		(void)close(fd);
		return -ENODATA;
	}
	if ((uint64_t)bytes / TMEM_PAGE_SIZE < count)
		count = (uint64_t)bytes / TMEM_PAGE_SIZE;
	err = alloc_pages(c, count);
	if (!err)
		err = read_all(fd, c->pages, count * TMEM_PAGE_SIZE);
	(void)close(fd);
	(void)snprintf(c->name, sizeof(c->name), "%.*s",
		       (int)(strlen(name) - strlen(SUFFIX)), name);
	return err;
}

static int is_corpus(const struct dirent *d)
{
	size_t len = strlen(d->d_name), end = strlen(SUFFIX);

	return len > end && !strcmp(d->d_name + len - end, SUFFIX);
}

static int load_all(struct bench_corpora *c, const char *path, uint64_t count)
{
	struct dirent **names;
	int dir, i, n, err = 0;

	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	n = scandir(path, &names, is_corpus, alphasort);
	if (n < 0) {
		err = -errno;
		(void)close(dir);
		return err;
	}
	for (i = 0; i < n; i++) {
		/* An empty one is left out. */
		if (!err && c->count < BENCH_CORPORA_MAX) {
			err = load(&c->corpus[c->count], dir, names[i]->d_name,
				   count);
			c->count += !err;
			err = err == -ENODATA ? 0 : err;
		}
		free(names[i]);
	}
	free(names);
	(void)close(dir);
	return err ? err : c->count ? 0 : -ENOENT;
}

/* ---- The mix ------------------------------------------------------------- */

static int is_same(const uint8_t *page)
{
	return !memcmp(page, page + 8, TMEM_PAGE_SIZE - 8);
}

/* Which pages of a corpus are packed, to its front; how many. */
static uint64_t pick(const struct bench_corpus *c, struct bench_lz4 *lz4,
		     const uint8_t **ret)
{
	const uint8_t *page;
	uint64_t i, n = 0;

	for (i = 0; i < c->count; i++) {
		page = c->pages + i * TMEM_PAGE_SIZE;
		if (!is_same(page) && bench_lz4_pack(lz4, page))
			ret[n++] = page;
	}
	return n;
}

/* One corpus's pages into the mix: every count-th batch of it. */
static void spread(struct bench_corpora *c, unsigned nth, const uint8_t **from,
		   uint64_t count)
{
	uint64_t batch, i, to;

	for (batch = 0; batch * BENCH_BATCH < count; batch++) {
		to = (batch * c->count + nth) * BENCH_BATCH;
		for (i = 0; i < BENCH_BATCH; i++)
			c->mix[to + i] = from[(batch * BENCH_BATCH + i) % count];
	}
}

static int make_mix(struct bench_corpora *c)
{
	struct bench_lz4 *lz4 = malloc(sizeof(*lz4));
	const uint8_t **picked[BENCH_CORPORA_MAX] = { NULL };
	uint64_t counts[BENCH_CORPORA_MAX] = { 0 }, least = UINT64_MAX;
	unsigned i;
	int err = lz4 ? 0 : -ENOMEM;

	for (i = 0; i < c->count && !err; i++) {
		picked[i] = calloc(c->corpus[i].count, sizeof(*picked[i]));
		if (!picked[i]) {
			err = -ENOMEM;
			break;
		}
		bench_lz4_init(lz4);
		counts[i] = pick(&c->corpus[i], lz4, picked[i]);
		if (!counts[i])
			err = -ENODATA;
		least = counts[i] < least ? counts[i] : least;
	}
	if (!err) {
		/* As much of each as the shortest has, in whole batches. */
		least = (least + BENCH_BATCH - 1) / BENCH_BATCH * BENCH_BATCH;
		c->mix_count = least * c->count;
		c->mix = calloc(c->mix_count, sizeof(*c->mix));
		err = c->mix ? 0 : -ENOMEM;
	}
	for (i = 0; i < c->count && !err; i++)
		spread(c, i, picked[i], counts[i] < least ? counts[i] : least);
	for (i = 0; i < BENCH_CORPORA_MAX; i++)
		free(picked[i]);
	free(lz4);
	return err;
}

int bench_corpora_init(struct bench_corpora *c, const char *dir, uint64_t bytes)
{
	uint64_t count = bytes / TMEM_PAGE_SIZE;
	int err;

	memset(c, 0, sizeof(*c));
	err = dir ? load_all(c, dir, count) : make_up(c, count);
	return err ? err : make_mix(c);
}

void bench_corpora_finish(struct bench_corpora *c)
{
	unsigned i;

	for (i = 0; i < BENCH_CORPORA_MAX; i++)
		free(c->corpus[i].pages);
	free(c->mix);
	memset(c, 0, sizeof(*c));
}
