/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top-model.c - what `tmem top` shows: domains with their rates and their last
 * minutes, sorted and filtered.
 *
 * Domains are told apart by their numbers, so one that ends and begins anew under
 * the same name starts from nothing instead of with a rate of minus a million.
 */
#include "top-model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "overview.h"

/* ---- Rates --------------------------------------------------------------- */

/* A counter is what a session claims: one that falls counts as standing. */
static double risen(uint64_t now, uint64_t before)
{
	return now > before ? (double)(now - before) : 0;
}

static double part(double a, double b, double factor)
{
	return b > 0 ? factor * a / b : -1;
}

static void add_sample(struct top_domain *d)
{
	const float values[TOP_HISTORIES] = { (float)d->ops, (float)d->hits_pct,
					      (float)d->lent_bytes };
	size_t i;

	for (i = 0; i < TOP_HISTORIES; i++) {
		if (d->samples == TOP_SAMPLES)
			memmove(d->history[i], d->history[i] + 1,
				(TOP_SAMPLES - 1) * sizeof(float));
		d->history[i][d->samples - (d->samples == TOP_SAMPLES)] =
			values[i];
	}
	d->samples += d->samples < TOP_SAMPLES;
}

static void note_levels(struct top_domain *d)
{
	const struct tmem_wire_figures *f = &d->now.claimed;

	d->lent_bytes = (double)overview_lent_bytes(d->now.lent_bytes);
	d->share_pct = part(d->lent_bytes, (double)d->now.entitled_bytes, 100);
	d->ratio = part((double)f->raw_bytes, (double)f->used_bytes, 1);
}

/* @seconds: since the one before. */
static void note_rates(struct top_domain *d,
		       const struct tmem_wire_figures *before, double seconds)
{
	const struct tmem_wire_figures *f = &d->now.claimed;
	double gets = risen(f->gets, before->gets);

	d->ops = (risen(f->puts, before->puts) + gets +
		  risen(f->flushes, before->flushes)) /
		 seconds;
	d->ghosts = risen(f->ghost_hits, before->ghost_hits) / seconds;
	d->evictions = risen(f->evictions, before->evictions) / seconds;
	d->agers_pct = risen(f->ager_ns, before->ager_ns) /
		       (double)TMEM_NS_PER_SEC / seconds * 100;
	d->hits_pct = part(risen(f->hits, before->hits), gets, 100);
	add_sample(d);
}

static void sum_up(struct top_model *m, double seconds, uint64_t cpu_before)
{
	size_t i;

	memset(&m->sum, 0, sizeof(m->sum));
	m->sum.lent_bytes = overview_lent_bytes(m->status.lent_bytes);
	for (i = 0; i < m->count; i++) {
		m->sum.ops += m->all[i]->ops;
		m->sum.evictions += m->all[i]->evictions;
		m->sum.agers_pct += m->all[i]->agers_pct;
	}
	if (seconds > 0)
		m->sum.daemon_pct = risen(m->status.cpu_ns, cpu_before) /
				    (double)TMEM_NS_PER_SEC / seconds * 100;
}

/* ---- Updating ------------------------------------------------------------ */

static int grow(struct top_model *m, size_t count)
{
	size_t room = m->room ? m->room : 16;
	struct top_domain **all, **shown;

	while (room < count)
		room *= 2;
	if (room == m->room)
		return 0;
	all = realloc(m->all, room * sizeof(*all));
	if (all)
		m->all = all;
	shown = realloc(m->shown, room * sizeof(*shown));
	if (shown)
		m->shown = shown;
	if (!all || !shown)
		return -ENOMEM;
	m->room = room;
	return 0;
}

static int begin(struct top_model *m, const struct tmem_wire_domain *now)
{
	struct top_domain *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->now = *now;
	d->hits_pct = -1;
	d->seen = 1;
	note_levels(d);
	m->all[m->count++] = d;
	return 0;
}

static void go_on(struct top_domain *d, const struct tmem_wire_domain *now,
		  double seconds)
{
	struct tmem_wire_figures before = d->now.claimed;

	d->now = *now;
	d->seen = 1;
	note_levels(d);
	if (seconds > 0)
		note_rates(d, &before, seconds);
}

