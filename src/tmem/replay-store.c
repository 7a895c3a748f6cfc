/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay-store.c - driving a store with a list of events, by its public header.
 *
 * Each put of a page is another version of it. So a hit with an older one, or
 * one after a flush, does not pass for right.
 */
#include "replay-store.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "command.h"
#include "progress.h"
#include "quote.h"
#include "replay-content.h"
#include "replay-options.h"
#include "replay-trace.h"

/*
 * Limited by pages, the store is to be short of nothing else: half as much again
 * for segments that are partly empty, and something for a small one's fixed needs.
 */
#define BYTES_PER_PAGE (TMEM_PAGE_SIZE * 3ull / 2)
#define BYTES_BESIDE (16ull << 20)

#define PROGRESS_EVERY 256

/** struct player - a run. */
struct player {
	const struct replay_plan *plan;
	struct replay_figures *fig;
	char *fault;
	struct tmem *session;
	int pool;
	uint32_t *version; /* by id: of the last put; 0: none since a flush */
	uint32_t versions;
	pthread_mutex_t lock; /* for fault while opening */
	int opening;
	_Alignas(TMEM_PAGE_SIZE) uint8_t buf[TMEM_PAGE_SIZE];
};

/* Called from any thread. */
static void keep_line(void *ctx, int level, const char *line)
{
	struct player *p = ctx;
	int opening;

	if (level > TMEM_LOG_WARNING)
		return;
	(void)pthread_mutex_lock(&p->lock);
	opening = p->opening;
	if (opening)
		(void)quote_text(line, p->fault, REPLAY_FAULT_MAX);
	(void)pthread_mutex_unlock(&p->lock);
	if (!opening)
		(void)command_complain(0, "store: %s", line);
}

static int open_store(struct player *p)
{
	const struct replay_plan *plan = p->plan;
	struct tmem_open_opts opts = {
		.size = sizeof(opts),
		.agers = plan->opt->agers,
		.limit_bytes = plan->size->bytes,
		.domain = "replay",
		.log = keep_line,
		.log_ctx = p,
	};
	struct tmem_pool_opts pool = {
		.size = sizeof(pool),
		.flags = plan->opt->mode == STREAM_EXCLUSIVE ? 0
							     : TMEM_POOL_KEEP,
		.name = "replay",
	};
	int err;

	if (plan->size->ppm) {
		opts.limit_pages =
			replay_size_pages(plan->size, plan->trace->ids);
		opts.limit_bytes =
			opts.limit_pages * BYTES_PER_PAGE + BYTES_BESIDE;
	}
	p->opening = 1;
	err = tmem_open("embedded:", &opts, &p->session);
	if (!err) {
		p->pool = tmem_pool_create(p->session, &pool);
		err = p->pool < 0 ? p->pool : 0;
	}
	(void)pthread_mutex_lock(&p->lock);
	p->opening = 0;
	(void)pthread_mutex_unlock(&p->lock);
	return err;
}

static int fail(struct player *p, uint32_t id, int err)
{
	(void)snprintf(p->fault, REPLAY_FAULT_MAX, "page %" PRIu64 ": %s",
		       p->plan->trace->page[id],
		       err == -EILSEQ ? "a hit with other bytes than were put"
				      : strerror(-err));
	return err;
}

static int put(struct player *p, uint32_t id)
{
	uint64_t page = p->plan->trace->page[id], start;
	struct tmem_key key = tmem_key(0, page);
	int ret;

	p->version[id] = ++p->versions ? p->versions : ++p->versions;
	content_fill(p->plan->content, page, p->version[id], p->buf);
	start = tmem_clock_ns();
	ret = tmem_put(p->session, p->pool, &key, p->buf);
	p->fig->tmem_ns += tmem_clock_ns() - start;
	return ret < 0 ? fail(p, id, ret) : 0;
}

/* Return: 1 a hit, 0 a miss, negative errno. */
static int get(struct player *p, uint32_t id)
{
	uint64_t page = p->plan->trace->page[id], start;
	struct tmem_key key = tmem_key(0, page);
	int ret;

	start = tmem_clock_ns();
	ret = tmem_get(p->session, p->pool, &key, p->buf);
	p->fig->tmem_ns += tmem_clock_ns() - start;
	if (ret <= 0)
		return ret < 0 ? fail(p, id, ret) : 0;
	if (!p->version[id] ||
	    !content_holds(p->plan->content, page, p->version[id], p->buf,
			   p->plan->opt->verify))
		return fail(p, id, -EILSEQ);
	p->fig->hits++;
	return 1;
}

static int flush(struct player *p, uint32_t id)
{
	struct tmem_key key = tmem_key(0, p->plan->trace->page[id]);
	uint64_t start = tmem_clock_ns();
	int ret;

	ret = tmem_flush_page(p->session, p->pool, &key);
	p->fig->tmem_ns += tmem_clock_ns() - start;
	p->version[id] = 0;
	return ret < 0 ? fail(p, id, ret) : 0;
}

static int play(struct player *p, uint32_t event)
{
	uint32_t id = EVENT_ID(event);
	int ret;

	switch (EVENT_OP(event)) {
	case EVENT_PUT:
		return put(p, id);
	case EVENT_FLUSH:
		return flush(p, id);
	case EVENT_GET:
		ret = get(p, id);
		if (ret == 1)
			p->version[id] = 0; /* taken */
		return ret < 0 ? ret : 0;
	default:
		ret = get(p, id);
		return ret ? (ret < 0 ? ret : 0) : put(p, id);
	}
}

static int play_all(struct player *p)
{
	const struct stream *s = p->plan->stream;
	uint64_t i;
	int err = 0;

	for (i = 0; !err && i < s->count; i++) {
		err = play(p, s->event[i]);
		if (i % PROGRESS_EVERY == PROGRESS_EVERY - 1)
			progress_add(p->plan->progress, PROGRESS_EVERY);
	}
	p->fig->stats.size = sizeof(p->fig->stats);
	return err ? err : tmem_stats(p->session, &p->fig->stats);
}

int replay_store_run(const struct replay_plan *plan, struct replay_figures *fig,
		     char *fault)
{
	struct player *p = aligned_alloc(_Alignof(struct player), sizeof(*p));
	int err = -ENOMEM;

	fault[0] = '\0';
	memset(fig, 0, sizeof(*fig));
	if (!p)
		return err;
	memset(p, 0, sizeof(*p));
	p->plan = plan;
	p->fig = fig;
	p->fault = fault;
	(void)pthread_mutex_init(&p->lock, NULL);
	p->version = calloc((size_t)plan->trace->ids + 1, sizeof(*p->version));
	if (p->version)
		err = open_store(p);
	if (!err) {
		progress_start(plan->progress, plan->size->text,
			       plan->stream->count);
		err = play_all(p);
		progress_end(plan->progress);
	}
	tmem_close(p->session);
	(void)pthread_mutex_destroy(&p->lock);
	free(p->version);
	free(p);
	if (err && !fault[0])
		(void)snprintf(fault, REPLAY_FAULT_MAX, "%s", strerror(-err));
	return err;
}
