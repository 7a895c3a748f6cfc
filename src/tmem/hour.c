/* SPDX-License-Identifier: BSD-2-Clause */
/* hour.c - the last hour of a daemon: samples of the whole and of its domains. */
#include "hour.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD offsetof(struct tmem_wire_history_reply, samples)

/* Ten times what tmemd keeps: a number beyond is none. */
#define SAMPLES_MAX 3600u
#define PLACES_MAX 1024u

static int ask(struct daemon_talk *t, uint32_t place, uint64_t from,
	       union daemon_reply *r)
{
	const struct tmem_wire_history verb = {
		.head = { TMEM_WIRE_HISTORY, sizeof(verb) },
		.place = place,
		.from = from,
	};
	const struct tmem_wire_history_reply *h = &r->history;
	int err = daemon_talk_say(t, &verb);

	if (!err)
		err = daemon_talk_await(t, TMEM_WIRE_HISTORY_REPLY, HEAD, r);
	if (err)
		return err;
	if (h->place == place && h->count <= TMEM_WIRE_SAMPLES_MAX &&
	    h->head.len == HEAD + h->count * sizeof(h->samples[0]) &&
	    h->from >= from && h->places <= PLACES_MAX &&
	    memchr(h->name, 0, sizeof(h->name)))
		return 0;
	(void)snprintf(t->fault, sizeof(t->fault),
		       "the daemon at %s makes no sense", t->socket);
	return -EPROTO;
}

static int fail_memory(struct daemon_talk *t)
{
	(void)snprintf(t->fault, sizeof(t->fault), "out of memory");
	return -ENOMEM;
}

/* What came of it, where it belongs: the hour is that of the whole, and the daemon
 * goes on meanwhile. */
static void sort_in(const struct hour *h, struct hour_series *s, uint64_t first,
		    const struct tmem_wire_history_reply *r)
{
	uint32_t i;

	for (i = 0; i < r->count; i++)
		if (r->from + i - first < h->count)
			s->samples[r->from + i - first] = r->samples[i];
}

/* A series, beginning with a first reply in @r. */
static int take_series(struct hour *h, struct daemon_talk *t, uint32_t place,
		       uint64_t first, union daemon_reply *r)
{
	struct hour_series *s = &h->series[h->series_count];
	uint64_t next;
	uint32_t i;
	int err = 0;

	s->samples = calloc(h->count + 1, sizeof(*s->samples));
	if (!s->samples)
		return fail_memory(t);
	h->series_count++;
	for (i = 0; i < h->count; i++)
		s->samples[i].age_ns = UINT64_MAX;
	memcpy(s->name, r->history.name, sizeof(s->name));
	for (;;) {
		sort_in(h, s, first, &r->history);
		next = r->history.from + r->history.count;
		if (!r->history.count || next - first >= h->count)
			return 0;
		err = ask(t, place, next, r);
		if (err)
			return err;
	}
}

int hour_take(struct hour *h, struct daemon_talk *t)
{
	uint32_t place, places;
	union daemon_reply r;
	uint64_t first;
	int err = ask(t, 0, 0, &r);

	memset(h, 0, sizeof(*h));
	if (err)
		return err;
	first = r.history.from;
	h->left_out = r.history.left_out;
	h->count = r.history.end - first < SAMPLES_MAX
			   ? (uint32_t)(r.history.end - first)
			   : SAMPLES_MAX;
	places = r.history.places;
	h->series = calloc(places + 1, sizeof(*h->series));
	if (!h->series)
		return fail_memory(t);
	err = take_series(h, t, 0, first, &r);
	for (place = 1; !err && place <= places; place++) {
		err = ask(t, place, first, &r);
		if (!err && r.history.name[0])
			err = take_series(h, t, place, first, &r);
	}
	return err;
}

void hour_finish(struct hour *h)
{
	uint32_t i;

	for (i = 0; i < h->series_count; i++)
		free(h->series[i].samples);
	free(h->series);
	memset(h, 0, sizeof(*h));
}

/* ---- Figures ------------------------------------------------------------- */

static uint64_t field_of(const struct hour_series *s, uint32_t i, size_t field)
{
	uint64_t value;

	memcpy(&value, (const char *)&s->samples[i] + field, sizeof(value));
	return value;
}

double hour_value(const struct hour_series *s, uint32_t i, size_t field)
{
	uint64_t value = field_of(s, i, field);

	return hour_is(s, i) && value != UINT64_MAX ? (double)value : NAN;
}

/* Less than before: another domain of that name. Return: NAN, if so. */
static double grown(const struct hour_series *s, uint32_t i, size_t field)
{
	uint64_t was, is;

	if (!i || !hour_is(s, i) || !hour_is(s, i - 1))
		return NAN;
	was = field_of(s, i - 1, field);
	is = field_of(s, i, field);
	return is >= was && is != UINT64_MAX ? (double)(is - was) : NAN;
}

double hour_rate(const struct hour_series *s, uint32_t i, size_t field)
{
	double more = grown(s, i, field);

	if (isnan(more) || s->samples[i - 1].age_ns <= s->samples[i].age_ns)
		return NAN;
	return more * 1e9 /
	       (double)(s->samples[i - 1].age_ns - s->samples[i].age_ns);
}

double hour_growth(const struct hour *h, const struct hour_series *s,
		   size_t field)
{
	double sum = 0, more;
	uint32_t i;

	for (i = 1; i < h->count; i++) {
		more = grown(s, i, field);
		if (!isnan(more))
			sum += more;
	}
	return sum;
}
