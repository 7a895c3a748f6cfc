/* SPDX-License-Identifier: BSD-2-Clause */
/* dataset.c - the pages of the sampled files, numbered, and their hashes. */
#include "dataset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tmem/tmem.h>

#include "clock.h"
#include "disk.h"
#include "files.h"
#include "hash.h"
#include "progress.h"

#define CHUNK_PAGES 256u /* read at a time */
#define ROOM_MIN 4096u
#define HASH_SEED 0u

static uint64_t hash_page(const void *buf)
{
	return tmem_hash(buf, TMEM_PAGE_SIZE, HASH_SEED);
}

int dataset_matches(const struct dataset *d, uint32_t page, const void *buf)
{
	return hash_page(buf) == d->hash[page];
}

static uint32_t least(uint64_t a, uint64_t b)
{
	return (uint32_t)(a < b ? a : b);
}

static int make_room(struct dataset *d, uint32_t pages)
{
	uint32_t room = d->room ? d->room : ROOM_MIN;
	uint32_t *owner;
	uint64_t *hash;

	while (room < d->pages + pages)
		room *= 2;
	if (room == d->room)
		return 0;
	owner = reallocarray(d->owner, room, sizeof(*owner));
	if (!owner)
		return -ENOMEM;
	d->owner = owner;
	hash = reallocarray(d->hash, room, sizeof(*hash));
	if (!hash)
		return -ENOMEM;
	d->hash = hash;
	d->room = room;
	return 0;
}

/* Which part of a file: all of it, or a piece in a seeded place. */
static void choose_part(const struct dataset *d, struct file *f, size_t files,
			const struct dataset_plan *plan)
{
	uint64_t pages = (f->state.size - 1) / TMEM_PAGE_SIZE + 1;
	uint32_t share = plan->pages_max / least(files, DATASET_SHARE);

	f->first = d->pages;
	f->pages = least(pages, share ? share : 1);
	f->pages = least(f->pages, plan->pages_max - d->pages);
	f->start = tmem_mix(f->order, plan->seed) % (pages - f->pages + 1);
}

static int hash_part(struct dataset *d, struct file *f, int fd, void *buf)
{
	uint32_t done, n, i;
	int err;

	for (done = 0; done < f->pages; done += n) {
		n = least(f->pages - done, CHUNK_PAGES);
		err = disk_pread(fd, f, f->start + done, n, buf);
		if (err)
			return err;
		for (i = 0; i < n; i++) {
			uint32_t page = f->first + done + i;

			d->hash[page] = hash_page((const char *)buf +
						  (size_t)i * TMEM_PAGE_SIZE);
			d->owner[page] = (uint32_t)d->files;
		}
	}
	/* Written meanwhile: the hashes are of no one state. */
	return disk_changed(f) ? -ESTALE : 0;
}

/* 0: the file takes part, or cannot be read and does not. */
static int take_file(struct dataset *d, struct files *fs, struct file *f,
		     const struct dataset_plan *plan, void *buf)
{
	uint64_t end;
	int err, fd;

	choose_part(d, f, fs->count, plan);
	err = make_room(d, f->pages);
	if (err)
		return err;
	fd = disk_open(f);
	err = fd < 0 ? fd : hash_part(d, f, fd, buf);
	if (fd >= 0)
		(void)close(fd);
	if (err) {
		files_skip(fs, f->path, -err);
		return 0;
	}
	end = (f->start + f->pages) * TMEM_PAGE_SIZE;
	d->bytes += (uint64_t)f->pages * TMEM_PAGE_SIZE;
	if (end > f->state.size)
		d->bytes -= end - f->state.size;
	d->file[d->files++] = f;
	d->pages += f->pages;
	d->plain += f->plain;
	progress_add(plan->progress, f->pages);
	return 0;
}

int dataset_read(struct dataset *d, struct files *fs,
		 const struct dataset_plan *plan)
{
	void *buf = aligned_alloc(TMEM_PAGE_SIZE,
				  (size_t)CHUNK_PAGES * TMEM_PAGE_SIZE);
	int err = 0;
	size_t i;

	memset(d, 0, sizeof(*d));
	d->file = calloc(fs->count + 1, sizeof(struct file *));
	if (!buf || !d->file)
		err = -ENOMEM;
	for (i = 0; !err && i < fs->count && d->pages < plan->pages_max; i++) {
		if (tmem_clock_ns() >= plan->deadline_ns) {
			d->cut = 1;
			break;
		}
		err = take_file(d, fs, &fs->file[i], plan, buf);
	}
	free(buf);
	return err;
}

void dataset_finish(struct dataset *d)
{
	free(d->file);
	free(d->owner);
	free(d->hash);
	memset(d, 0, sizeof(*d));
}
