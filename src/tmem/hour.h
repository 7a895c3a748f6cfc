/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hour.h - the last hour of a daemon: samples of the whole and of its domains.
 */
#ifndef TMEM_COMMAND_HOUR_H
#define TMEM_COMMAND_HOUR_H

#include <stddef.h>

#include "daemon-talk.h"

/** struct hour_series - the samples of one; as many as the hour has. */
struct hour_series {
	char name[TMEM_WIRE_NAME_MAX]; /* of a domain */
	struct tmem_wire_sample *samples;
};

/**
 * struct hour - all of it.
 * @count: samples of each series, the oldest first. Where the age is UINT64_MAX there
 *	is none.
 * @series: series_count of them; the first is the whole.
 * @left_out: domains that the daemon keeps no history of.
 */
struct hour {
	uint32_t count;
	uint32_t series_count;
	uint32_t left_out;
	struct hour_series *series;
};

/** hour_take() - ask for it. Return: 0; negative errno, told in @t. */
int hour_take(struct hour *h, struct daemon_talk *t);
void hour_finish(struct hour *h);

/** hour_is() - 1: there is a sample @i in the series. */
static inline int hour_is(const struct hour_series *s, uint32_t i)
{
	return s->samples[i].age_ns != UINT64_MAX;
}

/** HOUR_FIELD() - of a sample: what hour_value() and hour_rate() are asked for. */
#define HOUR_FIELD(member) offsetof(struct tmem_wire_sample, member)

/** hour_value() - a figure of sample @i; NAN: there is none. */
double hour_value(const struct hour_series *s, uint32_t i, size_t field);

/** hour_rate() - how much a counter grew until sample @i, a second; NAN: unknown. */
double hour_rate(const struct hour_series *s, uint32_t i, size_t field);

/** hour_growth() - how much it grew in all that there are samples of. */
double hour_growth(const struct hour *h, const struct hour_series *s,
		   size_t field);

#endif
