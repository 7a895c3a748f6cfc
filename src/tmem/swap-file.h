/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swap-file.h - for the ways by FUSE: a file in DIR that is served, and a loop
 * device on it.
 */
#ifndef TMEM_COMMAND_SWAP_FILE_H
#define TMEM_COMMAND_SWAP_FILE_H

#include "swap-way.h"

/** SWAP_FILE - its name in DIR. */
#define SWAP_FILE "disk"

/** swap_file_lacking() - what the host lacks for both, or NULL: nothing. */
const char *swap_file_lacking(const struct swap_host *h);

/** swap_file_await() - until it is served. Return: 0, -ETIMEDOUT, -ESRCH @p has
 * ended, -EINTR (swap-tool.h). */
int swap_file_await(const char *path, uint64_t size_bytes,
		    const struct swap_process *p);

/** swap_file_attach() - the loop device. As struct swap_way has it. */
int swap_file_attach(const struct swap_host *h, const char *path,
		     struct swap_record *r, char *fault);

/** swap_file_detach() - it, and the file. */
void swap_file_detach(struct swap_record *r);

#endif
