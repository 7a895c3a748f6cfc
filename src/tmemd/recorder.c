/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recorder.c - samples taken for the history, and told to who asks.
 *
 * Sessions are asked how they do, and a moment later the sample is taken. It takes a
 * wake-up of each session in ten seconds: what happened an hour ago can be asked for
 * at no other time.
 */
#include "recorder.h"

#include <stddef.h>

#include "clock.h"
#include "peer.h"
#include "serve.h"
#include "tenant.h"
#include "tmemd.h"

/* What sessions get to report in: see control.c; nobody waits for this. */
#define REPORT_US (50 * 1000)

/* Wake-ups come along with those of others. */
#define ACCURACY_US (1000 * 1000)

static void take(struct tmemd *d)
{
	struct tmem_wire_sample whole = { 0 };
	struct tmem_wire_psi psi;

	/* With leases it is looked at anyway. */
	if (!d->tenants_count)
		tmemd_pressure_refresh(d);
	tmemd_serve_divide(d);
	tmemd_psi_look(&d->psi, &psi);
	whole.available_bytes = d->pressure.budget.available_bytes;
	whole.waiting_us = psi.some_us;
	whole.revoked = d->counters.revoked;
	tmemd_history_take(&d->recorder.history, &d->ledger, &whole,
			   tmem_clock_ns());
}

static int on_timer(sd_event_source *source, uint64_t usec, void *ctx)
{
	struct tmemd *d = ctx;
	struct tmemd_recorder *r = &d->recorder;
	uint64_t next = TMEMD_HISTORY_NS / TMEM_NS_PER_US;

	(void)usec;
	if (d->tenants_count && !r->asked) {
		tmemd_tenants_ask_reports(d);
		r->asked = 1;
		next = REPORT_US;
	} else {
		take(d);
		if (r->asked)
			next -= REPORT_US;
		r->asked = 0;
	}
	(void)sd_event_source_set_time_accuracy(source,
						r->asked ? 1 : ACCURACY_US);
	(void)sd_event_source_set_time_relative(source, next);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int tmemd_recorder_answer(struct tmemd *d, struct tmemd_peer *p,
			  const struct tmem_wire_history *verb)
{
	struct tmem_wire_history_reply r;

	tmemd_history_read(&d->recorder.history, verb, tmem_clock_ns(), &r);
	r.head.type = TMEM_WIRE_HISTORY_REPLY;
	r.head.len =
		(uint32_t)(offsetof(struct tmem_wire_history_reply, samples) +
			   r.count * sizeof(r.samples[0]));
	return tmemd_peer_send(p, &r, r.head.len, NULL, 0) ? TMEM_WIRE_DEAF : 0;
}

int tmemd_recorder_init(struct tmemd *d)
{
	struct tmemd_recorder *r = &d->recorder;
	int err = tmemd_history_init(&r->history);

	/* The first one at once. */
	if (!err)
		err = sd_event_add_time_relative(d->event, &r->timer,
						 CLOCK_MONOTONIC, 0, 1,
						 on_timer, d);
	return err < 0 ? err : 0;
}

void tmemd_recorder_finish(struct tmemd *d)
{
	d->recorder.timer = sd_event_source_disable_unref(d->recorder.timer);
	tmemd_history_finish(&d->recorder.history);
}
