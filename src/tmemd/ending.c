/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ending.c - leases that are over, their memory on its way back.
 *
 * Cut from the end, so that the file is gone whoever else holds it or maps it;
 * it cannot grow again. In steps, or the end of one large lease would hold up all
 * others: 1 GiB of OS pages takes 50 ms.
 */
#include "ending.h"

#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

/* Cut at a time: 6 ms of huge pages, 25 ms of small ones. */
#define STEP_BYTES (512ll << 20)

struct tmemd_ending {
	TAILQ_ENTRY(tmemd_ending) entry;
	int fd;
	off_t left; /* bytes */
};

/* 1: more is left. */
static int step(int fd, off_t *left)
{
	*left = *left > STEP_BYTES ? *left - STEP_BYTES : 0;
	/* Its client may have cut it shorter, and growing is refused. */
	(void)ftruncate(fd, *left);
	return *left > 0;
}

static void end_now(int fd)
{
	(void)ftruncate(fd, 0);
	(void)close(fd);
}

static int on_turn(sd_event_source *source, void *ctx)
{
	struct tmemd_endings *e = ctx;
	struct tmemd_ending *first = TAILQ_FIRST(&e->list);

	if (first && !step(first->fd, &first->left)) {
		TAILQ_REMOVE(&e->list, first, entry);
		end_now(first->fd);
		tmem_mem_free(first, sizeof(*first));
	}
	if (TAILQ_EMPTY(&e->list))
		(void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
	return 0;
}

int tmemd_endings_init(struct tmemd_endings *e, sd_event *event)
{
	int err;

	TAILQ_INIT(&e->list);
	err = sd_event_add_defer(event, &e->source, on_turn, e);
	if (err >= 0)
		err = sd_event_source_set_enabled(e->source, SD_EVENT_OFF);
	return err < 0 ? err : 0;
}

void tmemd_endings_add(struct tmemd_endings *e, int fd)
{
	struct tmemd_ending *n = NULL;
	struct stat st;

	if (!fstat(fd, &st))
		n = tmem_mem_alloc(sizeof(*n));
	if (!n) {
		end_now(fd);
		return;
	}
	n->fd = fd;
	n->left = st.st_size;
	TAILQ_INSERT_TAIL(&e->list, n, entry);
	(void)sd_event_source_set_enabled(e->source, SD_EVENT_ON);
}

void tmemd_endings_finish(struct tmemd_endings *e)
{
	struct tmemd_ending *n;

	while ((n = TAILQ_FIRST(&e->list))) {
		TAILQ_REMOVE(&e->list, n, entry);
		end_now(n->fd);
		tmem_mem_free(n, sizeof(*n));
	}
	e->source = sd_event_source_disable_unref(e->source);
}
