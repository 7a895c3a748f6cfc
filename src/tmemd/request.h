/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request.h - a client's message, checked for everything that needs no state.
 */
#ifndef TMEM_TMEMD_REQUEST_H
#define TMEM_TMEMD_REQUEST_H

#include <stddef.h>

#include <tmem/wire.h>

/** union tmemd_request - room for any message; aligned for each. */
union tmemd_request {
	struct tmem_wire_head head;
	struct tmem_wire_hello hello;
	struct tmem_wire_ask ask;
	struct tmem_wire_loans give;
	struct tmem_wire_stats stats;
	struct tmem_wire_hint hint;
	struct tmem_wire_list list;
	struct tmem_wire_sessions sessions;
	struct tmem_wire_history history;
	struct tmem_wire_set set;
	struct tmem_wire_flush flush;
	struct tmem_wire_evict evict;
	unsigned char bytes[TMEM_WIRE_MESSAGE_MAX];
};

/** enum - how far a conversation has come. */
enum tmemd_stage {
	TMEMD_STAGE_NEW = 1,
	TMEMD_STAGE_SESSION = 2, /* was welcomed */
	TMEMD_STAGE_CONTROL = 4	 /* has used a control verb */
};

/**
 * tmemd_request_check() - may this be looked at?
 * @request: private memory: what came, @len bytes of it.
 * @fds: descriptors that came along.
 *
 * Beyond it, fields are within their ranges; what they mean is the caller's to
 * judge. A domain's name is ended, and may still be no name.
 *
 * Return: 0, or the TMEM_WIRE_* reason why not.
 */
int tmemd_request_check(const union tmemd_request *request, size_t len,
			unsigned fds, enum tmemd_stage stage);

#endif
