/* SPDX-License-Identifier: BSD-2-Clause */
/* giveback.c - so many pages of each disk brought home that enough is free. */
#include "giveback.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>

/* Pages brought home before the wish is looked at again: to stop in time. */
#define STEP_PAGES 256

/* What is freed is spread over segments, and moving pages together needs some
 * slack: so much more than asked for, percent. */
#define BEYOND_PCT 10

void giveback_init(struct giveback *g)
{
	memset(g, 0, sizeof(*g));
	(void)pthread_mutex_init(&g->lock, NULL);
	(void)pthread_cond_init(&g->change, NULL);
}

void giveback_want(void *ctx, uint64_t bytes)
{
	struct giveback *g = ctx;

	(void)pthread_mutex_lock(&g->lock);
	/* Asked again is not asked for more: the daemon says what it lacks. */
	if (g->wanted_bytes < bytes)
		g->wanted_bytes = bytes;
	(void)pthread_cond_signal(&g->change);
	(void)pthread_mutex_unlock(&g->lock);
}

static int is_over(struct giveback *g)
{
	int over;

	(void)pthread_mutex_lock(&g->lock);
	over = g->stop;
	(void)pthread_mutex_unlock(&g->lock);
	return over;
}

static uint64_t pages_stored(const struct giveback *g)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < g->volume_count; i++)
		sum += tmem_preswap_curr_pages(g->volumes[i].area);
	return sum;
}

/* From the disk that has most, a step. Return: pages that came home. */
static uint64_t step(struct giveback *g, uint64_t pages)
{
	struct volume *most = &g->volumes[0];
	uint64_t has = 0, home = 0;
	unsigned i;
	int err;

	for (i = 0; i < g->volume_count; i++) {
		uint64_t n = tmem_preswap_curr_pages(g->volumes[i].area);

		if (n > has) {
			has = n;
			most = &g->volumes[i];
		}
	}
	if (pages > STEP_PAGES)
		pages = STEP_PAGES;
	err = tmem_preswap_shrink(most->area, has > pages ? has - pages : 0,
				  &home);
	if (err)
		nbdkit_error("giving memory back: %s", strerror(-err));
	return err ? 0 : home;
}

static void obey(struct giveback *g, uint64_t bytes)
{
	struct tmem_stats s = { .size = sizeof(s) };
	uint64_t stored = pages_stored(g), pages, page_bytes, n;

	if (!stored || tmem_stats(g->session, &s))
		return;
	page_bytes = s.used_bytes / stored;
	pages = (bytes + bytes / 100 * BEYOND_PCT) / (page_bytes + 1) + 1;
	while (pages && !is_over(g)) {
		n = step(g, pages);
		if (!n)
			break;
		pages -= n < pages ? n : pages;
	}
	(void)tmem_shrink(g->session, bytes, NULL);
}

static void *giveback_main(void *arg)
{
	struct giveback *g = arg;

	(void)pthread_setname_np(pthread_self(), "giveback");
	(void)pthread_mutex_lock(&g->lock);
	while (!g->stop) {
		uint64_t bytes = g->wanted_bytes;

		g->wanted_bytes = 0;
		if (!bytes) {
			(void)pthread_cond_wait(&g->change, &g->lock);
			continue;
		}
		(void)pthread_mutex_unlock(&g->lock);
		obey(g, bytes);
		(void)pthread_mutex_lock(&g->lock);
	}
	(void)pthread_mutex_unlock(&g->lock);
	return NULL;
}

int giveback_start(struct giveback *g, struct tmem *session,
		   struct volume *volumes, unsigned count)
{
	sigset_t all, old;
	int err;

	g->session = session;
	g->volumes = volumes;
	g->volume_count = count;
	/* Signals are the server's. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&g->thread, NULL, giveback_main, g);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	g->started = !err;
	return err ? -ENOMEM : 0;
}

void giveback_stop(struct giveback *g)
{
	if (!g->started)
		return;
	(void)pthread_mutex_lock(&g->lock);
	g->stop = 1;
	(void)pthread_cond_signal(&g->change);
	(void)pthread_mutex_unlock(&g->lock);
	(void)pthread_join(g->thread, NULL);
	g->started = 0;
}
