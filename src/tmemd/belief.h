/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * belief.h - how much of what a session says of itself can be so.
 *
 * Nothing rests on a session's own figures but what people are shown, and a part of
 * one policy. They are summed up, though, so one liar would spoil the sums for all.
 * What is counted of a session is therefore no more than it can have done in the
 * time that it was there, and no more than fits into what it was lent; and what was
 * counted once is not taken back. An honest session is not touched by any of it.
 */
#ifndef TMEM_TMEMD_BELIEF_H
#define TMEM_TMEMD_BELIEF_H

#include <stdint.h>

#include <tmem/wire.h>

/**
 * struct tmemd_means - what a session had at hand for what it says it did.
 * @age_ns: since it was welcomed; of one that came back, since the machine was
 *	started: it counted before we were there.
 * @cpus: that the machine has.
 * @lent_most_bytes: most that it ever held of what was lent to it.
 */
struct tmemd_means {
	uint64_t age_ns;
	uint64_t cpus;
	uint64_t lent_most_bytes;
};

/**
 * tmemd_belief_form() - a report, brought down to what can be so.
 * @was: what was believed of the report before; all 0: there was none.
 * @said: any content.
 * @ret: out: what was counted ever is in no place less than in @was.
 *
 * Return: bits of TMEM_WIRE_DOUBT_*: why @ret is not @said.
 */
unsigned tmemd_belief_form(const struct tmemd_means *m,
			   const struct tmem_wire_figures *was,
			   const struct tmem_wire_figures *said,
			   struct tmem_wire_figures *ret);

#endif