static void drop_unseen(struct top_model *m)
{
	size_t i, kept = 0;

	for (i = 0; i < m->count; i++) {
		if (m->all[i]->seen)
			m->all[kept++] = m->all[i];
		else
			free(m->all[i]);
	}
	m->count = kept;
}

/* Both are in the order of numbers, and new ones have the highest. */
static int merge(struct top_model *m, const struct daemon_view *v,
		 double seconds)
{
	size_t i = 0, old = m->count;
	uint32_t n;
	int err = 0;

	for (n = 0; n < v->count && !err; n++) {
		const struct tmem_wire_domain *now = &v->domains[n];

		while (i < old && m->all[i]->now.number < now->number)
			i++;
		if (i < old && m->all[i]->now.number == now->number)
			go_on(m->all[i], now, seconds);
		else
			err = begin(m, now);
	}
	return err;
}

static void forget_all(struct top_model *m)
{
	while (m->count)
		free(m->all[--m->count]);
	m->shown_count = 0;
	m->taken_ns = 0;
}

int top_model_update(struct top_model *m, const struct daemon_view *v)
{
	const uint64_t cpu_before = m->status.cpu_ns;
	double seconds;
	size_t i;
	int err;

	/* Another daemon numbers anew. */
	if (m->status.pid != v->status.pid || v->status.up_ns < m->status.up_ns)
		forget_all(m);
	seconds = m->taken_ns ? (double)(v->taken_ns - m->taken_ns) /
					(double)TMEM_NS_PER_SEC
			      : 0;
	for (i = 0; i < m->count; i++)
		m->all[i]->seen = 0;
	err = grow(m, m->count + v->count);
	if (!err)
		err = merge(m, v, seconds);
	if (err)
		return err;
	m->status = v->status;
	m->taken_ns = v->taken_ns;
	drop_unseen(m);
	sum_up(m, seconds, cpu_before);
	top_model_arrange(m);
	return 0;
}

/* ---- Sorting and filtering ----------------------------------------------- */

static double value_of(const struct top_domain *d, enum top_sort by)
{
	switch (by) {
	case TOP_BY_LENT:
		return d->lent_bytes;
	case TOP_BY_ENTITLED:
		return (double)d->now.entitled_bytes;
	case TOP_BY_SHARE:
		return d->share_pct;
	case TOP_BY_RATIO:
		return d->ratio;
	case TOP_BY_HITS:
		return d->hits_pct;
	case TOP_BY_OPS:
		return d->ops;
	case TOP_BY_GHOSTS:
		return d->ghosts;
	case TOP_BY_EVICTIONS:
		return d->evictions;
	case TOP_BY_AGERS:
		return d->agers_pct;
	default:
		return 0;
	}
}

/* Largest first, names from a on; the same by number, so that lines stay. */
static int compare(const void *va, const void *vb, void *ctx)
{
	const struct top_model *m = ctx;
	const struct top_domain *a = *(struct top_domain *const *)va;
	const struct top_domain *b = *(struct top_domain *const *)vb;
	double x = value_of(a, m->sort), y = value_of(b, m->sort);
	int order = x > y ? -1 : x < y;

	if (m->sort == TOP_BY_NAME)
		order = strcmp(a->now.name, b->now.name);
	if (m->reverse)
		order = -order;
	return order ? order : a->now.number < b->now.number ? -1 : 1;
}

void top_model_arrange(struct top_model *m)
{
	size_t i;

	m->shown_count = 0;
	for (i = 0; i < m->count; i++)
		if (strcasestr(m->all[i]->now.name, m->filter))
			m->shown[m->shown_count++] = m->all[i];
	if (m->shown_count)
		qsort_r(m->shown, m->shown_count, sizeof(*m->shown), compare, m);
	top_model_select(m, 0);
}

size_t top_model_selected(const struct top_model *m)
{
	size_t i;

	for (i = 0; i < m->shown_count; i++)
		if (m->shown[i]->now.number == m->selected)
			return i;
	return 0;
}

void top_model_select(struct top_model *m, long lines)
{
	long at = (long)top_model_selected(m) + lines;

	if (at >= (long)m->shown_count)
		at = (long)m->shown_count - 1;
	if (at < 0)
		at = 0;
	m->selected = m->shown_count ? m->shown[at]->now.number : 0;
}

void top_model_finish(struct top_model *m)
{
	forget_all(m);
	free(m->all);
	free(m->shown);
	memset(m, 0, sizeof(*m));
}
