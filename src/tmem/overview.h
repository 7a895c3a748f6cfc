/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * overview.h - what a daemon says of itself, its domains and their sessions,
 * printed.
 *
 * What ends in _json is stable: keys are only added, and docs/tmem-*.schema.json
 * say what each is. The rest is for people.
 */
#ifndef TMEM_COMMAND_OVERVIEW_H
#define TMEM_COMMAND_OVERVIEW_H

#include <stdio.h>

#include <tmem/wire.h>

/** overview_lent_bytes() - for all purposes together. */
static inline uint64_t overview_lent_bytes(const uint64_t *lent_bytes)
{
	return lent_bytes[TMEM_WIRE_EPHEMERAL] +
	       lent_bytes[TMEM_WIRE_PERSISTENT] + lent_bytes[TMEM_WIRE_METADATA];
}

void overview_status(FILE *out, const struct tmem_wire_status_reply *s);
void overview_status_json(FILE *out, const struct tmem_wire_status_reply *s);

/** overview_list() - a line a domain. */
void overview_list(FILE *out, const struct tmem_wire_domain *domains,
		   uint32_t count);
void overview_list_json(FILE *out, const struct tmem_wire_domain *domains,
			uint32_t count);

/** overview_show() - one domain, and each of its sessions. */
void overview_show(FILE *out, const struct tmem_wire_domain *domain,
		   const struct tmem_wire_session *sessions, uint32_t count);
void overview_show_json(FILE *out, const struct tmem_wire_domain *domain,
			const struct tmem_wire_session *sessions,
			uint32_t count);

#endif
