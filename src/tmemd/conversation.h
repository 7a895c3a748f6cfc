/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conversation.h - what clients say, passed on to the room that it is for.
 */
#ifndef TMEM_TMEMD_CONVERSATION_H
#define TMEM_TMEMD_CONVERSATION_H

#include "tmemd.h"

/** tmemd_conversation_start() - listen to who connects to @fd. Return: 0, negative
 * errno. */
int tmemd_conversation_start(struct tmemd *d, int fd);

#endif
