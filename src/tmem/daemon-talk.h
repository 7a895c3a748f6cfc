/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * daemon-talk.h - asking a daemon how it goes.
 */
#ifndef TMEM_COMMAND_DAEMON_TALK_H
#define TMEM_COMMAND_DAEMON_TALK_H

#include <tmem/wire.h>

/** Room for why it failed. */
#define DAEMON_TALK_FAULT_MAX 320u

/** daemon_talk_status() - Return: 0; negative errno, told in @fault. */
int daemon_talk_status(const char *socket, struct tmem_wire_status_reply *ret,
		       char fault[DAEMON_TALK_FAULT_MAX]);

/**
 * daemon_talk_list() - all domains.
 * @ret: out: of malloc().
 * @ret_count: out.
 *
 * Return: as daemon_talk_status(); -ENOMEM.
 */
int daemon_talk_list(const char *socket, struct tmem_wire_domain **ret,
		     uint32_t *ret_count, char fault[DAEMON_TALK_FAULT_MAX]);

#endif
