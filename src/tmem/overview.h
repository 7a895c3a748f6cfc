/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * overview.h - what a daemon says of itself and of its domains, printed.
 */
#ifndef TMEM_COMMAND_OVERVIEW_H
#define TMEM_COMMAND_OVERVIEW_H

#include <stdio.h>

#include <tmem/wire.h>

/** overview_status() - for people; its form may change. */
void overview_status(FILE *out, const struct tmem_wire_status_reply *s);

/** overview_status_json() - one object; keys are only added. */
void overview_status_json(FILE *out, const struct tmem_wire_status_reply *s);

/** overview_list(), overview_list_json() - the same of domains. */
void overview_list(FILE *out, const struct tmem_wire_domain *domains,
		   uint32_t count);
void overview_list_json(FILE *out, const struct tmem_wire_domain *domains,
			uint32_t count);

#endif
