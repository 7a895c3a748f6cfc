/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz-request.c - any bytes as a client's message: what is accepted has every
 * field in its range.
 *
 * The first byte says at which stage, and with how many descriptors.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int ok)
{
	if (!ok)
		abort();
}

/* Each text of SET ends within what came, and there are as many as it says. */
static void check_texts(const struct tmem_wire_set *m, size_t len)
{
	const char *at = m->pairs, *end = (const char *)m + len;
	uint32_t texts = 0;

	for (; at < end; at += strlen(at) + 1) {
		must(memchr(at, 0, (size_t)(end - at)) != NULL);
		texts++;
	}
	must(at == end && texts == m->count);
}

static void check_accepted(const union tmemd_request *r, size_t len,
			   unsigned fds)
{
	uint32_t i;

	must(r->head.len == len);
	must(!fds || r->head.type == TMEM_WIRE_HELLO);
	switch (r->head.type) {
	case TMEM_WIRE_HELLO:
		must(strlen(r->hello.domain) < TMEM_WIRE_NAME_MAX);
		must(fds == (r->hello.flags & TMEM_WIRE_RETURNING ? 2u : 0u));
		break;
	case TMEM_WIRE_ASK:
		must(r->ask.cls < TMEM_WIRE_CLASSES);
		break;
	case TMEM_WIRE_GIVE:
		/* All of them lie inside of what came. */
		for (i = 0; i < r->give.count; i++)
			must((const uint8_t *)&r->give.loans[i + 1] <=
			     r->bytes + len);
		break;
	case TMEM_WIRE_SET:
		check_texts(&r->set, len);
		must(strlen(r->set.domain) < TMEM_WIRE_NAME_MAX);
		break;
	case TMEM_WIRE_FLUSH:
		must(strlen(r->flush.domain) < TMEM_WIRE_NAME_MAX);
		break;
	case TMEM_WIRE_EVICT:
		must(strlen(r->evict.domain) < TMEM_WIRE_NAME_MAX);
		must(r->evict.flags <= TMEM_WIRE_FORCE);
		break;
	case TMEM_WIRE_SESSIONS:
		must(strlen(r->sessions.domain) < TMEM_WIRE_NAME_MAX);
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const enum tmemd_stage stages[] = { TMEMD_STAGE_NEW,
						   TMEMD_STAGE_SESSION,
						   TMEMD_STAGE_CONTROL };
	union tmemd_request r;
	unsigned fds;
	int reason;

	if (!len || len - 1 > sizeof(r))
		return 0;
	fds = data[0] / 3 % 5;
	/* What lies behind the message is junk, as on the daemon's stack. */
	memset(&r, 0xa5, sizeof(r));
	memcpy(&r, data + 1, len - 1);
	reason = tmemd_request_check(&r, len - 1, fds, stages[data[0] % 3]);
	must(reason >= 0 && reason < TMEM_WIRE_REASONS);
	if (!reason)
		check_accepted(&r, len - 1, fds);
	return 0;
}
