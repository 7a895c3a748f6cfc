/* SPDX-License-Identifier: BSD-2-Clause */
/* progress.c - one moving line on stderr, for a person who waits. */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

#define SHOW_EVERY_NS (200 * TMEM_NS_PER_MS)
#define LOOK_EVERY 64 /* steps between looks at the clock */
#define BAR_WIDTH 30

void progress_init(struct progress *p)
{
	memset(p, 0, sizeof(*p));
	p->on = isatty(STDERR_FILENO);
}

void progress_start(struct progress *p, const char *phase, uint64_t total)
{
	p->phase = phase;
	p->total = total;
	p->done = 0;
	p->start_ns = tmem_clock_ns();
	p->shown_ns = p->start_ns;
}

static void show(const struct progress *p, uint64_t now)
{
	uint64_t per_second =
		p->done * TMEM_NS_PER_MS / ((now - p->start_ns) / 1000 + 1);
	unsigned pct = p->total ? (unsigned)(p->done * 100 / p->total) : 0;
	unsigned filled = pct * BAR_WIDTH / 100;
	char bar[BAR_WIDTH + 1];

	memset(bar, '.', BAR_WIDTH);
	memset(bar, '#', filled < BAR_WIDTH ? filled : BAR_WIDTH);
	bar[BAR_WIDTH] = '\0';
	if (p->total)
		(void)fprintf(stderr,
			      "\r\033[K%s [%s] %3u%%  %" PRIu64 " pages/s",
			      p->phase, bar, pct, per_second);
	else
		(void)fprintf(stderr, "\r\033[K%s: %" PRIu64, p->phase, p->done);
	(void)fflush(stderr);
}

void progress_add(struct progress *p, uint64_t n)
{
	uint64_t before = p->done, now;

	p->done += n;
	if (!p->on || before / LOOK_EVERY == p->done / LOOK_EVERY)
		return;
	now = tmem_clock_ns();
	if (now - p->shown_ns < SHOW_EVERY_NS)
		return;
	p->shown_ns = now;
	show(p, now);
}

void progress_end(struct progress *p)
{
	if (p->on)
		(void)fputs("\r\033[K", stderr);
}
