/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pressure.c - the host's need, watched and answered.
 *
 * Nothing wakes a process when MemAvailable crosses a line: the kernel tells of
 * stalls only, and before those come its own reclaim has run. So the line is
 * looked at, as often as the budget says (budget.c), and stalls are listened to.
 *
 * When the budget falls below what is lent, segments go back to the kernel out of
 * the very look that found it, before any message is sent or anything is lent, and
 * nothing on that way allocates: see tmemd_serve_follow().
 */
#include "pressure.h"

#include <sys/epoll.h>

#include "bounds.h"
#include "clock.h"
#include "tmemd.h"

/* For lending at full speed a look a turn would be a hundredth of the time. */
#define FRESH_NS (10 * TMEM_NS_PER_MS)

/* A wake-up may come so much later, as a share of the interval, to come along
 * with others'. */
#define ACCURACY_SHARE 8

static uint64_t lent(const struct tmemd *d)
{
	return tmemd_lent_sum(d->ledger.lent_bytes);
}

static uint64_t available(const struct tmemd_pressure *p)
{
	return tmemd_host_available(&p->host,
				    p->budget.floor_bytes +
					    4 * tmemd_budget_slack(&p->budget));
}

int tmemd_pressure_looms(const struct tmemd *d)
{
	const struct tmemd_budget *b = &d->pressure.budget;

	return d->ledger.lent_bytes[TMEM_WIRE_EPHEMERAL] &&
	       b->available_bytes < b->floor_bytes + 4 * tmemd_budget_slack(b);
}

void tmemd_pressure_tell(struct tmemd *d)
{
	const struct tmemd_budget *b = &d->pressure.budget;

	if (b->reason == d->pressure.told)
		return;
	d->pressure.told = b->reason;
	tmemd_log_say(&d->log, TMEM_LOG_INFO, "budget changes",
		      TMEMD_FIELDS(TMEMD_TEXT("reason", tmem_wire_budget_reason(
								b->reason)),
				   TMEMD_SIZE("budget", b->now_bytes),
				   TMEMD_SIZE("available", b->available_bytes),
				   TMEMD_SIZE("lent", lent(d))));
}

static void apply(struct tmemd *d)
{
	uint64_t before = d->ledger.budget_bytes;

	d->ledger.budget_bytes = d->pressure.budget.now_bytes;
	d->pressure.follow(d, before);
}

static void arm(struct tmemd_pressure *p)
{
	uint64_t us = p->budget.interval_ns / TMEM_NS_PER_US;

	(void)sd_event_source_set_time_accuracy(p->timer, us / ACCURACY_SHARE);
	(void)sd_event_source_set_time_relative(p->timer, us);
	(void)sd_event_source_set_enabled(p->timer, SD_EVENT_ONESHOT);
}

/* Whoever wanted this look, the next one is due after what this one says. Looks
 * before lending that left the timer at what it was before there was anything lent
 * made the floor's crossing go unseen for up to a second. */
static void look(struct tmemd *d, int stalled)
{
	struct tmemd_pressure *p = &d->pressure;
	struct tmemd_host_view v = { available(p), TMEMD_HOST_UNKNOWN };
	uint64_t now_ns = tmem_clock_ns();

	if (tmemd_budget_asks_scanned(&p->budget, v.available_bytes, stalled,
				      now_ns))
		v.scanned = tmemd_host_scanned(&p->host);
	if (tmemd_budget_look(&p->budget, &v, lent(d), stalled, now_ns))
		apply(d);
	if (d->tenants_count)
		arm(p);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *ctx)
{
	(void)source;
	(void)usec;
	look(ctx, 0);
	return 0;
}

static int on_stall(sd_event_source *source, int fd, uint32_t revents, void *ctx)
{
	struct tmemd *d = ctx;

	(void)fd;
	/* The kernel may switch this off while it runs. */
	if (revents & EPOLLERR)
		return sd_event_source_set_enabled(source, SD_EVENT_OFF);
	look(d, 1);
	return 0;
}

void tmemd_pressure_on(struct tmemd *d)
{
	int on = SD_EVENT_OFF;

	(void)sd_event_source_get_enabled(d->pressure.timer, &on);
	if (on != SD_EVENT_OFF)
		return;
	look(d, 0);
}

void tmemd_pressure_refresh(struct tmemd *d)
{
	if (tmem_clock_ns() - d->pressure.budget.looked_ns >= FRESH_NS)
		look(d, 0);
}

void tmemd_pressure_configure(struct tmemd *d)
{
	struct tmemd_pressure *p = &d->pressure;

	if (tmemd_budget_configure(&p->budget, d->config->budget_bytes,
				   d->config->floor_bytes, available(p),
				   lent(d), tmem_clock_ns()) &&
	    d->tenants_count)
		arm(p); /* the old floor may have been far */
	d->ledger.budget_bytes = p->budget.now_bytes;
}

int tmemd_pressure_init(struct tmemd *d, tmemd_follow_fn follow)
{
	struct tmemd_pressure *p = &d->pressure;
	int err;

	p->follow = follow;
	tmemd_pressure_configure(d);
	err = sd_event_add_time_relative(d->event, &p->timer, CLOCK_MONOTONIC,
					 0, 0, on_timer, d);
	if (err >= 0)
		err = sd_event_source_set_enabled(p->timer, SD_EVENT_OFF);
	if (err >= 0)
		err = sd_event_source_set_priority(p->timer,
						   SD_EVENT_PRIORITY_IMPORTANT);
	if (err >= 0 && p->host.stall_fd >= 0)
		err = sd_event_add_io(d->event, &p->stall, p->host.stall_fd,
				      EPOLLPRI, on_stall, d);
	if (err >= 0 && p->stall)
		err = sd_event_source_set_priority(p->stall,
						   SD_EVENT_PRIORITY_IMPORTANT);
	return err < 0 ? err : 0;
}

void tmemd_pressure_finish(struct tmemd *d)
{
	struct tmemd_pressure *p = &d->pressure;

	p->timer = sd_event_source_disable_unref(p->timer);
	p->stall = sd_event_source_disable_unref(p->stall);
	tmemd_host_finish(&p->host);
}
