/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pass.c - one replay of the access list, with a store or without.
 *
 *	application
 *	    | page			verified against its hash
 *	first level (lru.c) --victim--> put to the pool
 *	    | miss
 *	pool: get; a hit takes the page out of the pool
 *	    | miss
 *	disk: one read of 4 KiB
 *
 * The frame for a missing page is freed first, as a kernel does it: the
 * victim's put comes before the get. All pages are clean, so a refused put
 * costs nothing but a disk read later.
 */
#include "pass.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <tmem/precache.h>

#include "access.h"
#include "clock.h"
#include "dataset.h"
#include "demo-store.h"
#include "disk.h"
#include "files.h"
#include "lru.h"
#include "progress.h"
#include "quote.h"

#define LOOK_EVERY 64 /* accesses between looks at the clock */

/** struct pass - the state of a replay. */
struct pass {
	const struct pass_plan *plan;
	struct pass_figures *fig;
	char *fault;
	struct lru lru;
	struct disk disk;
	uint8_t *seen; /* by page: was read from disk in this pass */
};

static struct file *owner(const struct pass *p, uint32_t page)
{
	const struct dataset *d = p->plan->data;

	return d->file[d->owner[page]];
}

/* An inode number is given again to another file, with another ctime. */
static struct tmem_precache_file file_of(const struct pass *p, uint32_t page)
{
	const struct file *f = owner(p, page);

	return (struct tmem_precache_file){
		.object = { f->state.dev, f->state.ino, f->state.ctime_ns },
	};
}

static uint64_t index_of(const struct pass *p, uint32_t page)
{
	const struct file *f = owner(p, page);

	return f->start + (page - f->first);
}

/* The first fault is told, all are counted. */
static void tell_fault(struct pass *p, uint32_t page, const char *what)
{
	const struct file *f = owner(p, page);
	char name[QUOTE_MAX];

	if (p->fault[0])
		return;
	(void)snprintf(p->fault, PASS_FAULT_MAX, "page %" PRIu64 " of %s: %s",
		       f->start + (page - f->first),
		       quote_text(f->path, name, sizeof(name)), what);
}

/* 1: the page is what it was; 0: it is not, and that is a fault. */
static int verify(struct pass *p, uint32_t page, const void *buf,
		  const char *source)
{
	if (dataset_matches(p->plan->data, page, buf)) {
		p->fig->verified++;
		return 1;
	}
	p->fig->differing++;
	tell_fault(p, page, source);
	return 0;
}

/* Give the victim of the next lru_add() to the pool. */
static int put_victim(struct pass *p)
{
	const struct demo_store *s = p->plan->store;
	struct tmem_precache_file file;
	const void *frame;
	uint64_t page, start;
	int stored;

	frame = lru_victim(&p->lru, &page);
	if (!s || !frame)
		return 0;
	file = file_of(p, (uint32_t)page);
	start = tmem_clock_ns();
	stored = tmem_precache_put(s->cache, &file, index_of(p, (uint32_t)page),
				   frame);
	tmem_histogram_add(&p->fig->put, tmem_clock_ns() - start);
	if (stored < 0) {
		tell_fault(p, (uint32_t)page, "tmem_precache_put failed");
		return stored;
	}
	p->fig->puts++;
	p->fig->refused += !stored;
	return 0;
}

/* 1: the pool had it; 0: not. */
static int get_page(struct pass *p, uint32_t page, void *frame)
{
	const struct demo_store *s = p->plan->store;
	struct tmem_precache_file file;
	uint64_t start;
	int hit;

	if (!s)
		return 0;
	file = file_of(p, page);
	start = tmem_clock_ns();
	hit = tmem_precache_get(s->cache, &file, index_of(p, page), frame);
	tmem_histogram_add(&p->fig->get, tmem_clock_ns() - start);
	if (hit < 0) {
		tell_fault(p, page, "tmem_precache_get failed");
		return hit;
	}
	p->fig->gets++;
	p->fig->hits += (uint64_t)hit;
	return hit;
}

/* The file is not what was hashed: none of it is read from now on. */
static void give_up_file(struct pass *p, uint32_t page)
{
	const struct demo_store *s = p->plan->store;
	struct tmem_precache_file file = file_of(p, page);

	owner(p, page)->changed = 1;
	if (s)
		(void)tmem_precache_flush_inode(s->cache, &file);
	(void)lru_del(&p->lru, page);
	p->fig->accesses--;
	p->fig->changed++;
}

static int read_disk(struct pass *p, uint32_t page, void *frame)
{
	struct file *f = owner(p, page);
	uint64_t start = tmem_clock_ns(), ns;
	int err = disk_read(&p->disk, f, f->start + (page - f->first), frame);

	ns = tmem_clock_ns() - start;
	if (err || !dataset_matches(p->plan->data, page, frame)) {
		if (disk_changed(f)) {
			give_up_file(p, page);
			return 0;
		}
		if (err) {
			tell_fault(p, page, "cannot be read");
			return err;
		}
	}
	tmem_histogram_add(&p->fig->disk, ns);
	p->fig->disk_ns += ns;
	p->fig->disk_reads++;
	p->fig->first_reads += !p->seen[page];
	p->seen[page] = 1;
	(void)verify(p, page, frame, "the disk gave other bytes than before");
	return 0;
}

static int access_page(struct pass *p, uint32_t page)
{
	void *frame;
	int got;

	if (owner(p, page)->changed) {
		p->fig->changed++;
		return 0;
	}
	p->fig->accesses++;
	frame = lru_get(&p->lru, page);
	if (frame) {
		p->fig->l1_hits++;
		(void)verify(p, page, frame, "first-level cache damaged");
		return 0;
	}
	got = put_victim(p);
	if (got < 0)
		return got;
	frame = lru_add(&p->lru, page);
	got = get_page(p, page, frame);
	if (got < 0)
		return got;
	if (!got)
		return read_disk(p, page, frame);
	(void)verify(p, page, frame, "the store gave other bytes than it got");
	return 0;
}

static int replay(struct pass *p)
{
	const struct pass_plan *plan = p->plan;
	uint64_t i;
	int err;

	access_rewind(plan->list);
	for (i = 0; i < plan->accesses; i++) {
		err = access_page(p, access_next(plan->list));
		if (err)
			return err;
		progress_add(plan->progress, 1);
		if (i % LOOK_EVERY == LOOK_EVERY - 1 &&
		    tmem_clock_ns() >= plan->deadline_ns)
			return 0;
	}
	return 0;
}

int pass_run(const struct pass_plan *plan, struct pass_figures *fig, char *fault)
{
	struct pass p = { .plan = plan, .fig = fig, .fault = fault };
	uint64_t start;
	int err;

	memset(fig, 0, sizeof(*fig));
	tmem_histogram_init(&fig->disk);
	tmem_histogram_init(&fig->put);
	tmem_histogram_init(&fig->get);
	fault[0] = '\0';
	disk_init(&p.disk);
	p.seen = calloc(plan->data->pages, 1);
	if (!p.seen)
		return -ENOMEM;
	err = lru_init(&p.lru, plan->l1_pages);
	if (err)
		goto free_seen;
	start = tmem_clock_ns();
	err = replay(&p);
	fig->ns = tmem_clock_ns() - start;
	disk_finish(&p.disk);
	lru_finish(&p.lru);
free_seen:
	free(p.seen);
	return err;
}
